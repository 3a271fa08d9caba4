``rapida sim load --transport twilio`` (or ``vonage``) makes many calls at once by a carrier's WebSocket.
