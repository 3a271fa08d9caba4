"""A fake of the Gemini Live API ("Live API - WebSockets API reference", "Session management").

It finds the caller's turns by the loudness of what it is sent, and keeps a turn of its own open for
as long as it takes to be heard. Its messages are JSON in binary frames, several things in one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from rapida_tw.sim.vendors import gemini_live_rules as rules
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.conversing import Mind, Said
from rapida_tw.sim.vendors.delivery import Delivery, Manners
from rapida_tw.sim.vendors.gemini_live_rules import BAD, POLICY, Mistake
from rapida_tw.sim.vendors.hearing import Began, Ended, Hearing, Script
from rapida_tw.sim.vendors.speaking import Piece, Spoken

PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"

_RATE = 24_000  # Hz of what it says
_WARNING = 10.0  # seconds from goAway to the end
_ABORTED = 1011


@dataclass(slots=True)
class Memory:
    """What a session knows; resumed by a handle."""

    dialogue: list[tuple[str, str]] = field(default_factory=list)


class GeminiLive:
    """`script`: what the caller will say. `sessions`: all connections so far.

    `lasts`: seconds of a connection; it says goAway ten seconds earlier. `binary`: its messages.
    `late`: sound of a reply comes behind its interruption.
    """

    hosts: tuple[str, ...] = ("generativelanguage.googleapis.com",)

    def __init__(
        self,
        script: Sequence[str] = (),
        answers: Iterable[Sequence[Any]] = (),
        key: str = "gemini-key",
        otherwise: str = "Pardon?",
        lasts: float = 600.0,
        binary: bool = True,
        late: bool = False,
    ) -> None:
        self.script = Script(script)
        self.mind = Mind(answers, otherwise)
        self.manners = Manners(first_after=0.3)
        self.key = key
        self.lasts = lasts
        self.binary = binary
        self.late = late
        self.memories: dict[str, Memory] = {}  # by handle
        self.sessions: list[GeminiLiveSession] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            error = {"error": {"code": status, "message": f"Refused with {status}."}}
            return Refusal(status, json.dumps(error))
        if asked.path != PATH:
            return Refusal(404, "Not Found")
        session = GeminiLiveSession(self, asked, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"error": {"code": 404, "message": "Not Found"}})


class GeminiLiveSession:
    """One connection. `setup`: its first message. `mistake`: why it was closed.

    `interrupted`: how many replies were. `withdrawn`: ids of tool calls.
    """

    def __init__(self, vendor: GeminiLive, asked: Asked, line: Line) -> None:
        self.asked = asked
        self.line = line
        self.setup: Mapping[str, Any] = {}
        self.mistake = ""
        self.interrupted = 0
        self.withdrawn: list[str] = []
        self.memory = Memory()
        self._vendor = vendor
        self._version = (0, 0)
        self._hearing: Hearing | None = None
        self._rate = 0
        self._history = False  # what comes before its end is no turn
        self._heard_voice = False
        self._said: Said | None = None  # the reply under way
        self._delivery: Delivery | None = None
        self._latest: Piece | None = None  # of its sound
        self._given = 0.0  # seconds of it
        self._began = 0.0
        self._words: list[str] = []
        self._pending: dict[str, str] = {}  # tools that are to be answered, by id
        self._results: list[str] = []
        self._calls = 0
        self._timers: list[IDelayedCall] = []
        self._completing: IDelayedCall | None = None

    # -- from the client --------------------------------------------------------------------------

    def opened(self) -> None:
        if not (self.asked.headers.get("x-goog-api-key") or self.asked.one("key")):
            told = "Method doesn't allow unregistered callers. Please use API Key."
            self.line.close(POLICY, told)
            return
        clock, lasts = self.line.clock, self._vendor.lasts
        self._timers.append(clock.callLater(max(lasts - _WARNING, 0.0), self.go_away, _WARNING))
        self._timers.append(clock.callLater(lasts, self.abort))

    def received(self, message: bytes, binary: bool) -> None:
        if self.mistake:
            return
        try:
            kind, fields = rules.message(message)
            if not self.setup:
                self._set_up(kind, fields)
            elif kind == "realtimeInput":
                self._realtime(*rules.realtime(fields))
            elif kind == "clientContent":
                self._client_content(fields)
            elif kind == "toolResponse":
                self._tool_response(fields)
            else:
                raise Mistake
        except Mistake as mistake:
            self.mistake = str(mistake)
            self.line.close(mistake.code, str(mistake)[:123])

    def closed(self, code: int) -> None:
        for timer in (*self._timers, self._completing):
            if timer is not None and timer.active():
                timer.cancel()
        if self._delivery is not None:
            self._delivery.end()

    # -- to the client ----------------------------------------------------------------------------

    def tell(self, fields: Mapping[str, Any]) -> None:
        text = json.dumps(fields)
        self.line.send(text.encode() if self._vendor.binary else text)

    def go_away(self, seconds: float) -> None:
        """The connection will end."""
        self.tell({"goAway": {"timeLeft": f"{seconds:g}s"}})

    def abort(self) -> None:
        """Its time is over."""
        self.line.close(_ABORTED, "The service is currently unavailable.")

    def _content(self, **fields: Any) -> None:
        self.tell({"serverContent": fields})

    def _resumable(self, resumable: bool) -> None:
        if "sessionResumption" not in self.setup:
            return
        handle = f"handle-{len(self._vendor.memories) + 1}" if resumable else ""
        if resumable:
            self._vendor.memories[handle] = Memory(list(self.memory.dialogue))
        update = {"newHandle": handle, "resumable": True} if resumable else {}
        self.tell({"sessionResumptionUpdate": update})

    # -- messages of the client -------------------------------------------------------------------

    def _set_up(self, kind: str, fields: Mapping[str, Any]) -> None:
        if kind != "setup":
            raise Mistake("setup must be the first message and only the first", BAD)
        key = self.asked.headers.get("x-goog-api-key") or self.asked.one("key")
        if key != self._vendor.key:
            raise Mistake("API key not valid. Please pass a valid API key.")
        self._version = rules.version(rules.setup(fields))
        self.setup = fields
        handle = rules.camel(fields.get("sessionResumption") or {}).get("handle")
        if handle:
            if handle not in self._vendor.memories:
                raise Mistake("BidiGenerateContent session not found", POLICY)
            self.memory = Memory(list(self._vendor.memories[handle].dialogue))
        config = rules.camel(fields.get("historyConfig", {}))
        self._history = bool(config.get("initialHistoryInClientContent"))
        self.tell({"setupComplete": {}})

    def _realtime(self, kind: str, value: Any) -> None:
        if kind == "audio":
            self._hear(*rules.audio(value))
        elif kind == "text":
            self._heard_voice = True
            self._interrupt()
            self._respond(str(value))
        elif kind != "audioStreamEnd":
            raise Mistake("Explicit activity control is not supported when automatic activity")

    def _hear(self, sound: bytes, rate: int) -> None:
        self._heard_voice = True
        if self._hearing is None or rate != self._rate:
            settings = rules.camel(self.setup.get("realtimeInputConfig", {}))
            detection = rules.camel(settings.get("automaticActivityDetection", {}))
            pause = detection.get("silenceDurationMs", 500) / 1000
            self._hearing = Hearing(self._vendor.script, "linear16", rate, pause)
            self._rate = rate
        for heard in self._hearing.hear(sound):
            if isinstance(heard, Began):
                self._interrupt()
            elif isinstance(heard, Ended):
                self._transcribe(heard.text)
                self._respond(heard.text)

    def _transcribe(self, text: str) -> None:
        if "inputAudioTranscription" in self.setup:
            for number, word in enumerate(text.split()):
                self._content(inputTranscription={"text": word if not number else f" {word}"})

    def _client_content(self, fields: Mapping[str, Any]) -> None:
        said = rules.turns(fields)
        complete = bool(fields.get("turnComplete"))
        if self._history:
            self.memory.dialogue += said
            self._history = not complete
            return
        if (3, 0) <= self._version < (3, 8):
            raise Mistake
        if self._version < (3, 0) and said and said[-1][0] != "user":
            raise Mistake("Please ensure that the last turn is of the user.")
        self._interrupt()
        self.memory.dialogue += said[:-1] if complete else said
        if complete:
            self._respond(said[-1][1] if said else "")

    def _tool_response(self, fields: Mapping[str, Any]) -> None:
        for result in rules.results(fields):
            if self._pending.pop(str(result.get("id")), None) is None:
                raise Mistake
            self._results.append(json.dumps(result["response"]))
        if not self._pending:
            results, self._results = self._results, []
            self._stop_completing()
            self._respond(" ".join(results), role="tool")

    # -- replies ----------------------------------------------------------------------------------

    def _respond(self, heard: str, role: str = "user") -> None:
        self.memory.dialogue.append((role, heard))
        self._said = said = self._vendor.mind.answer(heard)
        self._resumable(False)
        self._given, self._words = 0.0, []
        self._began = self.line.clock.seconds()
        spoken = Spoken(said.text, _RATE)
        self._delivery = Delivery(self.line.clock, spoken, self._vendor.manners, self)

    def _interrupt(self) -> None:
        """The caller speaks, or writes: whatever goes on is over."""
        if self._pending and self._version < (3, 8):
            self.withdrawn += self._pending
            self.tell({"toolCallCancellation": {"ids": list(self._pending)}})
            self._pending.clear()
        if self._said is None:
            return
        self.interrupted += 1
        if self._delivery is not None:
            self._delivery.end()
        self._stop_completing()
        played = self.line.clock.seconds() - self._began
        share = min(played / self._given, 1.0) if self._given else 0.0
        said = self._words[: int(len(self._words) * share)]
        self.memory.dialogue.append(("model", " ".join(said)))
        self._said = None
        self._content(interrupted=True)
        if self._vendor.late and self._latest is not None:
            self.sound(self._latest)
        self._content(turnComplete=True)
        self._resumable(True)

    def _stop_completing(self) -> None:
        if self._completing is not None and self._completing.active():
            self._completing.cancel()
        self._completing = None

    def _complete(self) -> None:
        self._completing = None
        self.memory.dialogue.append(("model", " ".join(self._words)))
        self._said = None
        usage = {"promptTokenCount": 100, "responseTokenCount": 50, "totalTokenCount": 150}
        content = {"turnComplete": True}
        self.tell({"serverContent": content, "usageMetadata": usage})
        self._resumable(True)

    # -- Teller of the sound ----------------------------------------------------------------------

    def sound(self, piece: Piece) -> None:
        if not self._given:
            self._began = self.line.clock.seconds()
        self._latest = piece
        self._given = piece.start + len(piece.payload) / 2 / _RATE
        data = base64.b64encode(piece.payload).decode("ascii")
        inline = {"mimeType": f"audio/pcm;rate={_RATE}", "data": data}
        fields: dict[str, Any] = {"modelTurn": {"parts": [{"inlineData": inline}]}}
        words = [word.text for word in piece.words]
        if words and "outputAudioTranscription" in self.setup:
            text = " ".join(words)
            fields["outputTranscription"] = {"text": f" {text}" if self._words else text}
        self._words += words
        self._content(**fields)

    def done(self) -> None:
        said = self._said
        if said is None:
            return
        for called in said.calls:
            self._calls += 1
            self._pending[f"function-call-{self._calls}"] = called.name
        if said.calls:
            calls = [
                {"id": name, "name": called.name, "args": dict(called.arguments)}
                for name, called in zip(self._pending, said.calls, strict=True)
            ]
            self.tell({"toolCall": {"functionCalls": calls}})
            if self._version < (3, 8):
                return  # the turn goes on when they are answered
        self._content(generationComplete=True)
        played = self._began + self._given - self.line.clock.seconds()
        self._completing = self.line.clock.callLater(max(played, 0.0), self._complete)

    def stopped(self) -> None:
        """Never asked for: `end` is used."""

    def garbage(self) -> None:
        self.line.send(b'{"serverContent": {"modelTurn": ')

    def error(self) -> None:
        self.line.close(_ABORTED, "Internal error encountered.")

    def drop(self) -> None:
        self.line.drop()


_conforms: type[FakeVendor] = GeminiLive
