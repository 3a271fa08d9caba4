"""A fake of Cartesia's Ink, with turns and without (its API reference, "Speech-to-Text
(Streaming)", and its own client for Python, 4.2).

The pieces of a text without turns are cut in the middle of words, as they may be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller

_ENCODINGS = {"pcm_s16le": "linear16", "pcm_mulaw": "mulaw", "pcm_alaw": "alaw"}
_VERSION = re.compile(r"202[4-9]-\d\d-\d\d")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_PAUSE = 0.32  # seconds of silence after which a turn has ended, eagerly half of it
_REQUEST = "7b3f7d9e-2c4b-4f0a-9a51-8e6f1f0c2d3b"
# Names of numbers, and what they may be.
_RANGES = {
    "turn_start_threshold": (0.5, 0.9),
    "turn_eager_end_threshold": (0.3, 0.6),
    "turn_end_threshold": (0.05, 0.5),
    "turn_end_timeout_ms": (640, 11_200),
}


class Mistake(Exception):
    """What is answered with an error."""


class CartesiaRecognizer:
    """`sessions`: all so far, of both ways."""

    hosts: tuple[str, ...] = ("api.cartesia.ai",)

    def __init__(self, script: Sequence[str] = (), key: str = "cartesia-key") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.sessions: list[TurnsSession | ManualSession] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return _refusal(status, f"refused with {status}")
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if (asked.headers.get("x-api-key") or token) != self.key:
            return _refusal(401, "Invalid API key")
        version = asked.headers.get("cartesia-version") or asked.one("cartesia_version")
        if not _VERSION.fullmatch(version):
            return _refusal(400, "Invalid Cartesia-Version")
        turns = asked.path == "/stt/turns/websocket"
        if not turns and asked.path != "/stt/websocket":
            return _refusal(404, "Not found")
        try:
            encoding, rate = _checked(asked, turns)
        except Mistake as mistake:
            return _refusal(400, str(mistake))
        kind = TurnsSession if turns else ManualSession
        session = kind(self, line, encoding, rate)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"title": "Not found", "message": "Not found", "error_code": "not_found"})


def _checked(asked: Asked, turns: bool) -> tuple[str, int]:
    """Encoding and rate, where nothing is wrong."""
    encoding, rate = _ENCODINGS.get(asked.one("encoding")), asked.one("sample_rate")
    model = asked.one("model")
    if encoding is None or not rate.isdigit():
        raise Mistake("encoding and sample_rate are required")
    if model != "ink-2" and (turns or not model.startswith("ink-whisper")):
        raise Mistake(f"model {model} is not supported here")
    terms = asked.query.get("keyterm", [])
    if terms and model != "ink-2":
        raise Mistake("keyterm is only supported by ink-2")
    if len(terms) > 100 or len("".join(terms)) > 1200:
        raise Mistake("too many keyterms")
    if turns and asked.one("language"):
        raise Mistake("unknown parameter language")
    if asked.one("language") not in ("", "en"):
        raise Mistake("language must be en")
    for name, (low, high) in _RANGES.items():
        told = asked.one(name)
        good = turns and _NUMBER.fullmatch(told) and low <= float(told) <= high
        if told and not good:
            raise Mistake(f"{name} must be between {low} and {high}")
    return encoding, int(rate)


class TurnsSession:
    """`configured`: each `config`."""

    def __init__(self, vendor: CartesiaRecognizer, line: Line, encoding: str, rate: int) -> None:
        self.configured: list[Mapping[str, Any]] = []
        self._line = line
        script, manners = vendor.script, vendor.manners
        self._ear = Ear(line.clock, script, manners, self, encoding, rate, _PAUSE)

    def opened(self) -> None:
        self._say("connected")

    def received(self, message: bytes, binary: bool) -> None:
        if binary:
            self._ear.hear(message)
            return
        try:
            fields = json.loads(message)
            kind = fields["type"]
        except (ValueError, TypeError, KeyError):
            self._fail("a text message must be a JSON command")
            return
        if kind == "config":
            self.configured.append(fields)
        elif kind == "close":
            self._ear.flush()
            self._line.close()
        else:
            self._fail(f"unknown command {kind}")

    def closed(self, code: int) -> None:
        self._ear.stop()

    def began(self, heard: Began) -> None:
        self._say("turn.start")

    def words(self, heard: Words) -> None:
        self._say("turn.update", transcript=heard.text)

    def ended(self, heard: Ended) -> None:
        if heard.words:
            self._say("turn.eager_end", transcript=heard.text)
        self._say("turn.end", transcript=heard.text)

    def garbage(self) -> None:
        self._line.send("type: turn.update")

    def error(self) -> None:
        _failed(self._line, 500, "Internal error", "Something went wrong")

    def unknown(self) -> None:
        self._say("turn.resume")
        self._say("turn.hum")

    def close(self) -> None:
        self._line.close(1001, "going away")

    def drop(self) -> None:
        self._line.drop()

    def _fail(self, message: str) -> None:
        _failed(self._line, 400, "Invalid message", message)

    def _say(self, kind: str, **fields: str) -> None:
        self._line.send({"type": kind, "request_id": _REQUEST, **fields})


class ManualSession:
    """`commands`: all that were sent."""

    def __init__(self, vendor: CartesiaRecognizer, line: Line, encoding: str, rate: int) -> None:
        self.commands: list[str] = []
        self._line = line
        self._flushes = 0  # that are owed an answer
        script, manners = vendor.script, vendor.manners
        self._ear = Ear(line.clock, script, manners, self, encoding, rate, None)

    def opened(self) -> None:
        """It waits for audio."""

    def received(self, message: bytes, binary: bool) -> None:
        if binary:
            self._ear.hear(message)
            return
        command = message.decode("utf-8", "replace")
        self.commands.append(command)
        if command == "finalize":
            self._flushes += 1
            if not self._ear.flush():
                self._flushed()
        elif command in ("close", "done"):
            self._ear.flush()
            self._say("done")
            self._line.close()
        else:
            _failed(self._line, 400, "Invalid message", f"unknown command {command[:20]}")

    def closed(self, code: int) -> None:
        self._ear.stop()

    def began(self, heard: Began) -> None:
        """It tells words only."""

    def words(self, heard: Words) -> None:
        self._transcript(heard.text, final=False)

    def ended(self, heard: Ended) -> None:
        """In two pieces, of which the first ends anywhere."""
        said = f"{heard.text} " if heard.words else ""
        for piece in (said[: len(said) // 2], said[len(said) // 2 :]):
            if piece:
                self._transcript(piece, final=True)
        self._flushed()

    def _flushed(self) -> None:
        """Whoever asked for it has all words now."""
        for _ in range(self._flushes):
            self._say("flush_done")
        self._flushes = 0

    def garbage(self) -> None:
        self._line.send("transcript")

    def error(self) -> None:
        _failed(self._line, 500, "Internal error", "Something went wrong")

    def unknown(self) -> None:
        self._say("hum")

    def close(self) -> None:
        self._line.close(1001, "going away")

    def drop(self) -> None:
        self._line.drop()

    def _transcript(self, said: str, final: bool) -> None:
        self._say("transcript", text=said, is_final=final, language="en")

    def _say(self, kind: str, **fields: Any) -> None:
        self._line.send({"type": kind, "request_id": _REQUEST, **fields})


def _failed(line: Line, status: int, title: str, message: str) -> None:
    error = {"status_code": status, "title": title, "message": message, "error_code": "failed"}
    line.send({"type": "error", "request_id": _REQUEST, **error})
    line.close(1011 if status >= 500 else 1008, title)


def _refusal(status: int, message: str) -> Refusal:
    error = {"title": "Refused", "message": message, "error_code": "refused", "status_code": status}
    return Refusal(status, json.dumps(error))


_conforms: tuple[type[FakeVendor], type[Session], type[Teller], type[Session], type[Teller]] = (
    CartesiaRecognizer,
    TurnsSession,
    TurnsSession,
    ManualSession,
    ManualSession,
)
