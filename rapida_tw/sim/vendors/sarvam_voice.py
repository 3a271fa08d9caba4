"""A fake of Sarvam's text to speech (its API reference, and the types of its own client, 0.1.39).

The first message is the configuration; what is wrong is an `error`, behind which the socket is
closed. It closes without a message for a minute, too. With `headed`, linear sound comes as a WAV.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import deque
from collections.abc import Mapping
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.delivery import Delivery, Manners, Teller
from rapida_tw.sim.vendors.speaking import ALAW, LINEAR, MULAW, Piece, Spoken, wav

_SPEAKERS = {
    "bulbul:v2": frozenset(("anushka", "manisha", "vidya", "arya", "abhilash", "karun", "hitesh")),
    "bulbul:v3": frozenset(("shubh", "aditya", "ritu", "priya", "neha", "rahul")),
    "bulbul:v4-flash": frozenset(("shubh_hi_devotional", "simran_en_customer")),
}
_LANGUAGES = frozenset(f"{one}-IN" for one in "bn en gu hi kn ml mr od pa ta te".split())
_CODECS = {"linear16": LINEAR, "mulaw": MULAW, "alaw": ALAW}
_RATES = (8_000, 16_000, 22_050, 24_000)
_KNOWN = frozenset(
    (
        *("model", "language_code", "target_language_code", "speaker", "pitch", "pace", "loudness"),
        *("temperature", "speech_sample_rate", "enable_preprocessing", "output_audio_codec"),
        *("output_audio_bitrate", "dict_id", "min_buffer_size", "max_chunk_length"),
    )
)
_LONGEST = 2500  # characters
_IDLE = 60  # seconds
_REQUEST = "20261121_6f0c5a52"


class SarvamVoice:
    """`sessions`: all so far. `heard`: every client message of all of them, with its time."""

    hosts: tuple[str, ...] = ("api.sarvam.ai",)

    def __init__(self, key: str = "sarvam-key", headed: bool = False) -> None:
        self.key = key
        self.headed = headed
        self.manners = Manners()
        self.sessions: list[_Speaking] = []
        self.heard: list[tuple[float, dict[str, Any]]] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return _refusal(status, "refused", self.manners.retry_after)
        if asked.path != "/text-to-speech/ws":
            return _refusal(404, "Not Found")
        if asked.headers.get("api-subscription-key") != self.key:
            return _refusal(403, "Invalid API key")
        session = _Speaking(self, asked, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"error": {"message": "Not Found", "code": "not_found_error"}})


def _refusal(status: int, message: str, retry_after: str = "") -> Refusal:
    told = {"error": {"message": message, "code": "error", "request_id": _REQUEST}}
    return Refusal(status, json.dumps(told), {"Retry-After": retry_after} if retry_after else {})


class _Speaking:
    """One socket; the texts between two flushes are spoken as one."""

    def __init__(self, vendor: SarvamVoice, asked: Asked, line: Line) -> None:
        self.line = line
        self._vendor = vendor
        self._model = asked.one("model") or "bulbul:v2"
        self._events = asked.one("send_completion_event") == "true"
        self._settings: Mapping[str, Any] = {}
        self._text = ""
        self._waiting: deque[str] = deque()
        self._delivery: Delivery | None = None
        self._headed = False  # the present text's sound
        self._timer: IDelayedCall | None = None
        self._over = False

    def opened(self) -> None:
        self._timer = self.line.clock.callLater(_IDLE, self.line.close, 1000, "idle")
        if self._model not in _SPEAKERS:
            self._fail(400, f"There is no model {self._model}")

    def received(self, message: bytes, binary: bool) -> None:
        if self._over:
            return
        if self._timer is not None and self._timer.active():
            self._timer.reset(_IDLE)
        try:
            fields = json.loads(message)
        except ValueError:
            fields = None
        if binary or not isinstance(fields, dict):
            self._fail(422, "The message is no JSON object")
            return
        self._vendor.heard.append((self.line.clock.seconds(), fields))
        kind, data = fields.get("type"), fields.get("data") or {}
        if kind == "config":
            self._configure(data)
        elif kind == "ping":
            return
        elif not self._settings:
            self._fail(422, "The first message must be the configuration")
        elif kind == "text":
            self._write(data.get("text"))
        elif kind == "flush":
            self._waiting.append(self._text.strip())
            self._text = ""
            self._go_on()
        else:
            self._fail(422, f"There is no message of the type {kind}")

    def _configure(self, data: Mapping[str, Any]) -> None:
        given = {name: value for name, value in data.items() if value is not None}
        wrong = _wrong(self._model, given)
        if wrong:
            self._fail(422, wrong)
        else:
            self._settings = given

    def _write(self, text: Any) -> None:
        if not isinstance(text, str) or not 0 < len(text) <= _LONGEST:
            self._fail(422, f"A text has 1 to {_LONGEST} characters")
        else:
            self._text += text

    def _fail(self, code: int, message: str) -> None:
        self._over = True
        self.line.send(
            {"type": "error", "data": {"message": message, "code": code, "request_id": _REQUEST}}
        )
        self.line.close(1000 if code >= 500 else 4000)

    def closed(self, code: int) -> None:
        self._over = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._delivery is not None:
            self._delivery.end()

    @property
    def _codec(self) -> str:
        codec: str = self._settings["output_audio_codec"]
        return codec

    @property
    def _rate(self) -> int:
        rate: int = self._settings.get("speech_sample_rate", 22_050)
        return rate

    def _go_on(self) -> None:
        while self._delivery is None and self._waiting:
            text = self._waiting.popleft()
            if text:
                self._headed = False
                spoken = Spoken(text, self._rate, _CODECS[self._codec])
                manners = self._vendor.manners
                self._delivery = Delivery(self.line.clock, spoken, manners, self)

    # -- Teller --------------------------------------------------------------------------------

    def sound(self, piece: Piece) -> None:
        payload = piece.payload
        if self._vendor.headed and self._codec == "linear16" and not self._headed:
            payload = wav(b"", self._rate, unknown_length=True) + payload
        self._headed = True
        audio = b64encode(payload).decode()
        data = {"audio": audio, "content_type": "audio/wav", "request_id": _REQUEST}
        self.line.send({"type": "audio", "data": data})

    def done(self) -> None:
        self._delivery = None
        if self._events:
            data = {"event_type": "final", "timestamp": "2026-11-21T14:00:00Z"}
            self.line.send({"type": "event", "data": data})
        self._go_on()

    def stopped(self) -> None:
        """Nothing is ever stopped."""

    def garbage(self) -> None:
        self.line.send('{"type": "audio", "data": {"audio": "?"}}')

    def error(self) -> None:
        self._fail(503, "The model is overloaded")

    def drop(self) -> None:
        self.line.drop()


def _wrong(model: str, given: Mapping[str, Any]) -> str:
    oldest = model == "bulbul:v2"
    low, high = (0.3, 3.0) if oldest else (0.5, 2.0)
    language = given.get("language_code") or given.get("target_language_code")
    if set(given) - _KNOWN:
        return f"Extra inputs are not permitted: {sorted(set(given) - _KNOWN)}"
    if language not in _LANGUAGES:
        return f"language_code must be one of {sorted(_LANGUAGES)}"
    if given.get("speaker") not in _SPEAKERS[model]:
        return f"Speaker '{given.get('speaker')}' is not compatible with model {model}"
    if given.get("output_audio_codec") not in _CODECS:
        return "output_audio_codec is none that this fake speaks"
    if given.get("speech_sample_rate", 22_050) not in _RATES:
        return f"speech_sample_rate must be one of {_RATES}"
    if not low <= given.get("pace", 1) <= high:
        return f"pace must be between {low} and {high}"
    if not -0.75 <= given.get("pitch", 0) <= 0.75 or not 0.3 <= given.get("loudness", 1) <= 3:
        return "pitch or loudness is out of its range"
    return ""


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (
    SarvamVoice,
    _Speaking,
    _Speaking,
)
