"""OpenAI's speech, and servers with the same route (its API reference, "Create speech").

`POST /audio/speech`, read as it streams. What is asked for as `pcm` is 16 bit at 24 kHz without a
header; servers that send a WAV instead, or another rate, are understood too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.net.base import Net, Request
from rapida_tw.options import within
from rapida_tw.speech.base import SynthesizerProvider
from rapida_tw.speech.messages import reason
from rapida_tw.speech.voices.format import VoiceFormat, VoiceOptions
from rapida_tw.speech.voices.provider import LINEAR_24K, HttpVoiceProvider
from rapida_tw.speech.voices.wav import MaybeWav
from rapida_tw.speech.voices.wire import BodyReader, Complaint, VoiceRequest

_RATES: Final = (24_000, 8_000, 16_000, 22_050, 32_000, 44_100, 48_000)
# An account without money answers 429, too; that does not pass.
_NO_MONEY: Final = ("insufficient_quota", "billing")
_PASSING: Final = frozenset((408, 409, 425, 429))


@dataclass(frozen=True, slots=True)
class OpenAIVoiceOptions(VoiceOptions):
    """`speed`: 0.25..4; `instructions`: how to speak, for models that take them.

    `audio.sample_rate`: of a server's `pcm`, where that is another than 24000.
    """

    voice_id: str = "alloy"
    model: str = "gpt-4o-mini-tts"
    instructions: str = ""
    speed: float | None = None

    def __post_init__(self) -> None:
        if self.speed is not None:
            within("speed", self.speed, 0.25, 4)
        if not self.voice_id or not self.model:
            raise ValueError("voice.id and model must not be empty")


@dataclass(frozen=True, slots=True)
class GroqVoiceOptions(OpenAIVoiceOptions):
    voice_id: str = "autumn"
    model: str = "canopylabs/orpheus-v1-english"


class SpeechRequest:
    """`wanted`: the response_format, pcm or wav."""

    def __init__(
        self, options: OpenAIVoiceOptions, key: str, base: str, wanted: str, format: VoiceFormat
    ) -> None:
        self._format = format
        self._url = f"{base}/audio/speech"
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._fields: dict[str, Any] = {
            "model": options.model,
            "voice": options.voice_id,
            "response_format": wanted,
        }
        if options.instructions:
            self._fields["instructions"] = options.instructions
        if options.speed is not None:
            self._fields["speed"] = options.speed

    def request(self, net: Net, text: str) -> Deferred[Request]:
        body = json.dumps({**self._fields, "input": text}).encode()
        return succeed(Request(self._url, "POST", self._headers, body))

    def reader(self) -> BodyReader:
        return MaybeWav(*self._format)

    def refused(self, status: int, body: str) -> Complaint:
        said = reason(f"HTTP {status}", _told(body))
        no_money = any(word in body for word in _NO_MONEY)
        return Complaint("", said, (status in _PASSING or status >= 500) and not no_money)


def _told(body: str) -> str:
    """`{"error": {"message": ...}}`, `{"detail": ...}`, or whatever it is."""
    try:
        fields = json.loads(body)
        error = fields.get("error") or fields.get("detail") or fields
        said = error.get("message") if isinstance(error, dict) else error
    except (ValueError, AttributeError, RecursionError):
        return body
    return said if isinstance(said, str) else body


class OpenAISynthesizerProvider(HttpVoiceProvider[OpenAIVoiceOptions]):
    vendor = "OpenAI"
    description = "OpenAI: voices that can be told how to speak"
    options = OpenAIVoiceOptions
    formats: tuple[VoiceFormat, ...] = (LINEAR_24K,)
    follows_leg = False
    base: ClassVar = "https://api.openai.com/v1"
    wanted: ClassVar = "pcm"

    def request(
        self, options: OpenAIVoiceOptions, account: Account, format: VoiceFormat
    ) -> VoiceRequest:
        key = account.need("key", "api_key", "apiKey")
        return SpeechRequest(options, key, account.base_url(self.base), self.wanted, format)


class GroqSynthesizerProvider(OpenAISynthesizerProvider):
    """Its Orpheus has no `pcm`; the WAV says its rate."""

    vendor = "Groq"
    description = "Groq: Orpheus, quickly"
    options = GroqVoiceOptions
    base = "https://api.groq.com/openai/v1"
    wanted = "wav"


class CompatibleSynthesizerProvider(OpenAISynthesizerProvider):
    """A server of the user's own: Kokoro, Piper, LocalAI and others. A key is optional."""

    vendor = "the OpenAI-compatible voice"
    description = "Any server with OpenAI's route /v1/audio/speech; its base_url is needed"
    formats = tuple(VoiceFormat(Encoding.LINEAR16, rate) for rate in _RATES)

    def request(
        self, options: OpenAIVoiceOptions, account: Account, format: VoiceFormat
    ) -> VoiceRequest:
        base = account.base_url("")
        if not base:
            raise MisconfiguredAssistant(f"{self.vendor} needs a base_url in its credential")
        key = account.first("key", "api_key", "apiKey")
        return SpeechRequest(options, key, base, self.wanted, format)


_conforms: tuple[type[SynthesizerProvider], ...] = (
    OpenAISynthesizerProvider,
    GroqSynthesizerProvider,
    CompatibleSynthesizerProvider,
)
