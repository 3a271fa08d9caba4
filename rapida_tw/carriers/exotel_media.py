"""The messages of Exotel's media socket (Exotel, "Voicebot applet", WebSocket reference).

Keys are in snake_case in its documents and in camelCase in its newer samples, numbers are texts or
numbers: all is read, and the answer is in the style of the start.
"""

from __future__ import annotations

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
    Stopped,
)
from rapida_tw.carriers.exotel_chunks import LEAD, Chunks, Settings
from rapida_tw.carriers.exotel_encoding import DEFAULT, Decision, Measurement, announced, whole
from rapida_tw.carriers.messages import Marks, decoded, digit, parse, part, text
from rapida_tw.errors import REMOTE_HANGUP, NotSupported, RemoteProtocolError

RATES = (8_000, 16_000, 24_000)  # Hz
RATE = 8_000  # of a socket whose address does not ask for another

_HELD = 50  # events that wait for the decision; ten of them are sound
_LONGEST_SID = 256  # characters; it is repeated in each message
_SHOWN = 60  # characters of a bad value that a log may hold
_ENDS = {"": "", "callended": "", "stopped": "the applet has ended"}


class ExotelMedia:
    """One call's media socket.

    It has started when the encoding is known: where the start does not tell, after some messages of
    sound, which then follow.
    """

    one_frame_a_record = False

    def __init__(self, settings: Settings, rate: int) -> None:
        """`rate`: Hz, where the start tells none."""
        self.format = AudioFormat(rate=rate, continuous=False, lead=LEAD)
        self._settings = settings
        self._sid = ""
        self._camel = False
        self._call_id = ""
        self._measurement: Measurement | None = None  # between the start and the decision
        self._held: list[MediaEvent] = []
        self._chunks: Chunks | None = None  # since the decision
        self._marks = Marks()

    def received(self, message: bytes, binary: bool) -> Sequence[MediaEvent]:
        told = parse(message, binary)
        if self._sid and text(told, "stream_sid", "streamSid") not in ("", self._sid):
            raise RemoteProtocolError("a message of another stream")
        event = text(told, "event")
        if event == "media":
            return self._heard(part(told, "media"))
        if event == "start":
            return self._start(told)
        if event == "stop":
            return self._stopped(told)
        if event == "dtmf":
            pressed = text(told, "digit") or text(part(told, "dtmf"), "digit")
            return self._in_turn(Digit(digit(pressed)))
        if event == "mark":
            return self._marks.returned(text(part(told, "mark"), "name"))
        if not event:
            raise RemoteProtocolError("no event")
        return NOTHING  # connected, clear, closed, silence, and what is yet to be invented

    # -- the start --------------------------------------------------------------------------------

    def _start(self, told: Mapping[str, Any]) -> Sequence[MediaEvent]:
        if self._sid:
            raise RemoteProtocolError("a second start")
        start = part(told, "start")
        sid = text(told, "stream_sid", "streamSid") or text(start, "stream_sid", "streamSid")
        if not 0 < len(sid) <= _LONGEST_SID:
            raise RemoteProtocolError("a start without a stream_sid of sensible length")
        form = start.get("media_format", start.get("mediaFormat"))
        form = form if isinstance(form, dict) else {}
        rate = whole(text(form, "sample_rate", "sampleRate")) or self.format.rate
        if rate not in RATES:
            raise RemoteProtocolError(f"sound of {rate} Hz")
        self._sid = sid
        self._camel = "streamSid" in told or "streamSid" in start
        self._call_id = text(start, "call_sid", "callSid")[:_LONGEST_SID]
        self.format = AudioFormat(rate=rate, continuous=False, lead=LEAD)
        if self._settings.encoding is not None:
            return self._decided(Decision(self._settings.encoding, "by the deployment's option"))
        bit_rate = text(form, "bit_rate", "bitRate")
        decision = announced(text(form, "encoding"), bit_rate, rate)
        if decision is not None:
            return self._decided(decision)
        self._measurement = Measurement(rate)
        return NOTHING

    def _decided(self, decision: Decision) -> Sequence[MediaEvent]:
        """The stream has started, and what was held back follows."""
        encoding, rate = decision.encoding, self.format.rate
        self._chunks = Chunks(self._settings, self._sid, self._camel, encoding, rate)
        self.format = self._chunks.format
        self._measurement = None
        held, self._held = self._held, []
        started = Started(self._call_id, "", f"{encoding.value} at {rate} Hz {decision.reason}")
        return (started, *(event for event in held if self._is_whole(event)))

    def _is_whole(self, event: MediaEvent) -> bool:
        return not isinstance(event, Audio) or not len(event.payload) % self.format.sample_bytes

    # -- from then on -----------------------------------------------------------------------------

    def _heard(self, media: Mapping[str, Any]) -> Sequence[MediaEvent]:
        heard = Audio(decoded(media.get("payload")))
        if self._chunks is not None:
            if not self._is_whole(heard):
                raise RemoteProtocolError(f"{len(heard.payload)} bytes are no samples of 16 bit")
            return (heard,) if heard.payload else NOTHING
        if self._measurement is None:
            raise RemoteProtocolError("sound before the start")
        self._in_turn(heard)
        timestamp = whole(text(media, "timestamp"))
        decision = self._measurement.add(timestamp, len(heard.payload))
        return NOTHING if decision is None else self._decided(decision)

    def _in_turn(self, event: MediaEvent) -> Sequence[MediaEvent]:
        """The event now, or after the start where that is being waited for."""
        if self._chunks is None and self._measurement is not None:
            if len(self._held) == _HELD:
                raise RemoteProtocolError("no sound to tell the encoding by")
            self._held.append(event)
            return NOTHING
        return (event,)

    def _stopped(self, told: Mapping[str, Any]) -> Sequence[MediaEvent]:
        stop = told.get("stop")
        reason = text(stop, "reason") if isinstance(stop, dict) else ""
        detail = _ENDS.get(reason, f"stopped: {reason[:_SHOWN]}")
        stopped = Stopped(REMOTE_HANGUP.because(detail))
        if self._measurement is not None:  # a call too short to tell
            return (*self._decided(DEFAULT), stopped)
        return (stopped,)

    # -- to Exotel; nothing before the start ------------------------------------------------------

    def audio(self, payload: bytes) -> Sequence[Message]:
        return NOTHING if self._chunks is None else self._chunks.audio(payload)

    def mark(self, name: str) -> Sequence[Message]:
        self._marks.sent(name)
        return NOTHING if self._chunks is None else self._chunks.mark(name)

    def clear(self) -> Sequence[Message]:
        self._marks.cleared()
        return NOTHING if self._chunks is None else self._chunks.clear()

    def digits(self, digits: str) -> Sequence[Message]:
        raise NotSupported("Exotel's media socket has no digits towards the caller")

    def hang_up(self) -> Sequence[Message]:
        return NOTHING  # closing the socket is it


_conforms: type[MediaWire] = ExotelMedia
