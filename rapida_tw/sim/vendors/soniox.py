"""A fake of Soniox's realtime recogniser (its API reference, "WebSocket API", and its own client
for Python, 2.10).

Tokens are halves of words. What is wrong is told as an error with a status of HTTP's, and then the
connection is closed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Word, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller

_ENCODINGS = {"pcm_s16le": "linear16", "mulaw": "mulaw", "alaw": "alaw"}
_MODELS = ("stt-rt-v3", "stt-rt-v4", "stt-rt-v5")
_KNOWN = frozenset(
    (
        *("api_key", "model", "audio_format", "sample_rate", "num_channels", "language_hints"),
        *("language_hints_strict", "context", "enable_speaker_diarization", "translation"),
        *("enable_language_identification", "enable_endpoint_detection", "max_endpoint_delay_ms"),
        *("endpoint_sensitivity", "endpoint_latency_adjustment_level", "client_reference_id"),
    )
)
_PAUSE = 0.5  # seconds of silence that end a turn


class Mistake(Exception):
    """What a connection is closed for: a status, and what is wrong."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Soniox:
    """`sessions`: all so far."""

    hosts: tuple[str, ...] = ("stt-rt.soniox.com", "stt-rt.*.soniox.com")

    def __init__(self, script: Sequence[str] = (), key: str = "soniox-key") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.sessions: list[SonioxSession] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            error = {"error_code": status, "error_message": f"refused with {status}"}
            return Refusal(status, json.dumps(error))
        if asked.path != "/transcribe-websocket":
            return Refusal(404, "404 page not found")
        session = SonioxSession(self, asked, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, "404 page not found")


class SonioxSession:
    """`config`: the first message. `controls`: the types of those behind it; "" is the end."""

    def __init__(self, vendor: Soniox, asked: Asked, line: Line) -> None:
        self.asked = asked
        self.config: Mapping[str, Any] = {}
        self.controls: list[str] = []
        self._vendor = vendor
        self._line = line
        self._ear: Ear | None = None
        self._told = 0  # words of the utterance that are final
        self._finalizing = 0
        self._ended = False

    # -- from the client -----------------------------------------------------------------------

    def opened(self) -> None:
        """The client speaks first."""

    def received(self, message: bytes, binary: bool) -> None:
        try:
            if self._ended:
                return
            if self._ear is None:
                self._ear = self._configured(_object(message, binary))
            elif binary:
                self._ear.hear(message)
            else:
                self._control(self._ear, message)
        except Mistake as mistake:
            self._fail(mistake.status, str(mistake))

    def closed(self, code: int) -> None:
        if self._ear is not None:
            self._ear.stop()

    def _configured(self, config: Mapping[str, Any]) -> Ear:
        vendor = self._vendor
        key = self.asked.headers.get("authorization", "").removeprefix("Bearer ")
        if (key or config.get("api_key")) != vendor.key:
            raise Mistake(401, "Incorrect API key provided.")
        unknown = set(config) - _KNOWN
        if unknown:
            raise Mistake(400, f"Unknown fields {sorted(unknown)}.")
        if config.get("model") not in _MODELS:
            raise Mistake(400, f"Invalid model {config.get('model')!r}.")
        encoding = _ENCODINGS.get(str(config.get("audio_format")))
        rate = config.get("sample_rate")
        if encoding is None or not isinstance(rate, int) or config.get("num_channels") != 1:
            raise Mistake(400, "Invalid audio_format, sample_rate or num_channels.")
        delay = config.get("max_endpoint_delay_ms", 2000)
        if not 500 <= delay <= 3000:
            raise Mistake(400, "max_endpoint_delay_ms must be between 500 and 3000.")
        if not isinstance(config.get("context", {}), dict):
            raise Mistake(400, "Invalid context.")
        self.config = config
        pause = _PAUSE if config.get("enable_endpoint_detection") else None
        script, manners = vendor.script, vendor.manners
        return Ear(self._line.clock, script, manners, self, encoding, rate, pause)

    def _control(self, ear: Ear, message: bytes) -> None:
        if not message:
            self.controls.append("")
            self._ended = True
            ear.flush()
            self._line.send({"tokens": [], "finished": True, **self._progress()})
            self._line.close()
            return
        kind = _object(message, False).get("type")
        if kind not in ("finalize", "keepalive"):
            raise Mistake(400, f"Invalid control message type {kind!r}.")
        self.controls.append(kind)
        if kind == "finalize":
            self._finalizing += 1
            if not ear.flush():
                self._finalized()

    # -- what is heard: Teller -----------------------------------------------------------------

    def began(self, heard: Began) -> None:
        self._told = 0

    def words(self, heard: Words) -> None:
        """All but the last are final, each once."""
        final = heard.words[self._told : -1]
        self._told += len(final)
        tokens = [half for word in final for half in _tokens(word, True)]
        self._say([*tokens, *_tokens(heard.words[-1], False)])

    def ended(self, heard: Ended) -> None:
        tokens = [half for word in heard.words[self._told :] for half in _tokens(word, True)]
        if self.config.get("enable_endpoint_detection") and not heard.flushed:
            tokens.append(_mark("<end>"))
        if tokens:
            self._say(tokens)
        self._finalized()

    def _finalized(self) -> None:
        for _ in range(self._finalizing):
            self._say([_mark("<fin>")])
        self._finalizing = 0

    def garbage(self) -> None:
        self._line.send("tokens")

    def error(self) -> None:
        self._fail(503, "Cannot continue request (code 1). Please restart the request.")

    def unknown(self) -> None:
        self._line.send({"tokens": [], "mood": "good", **self._progress()})

    def close(self) -> None:
        self._line.close(1001, "going away")

    def drop(self) -> None:
        self._line.drop()

    def _say(self, tokens: Sequence[Mapping[str, Any]]) -> None:
        self._line.send({"tokens": tokens, **self._progress()})

    def _progress(self) -> dict[str, int]:
        heard = int(1000 * self._ear.seconds) if self._ear is not None else 0
        return {"final_audio_proc_ms": heard, "total_audio_proc_ms": heard}

    def _fail(self, status: int, why: str) -> None:
        self._ended = True
        self._line.send({"tokens": [], "error_code": status, "error_message": why})
        self._line.close(1011 if status >= 500 else 1008, why)


def _tokens(word: Word, final: bool) -> list[dict[str, Any]]:
    """Two of them, the first with the space before the word."""
    middle = (len(word.text) + 1) // 2
    start, end = int(1000 * word.start), int(1000 * word.end)
    about = {"start_ms": start, "end_ms": end, "confidence": 0.9, "is_final": final}
    halves = (f" {word.text[:middle]}", word.text[middle:])
    return [{"text": half, **about} for half in halves if half]


def _mark(name: str) -> dict[str, Any]:
    return {"text": name, "confidence": 1.0, "is_final": True}


def _object(message: bytes, binary: bool) -> dict[str, Any]:
    if binary:
        raise Mistake(400, "The first message must be the configuration.")
    try:
        value = json.loads(message)
    except ValueError:
        raise Mistake(400, "Invalid JSON.") from None
    if not isinstance(value, dict):
        raise Mistake(400, "Not an object.")
    return value


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (
    Soniox,
    SonioxSession,
    SonioxSession,
)
