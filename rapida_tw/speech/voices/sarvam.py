"""Sarvam's Bulbul over its WebSocket (its API reference, "Text to Speech, WebSocket").

Sound carries no label, and nothing but closing stops it: an interruption costs a new connection,
which is opened at once. A phrase ends with the event that the query asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import CREDENTIAL_FIELDS, Account
from rapida_tw.audio.format import Encoding
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.options import within
from rapida_tw.speech.base import SynthesizerProvider
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
from rapida_tw.speech.voices.provider import (
    ALAW_8K,
    LINEAR_8K,
    LINEAR_16K,
    LINEAR_24K,
    MULAW_8K,
    SocketVoiceProvider,
)
from rapida_tw.speech.voices.wav import MaybeWav
from rapida_tw.speech.voices.wire import Audio, Complaint, Done, Event, VoiceWire

_BASE: Final = "wss://api.sarvam.ai"
_IDLE: Final = 60.0  # seconds
_CODECS: Final = {
    Encoding.LINEAR16: "linear16",
    Encoding.MULAW: "mulaw",
    Encoding.ALAW: "alaw",
}
_FORMATS: Final = (
    *(LINEAR_24K, LINEAR_16K, MULAW_8K, ALAW_8K, LINEAR_8K),
    VoiceFormat(Encoding.LINEAR16, 22_050),
)
_OLDEST: Final = "bulbul:v2"
# Speakers belong to models; newer models than these have hundreds, and none for everybody.
_SPEAKERS: Final = {_OLDEST: "anushka", "bulbul:v3": "shubh"}
_FLUSH: Final = written({"type": "flush"})
_PING: Final = written({"type": "ping"})
_PASSING: Final = frozenset((408, 429))  # of codes from 400 to 499
# Close codes that another connection does not change: the key, what was asked for.
_FOREVER: Final = frozenset((1003, 1008, 4000))


@dataclass(frozen=True, slots=True)
class SarvamVoiceOptions(VoiceOptions):
    """`voice_id` "": the model's usual speaker. `speed`: 0.5..2, of bulbul:v2 0.3..3.

    `pitch` (-0.75..0.75) and `loudness` (0.3..3): bulbul:v2 alone; `temperature` (0.01..1): all
    others.
    """

    voice_id: str = ""
    model: str = "bulbul:v3"
    speed: float | None = None
    pitch: float | None = None
    loudness: float | None = None
    temperature: float | None = None

    def __post_init__(self) -> None:
        oldest = self.model == _OLDEST
        for name, low, high, taken in (
            ("speed", *((0.3, 3) if oldest else (0.5, 2)), True),
            ("pitch", -0.75, 0.75, oldest),
            ("loudness", 0.3, 3, oldest),
            ("temperature", 0.01, 1, not oldest),
        ):
            value = getattr(self, name)
            if value is not None:
                if not taken:
                    raise ValueError(f"{self.model} does not take {name}")
                within(name, value, low, high)
        if not self.speaker:
            raise ValueError(f"{self.model} needs a voice.id")

    @property
    def speaker(self) -> str:
        return self.voice_id.lower() or _SPEAKERS.get(self.model, "")

    @property
    def spoken(self) -> str:
        """All its languages are India's, English too."""
        language = self.language.replace("_", "-").partition("-")[0].lower() or "en"
        return "od-IN" if language == "or" else f"{language}-IN"


class SarvamVoiceWire:
    greets = False
    contexts = 1
    per_minute = 0
    keep_alive_every = 20.0
    idle = _IDLE

    def __init__(
        self, options: SarvamVoiceOptions, key: str, base: str, format: VoiceFormat
    ) -> None:
        self.encoding, self.rate = format
        self._options = options
        self._key = key
        self._base = base
        self._format = format
        self._reader = MaybeWav(*format)  # of the present phrase

    def address(self, net: Net) -> Deferred[Request]:
        query = {"model": self._options.model, "send_completion_event": True}
        url = socket_url(self._base, "/text-to-speech/ws", query)
        return succeed(Request(url, headers={"Api-Subscription-Key": self._key}))

    def hello(self) -> Sequence[Frame]:
        options = self._options
        settings: dict[str, Any] = {
            # The field's name was changed, and which server knows which is not documented.
            "target_language_code": options.spoken,
            "language_code": options.spoken,
            "speaker": options.speaker,
            "speech_sample_rate": self._format.rate,
            "output_audio_codec": _CODECS[self._format.encoding],
            "pace": options.speed,
            "pitch": options.pitch,
            "loudness": options.loudness,
            "temperature": options.temperature,
        }
        data = {name: value for name, value in settings.items() if value is not None}
        return (written({"type": "config", "data": data}),)

    def say(self, context: str, text: str) -> Sequence[Frame]:
        self._reader = MaybeWav(*self._format)
        return written({"type": "text", "data": {"text": text}}), _FLUSH

    def cancel(self, context: str) -> Sequence[Frame] | None:
        return None

    def keep_alive(self) -> Sequence[Frame]:
        return (_PING,)

    def goodbye(self) -> Sequence[Frame]:
        return ()

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        kind, data = text(fields, "type"), part(fields, "data")
        if kind == "audio":
            return self._sound(self._reader.feed(decoded(text(data, "audio"))))
        if kind == "event" and text(data, "event_type") == "final":
            return (*self._sound(self._reader.finish()), Done(""))
        if kind == "error":
            code = number(data, "code")
            forever = 400 <= code < 500 and code not in _PASSING
            told = reason(f"{code:g}" if code else "", text(data, "message"))
            return (Complaint("", told, not forever),)
        return ()

    def _sound(self, sound: bytes) -> Sequence[Event]:
        """Linear sound may come as a WAV, which says itself what it is in."""
        self.encoding, self.rate = self._reader.encoding, self._reader.rate
        return (Audio("", sound),) if sound else ()

    def closed(self, code: int, reason_told: str) -> Complaint:
        return Complaint("", reason(f"closed with {code}", reason_told), code not in _FOREVER)


class SarvamSynthesizerProvider(SocketVoiceProvider[SarvamVoiceOptions]):
    vendor = "Sarvam"
    description = "Sarvam Bulbul: eleven languages of India, English too"
    credential_fields: Mapping[str, str] = {
        **CREDENTIAL_FIELDS,
        "api_subscription_key": "The same as key.",
    }
    options = SarvamVoiceOptions
    formats = _FORMATS

    def wire(
        self, options: SarvamVoiceOptions, account: Account, format: VoiceFormat
    ) -> Callable[[], VoiceWire]:
        key = account.need("key", "api_key", "apiKey", "api_subscription_key")
        base = account.base_url(_BASE)
        return lambda: SarvamVoiceWire(options, key, base, format)


_conforms: type[SynthesizerProvider] = SarvamSynthesizerProvider
