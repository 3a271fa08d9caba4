"""Transcriptions by upload, as OpenAI, Groq and many servers for one's own machine have them.

`POST {base}/v1/audio/transcriptions` (OpenAI's API reference, "Create transcription"). Whisper's
models answer with how sure they are that nobody spoke, and hear sentences in noise all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any, Final

from rapida_tw.account import Account
from rapida_tw.errors import RemoteProtocolError
from rapida_tw.net.base import Request
from rapida_tw.net.reasons import passing, reason_in
from rapida_tw.net.sse import EventStream
from rapida_tw.options import within
from rapida_tw.speech.messages import number, parse, part, parts, reason, text
from rapida_tw.speech.recognizers.multipart import form
from rapida_tw.speech.recognizers.transcriber import Transcriber, TranscriptReader
from rapida_tw.speech.recognizers.uploads import UploadRecognizerProvider
from rapida_tw.speech.recognizers.wire import Complaint, Partial
from rapida_tw.speech.recognizers.wire import Final as FinalWords

_PATH: Final = "/v1/audio/transcriptions"
_LONGEST: Final = 262_144  # bytes of an answer that comes whole
_QUOTA: Final = "insufficient_quota"  # a 429 that lasts
# Of the newer models of OpenAI's: one takes languages and keywords, the others say how sure of each
# token they are.
_NEWER: Final = "gpt-transcribe"
_TELLS_PROBABILITIES: Final = ("gpt-4o-transcribe", "gpt-4o-mini-transcribe")
_DIARIZES: Final = "diarize"


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """`language`: its region is not sent. `keyword`: words worth boosting. `prompt`: what the call
    is about. `stream`: words come while they are found, from servers that do that.

    `threshold`: Whisper's own probability that nobody spoke, from which on nobody did.
    """

    model: str = "gpt-4o-mini-transcribe"
    language: str = "en-US"
    prompt: str = ""
    keyword: tuple[str, ...] = ()
    temperature: float | None = None
    stream: bool = False
    threshold: float = 0.6

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("model must not be empty")
        within("threshold", self.threshold, 0, 1)
        if self.temperature is not None:
            within("temperature", self.temperature, 0, 1)


@dataclass(frozen=True, slots=True)
class GroqOptions(UploadOptions):
    """As with OpenAI."""

    model: str = "whisper-large-v3-turbo"


@dataclass(frozen=True, slots=True)
class CompatibleOptions(UploadOptions):
    """As with OpenAI; servers with a single model do not mind its name."""

    model: str = "whisper-1"


class UploadTranscriber:
    """`key` "": the server wants none."""

    def __init__(self, options: UploadOptions, base: str, key: str) -> None:
        self._options = options
        # Libraries want the version in their base URLs, and users copy those.
        self._url = f"{base.removesuffix('/v1')}{_PATH}"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._fields = tuple(self._written())

    def _written(self) -> Sequence[tuple[str, str]]:
        options = self._options
        model, language = options.model, options.language.partition("-")[0].lower()
        newer = model.startswith(_NEWER)
        fields = [("model", model)]
        if language not in ("", "multi", "auto"):
            fields.append(("languages[]" if newer else "language", language))
        if newer:
            fields += [("keywords[]", word) for word in options.keyword]
            prompt = options.prompt
        else:
            prompt = " ".join((options.prompt, ", ".join(options.keyword))).strip()
        if prompt and _DIARIZES not in model:
            fields.append(("prompt", prompt))
        if options.temperature is not None:
            fields.append(("temperature", f"{options.temperature:g}"))
        fields.append(("response_format", "verbose_json" if "whisper" in model else "json"))
        if model.startswith(_TELLS_PROBABILITIES) and _DIARIZES not in model:
            fields.append(("include[]", "logprobs"))
        if options.stream:
            fields.append(("stream", "true"))
        return fields

    def request(self, recording: bytes) -> Request:
        kind, body = form(self._fields, recording, "turn.wav", "audio/wav")
        return Request(self._url, "POST", {**self._headers, "Content-Type": kind}, body)

    def reader(self) -> TranscriptReader:
        return _Events() if self._options.stream else _Whole(self._options.threshold)

    def refused(self, status: int, body: str) -> Complaint:
        said = reason_in(body)
        told = f"refused: HTTP {status}" + (f", {said}" if said else "")
        return Complaint(told, retryable=passing(status) and _QUOTA not in body)


class _Whole:
    """A JSON object."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._body = bytearray()

    def feed(self, data: bytes) -> Sequence[Partial | Complaint]:
        self._body += data
        if len(self._body) > _LONGEST:
            raise RemoteProtocolError("an answer without an end")
        return ()

    def finish(self) -> FinalWords:
        fields = parse(bytes(self._body))
        if not isinstance(fields.get("text"), str):
            raise RemoteProtocolError("an answer without text")
        said = text(fields, "text").strip()
        segments = parts(fields, "segments")
        silent = [number(segment, "no_speech_prob") for segment in segments]
        if silent and min(silent) > self._threshold:
            said = ""
        return FinalWords(said, _sure(fields, segments) if said else 0.0)


