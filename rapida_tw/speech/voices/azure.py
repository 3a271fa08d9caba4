"""Azure's voices by one request a phrase (its documentation, "Text to speech REST API").

The text is SSML; the answer is plain sound in the form that a header asks for, while it is made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import AZURE_FIELDS, Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.net.base import Net, Request
from rapida_tw.net.reasons import passing, reason_in
from rapida_tw.options import within
from rapida_tw.speech.base import SynthesizerProvider
from rapida_tw.speech.messages import reason
from rapida_tw.speech.voices.format import VoiceFormat, VoiceOptions
from rapida_tw.speech.voices.provider import (
    ALAW_8K,
    LINEAR_8K,
    LINEAR_16K,
    LINEAR_24K,
    MULAW_8K,
    HttpVoiceProvider,
)
from rapida_tw.speech.voices.wav import MaybeWav
from rapida_tw.speech.voices.wire import BodyReader, Complaint, VoiceRequest

_VENDOR: Final = "Azure Speech"
_PATH: Final = "/cognitiveservices/v1"
_VOICE: Final = "en-US-JennyNeural"  # the one of the vendor's examples
_FORMATS: Final = {
    LINEAR_16K: "raw-16khz-16bit-mono-pcm",
    MULAW_8K: "raw-8khz-8bit-mono-mulaw",
    ALAW_8K: "raw-8khz-8bit-mono-alaw",
    LINEAR_8K: "raw-8khz-16bit-mono-pcm",
    LINEAR_24K: "raw-24khz-16bit-mono-pcm",
    VoiceFormat(Encoding.LINEAR16, 48_000): "raw-48khz-16bit-mono-pcm",
}
# What XML 1.0 has no way to write ("Characters").
_UNWRITABLE: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Azure mostly refuses without a word.
_MEANT: Final = {
    400: "it does not take the voice, or what is asked of it",
    401: "the key is wrong, or of another region",
    403: "the key may not be used for this",
    429: "too many requests at once, or the quota is used up",
}


@dataclass(frozen=True, slots=True)
class AzureVoiceOptions(VoiceOptions):
    """`speed`: 0.5..2; `style`: as "cheerful", for voices that have some.

    `model`: the deployment of a voice of one's own. `region`: where the credential names none.
    `language` "": the voice's own.
    """

    voice_id: str = _VOICE
    model: str = ""
    speed: float | None = None
    style: str = ""
    region: str = ""

    def __post_init__(self) -> None:
        if self.speed is not None:
            within("speed", self.speed, 0.5, 2)
        if not self.voice_id:
            raise ValueError("voice.id must not be empty")


class AzureRequest:
    def __init__(
        self, options: AzureVoiceOptions, key: str, base: str, format: VoiceFormat
    ) -> None:
        self._options = options
        self._format = format
        query = f"?deploymentId={quote(options.model, safe='')}" if options.model else ""
        self._url = f"{base}{_PATH}{query}"
        self._headers = {
            "Ocp-Apim-Subscription-Key": key,
            "Content-Type": "application/ssml+xml",
            "X-Microsoft-OutputFormat": _FORMATS[format],
            "User-Agent": "rapida_tw",  # wanted, whatever it says
        }

    def request(self, net: Net, text: str) -> Deferred[Request]:
        return succeed(Request(self._url, "POST", self._headers, ssml(text, self._options)))

    def reader(self) -> BodyReader:
        return MaybeWav(*self._format)

    def refused(self, status: int, body: str) -> Complaint:
        said = reason_in(body) or _MEANT.get(status, "")
        return Complaint("", reason(f"HTTP {status}", said), passing(status))


def ssml(text: str, options: AzureVoiceOptions) -> bytes:
    """The text, and how it is to be spoken ("Speech Synthesis Markup Language")."""
    inner = escape(text)
    if options.speed is not None:
        inner = f'<prosody rate="{options.speed:g}">{inner}</prosody>'
    if options.style:
        style = quoteattr(options.style)
        inner = f"<mstts:express-as style={style}>{inner}</mstts:express-as>"
    language = options.language or "-".join(options.voice_id.split("-")[:2])
    spoken = (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis"'
        ' xmlns:mstts="https://www.w3.org/2001/mstts"'
        f" xml:lang={quoteattr(language)}>"
        f"<voice name={quoteattr(options.voice_id)}>{inner}</voice></speak>"
    )
    return _UNWRITABLE.sub(" ", spoken).encode()


def host_of(told: str, region: str, own_voice: bool = False) -> str:
    """Where text is spoken, by the endpoint that Azure's portal shows, or by the region.

    "" when there is neither. Regional endpoints have another host for speech, endpoints of the
    user's own another path; whatever else is told is meant so (a container, a fake).
    """
    service = "voice" if own_voice else "tts"
    scheme, slashes, rest = told.rpartition("://")
    name, dot, domain = rest.partition(".api.cognitive.")
    if dot:
        return f"https://{name}.{service}.speech.{domain}"
    if rest.partition("/")[0].endswith(".cognitiveservices.azure.com"):
        return f"https://{rest.removesuffix('/tts')}/tts"
    if told and not slashes and "." not in told:
        region, told = told, ""
    if scheme in ("ws", "wss"):
        return f"http{scheme[2:]}://{rest}"
    return told or (f"https://{region}.{service}.speech.microsoft.com" if region else "")


class AzureSynthesizerProvider(HttpVoiceProvider[AzureVoiceOptions]):
    vendor = _VENDOR
    description = "Azure Speech: voices in 140 languages and dialects"
    credential_fields: Mapping[str, str] = AZURE_FIELDS
    options = AzureVoiceOptions
    formats = tuple(_FORMATS)

    def request(
        self, options: AzureVoiceOptions, account: Account, format: VoiceFormat
    ) -> VoiceRequest:
        key = account.need("subscription_key", "subscriptionKey", "key", "api_key", "apiKey")
        # People write "East US", the host's name says eastus.
        region = (account.first("region") or options.region).replace(" ", "").lower()
        base = host_of(account.base_url(""), region, bool(options.model))
        # Of letters and digits: it is a part of the name of the host that is sent the key.
        if not base or not (region or "any").isalnum():
            raise MisconfiguredAssistant(f"{_VENDOR} needs a region or an endpoint")
        return AzureRequest(options, key, base.removesuffix(_PATH), format)


_conforms: type[SynthesizerProvider] = AzureSynthesizerProvider
