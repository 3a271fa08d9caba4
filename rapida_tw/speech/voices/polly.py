"""Amazon Polly by one signed request a phrase (its developer guide, "SynthesizeSpeech").

The answer is plain sound while it is made: µ-law and A-law at 8 kHz, or 16 bit at 8 or 16.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import AWS_FIELDS, Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.net.base import Net, Request
from rapida_tw.net.reasons import passing, reason_in
from rapida_tw.speech.base import SynthesizerProvider
from rapida_tw.speech.messages import reason
from rapida_tw.speech.voices.format import VoiceFormat, VoiceOptions
from rapida_tw.speech.voices.provider import (
    ALAW_8K,
    LINEAR_8K,
    LINEAR_16K,
    MULAW_8K,
    HttpVoiceProvider,
)
from rapida_tw.speech.voices.wav import MaybeWav
from rapida_tw.speech.voices.wire import BodyReader, Complaint, VoiceRequest
from rapida_tw.wire.aws_signature import Credentials, signed_headers

_VENDOR: Final = "Amazon Polly"
_PATH: Final = "/v1/speech"
_ENGINES: Final = ("standard", "neural", "long-form", "generative")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")
_OUTPUTS: Final = {Encoding.LINEAR16: "pcm", Encoding.MULAW: "mulaw", Encoding.ALAW: "alaw"}
# Too many requests are status 400 here.
_THROTTLED: Final = ("Rate exceeded", "Throttling")


@dataclass(frozen=True, slots=True)
class PollyOptions(VoiceOptions):
    """`model`: the engine, one of standard, neural, long-form, generative; not all have all voices.

    `language`: for voices that speak two. `region`: where the credential names none.
    """

    voice_id: str = "Joanna"
    model: str = "neural"
    region: str = ""

    def __post_init__(self) -> None:
        if self.model not in _ENGINES:
            raise ValueError(f"model must be one of {', '.join(_ENGINES)}")
        if not self.voice_id:
            raise ValueError("voice.id must not be empty")


class PollyRequest:
    """`now`: seconds since the epoch."""

    def __init__(
        self,
        options: PollyOptions,
        credentials: Credentials,
        base: str,
        region: str,
        format: VoiceFormat,
        now: Callable[[], float],
    ) -> None:
        self._credentials = credentials
        self._url = f"{base}{_PATH}"
        self._region = region
        self._format = format
        self._now = now
        self._fields: dict[str, Any] = {
            "Engine": options.model,
            "OutputFormat": _OUTPUTS[format.encoding],
            "SampleRate": str(format.rate),
            "TextType": "text",
            "VoiceId": options.voice_id,
        }
        if options.language:
            self._fields["LanguageCode"] = options.language

    def request(self, net: Net, text: str) -> Deferred[Request]:
        body = json.dumps({**self._fields, "Text": text}).encode()
        headers = signed_headers(
            self._url,
            {"Content-Type": "application/json"},
            body,
            self._credentials,
            self._region,
            "polly",
            self._now(),
        )
        return succeed(Request(self._url, "POST", headers, body))

    def reader(self) -> BodyReader:
        return MaybeWav(*self._format)

    def refused(self, status: int, body: str) -> Complaint:
        throttled = any(words in body for words in _THROTTLED)
        told = reason(f"HTTP {status}", reason_in(body))
        return Complaint("", told, passing(status) or throttled)


class PollySynthesizerProvider(HttpVoiceProvider[PollyOptions]):
    vendor = _VENDOR
    description = "Amazon Polly: voices in 40 languages and dialects"
    credential_fields: Mapping[str, str] = AWS_FIELDS
    options = PollyOptions
    formats = (LINEAR_16K, MULAW_8K, ALAW_8K, LINEAR_8K)

    def request(self, options: PollyOptions, account: Account, format: VoiceFormat) -> VoiceRequest:
        credentials = Credentials(
            account.need("access_key_id", "accessKeyId", "aws_access_key_id"),
            account.need("secret_access_key", "secretAccessKey", "aws_secret_access_key"),
            account.first("session_token", "sessionToken", "aws_session_token"),
        )
        region = (account.first("region") or options.region).strip().lower()
        if not _REGION.fullmatch(region):
            raise MisconfiguredAssistant(f"{_VENDOR} needs a region, us-east-1 for one")
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        base = account.base_url(f"https://polly.{region}.{domain}")
        return PollyRequest(options, credentials, base, region, format, self._host.now)


_conforms: type[SynthesizerProvider] = PollySynthesizerProvider
