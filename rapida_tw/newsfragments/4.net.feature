A way out to speech and model vendors: WebSockets, HTTP/1.1 with kept connections and streamed bodies, and server-sent events, with TLS by the platform's trust.
