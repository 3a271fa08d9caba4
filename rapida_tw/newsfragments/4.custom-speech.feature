Recognisers and voices by rules (``custom``) can be chosen: a vendor of one's own, in JSON or binary messages over a WebSocket, and for recognisers by a recording of each turn (``http_v1``).
