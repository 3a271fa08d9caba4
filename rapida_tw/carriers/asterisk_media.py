"""The media messages of Asterisk's chan_websocket (its documentation, "WebSocket Channel").

Binary messages are audio, text messages are control: JSON (`f(json)` in the dial string, from
20.18 / 22.8 / 23.2 on) or plain text. Asterisk queues what it is sent, plays a frame every 20 ms
and can forget the rest. Commands of the form that the call does not have do nothing at all.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.carriers.base import (
    NOTHING,
    Audio,
    Complaint,
    Digit,
    Full,
    MarkHeard,
    MediaEvent,
    MediaWire,
    Message,
    Started,
)
from rapida_tw.carriers.fields import LONGEST
from rapida_tw.carriers.messages import digit, parse, text
from rapida_tw.errors import NotSupported, RemoteProtocolError

# The channel's own word. Asterisk keeps what v() appends to the address in an object that all calls
# share: of two calls in the same moment, one may come with the other's address.
CONTEXT_VARIABLE: Final = "RAPIDA_CONTEXT_ID"
LEAD: Final = 5  # ticks that Asterisk holds: what our beat and the network may be late
EARLY_MESSAGES: Final = 25  # of audio kept until MEDIA_START: half a second, as Asterisk sends it
LONGEST_COMMAND: Final = 128  # bytes; Asterisk ignores longer text messages
LONGEST_AUDIO: Final = 32_768  # bytes in one message; a frame of 192 kHz has 7680
_LONGEST_COMPLAINT = 200  # characters
_LONGEST_NUMBER = 6  # digits

_FORMATS: Final[Mapping[str, tuple[Encoding, int]]] = {
    "ulaw": (Encoding.MULAW, 8_000),
    "alaw": (Encoding.ALAW, 8_000),
    "slin": (Encoding.LINEAR16, 8_000),
    "slin12": (Encoding.LINEAR16, 12_000),
    "slin16": (Encoding.LINEAR16, 16_000),
    "slin24": (Encoding.LINEAR16, 24_000),
    "slin32": (Encoding.LINEAR16, 32_000),
    "slin44": (Encoding.LINEAR16, 44_100),
    "slin48": (Encoding.LINEAR16, 48_000),
    "slin96": (Encoding.LINEAR16, 96_000),
    "slin192": (Encoding.LINEAR16, 192_000),
}
_SILENT_BYTE = {Encoding.MULAW: b"\xff", Encoding.ALAW: b"\xd5", Encoding.LINEAR16: b"\0"}


class AsteriskMedia:
    """The MediaWire of one chan_websocket call."""

    # Since 22.8 Asterisk does not look into OpenSSL's buffer after the first frame of a record.
    one_frame_a_record = True

    def __init__(self, named: str = "", secure: bool = False) -> None:
        """`named`: the context in the socket's address; `secure`: Asterisk's side is TLS."""
        self._named = named.lower()
        self.format = AudioFormat(Encoding.MULAW, continuous=False, lead=LEAD)
        # A proxy in between may join messages to one record again. What comes later frees them.
        self._nudge = ("GET_STATUS",) if secure else ()
        self._write = _plain
        self._form_known = False
        self._frame_bytes = 0  # of Asterisk's frames; 0 until MEDIA_START
        self._queues = True  # Asterisk keeps what it is sent, and plays it in time
        self._early: deque[bytes] = deque(maxlen=EARLY_MESSAGES)  # the latest are kept
        self._rest = b""  # less than one of Asterisk's frames, which it would throw away

    # -- from Asterisk ----------------------------------------------------------------------------

    def received(self, message: bytes, binary: bool) -> Sequence[MediaEvent]:
        if binary:
            return self._heard(message)
        is_json = message[:1] == b"{"
        if not self._form_known:
            self._form_known = True
            self._write = _json if is_json else _plain
        word, fields = _read_json(message) if is_json else _read_plain(message)
        understand = _EVENTS.get(word)
        return NOTHING if understand is None else understand(self, fields)

    def _heard(self, payload: bytes) -> Sequence[MediaEvent]:
        if len(payload) > LONGEST_AUDIO or len(payload) % self.format.sample_bytes:
            raise RemoteProtocolError(f"{len(payload)} bytes are no audio message")
        if self._frame_bytes:
            return (Audio(payload),) if payload else NOTHING
        # Asterisk 22.7 on a busy machine: the caller's first frames overtake MEDIA_START.
        self._early.append(payload)
        return NOTHING

    def _media_start(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        if self._frame_bytes:
            raise RemoteProtocolError("a second MEDIA_START")
        format = _format(text(fields, "format"))
        self._frame_bytes = _frame_bytes(text(fields, "optimal_frame_size"), format)
        self._queues = not (_is_true(fields, "passthrough") or _is_true(fields, "unbuffered"))
        self.format = format if self._queues else replace(format, lead=0)
        variables = fields.get("channel_variables")
        context_id = text(variables, CONTEXT_VARIABLE) if isinstance(variables, dict) else ""
        if context_id.lower() == self._named:
            context_id = ""
        early, self._early = self._early, deque(maxlen=0)
        heard = (Audio(one) for one in early if one and not len(one) % format.sample_bytes)
        return (Started(text(fields, "channel_id")[:LONGEST], context_id), *heard)

    def _dtmf_end(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        return (Digit(digit(text(fields, "digit"))),)

    def _media_xoff(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        return (Full(True),)

    def _media_xon(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        return (Full(False),)

    def _media_mark_processed(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        return (MarkHeard(text(fields, "correlation_id")),)

    def _error(self, fields: Mapping[str, Any]) -> Sequence[MediaEvent]:
        said = " ".join(text(fields, "error_text").split())
        return (Complaint(said[:_LONGEST_COMPLAINT] or "an ERROR without a text"),)

    # -- to Asterisk ------------------------------------------------------------------------------

    def audio(self, payload: bytes) -> Sequence[Message]:
        if not self._frame_bytes:
            return NOTHING
        if self._rest:
            payload = self._rest + payload
        whole = len(payload) - len(payload) % self._frame_bytes
        self._rest = payload[whole:]
        return (Message(payload[:whole], True),) if whole else NOTHING

    def mark(self, name: str) -> Sequence[Message]:
        """Before 22.8 Asterisk logs an unknown command, and answers nothing.

        QUEUE_DRAINED, which those versions can be asked for, is no substitute: it tells of the end
        of an utterance alone, and marks in the midst of it would seem to be late.
        """
        command = self._write("MARK_MEDIA", name)
        if not self._frame_bytes or not self._queues or len(command) > LONGEST_COMMAND:
            return NOTHING
        return (*self._gathered(), Message(command), *self._nudges())

    def clear(self) -> Sequence[Message]:
        self._rest = b""
        return self._urgent("FLUSH_MEDIA") if self._frame_bytes and self._queues else NOTHING

    def digits(self, digits: str) -> Sequence[Message]:
        raise NotSupported("chan_websocket has no digits towards Asterisk")

    def hang_up(self) -> Sequence[Message]:
        return self._urgent("HANGUP") if self._form_known else NOTHING

    def _urgent(self, word: str) -> Sequence[Message]:
        return (Message(self._write(word)), *self._nudges())

    def _nudges(self) -> Sequence[Message]:
        return tuple(Message(self._write(word)) for word in self._nudge)

    def _gathered(self) -> Sequence[Message]:
        """What is less than a frame, filled up with silence."""
        rest, self._rest = self._rest, b""
        if not rest:
            return NOTHING
        return (Message(rest.ljust(self._frame_bytes, _SILENT_BYTE[self.format.encoding]), True),)


_Understand = Callable[[AsteriskMedia, Mapping[str, Any]], Sequence[MediaEvent]]
_EVENTS: Final[Mapping[str, _Understand]] = {
    "MEDIA_START": AsteriskMedia._media_start,
    "DTMF_END": AsteriskMedia._dtmf_end,
    "MEDIA_XOFF": AsteriskMedia._media_xoff,
    "MEDIA_XON": AsteriskMedia._media_xon,
    "MEDIA_MARK_PROCESSED": AsteriskMedia._media_mark_processed,
    "ERROR": AsteriskMedia._error,
    # Of no use here: STATUS, QUEUE_DRAINED, MEDIA_BUFFERING_COMPLETED, and what is not known.
}


def _format(name: str) -> AudioFormat:
    if name not in _FORMATS:
        raise RemoteProtocolError(
            f"no codec {name[:20]!r} here: write c(ulaw), c(alaw) or c(slin16) into the dial string"
        )
    encoding, rate = _FORMATS[name]
    return AudioFormat(encoding, rate, continuous=False, lead=LEAD)


def _frame_bytes(size: str, format: AudioFormat) -> int:
    """What Asterisk calls its optimal frame; a tick where it does not say."""
    if not size:
        return format.frame_bytes
    if size.isascii() and size.isdigit() and len(size) <= _LONGEST_NUMBER:
        number = int(size)
        if 0 < number <= LONGEST_AUDIO and not number % format.sample_bytes:
            return number
    raise RemoteProtocolError(f"frames of {size[:20]!r} bytes")


def _is_true(fields: Mapping[str, Any], name: str) -> bool:
    return fields.get(name) in (True, "true")


# -- the two forms of control messages ------------------------------------------------------------


def _json(word: str, correlation_id: str = "") -> bytes:
    fields = {"command": word}
    if correlation_id:
        fields["correlation_id"] = correlation_id
    return json.dumps(fields, separators=(",", ":")).encode("ascii")


def _plain(word: str, correlation_id: str = "") -> bytes:
    return f"{word} {correlation_id}".rstrip().encode("utf-8", "backslashreplace")


def _read_json(message: bytes) -> tuple[str, Mapping[str, Any]]:
    fields = parse(message)
    return text(fields, "event"), fields


def _read_plain(message: bytes) -> tuple[str, Mapping[str, Any]]:
    """`WORD name:value name:value`; what follows `error_text:` or a mark's answer is one value."""
    try:
        word, _, rest = message.decode("utf-8").strip().partition(" ")
    except UnicodeDecodeError:
        raise RemoteProtocolError("text that is no UTF-8") from None
    if word == "MEDIA_MARK_PROCESSED":
        return word, {"correlation_id": rest}
    if word == "ERROR":
        return word, {"error_text": rest.partition("error_text:")[2]}
    pairs = (part.partition(":") for part in rest.split())
    return word, {name: value for name, _, value in pairs}


_conforms: type[MediaWire] = AsteriskMedia
