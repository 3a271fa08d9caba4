"""Vonage's side of its media WebSocket (Voice API, "WebSockets").

Text is control, binary is linear sound of 16 bit in frames of exactly 20 ms. At a frame of another
size Vonage logs "unexpected frame size" and stops listening: the socket dies without a close.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rapida_tw.sim.buffer import Playing
from rapida_tw.sim.carrier import Desk, Dialect
from rapida_tw.sim.phone import Ending, Reason

HELD = 3_072  # messages that wait to be played; what comes on top is lost
_FRAME_MS = 20
_KEY_MS = 260  # a key is held down for so long


class VonageMedia:
    """One call's. `headers` are the NCCO's, which come back flattened in the first message."""

    playing = Playing(echoes_on_clear=False, capacity=HELD * _FRAME_MS / 1000)
    fragmented = True
    longest = 65_536

    def __init__(self, rate: int, headers: Mapping[str, Any]) -> None:
        self.rate = rate
        self.lost = 0  # messages for which there was no room
        self.clears = 0
        self._headers = headers
        self._frame_bytes = rate * _FRAME_MS // 1000 * 2

    def opened(self, desk: Desk) -> None:
        first = {"event": "websocket:connected", "content-type": f"audio/l16;rate={self.rate}"}
        desk.say(_json({**first, **self._headers}))

    def audio(self, desk: Desk, payload: bytes) -> None:
        desk.say(payload, media=True)

    def digit(self, desk: Desk, digit: str) -> None:
        desk.say(_json({"event": "websocket:dtmf", "digit": digit, "duration": _KEY_MS}))

    def text(self, desk: Desk, message: str) -> None:
        try:
            command = json.loads(message)
        except (ValueError, RecursionError):
            desk.complain("text that is no JSON")
            return
        action = command.get("action") if isinstance(command, dict) else None
        if action == "clear":
            self.clears += 1
            desk.buffer.clear()
            desk.say(_json({"event": "websocket:cleared"}))
        elif action == "notify" and isinstance(command.get("payload"), dict):
            desk.buffer.mark(_json(command["payload"]))
        else:
            desk.complain(f"no action: {message[:80]}")

    def binary(self, desk: Desk, message: bytes) -> None:
        if len(message) != self._frame_bytes:
            desk.cut(Ending(Reason.BAD_MESSAGE, f"unexpected frame size: {len(message)}"))
        elif not desk.buffer.write(message):
            self.lost += 1

    def reached(self, desk: Desk, name: str) -> None:
        desk.say(_json({"event": "websocket:notify", "payload": json.loads(name)}))

    def hung_up(self, desk: Desk) -> None:
        """The close says it."""


def _json(message: Mapping[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))


_conforms: type[Dialect] = VonageMedia
