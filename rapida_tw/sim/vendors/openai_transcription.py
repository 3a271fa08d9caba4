"""A fake of OpenAI's transcriptions by upload, and of those who offer the same (Groq).

From the API reference, "Create transcription". Strict about forms, files, models and what each
model has; like Whisper it hears thanks in a recording in which nobody speaks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Hearing, Script, read_wav
from rapida_tw.sim.vendors.listening import Manners, Trouble

_PATH = re.compile(r"(/[a-z-]+)*/v1/audio/transcriptions")
_WHISPER = re.compile(r"whisper-[a-z0-9.-]+")
_GPT = ("gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-mini-transcribe-2025-12-15")
_NEWER = ("gpt-transcribe",)
_DIARIZING = ("gpt-4o-transcribe-diarize",)
_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
_FIELDS = (
    *("file", "model", "language", "prompt", "response_format", "temperature", "stream"),
    *("include[]", "keywords[]", "languages[]", "timestamp_granularities[]", "chunking_strategy"),
)
_LANGUAGE = re.compile(r"[a-z]{2}")
_ENDINGS = (".flac", ".mp3", ".mp4", ".mpeg", ".mpga", ".m4a", ".ogg", ".wav", ".webm")
_LARGEST = 25 * 1024 * 1024  # bytes
_TAKES = 0.3  # seconds
_LATE = 1.0  # seconds more
_HALLUCINATED = "Thank you."


class Mistake(Exception):
    """What is answered with 400."""

    def __init__(self, message: str, param: str = "", code: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.body = _error(message, "invalid_request_error", param or None, code or None)
        self.status = status


class OpenAITranscription:
    """`uploads`: what each request that was taken asked for; `seconds` of its recordings."""

    hosts: tuple[str, ...] = ("api.openai.com", "api.groq.com")

    def __init__(self, script: Sequence[str] = (), key: str = "openai-key") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.uploads: list[Mapping[str, list[str]]] = []
        self.seconds: list[float] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404)

    def answer(self, asked: Asked, reply: Reply) -> None:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            reply.whole(status, _error(f"refused with {status}", "server_error"))
            return
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            message = "Incorrect API key provided: sk-***. You can find your API key at ..."
            reply.whole(401, _error(message, "invalid_request_error", None, "invalid_api_key"))
            return
        try:
            if not _PATH.fullmatch(asked.path) or asked.method != "POST":
                raise Mistake(f"Invalid URL ({asked.method} {asked.path})", status=404)
            fields, file = _form(asked)
            _check(fields)
            rate, samples = _recording(file)
        except Mistake as mistake:
            reply.whole(mistake.status, mistake.body)
            return
        self.uploads.append(fields)
        self.seconds.append(len(samples) / 2 / rate)
        troubles = self.manners.troubles
        trouble = troubles.popleft() if troubles else None
        takes = _TAKES + (_LATE if trouble is Trouble.LATE else 0.0)
        answer = _Answer(self, fields, rate, samples, trouble)
        reply.clock.callLater(takes, answer.give, reply)


class _Answer:
    """To one upload. What it was not told to the end is the next upload's."""

    def __init__(
        self,
        vendor: OpenAITranscription,
        fields: Mapping[str, list[str]],
        rate: int,
        samples: bytes,
        trouble: Trouble | None,
    ) -> None:
        self._vendor = vendor
        self._fields = fields
        self._model = fields["model"][0]
        self._seconds = len(samples) / 2 / rate
        self._rate = rate
        self._samples = samples
        self._trouble = trouble

    def give(self, reply: Reply) -> None:
        if reply.gone:
            return
        trouble = self._trouble
        if trouble is Trouble.DROP:
            reply.drop()
        elif trouble is Trouble.GARBAGE:
            reply.whole(200, "<html>Bad gateway</html>")
        elif trouble is Trouble.ERROR:
            reply.whole(500, _error("The server had an error", "server_error"))
        elif trouble is Trouble.CLOSE:
            reply.whole(503, _error("Slow down", "service_unavailable"))
        else:
            self._transcribed(reply)

    def _transcribed(self, reply: Reply) -> None:
        said, voice = self._hear()
        if self._trouble is Trouble.SILENCE:
            return  # it was heard, and is never told
        if self._one("stream") == "true" and not _WHISPER.fullmatch(self._model):
            self._streamed(reply, said)
        elif self._trouble is Trouble.NO_FINAL:
            reply.head(200, {"Content-Type": "application/json"})
            reply.write(b'{"text": "')
        elif self._one("response_format") == "text":
            reply.whole(200, f"{said}\n")
        else:
            reply.whole(200, self._object(said, voice))

    def _hear(self) -> tuple[str, bool]:
        hearing = Hearing(self._vendor.script, "linear16", self._rate, None)
        hearing.hear(self._samples)
        ended = hearing.flush()
        if not ended:
            return _HALLUCINATED, False
        said = ended[-1].text  # type: ignore[union-attr]
        return (f"{said[0].upper()}{said[1:]}." if said else ""), True

    def _object(self, said: str, voice: bool) -> dict[str, Any]:
        known: dict[str, Any] = {"text": said}
        if self._trouble is Trouble.UNKNOWN:
            known["weather"] = {"tomorrow": "fine"}
        if self._one("response_format") == "verbose_json":
            segment = {
                **{"id": 0, "seek": 0, "start": 0.0, "end": self._seconds, "text": f" {said}"},
                **{"tokens": [50364], "temperature": 0.0, "avg_logprob": -0.2},
                **{"compression_ratio": 0.9, "no_speech_prob": 0.01 if voice else 0.9},
            }
            whole = {"task": "transcribe", "language": "english", "duration": self._seconds}
            return {**whole, **known, "segments": [segment] if said else []}
        return {**known, **self._extras(said)}

    def _extras(self, said: str) -> dict[str, Any]:
        usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 5, "total_tokens": 19}
        extras: dict[str, Any] = {"usage": usage}
        if "logprobs" in self._fields.get("include[]", ()):
            extras["logprobs"] = [
                {"token": word, "logprob": -0.1, "bytes": [*word.encode()]} for word in said.split()
            ]
        return extras

    def _streamed(self, reply: Reply, said: str) -> None:
        reply.head(200, {"Content-Type": "text/event-stream; charset=utf-8"})
        if self._trouble is Trouble.UNKNOWN:
            _event(reply, {"type": "transcript.weather", "tomorrow": "fine"})
        for number, word in enumerate(said.split()):
            delta = word if not number else f" {word}"
            _event(reply, {"type": "transcript.text.delta", "delta": delta})
        if self._trouble is Trouble.NO_FINAL:
            return
        _event(reply, {"type": "transcript.text.done", "text": said, **self._extras(said)})
        reply.end()

    def _one(self, name: str) -> str:
        return self._fields.get(name, [""])[0]


