"""Google's voices by one request a phrase (its API reference, "text.synthesize", v1).

An API key or a service account will do. The answer is JSON that comes when the phrase is complete,
with a WAV in it, whatever the encoding.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import Deferred

from rapida_tw.account import GOOGLE_FIELDS, Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import RemoteProtocolError
from rapida_tw.net.base import Net, Request
from rapida_tw.net.google_token import GoogleTokens, google_key
from rapida_tw.net.reasons import passing, reason_in
from rapida_tw.options import within
from rapida_tw.speech.base import Host, SynthesizerProvider
from rapida_tw.speech.messages import decoded, parse, reason, text
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

_BASE: Final = "https://texttospeech.googleapis.com"
_PATH: Final = "/v1/text:synthesize"
_VOICE: Final = "en-US-Chirp3-HD-Charon"  # the one of the vendor's examples
_LANGUAGE: Final = "en-US"
_FORMATS: Final = (LINEAR_24K, LINEAR_16K, MULAW_8K, ALAW_8K, LINEAR_8K)
_ENCODINGS: Final = {
    Encoding.LINEAR16: "LINEAR16",
    Encoding.MULAW: "MULAW",
    Encoding.ALAW: "ALAW",
}
_LONGEST: Final = 16_777_216  # bytes of an answer: more than two minutes at the highest rate


@dataclass(frozen=True, slots=True)
class GoogleVoiceOptions(VoiceOptions):
    """`voice_id` "": one of the language's that Google chooses, in English Chirp 3's Charon.

    `language` "": the voice's own. `model`: for voices that several have, gemini-2.5-flash-tts for
    one. `speed`: 0.25..2; `pitch`: semitones, -20..20, of older voices.
    """

    voice_id: str = ""
    model: str = ""
    speed: float | None = None
    pitch: float | None = None

    def __post_init__(self) -> None:
        if self.speed is not None:
            within("speed", self.speed, 0.25, 2)
        if self.pitch is not None:
            within("pitch", self.pitch, -20, 20)

    @property
    def voice(self) -> dict[str, str]:
        english = self.language in ("", _LANGUAGE) and not self.model
        name = self.voice_id or (_VOICE if english else "")
        parts = name.split("-")
        own = "-".join(parts[:2]) if len(parts) > 2 else _LANGUAGE
        voice = {"languageCode": self.language or own, "name": name, "modelName": self.model}
        return {field: value for field, value in voice.items() if value}


class GoogleRequest:
    """`authorized`: the headers that say who asks."""

    def __init__(
        self,
        options: GoogleVoiceOptions,
        authorized: Callable[[], Deferred[Mapping[str, str]]],
        base: str,
        format: VoiceFormat,
    ) -> None:
        self._authorized = authorized
        self._url = f"{base}{_PATH}"
        self._format = format
        audio: dict[str, Any] = {
            "audioEncoding": _ENCODINGS[format.encoding],
            "sampleRateHertz": format.rate,
            "speakingRate": options.speed,
            "pitch": options.pitch,
        }
        self._fields = {
            "voice": options.voice,
            "audioConfig": {name: value for name, value in audio.items() if value is not None},
        }

    def request(self, net: Net, text: str) -> Deferred[Request]:
        body = json.dumps({**self._fields, "input": {"text": text}}).encode()
        authorized = self._authorized()
        return authorized.addCallback(
            lambda headers: Request(
                self._url, "POST", {**headers, "Content-Type": "application/json"}, body
            )
        )

    def reader(self) -> BodyReader:
        return _Whole(self._format)

    def refused(self, status: int, body: str) -> Complaint:
        return Complaint("", reason(f"HTTP {status}", reason_in(body)), passing(status))


class _Whole:
    """The JSON, and the WAV in it."""

    def __init__(self, format: VoiceFormat) -> None:
        self.encoding, self.rate = format
        self._body = bytearray()

    def feed(self, data: bytes) -> bytes:
        self._body += data
        if len(self._body) > _LONGEST:
            raise RemoteProtocolError("an answer without an end")
        return b""

    def finish(self) -> bytes:
        wav = MaybeWav(self.encoding, self.rate)
        content = decoded(text(parse(bytes(self._body)), "audioContent"))
        sound = wav.feed(content) + wav.finish()
        self.encoding, self.rate = wav.encoding, wav.rate
        return sound


class GoogleSynthesizerProvider(HttpVoiceProvider[GoogleVoiceOptions]):
    vendor = "Google"
    description = "Google Cloud: Chirp 3 and older voices, 60 languages"
    credential_fields: Mapping[str, str] = GOOGLE_FIELDS
    options = GoogleVoiceOptions
    formats = _FORMATS

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._tokens = GoogleTokens(host.net, host.clock, host.now)

    def request(
        self, options: GoogleVoiceOptions, account: Account, format: VoiceFormat
    ) -> VoiceRequest:
        key = google_key(account)
        base = account.base_url(_BASE).removesuffix("/v1")
        return GoogleRequest(options, lambda: self._tokens.headers(key), base, format)


_conforms: type[SynthesizerProvider] = GoogleSynthesizerProvider
