"""A fake of Cartesia's text to speech over its WebSocket (its API reference, version 2026-03-01).

Strict about what a context's settings may be, and that they stay the same within it; what is wrong
is an `error` message, and the socket stays open. Of a cancelled context there is no `done`: the
official client would take it for that of the next one.
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
from rapida_tw.sim.vendors.speaking import ALAW, FLOAT, LINEAR, MULAW, Piece, Spoken

_VERSIONS = frozenset(("2024-06-10", "2024-11-13", "2025-04-16", "2026-03-01", "2026-08-14"))
_MODELS = ("sonic-3.5", "sonic-3", "sonic-2", "sonic-turbo", "sonic-latest", "sonic")
_VOICES = frozenset(
    ("a0e99841-438c-4a64-b679-ae501e7d6091", "694f9389-aac1-45b6-b726-9d9369183238")
)
_FORMS = {"pcm_s16le": LINEAR, "pcm_f32le": FLOAT, "pcm_mulaw": MULAW, "pcm_alaw": ALAW}
_RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
_LANGUAGES = frozenset("en fr de es pt zh ja hi it ko nl pl ru sv tr ta te ar he".split())
_CHANGING = ("transcript", "continue", "flush", "context_id")
_KNOWN = frozenset(
    (
        *(*_CHANGING, "model_id", "voice", "language", "output_format", "generation_config"),
        *("add_timestamps", "add_phoneme_timestamps", "use_normalized_timestamps"),
        *("max_buffer_delay_ms", "pronunciation_dict_id", "speed", "duration"),
    )
)
_IDLE = 300  # seconds
_REQUEST = "0a4e3b5c-52d8-4c3e-9f21-d6f6a3c1c0de"


class Cartesia:
    """`sessions`: all so far. `heard`: every client message of all of them, with its time."""

    hosts: tuple[str, ...] = ("api.cartesia.ai",)

    def __init__(self, key: str = "cartesia-key") -> None:
        self.key = key
        self.manners = Manners()
        self.sessions: list[CartesiaSession] = []
        self.heard: list[tuple[float, dict[str, Any]]] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        version = asked.headers.get("cartesia-version") or asked.one("cartesia_version")
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        key = asked.headers.get("x-api-key") or bearer or asked.one("api_key")
        if refusals and (status := refusals.popleft()):
            return _refusal(status, "refused", self.manners.retry_after)
        if asked.path != "/tts/websocket":
            return _refusal(404, "Not Found")
        if key != self.key:
            return _refusal(401, "Invalid API key")
        if version not in _VERSIONS:
            return _refusal(400, "Cartesia-Version is missing or unknown")
        session = CartesiaSession(self, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"error_code": "not_found", "title": "Not found", "message": "no route"})


def _refusal(status: int, message: str, retry_after: str = "") -> Refusal:
    told = {"error_code": None, "title": "Refused", "message": message, "request_id": _REQUEST}
    return Refusal(status, json.dumps(told), {"Retry-After": retry_after} if retry_after else {})


class CartesiaSession:
    """One socket; contexts by their names."""

    def __init__(self, vendor: Cartesia, line: Line) -> None:
        self.line = line
        self.manners = vendor.manners
        self.contexts: dict[str, _Context] = {}
        self.cancelled: list[_Context] = []
        self._vendor = vendor
        self._timer: IDelayedCall | None = None

    def opened(self) -> None:
        self._timer = self.line.clock.callLater(_IDLE, self.line.close)

    def received(self, message: bytes, binary: bool) -> None:
        if self._timer is not None:
            self._timer.reset(_IDLE)
        try:
            fields = json.loads(message)
        except ValueError:
            fields = None
        if binary or not isinstance(fields, dict):
            self.fail("", 400, "bad_request", "The message is no JSON object")
            return
        self._vendor.heard.append((self.line.clock.seconds(), fields))
        name = fields.get("context_id")
        if not isinstance(name, str) or not name:
            self.fail("", 400, "bad_request", "context_id is required")
            return
        context = self.contexts.get(name)
        if fields.get("cancel"):
            if context is not None:
                context.cancel()
            return
        wrong = _wrong(fields)
        if wrong:
            self.fail(name, *wrong)
            return
        if context is None:
            context = self.contexts[name] = _Context(name, self, fields)
        context.write(fields)

    def fail(self, context: str, status: int, code: str, message: str) -> None:
        told: dict[str, Any] = {
            "type": "error",
            "done": True,
            "status_code": status,
            "error_code": code,
            "title": code.replace("_", " ").capitalize(),
            "message": message,
            "request_id": _REQUEST,
        }
        self.line.send({**told, "context_id": context} if context else told)

    def closed(self, code: int) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        for context in (*self.contexts.values(), *self.cancelled):
            context.end()


class _Context:
    """Transcripts that are spoken one after the other."""

    def __init__(self, name: str, session: CartesiaSession, fields: Mapping[str, Any]) -> None:
        self._name = name
        self._session = session
        self._settings = {k: v for k, v in fields.items() if k not in _CHANGING}
        output = fields["output_format"]
        self._form, self._rate = _FORMS[output["encoding"]], output["sample_rate"]
        self._timestamps = fields.get("add_timestamps") is True
        self._waiting: deque[str] = deque()
        self._spoken = 0.0  # seconds, of the transcripts before
        self._now: Spoken | None = None
        self._delivery: Delivery | None = None
        self._complete = False

    def write(self, fields: Mapping[str, Any]) -> None:
        if {k: v for k, v in fields.items() if k not in _CHANGING} != self._settings:
            told = "Settings must be the same for all inputs of a context"
            self._session.fail(self._name, 400, "bad_request", told)
            return
        if fields["transcript"]:
            self._waiting.append(fields["transcript"])
        self._complete = not fields.get("continue", False)
        self._go_on()

    def cancel(self) -> None:
        if self._delivery is not None:
            self._delivery.cancel()
        del self._session.contexts[self._name]
        self._session.cancelled.append(self)

    def end(self) -> None:
        if self._delivery is not None:
            self._delivery.end()

    def _go_on(self) -> None:
        session = self._session
        if self._delivery is not None:
            return
        if self._waiting:
            self._now = Spoken(self._waiting.popleft(), self._rate, self._form)
            self._delivery = Delivery(session.line.clock, self._now, session.manners, self)
        elif self._complete:
            self._send("done", done=True, status_code=200)
            del session.contexts[self._name]

    def _send(self, kind: str, **fields: Any) -> None:
        named = {"type": kind, "context_id": self._name, "done": False, "status_code": 206}
        self._session.line.send({**named, **fields})

    # -- Teller --------------------------------------------------------------------------------

    def sound(self, piece: Piece) -> None:
        self._send("chunk", data=b64encode(piece.payload).decode(), step_time=12.3)
        if self._timestamps and piece.words:
            times = {
                "words": [word.text for word in piece.words],
                "start": [self._spoken + word.start for word in piece.words],
                "end": [self._spoken + word.end for word in piece.words],
            }
            self._send("timestamps", word_timestamps=times)

    def done(self) -> None:
        self._delivery = None
        if self._now is not None:
            self._spoken += self._now.seconds
        self._go_on()

    def stopped(self) -> None:
        """There is no word for it."""

    def garbage(self) -> None:
        self._session.line.send('{"type": "chunk", "context_id": 17}')

    def error(self) -> None:
        told = "The model is overloaded, try again"
        self._session.fail(self._name, 500, "internal_server_error", told)
        del self._session.contexts[self._name]

    def drop(self) -> None:
        self._session.line.drop()


def _wrong(fields: Mapping[str, Any]) -> tuple[int, str, str] | None:
    """Status, code and sentence of what is wrong with a generation request."""
    voice, output = fields.get("voice"), fields.get("output_format")
    config = fields.get("generation_config", {})
    if set(fields) - _KNOWN:
        return 400, "bad_request", f"unknown fields: {sorted(set(fields) - _KNOWN)}"
    if not isinstance(fields.get("transcript"), str):
        return 400, "bad_request", "transcript is required"
    if fields.get("model_id") not in _MODELS:
        return 404, "model_not_found", "The model is not valid, make sure it is a valid model ID."
    if not isinstance(voice, dict) or voice.get("mode", "id") != "id":
        return 400, "bad_request", "voice must be given by its id"
    if voice.get("id") not in _VOICES:
        return 404, "voice_not_found", "The voice was not found"
    if not isinstance(output, dict) or output.get("container") != "raw":
        return 400, "bad_request", "output_format.container must be raw"
    if output.get("encoding") not in _FORMS or output.get("sample_rate") not in _RATES:
        return 400, "bad_request", "output_format is not supported"
    if fields.get("language", "en") not in _LANGUAGES:
        return 400, "language_not_supported", "The language is not supported"
    if not 0 <= fields.get("max_buffer_delay_ms", 3000) <= 5000:
        return 400, "bad_request", "max_buffer_delay_ms must be between 0 and 5000"
    if not 0.6 <= config.get("speed", 1) <= 1.5 or not 0.5 <= config.get("volume", 1) <= 2:
        return 400, "bad_request", "generation_config is out of range"
    return None


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (
    Cartesia,
    CartesiaSession,
    _Context,
)
