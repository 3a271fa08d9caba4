"""The messages of Twilio's Media Streams (its documentation, "WebSocket messages").

Text, each a JSON object. Twilio queues the audio that it is sent, plays it in real time and forgets
it when it is told to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.carriers.base import (
    NOTHING,
    Audio,
    Digit,
    MediaEvent,
    MediaWire,
    Message,
    Started,
    Stopped,
)
from rapida_tw.carriers.fields import LONGEST
from rapida_tw.carriers.messages import Marks, decoded, digit, encoded, parse, part, text, written
from rapida_tw.errors import REMOTE_HANGUP, NotSupported, RemoteProtocolError

LEAD: Final = 5  # ticks that Twilio holds: what our beat and the network may be late

# Of mediaFormat; Twilio has no other.
_FORMAT: Final = {"encoding": "audio/x-mulaw", "sampleRate": "8000", "channels": "1"}
# The caller's track; media says it the one way, dtmf the other.
_INBOUND: Final = frozenset(("inbound", "inbound_track", ""))


class TwilioMedia:
    """One stream: it begins with `start`, which names it in all that follows."""

    format = AudioFormat(Encoding.MULAW, 8_000, continuous=False, lead=LEAD)
    one_frame_a_record = False

    def __init__(self) -> None:
        self._stream = ""  # the streamSid; "" before the start
        self._before_payload = b""
        self._marks = Marks()

    # -- from Twilio ------------------------------------------------------------------------------

    def received(self, message: bytes, binary: bool) -> Sequence[MediaEvent]:
        fields = parse(message, binary)
        event = fields.get("event")
        if not isinstance(event, str):
            raise RemoteProtocolError("a message without an event")
        read = _EVENTS.get(event)
        # `connected` says nothing, and Twilio may send new kinds at any time.
        return NOTHING if read is None else read(self, fields)

    def _start(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        if self._stream:
            raise RemoteProtocolError("a second start")
        start = part(fields, "start")
        stream = text(start, "streamSid")
        if not stream or text(fields, "streamSid") not in ("", stream):
            raise RemoteProtocolError("a start without its streamSid")
        call = text(start, "callSid")
        if len(stream) > LONGEST or len(call) > LONGEST:
            raise RemoteProtocolError("an id that is too long")
        offered = part(start, "mediaFormat")
        for name, due in _FORMAT.items():
            if text(offered, name) != due:
                raise RemoteProtocolError(f"{name} must be {due}")
        self._stream = stream
        prefix = f'{{"event":"media","streamSid":{json.dumps(stream)},"media":{{"payload":"'
        self._before_payload = prefix.encode("ascii")
        return (Started(call),)

    def _media(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        self._check(fields)
        media = part(fields, "media")
        if text(media, "track") not in _INBOUND:
            return NOTHING
        payload = decoded(media.get("payload"))
        return (Audio(payload),) if payload else NOTHING

    def _dtmf(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        self._check(fields)
        pressed = part(fields, "dtmf")
        if text(pressed, "track") not in _INBOUND:
            return NOTHING
        return (Digit(digit(text(pressed, "digit"))),)

    def _mark(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        self._check(fields)
        return self._marks.returned(text(part(fields, "mark"), "name"))

    def _stop(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        self._check(fields)
        return (Stopped(REMOTE_HANGUP),)

    def _check(self, fields: Mapping[str, Any]) -> None:
        if not self._stream:
            raise RemoteProtocolError("a message before the start")
        if fields.get("streamSid") != self._stream:
            raise RemoteProtocolError("a message of another stream")

    # -- to Twilio --------------------------------------------------------------------------------

    def audio(self, payload: bytes) -> Sequence[Message]:
        if not self._stream:
            return NOTHING
        return (Message(self._before_payload + encoded(payload) + b'"}}'),)

    def mark(self, name: str) -> Sequence[Message]:
        if not self._stream:
            return NOTHING
        self._marks.sent(name)
        return (written({"event": "mark", "streamSid": self._stream, "mark": {"name": name}}),)

    def clear(self) -> Sequence[Message]:
        if not self._stream:
            return NOTHING
        self._marks.cleared()
        return (written({"event": "clear", "streamSid": self._stream}),)

    def digits(self, digits: str) -> Sequence[Message]:
        raise NotSupported("Twilio's media socket carries no digits towards the phone")

    def hang_up(self) -> Sequence[Message]:
        return NOTHING  # closing ends the call: no verb follows our <Connect>


_EVENTS: Final[Mapping[str, Callable[[TwilioMedia, Mapping[str, Any]], Sequence[MediaEvent]]]] = {
    "start": TwilioMedia._start,
    "media": TwilioMedia._media,
    "dtmf": TwilioMedia._dtmf,
    "mark": TwilioMedia._mark,
    "stop": TwilioMedia._stop,
}

_conforms: type[MediaWire] = TwilioMedia
