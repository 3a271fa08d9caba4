"""The messages of Vonage's media socket (Voice API, "WebSockets"): text for control, binary for
sound.

Each binary message of ours must be one frame of 20 ms: Vonage stops listening at another size. So a
tick is a message, without a copy. There is no message for the end: closing is it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.audio.format import AudioFormat
from rapida_tw.carriers.base import (
    NOTHING,
    Audio,
    Digit,
    MediaEvent,
    MediaWire,
    Message,
    Started,
)
from rapida_tw.carriers.messages import Marks, digit, parse, part, text, written
from rapida_tw.errors import NotSupported, RemoteProtocolError

RATES = (8_000, 16_000, 24_000)  # Hz
LEAD = 10  # ticks; Vonage holds a minute and can forget it

_EARLY = 50  # messages of sound before the first text that are passed over: a second
_CONTENT_TYPE = re.compile(r"\s*audio/l16\s*;\s*rate\s*=\s*(\d{1,6})\s*", re.IGNORECASE)
_CLEAR = (Message(b'{"action":"clear"}'),)


class VonageMedia:
    """One call's media socket; `rate` is that of the NCCO, until the far side tells it."""

    one_frame_a_record = False

    def __init__(self, rate: int) -> None:
        self.format = _format(rate)
        self._started = False
        self._early = 0
        self._marks = Marks()

    def received(self, message: bytes, binary: bool) -> Sequence[MediaEvent]:
        if not binary:
            return self._told(parse(message))
        if not self._started:
            self._early += 1
            if self._early > _EARLY:
                raise RemoteProtocolError("sound without websocket:connected")
            return NOTHING
        if len(message) & 1:
            raise RemoteProtocolError(f"{len(message)} bytes are no samples of 16 bit")
        return (Audio(message),) if message else NOTHING

    def _told(self, message: Mapping[str, Any]) -> Sequence[MediaEvent]:
        event = text(message, "event")
        if event == "websocket:connected":
            return self._connected(message)
        if not self._started:
            raise RemoteProtocolError("not websocket:connected first")
        if event == "websocket:dtmf":
            pressed = text(message, "digit") or text(part(message, "dtmf"), "digit")
            return (Digit(digit(pressed)),)
        if event == "websocket:notify":
            payload = message.get("payload")
            return (
                self._marks.returned(text(payload, "id")) if isinstance(payload, dict) else NOTHING
            )
        return NOTHING  # websocket:cleared, and what is yet to be invented

    def _connected(self, message: Mapping[str, Any]) -> Sequence[MediaEvent]:
        if self._started:
            raise RemoteProtocolError("a second websocket:connected")
        announced = text(message, "content-type")
        if announced:
            match = _CONTENT_TYPE.fullmatch(announced)
            if match is None or int(match[1]) not in RATES:
                raise RemoteProtocolError(f"sound of another kind: {announced[:60]!r}")
            self.format = _format(int(match[1]))
        self._started = True
        return (Started(),)

    def audio(self, payload: bytes) -> Sequence[Message]:
        return (Message(payload, True),)

    def mark(self, name: str) -> Sequence[Message]:
        self._marks.sent(name)
        return (written({"action": "notify", "payload": {"id": name}}),)

    def clear(self) -> Sequence[Message]:
        self._marks.cleared()
        return _CLEAR

    def digits(self, digits: str) -> Sequence[Message]:
        raise NotSupported("Vonage's media socket has no digits towards the caller")

    def hang_up(self) -> Sequence[Message]:
        return NOTHING


def _format(rate: int) -> AudioFormat:
    return AudioFormat(rate=rate, continuous=False, lead=LEAD)


_conforms: type[MediaWire] = VonageMedia