def _event(reply: Reply, event: Mapping[str, Any]) -> None:
    reply.write(f"data: {json.dumps(event)}\n\n".encode())


def _error(
    message: str, kind: str, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


# -- what is asked ----------------------------------------------------------------------------


def _form(asked: Asked) -> tuple[dict[str, list[str]], bytes]:
    """The fields of the form, and its file (RFC 7578)."""
    kind, _, parameter = asked.headers.get("content-type", "").partition(";")
    name, _, boundary = parameter.strip().partition("=")
    if kind != "multipart/form-data" or name != "boundary" or not boundary:
        raise Mistake("Could not parse multipart form")
    mark = f"--{boundary.strip(chr(34))}".encode()
    before, *parts, after = asked.body.split(mark)
    if before or not parts or after.strip() != b"--":
        raise Mistake("Could not parse multipart form")
    fields: dict[str, list[str]] = {}
    file = b""
    for part in parts:
        head, blank, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        match = re.search(r'name="([^"]*)"(?:; filename="([^"]*)")?', head.decode("utf-8"))
        if not blank or match is None or not value.endswith(b"\r\n"):
            raise Mistake("Could not parse multipart form")
        if match[1] == "file":
            if not (match[2] or "").endswith(_ENDINGS):
                raise Mistake("Unrecognized file format.", "file")
            file = value[:-2]
        else:
            fields.setdefault(match[1], []).append(value[:-2].decode("utf-8"))
    return fields, file


def _check(fields: Mapping[str, list[str]]) -> None:
    for name in fields:
        if name not in _FIELDS:
            raise Mistake(f"Unrecognized request argument supplied: {name}", name)
    model = fields.get("model", [""])[0]
    whisper = bool(_WHISPER.fullmatch(model))
    if not whisper and model not in (*_GPT, *_NEWER, *_DIARIZING):
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise Mistake(message, "", "model_not_found", 404)
    wanted = fields.get("response_format", ["json"])[0]
    if wanted not in (_FORMATS if whisper else ("json", "text")):
        raise Mistake(f"response_format '{wanted}' is not compatible with the model", wanted)
    if not _LANGUAGE.fullmatch(fields.get("language", ["en"])[0]):
        raise Mistake("Invalid language. Language parameter must be ISO-639-1.", "language")
    if "include[]" in fields and (model not in _GPT or wanted != "json"):
        raise Mistake("logprobs are not supported for this model", "include")
    if model not in _NEWER and ("keywords[]" in fields or "languages[]" in fields):
        raise Mistake("keywords and languages need gpt-transcribe", "keywords")
    if "prompt" in fields and model in _DIARIZING:
        raise Mistake("prompt is not supported for this model", "prompt")
    try:
        warm = float(fields.get("temperature", ["0"])[0])
    except ValueError:
        warm = -1.0
    if not 0 <= warm <= 1:
        raise Mistake("temperature must be 0 to 1", "temperature")


def _recording(file: bytes) -> tuple[int, bytes]:
    if len(file) > _LARGEST:
        raise Mistake("Maximum content size limit (26214400) exceeded", "file", "", 413)
    try:
        rate, samples = read_wav(file)
    except ValueError as error:
        message = f"Audio file might be corrupted or unsupported: {error}"
        raise Mistake(message, "file", "invalid_value") from None
    if len(samples) < rate // 5:
        message = "Audio file is too short. Minimum audio length is 0.1 seconds."
        raise Mistake(message, "file", "audio_too_short")
    return rate, samples


_conforms: type[FakeVendor] = OpenAITranscription