class _Events:
    """Server-sent events: `transcript.text.delta`, and `transcript.text.done` at the end.

    Servers that do not know how to stream answer with the object, all the same.
    """

    def __init__(self) -> None:
        self._stream = EventStream()
        self._whole = _Whole(1.0)
        self._begun = b""
        self._said = ""
        self._final: FinalWords | None = None

    def feed(self, data: bytes) -> Sequence[Partial | Complaint]:
        if not self._begun:
            data = self._begun = data.lstrip()
        if self._begun.startswith(b"{"):
            return self._whole.feed(data)
        told: list[Partial | Complaint] = []
        for _, payload in self._stream.feed(data):
            if payload != "[DONE]":
                told += self._event(payload)
        return told

    def _event(self, payload: str) -> Sequence[Partial | Complaint]:
        fields = parse(payload.encode())
        kind = text(fields, "type")
        if kind == "transcript.text.delta":
            self._said += text(fields, "delta")
            if len(self._said) > _LONGEST:
                raise RemoteProtocolError("an answer without an end")
            return (Partial(self._said.strip()),)
        if kind == "transcript.text.done":
            said = text(fields, "text").strip()
            self._final = FinalWords(said, _sure(fields, ()) if said else 0.0)
        elif kind == "error" or isinstance(fields.get("error"), dict):
            error = part(fields, "error") or fields
            return (Complaint(reason(text(error, "message"))),)
        return ()

    def finish(self) -> FinalWords:
        if self._begun.startswith(b"{"):
            return self._whole.finish()
        if self._final is None:
            raise RemoteProtocolError("words without their end")
        return self._final


def _sure(fields: Mapping[str, Any], segments: Sequence[Mapping[str, Any]]) -> float:
    """How probable the words are, by tokens or by segments; 1 where nothing is told of it."""
    told = [number(token, "logprob") for token in parts(fields, "logprobs")]
    told = told or [number(one, "avg_logprob") for one in segments if "avg_logprob" in one]
    return exp(min(sum(told) / len(told), 0.0)) if told else 1.0


class OpenAIRecognizerProvider(UploadRecognizerProvider[UploadOptions]):
    vendor = "OpenAI"
    description = "OpenAI: a recording of each turn is transcribed"
    options = UploadOptions

    def transcriber(self, options: UploadOptions, account: Account) -> Transcriber:
        key = account.need("key", "api_key", "apiKey")
        return UploadTranscriber(options, account.base_url("https://api.openai.com"), key)


class GroqRecognizerProvider(UploadRecognizerProvider[GroqOptions]):
    vendor = "Groq"
    description = "Groq: a recording of each turn is transcribed, by Whisper"
    options = GroqOptions

    def transcriber(self, options: GroqOptions, account: Account) -> Transcriber:
        key = account.need("key", "api_key", "apiKey")
        return UploadTranscriber(options, account.base_url("https://api.groq.com/openai"), key)


class CompatibleRecognizerProvider(UploadRecognizerProvider[CompatibleOptions]):
    vendor = "OpenAI-compatible server"
    description = "OpenAI-compatible server of one's own: a recording of each turn is transcribed"
    options = CompatibleOptions

    def transcriber(self, options: CompatibleOptions, account: Account) -> Transcriber:
        account.need("base_url", "baseUrl", "endpoint", "url")
        key = account.first("key", "api_key", "apiKey")
        return UploadTranscriber(options, account.base_url(""), key)


_conforms: tuple[type[Transcriber], type[TranscriptReader], type[TranscriptReader]] = (
    UploadTranscriber,
    _Whole,
    _Events,
)
