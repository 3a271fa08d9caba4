Asterisk connects calls by chan_websocket, too: over the HTTP port, plain or with TLS, in 8 to 192
kHz. ``rapida dialplan --transport websocket`` prints what it needs.
