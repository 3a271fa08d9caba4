"""A fake of OpenAI's speech (its API reference, "Create speech"), and of servers like it.

Strict as the real one: unknown models, voices and formats, texts that are too long and a speed out
of range are errors. `kind` says what a server of another make does: "wav" sends that whatever it
is asked for, at `rate`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.delivery import Delivery, Manners, Teller
from rapida_tw.sim.vendors.speaking import LINEAR, Piece, Spoken, wav

_MODELS = ("gpt-4o-mini-tts", "tts-1", "tts-1-hd", "canopylabs/orpheus-v1-english")
_VOICES = frozenset(
    "alloy ash ballad coral echo fable marin cedar nova onyx sage shimmer verse "
    "autumn diana hannah austin daniel troy".split()
)
_FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
_KNOWN = frozenset(
    ("model", "voice", "input", "instructions", "response_format", "speed", "stream_format")
)
_LONGEST = 4096  # characters
_RATE = 24_000


class OpenAI:
    """`heard`: the bodies of all requests, each with its time."""

    hosts: tuple[str, ...] = ("api.openai.com", "api.groq.com")

    def __init__(self, key: str = "openai-key", kind: str = "openai", rate: int = _RATE) -> None:
        self.key = key
        self.kind = kind
        self.rate = rate
        self.manners = Manners()
        self.heard: list[tuple[float, dict[str, Any]]] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404, '{"error":{"message":"Not found"}}')

    def answer(self, asked: Asked, reply: Reply) -> None:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            _refuse(reply, status, "refused", retry_after=self.manners.retry_after)
            return
        if not asked.path.endswith("/v1/audio/speech") or asked.method != "POST":
            told = f"Unknown request URL: {asked.method} {asked.path}"
            _refuse(reply, 404, told, "unknown_url")
            return
        if self.key and asked.headers.get("authorization") != f"Bearer {self.key}":
            _refuse(reply, 401, "Incorrect API key provided.", "invalid_api_key")
            return
        try:
            fields = json.loads(asked.body)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            _refuse(reply, 400, "We could not parse the JSON body of your request.")
            return
        self.heard.append((reply.clock.seconds(), fields))
        wrong = _wrong(fields)
        if wrong:
            _refuse(reply, 400, wrong)
        else:
            _Answer(self, fields, reply)


class _Answer:
    """One text on its way."""

    def __init__(self, vendor: OpenAI, fields: dict[str, Any], reply: Reply) -> None:
        self._vendor = vendor
        self._reply = reply
        self._wanted = "wav" if vendor.kind == "wav" else fields.get("response_format", "mp3")
        self._events = fields.get("stream_format") == "sse"
        self._begun = False
        spoken = Spoken(fields["input"].strip(), vendor.rate, LINEAR)
        self._delivery = Delivery(reply.clock, spoken, vendor.manners, self)

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            kind = "text/event-stream" if self._events else f"audio/{self._wanted}"
            self._reply.head(200, {"Content-Type": kind})
            if self._wanted == "wav":
                self._reply.write(wav(b"", self._vendor.rate, unknown_length=True))

    def sound(self, piece: Piece) -> None:
        if self._reply.gone:
            self._delivery.end()
            return
        self._begin()
        if self._events:
            audio = b64encode(piece.payload).decode()
            self._event({"type": "speech.audio.delta", "audio": audio})
        else:
            self._reply.write(piece.payload)

    def _event(self, fields: dict[str, Any]) -> None:
        self._reply.write(f"data: {json.dumps(fields)}\n\n".encode())

    def done(self) -> None:
        self._begin()
        if self._events:
            usage = {"input_tokens": 9, "output_tokens": 99, "total_tokens": 108}
            self._event({"type": "speech.audio.done", "usage": usage})
        self._reply.end()

    def stopped(self) -> None:
        """Only by closing, which is seen when the next piece is due."""

    def garbage(self) -> None:
        self._reply.whole(200, b"OggS\0\2" + bytes(100))

    def error(self) -> None:
        _refuse(self._reply, 500, "The server had an error while processing your request.")

    def drop(self) -> None:
        self._reply.drop()


def _refuse(
    reply: Reply, status: int, message: str, code: str | None = None, retry_after: str = ""
) -> None:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    told = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    headers = {"Retry-After": retry_after} if retry_after else {}
    reply.head(status, {"Content-Type": "application/json", **headers})
    reply.write(json.dumps(told).encode())
    reply.end()


def _wrong(fields: dict[str, Any]) -> str:
    """What is wrong with a request; "" when nothing is."""
    text, speed = fields.get("input"), fields.get("speed", 1.0)
    if set(fields) - _KNOWN:
        return f"Unknown parameter: '{min(set(fields) - _KNOWN)}'."
    if fields.get("model") not in _MODELS:
        return f"The model '{fields.get('model')}' does not exist."
    if fields.get("voice") not in _VOICES:
        return f"Input should be one of {sorted(_VOICES)}"
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST:
        return f"String should have at least 1 and at most {_LONGEST} characters"
    if fields.get("response_format", "mp3") not in _FORMATS:
        return f"Input should be one of {_FORMATS}"
    if fields["model"].startswith("canopylabs/") and fields.get("response_format") != "wav":
        return "response_format must be one of [wav]"
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0.25 <= speed <= 4:
        return "speed must be between 0.25 and 4.0"
    if fields.get("stream_format", "audio") not in ("audio", "sse"):
        return "Input should be 'audio' or 'sse'"
    if fields.get("stream_format") == "sse" and fields["model"].startswith("tts-1"):
        return "stream_format 'sse' is not supported for this model"
    return ""


_conforms: tuple[type[FakeVendor], type[Teller]] = (OpenAI, _Answer)
