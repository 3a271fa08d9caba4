"""Rime by one request a phrase (its API reference, "Streaming HTTP").

Its WebSocket keeps no phrases apart and does not say when it has stopped one. By HTTP both are
plain, and the sound comes while it is made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.net.base import Net, Request
from rapida_tw.net.reasons import passing, reason_in
from rapida_tw.options import within
from rapida_tw.speech.base import SynthesizerProvider
from rapida_tw.speech.messages import reason
from rapida_tw.speech.voices.format import VoiceFormat, VoiceOptions
from rapida_tw.speech.voices.provider import (
    LINEAR_8K,
    LINEAR_16K,
    LINEAR_24K,
    MULAW_8K,
    HttpVoiceProvider,
)
from rapida_tw.speech.voices.wav import MaybeWav
from rapida_tw.speech.voices.wire import BodyReader, Complaint, VoiceRequest

_BASE: Final = "https://users.rime.ai"
_PATH: Final = "/v1/rime-tts"
_FORMATS: Final = (
    *(LINEAR_24K, LINEAR_16K, MULAW_8K, LINEAR_8K),
    *(VoiceFormat(Encoding.LINEAR16, rate) for rate in (22_050, 44_100)),
)
_ACCEPTED: Final = {Encoding.LINEAR16: "audio/pcm", Encoding.MULAW: "audio/x-mulaw"}
# Other than mistv3, models want three letters.
_TWO_LETTERS: Final = "mistv3"
_LANGUAGES: Final = {
    **{"en": "eng", "es": "spa", "fr": "fra", "de": "ger", "hi": "hin", "ar": "ara"},
    **{"pt": "por", "ja": "jpn", "he": "heb", "ta": "tam"},
}


@dataclass(frozen=True, slots=True)
class RimeOptions(VoiceOptions):
    """`speed`: 0.5..2, more is faster, whatever the model takes it for."""

    voice_id: str = "cove"
    model: str = "mistv2"
    speed: float | None = None

    def __post_init__(self) -> None:
        if self.speed is not None:
            within("speed", self.speed, 0.5, 2)
        if not self.voice_id or not self.model:
            raise ValueError("voice.id and model must not be empty")

    @property
    def tempo(self) -> dict[str, float]:
        """The mist models count how long it takes, arcana and coda how fast it is."""
        if self.speed is None:
            return {}
        if self.model == "mistv3":
            return {"timeScaleFactor": round(1 / self.speed, 3)}
        slower = self.model.startswith("mist")
        return {"speedAlpha": round(1 / self.speed, 3) if slower else self.speed}


class RimeRequest:
    def __init__(self, options: RimeOptions, key: str, base: str, format: VoiceFormat) -> None:
        self._format = format
        self._url = f"{base}{_PATH}"
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept": _ACCEPTED[format.encoding],
        }
        self._fields: dict[str, Any] = {
            "speaker": options.voice_id,
            "modelId": options.model,
            "samplingRate": format.rate,
            **options.tempo,
        }
        two = options.language.partition("-")[0].lower()
        if two in _LANGUAGES:
            self._fields["lang"] = two if options.model == _TWO_LETTERS else _LANGUAGES[two]

    def request(self, net: Net, text: str) -> Deferred[Request]:
        body = json.dumps({**self._fields, "text": text}).encode()
        return succeed(Request(self._url, "POST", self._headers, body))

    def reader(self) -> BodyReader:
        return MaybeWav(*self._format)

    def refused(self, status: int, body: str) -> Complaint:
        return Complaint("", reason(f"HTTP {status}", reason_in(body)), passing(status))


class RimeSynthesizerProvider(HttpVoiceProvider[RimeOptions]):
    vendor = "Rime"
    description = "Rime: conversational voices, low latency"
    options = RimeOptions
    formats = _FORMATS

    def request(self, options: RimeOptions, account: Account, format: VoiceFormat) -> VoiceRequest:
        key = account.need("key", "api_key", "apiKey")
        return RimeRequest(options, key, account.base_url(_BASE), format)


_conforms: type[SynthesizerProvider] = RimeSynthesizerProvider
