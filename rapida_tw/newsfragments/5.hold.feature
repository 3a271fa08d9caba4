Callers may put the assistant on hold: it falls silent, hears nothing and asks nobody whether they are
there. An answer that the caller was waiting for is given when they are back; a half one is not taken
up again. The journal has ``hold.started`` and ``hold.ended``.
