"""Deepgram's Aura and Flux over their WebSockets (its API reference, "Text to Speech Streaming").

Sound carries no label: what comes belongs to the phrase that was flushed first. Behind `Clear` (of
Flux: `Interrupt`) everything is of the phrase that nobody wants any more, its end too, until that
is acknowledged. Aura takes 20 flushes a minute; a phrase beyond them is said on another socket.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.options import within
from rapida_tw.speech.base import SynthesizerProvider
from rapida_tw.speech.messages import parse, reason, socket_url, text, written
from rapida_tw.speech.voices.format import VoiceFormat, VoiceOptions
from rapida_tw.speech.voices.provider import (
    ALAW_8K,
    LINEAR_8K,
    LINEAR_16K,
    LINEAR_24K,
    MULAW_8K,
    SocketVoiceProvider,
)
from rapida_tw.speech.voices.wire import Audio, Complaint, Done, Event, VoiceWire

_BASE: Final = "wss://api.deepgram.com"
_VOICE: Final = "aura-2-thalia-en"  # the one of the vendor's examples
_ENCODINGS: Final = {
    Encoding.LINEAR16: "linear16",
    Encoding.MULAW: "mulaw",
    Encoding.ALAW: "alaw",
}
_FORMATS: Final = (
    *(LINEAR_24K, LINEAR_16K, MULAW_8K, ALAW_8K, LINEAR_8K),
    *(VoiceFormat(Encoding.LINEAR16, rate) for rate in (32_000, 48_000)),
    *(VoiceFormat(encoding, 16_000) for encoding in (Encoding.MULAW, Encoding.ALAW)),
)
_FLUSHES: Final = 20  # a minute, of Aura's ("Flush", Limits)
_FLUSH: Final = written({"type": "Flush"})
_CLOSE: Final = written({"type": "Close"})
# Interrupt, when the phrase had ended before it came.
_NOTHING_TO_STOP: Final = "NO_ACTIVE_SPEECH"
# 1008: what we sent makes no sense to it; the same with the code of an Error.
_OUR_MISTAKE: Final = 1008
_OUR_MISTAKES: Final = ("DATA-", "MESSAGE-", "BIG-")


class Dialect(NamedTuple):
    """In what the two generations differ."""

    path: str
    stop: Frame
    ended: str  # the message behind a phrase's last sound
    stopped: str  # the acknowledgement of `stop`
    per_minute: int


_AURA: Final = Dialect("/v1/speak", written({"type": "Clear"}), "Flushed", "Cleared", _FLUSHES)
_FLUX: Final = Dialect(
    "/v2/speak", written({"type": "Interrupt"}), "SpeechMetadata", "SpeechInterrupted", 0
)


@dataclass(frozen=True, slots=True)
class DeepgramOptions(VoiceOptions):
    """`voice_id`: the whole name, as "aura-2-thalia-en"; language and model are part of it.

    `model`, where it is given, is what Deepgram calls the same, and goes before `voice_id`.
    `speed`: 0.7..1.5.
    """

    voice_id: str = _VOICE
    model: str = ""
    speed: float | None = None

    def __post_init__(self) -> None:
        if self.speed is not None:
            within("speed", self.speed, 0.7, 1.5)
        if not self.name:
            raise ValueError("voice.id must not be empty")

    @property
    def name(self) -> str:
        return self.model or self.voice_id


class DeepgramWire:
    greets = False
    contexts = 1
    keep_alive_every = 0.0
    idle = 0.0

    def __init__(self, options: DeepgramOptions, key: str, base: str, format: VoiceFormat) -> None:
        self.encoding, self.rate = format
        self._dialect = _FLUX if options.name.startswith("flux-") else _AURA
        self.per_minute = self._dialect.per_minute
        self._key = key
        self._base = base
        self._query: dict[str, Any] = {
            "model": options.name,
            "encoding": _ENCODINGS[format.encoding],
            "sample_rate": format.rate,
            "speed": options.speed,
        }
        self._stopping = False  # until that is acknowledged

    def address(self, net: Net) -> Deferred[Request]:
        url = socket_url(self._base, self._dialect.path, self._query)
        return succeed(Request(url, headers={"Authorization": f"Token {self._key}"}))

    def hello(self) -> Sequence[Frame]:
        return ()

    def say(self, context: str, text: str) -> Sequence[Frame]:
        return written({"type": "Speak", "text": text}), _FLUSH

    def cancel(self, context: str) -> Sequence[Frame] | None:
        self._stopping = True
        return (self._dialect.stop,)

    def keep_alive(self) -> Sequence[Frame]:
        return ()

    def goodbye(self) -> Sequence[Frame]:
        return (_CLOSE,)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        if binary:
            return () if self._stopping else (Audio("", payload),)
        fields = parse(payload)
        kind, code = text(fields, "type"), text(fields, "code")
        if kind == "Error":
            return (_complaint(code, text(fields, "description"), code.startswith(_OUR_MISTAKES)),)
        if self._stopping:
            if kind != self._dialect.stopped and code != _NOTHING_TO_STOP:
                return ()
            self._stopping = False
            return (Done(""),)
        if kind == "Warning" and "flush" in f"{code} {text(fields, 'description')}".lower():
            # One flush too many is one that is not answered; a new socket has its own count.
            return (_complaint(code, text(fields, "description"), False),)
        return (Done(""),) if kind == self._dialect.ended else ()

    def closed(self, code: int, reason: str) -> Complaint:
        return _complaint(f"closed with {code}", reason, code == _OUR_MISTAKE)


def _complaint(code: str, told: str, final: bool) -> Complaint:
    return Complaint("", reason(code, told), not final)


class DeepgramSynthesizerProvider(SocketVoiceProvider[DeepgramOptions]):
    vendor = "Deepgram"
    description = "Deepgram Aura and Flux: made for telephones, low latency"
    options = DeepgramOptions
    formats = _FORMATS

    def wire(
        self, options: DeepgramOptions, account: Account, format: VoiceFormat
    ) -> Callable[[], VoiceWire]:
        key = account.need("key", "api_key", "apiKey")
        base = account.base_url(_BASE).removesuffix("/v1")
        return lambda: DeepgramWire(options, key, base, format)


_conforms: type[SynthesizerProvider] = DeepgramSynthesizerProvider
