"""Cartesia's Sonic over its WebSocket (its API reference, "Text to Speech (WebSocket)").

A phrase is a context of its own, sent as a whole. Cancelling stops what is not being made yet; what
is may still come, and is dropped by its context. Nothing says that a cancelled one has ended: it
counts until another one sounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import RemoteProtocolError
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.options import within
from rapida_tw.speech.base import SynthesizerProvider, Word
from rapida_tw.speech.messages import (
    decoded,
    number,
    parse,
    part,
    reason,
    socket_url,
    text,
    written,
)
from rapida_tw.speech.voices.format import VoiceFormat, VoiceOptions
from rapida_tw.speech.voices.phrase import LONGEST
from rapida_tw.speech.voices.provider import ALAW_8K, LINEAR_16K, MULAW_8K, SocketVoiceProvider
from rapida_tw.speech.voices.wire import Audio, Complaint, Done, Event, VoiceWire, Words

_BASE: Final = "https://api.cartesia.ai"
_VERSION: Final = "2026-03-01"  # from here on errors have codes
_VOICE: Final = "a0e99841-438c-4a64-b679-ae501e7d6091"  # the one of the vendor's examples
_CONTEXTS: Final = 20  # "dozens"
_IDLE: Final = 300.0  # seconds
_ENCODINGS: Final = {
    Encoding.LINEAR16: "pcm_s16le",
    Encoding.MULAW: "pcm_mulaw",
    Encoding.ALAW: "pcm_alaw",
}
_RATES: Final = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
_FORMATS: Final = (
    *(LINEAR_16K, MULAW_8K, ALAW_8K),
    *(VoiceFormat(encoding, rate) for encoding in _ENCODINGS for rate in _RATES),
)
# Statuses of errors that another connection does not change.
_FINAL: Final = frozenset((400, 401, 402, 403, 404, 422))
# What models before Sonic 3 were told, as Rapida's options still have it.
_SPEEDS: Final = {"slowest": 0.6, "slow": 0.8, "normal": 1.0, "fast": 1.2, "fastest": 1.5}
_EMOTIONS: Final = {
    "anger": "angry",
    "positivity": "happy",
    "surprise": "surprised",
    "sadness": "sad",
    "curiosity": "curious",
}


@dataclass(frozen=True, slots=True)
class CartesiaOptions(VoiceOptions):
    """`speed`: 0.6..1.5; `volume`: 0.5..2; `emotion`: a word of the vendor's list.

    The experimental controls are those of earlier models ("fast", "positivity:high"); they are
    told to Sonic 3 in its own words.
    """

    voice_id: str = _VOICE
    model: str = "sonic-3"
    speed: float | None = None
    volume: float | None = None
    emotion: str = ""
    pronunciation_dict_id: str = ""
    experimental_controls_speed: str = ""
    experimental_controls_emotion: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.speed is not None:
            within("speed", self.speed, 0.6, 1.5)
        if self.volume is not None:
            within("volume", self.volume, 0.5, 2)
        if self.experimental_controls_speed not in ("", *_SPEEDS):
            known = ", ".join(_SPEEDS)
            raise ValueError(f"__experimental_controls.speed must be one of {known}")
        if not self.voice_id or not self.model:
            raise ValueError("voice.id and model must not be empty")

    @property
    def generation_config(self) -> dict[str, Any]:
        speed = self.speed or _SPEEDS.get(self.experimental_controls_speed)
        first = next(iter(self.experimental_controls_emotion), "").partition(":")[0]
        emotion = self.emotion or _EMOTIONS.get(first, first)
        told = {"speed": speed, "volume": self.volume, "emotion": emotion}
        return {name: value for name, value in told.items() if value}


class CartesiaWire:
    greets = False
    contexts = _CONTEXTS
    per_minute = 0
    keep_alive_every = 0.0  # there is none
    idle = _IDLE

    def __init__(self, options: CartesiaOptions, key: str, base: str, format: VoiceFormat) -> None:
        self.encoding, self.rate = format
        self._key = key
        self._base = base
        self._cancelled: list[str] = []
        self._settings: dict[str, Any] = {
            "model_id": options.model,
            "voice": {"mode": "id", "id": options.voice_id},
            "output_format": {
                "container": "raw",
                "encoding": _ENCODINGS[format.encoding],
                "sample_rate": format.rate,
            },
            "add_timestamps": True,
            "max_buffer_delay_ms": 0,  # whole phrases: there is nothing to wait for
        }
        if options.language:
            self._settings["language"] = options.language.partition("-")[0]
        if options.generation_config:
            self._settings["generation_config"] = options.generation_config
        if options.pronunciation_dict_id:
            self._settings["pronunciation_dict_id"] = options.pronunciation_dict_id

    def address(self, net: Net) -> Deferred[Request]:
        headers = {"X-API-Key": self._key, "Cartesia-Version": _VERSION}
        return succeed(Request(socket_url(self._base, "/tts/websocket", {}), headers=headers))

    def hello(self) -> Sequence[Frame]:
        return ()

    def say(self, context: str, text: str) -> Sequence[Frame]:
        named = {"context_id": context, "transcript": text, "continue": False}
        return (written({**self._settings, **named}),)

    def cancel(self, context: str) -> Sequence[Frame] | None:
        self._cancelled.append(context)
        return (written({"context_id": context, "cancel": True}),)

    def keep_alive(self) -> Sequence[Frame]:
        return ()

    def goodbye(self) -> Sequence[Frame]:
        return ()

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        context = text(fields, "context_id")
        kind = text(fields, "type")
        if kind == "error":
            said = reason(text(fields, "title"), text(fields, "message"))
            final = number(fields, "status_code") in _FINAL
            return (Complaint(context, said, not final),)
        if not context:
            return ()
        if kind == "chunk":
            sound = Audio(context, decoded(text(fields, "data")))
            return (sound,) if context in self._cancelled else (*self._ended(), sound)
        if kind == "timestamps":
            words = part(fields, "word_timestamps")
            return (Words(context, tuple(_words(words.get("words"), words))),)
        return (Done(context),) if kind == "done" else ()

    def _ended(self) -> Sequence[Event]:
        """What was cancelled is over, now that another phrase sounds."""
        cancelled, self._cancelled = self._cancelled, []
        return [Done(context) for context in cancelled]

    def closed(self, code: int, reason: str) -> Complaint:
        return Complaint("", f"closed with {code}{': ' if reason else ''}{reason}")


def _words(texts: Any, times: Any) -> Sequence[Word]:
    starts, ends = times.get("start"), times.get("end")
    if not all(isinstance(one, list) for one in (texts, starts, ends)):
        raise RemoteProtocolError("word_timestamps without its lists")
    words = [Word(*one) for one in zip(texts, starts, ends, strict=False)]
    if not all(isinstance(word.text, str) for word in words) or not all(
        isinstance(time, int | float) and 0 <= time < LONGEST for word in words for time in word[1:]
    ):
        raise RemoteProtocolError("word_timestamps of another kind")
    return words


class CartesiaSynthesizerProvider(SocketVoiceProvider[CartesiaOptions]):
    vendor = "Cartesia"
    description = "Cartesia Sonic: low latency, 40 languages, words with their times"
    options = CartesiaOptions
    formats = _FORMATS

    def wire(
        self, options: CartesiaOptions, account: Account, format: VoiceFormat
    ) -> Callable[[], VoiceWire]:
        key = account.need("key", "api_key", "apiKey")
        base = account.base_url(_BASE)
        return lambda: CartesiaWire(options, key, base, format)


_conforms: type[SynthesizerProvider] = CartesiaSynthesizerProvider
