"""Messages of the services; what protoc has written."""
