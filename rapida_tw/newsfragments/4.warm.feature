A call's vendors are connected and its greeting is spoken while the carrier still sets the call up, between the webhook and the media connection.
