"""Simulation: whole calls in virtual time, through everything but the sockets.

    sim = Simulation(greeting="Hello. How can I help?", replies=[["hours", "We open at nine."]])
    sim.says("what are your hours", at=4.0, lasting=1.2)
    sim.run(until=10.0)
    sim.dialogue        # [("assistant", "Hello. How can I help?"), ("user", ...), ...]

The server's own code runs from the AudioSocket bytes up; the far side is the carrier farm's. Only
hearing and speaking are scripted (speech/scripted.py), and the clock is ours.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from twisted.internet.base import DelayedCall
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from rapida_tw.calls.calls import Calls
from rapida_tw.calls.context import CallContext, MemoryContexts
from rapida_tw.calls.journal import Journal
from rapida_tw.calls.parts import Defaults, Vendors
from rapida_tw.carriers.base import IncomingCall
from rapida_tw.ids import Ids
from rapida_tw.media.clock import MediaClock
from rapida_tw.media.disk import RecordingDisk
from rapida_tw.models.base import ModelProvider
from rapida_tw.pipeline.http_tool import HttpTool
from rapida_tw.sim.audiosocket import APPLICATION, FakeAsterisk, Manner
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.memory import Network
from rapida_tw.sim.metronome import Metronome
from rapida_tw.speech.base import (
    DetectorProvider,
    Host,
    Options,
    Recognizer,
    RecognizerProvider,
    Registry,
    SynthesizerProvider,
)
from rapida_tw.speech.scripted import (
    ScriptedRecognizer,
    ScriptedRecognizerProvider,
    ScriptedSynthesizer,
    ScriptedSynthesizerProvider,
)
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.database import Database
from rapida_tw.store.projects import Projects
from rapida_tw.store.records import Assistant, Conversation, Deployment, Entry, VendorChoice
from rapida_tw.transports.audiosocket import AudioSocketFactory

_EPOCH = 1_700_000_000.0  # the wall clock when the virtual one shows 0


@implementer(IReactorTime)
class VirtualClock:
    """Time that passes only when asked to; a heap, because thousands of timers wait in it."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = count()
        self._heap: list[tuple[float, int, DelayedCall]] = []

    def seconds(self) -> float:
        return self._now

    def callLater(
        self, delay: float, callable: Callable[..., Any], *args: object, **kwargs: object
    ) -> IDelayedCall:
        call = DelayedCall(
            self._now + delay, callable, args, kwargs, _nothing, self._push, self.seconds
        )
        self._push(call)
        return call

    def _push(self, call: DelayedCall) -> None:
        heapq.heappush(self._heap, (call.getTime(), next(self._order), call))

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        # A call that was brought forward is in the heap twice.
        return list(dict.fromkeys(call for _, _, call in self._heap if call.active()))

    def run(self, until: float) -> None:
        """Let time pass, event by event, up to `until`."""
        while self._heap and self._heap[0][0] <= until:
            due, _, call = heapq.heappop(self._heap)
            if not call.active():
                continue
            if call.getTime() > due:  # it was put off meanwhile
                call.activate_delay()  # else bringing it forward again would not be told
                self._push(call)
                continue
            self._now = max(self._now, due)
            call.called = 1
            call.func(*call.args, **call.kw)
        self._now = max(self._now, until)


def _nothing(call: DelayedCall) -> None:
    """A cancelled call stays in the heap until its time has come."""


class _Ears:
    """Recognisers that know what their callers will say, in the order of the calls."""

    description = ScriptedRecognizerProvider.description

    def __init__(self) -> None:
        self.scripts: deque[deque[str | None]] = deque()
        self.opened: list[ScriptedRecognizer] = []

    def open(self, options: Options) -> Recognizer:
        recognizer = ScriptedRecognizer(self.scripts.popleft() if self.scripts else deque())
        self.opened.append(recognizer)
        return recognizer

    def stop(self) -> Deferred[None]:
        return ScriptedRecognizerProvider.stop(self)  # type: ignore[arg-type]


class _Voices(ScriptedSynthesizerProvider):
    """Remembers what it opened, so that a story can make a voice slow or broken."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.opened: list[ScriptedSynthesizer] = []

    def open(self, options: Options) -> ScriptedSynthesizer:
        voice = ScriptedSynthesizer(self._clock, float(options.get("delay", 0.0)))
        self.opened.append(voice)
        return voice


class VirtualServer:
    """A server in virtual time: the real calls, media, store and AudioSocket code."""

    def __init__(
        self,
        model: Mapping[str, Any],
        deployment: Mapping[str, Any],
        tools: Sequence[Mapping[str, Any]] = (),
        model_provider: ModelProvider | None = None,
        max_calls: int = 0,
        disk: RecordingDisk | None = None,
    ) -> None:
        """`deployment`: fields of a Deployment; `model`: options of the scripted model.

        Without a `disk` nothing is recorded.
        """
        self.clock = clock = VirtualClock()
        self.network = Network(clock)
        self.metronome = Metronome(clock)
        self.beat = MediaClock(clock)
        ids = Ids(self.now)
        self.database = Database("sqlite://", None)
        self.database.migrate()
        assistants = Assistants(self.database, ids, self.now)
        self.conversations = Conversations(self.database, self.now, "virtual")
        self.journal = Journal(clock, self.conversations, self.now)
        self.contexts = MemoryContexts(clock)
        self.ears = _Ears()
        host = Host(clock, Path())
        self.voices = _Voices(host)
        self.vendors = Vendors(
            Registry[RecognizerProvider]("rapida_tw.recognizers", host),
            Registry[SynthesizerProvider]("rapida_tw.synthesizers", host),
            Registry[DetectorProvider]("rapida_tw.detectors", host),
            Registry[ModelProvider]("rapida_tw.models", host),
            Defaults("virtual", "virtual", "energy", "virtual" if model_provider else "scripted"),
        )
        self.vendors.recognizers.add("virtual", self.ears)
        self.vendors.synthesizers.add("virtual", self.voices)
        if model_provider is not None:
            self.vendors.models.add("virtual", model_provider)
        self.calls = Calls(
            clock,
            self.beat,
            self.contexts,
            assistants,
            self.conversations,
            self.journal,
            self.vendors,
            _no_http,
            ids,
            self.now,
            max_calls,
            Path("recordings"),
            disk,
        )
        self.factory = AudioSocketFactory(clock, self.calls.claim, self.calls.attach)
        self.project_id = done(Projects(self.database, ids, self.now).ensure())
        assistant = done(
            assistants.create(
                Assistant(
                    0,
                    self.project_id,
                    "virtual",
                    model=VendorChoice(options=model),
                    tools=tuple(tools),
                )
            )
        )
        self.assistant_id = assistant.id
        done(assistants.deploy(Deployment(assistant.id, **deployment)))

    def now(self) -> float:
        """The virtual wall clock."""
        return _EPOCH + self.clock.seconds()

    def register(self, caller: str = "100", **metadata: str) -> CallContext:
        """Phase 1."""
        incoming = IncomingCall("asterisk", caller, metadata=metadata)
        context: CallContext = done(
            self.calls.register(incoming, self.assistant_id, self.project_id)
        )
        return context

    def connect(
        self,
        context_id: str,
        caller: Caller,
        script: deque[str | None],
        manner: Manner = APPLICATION,
    ) -> FakeAsterisk:
        """Phase 2, by a caller; `script` is what the recogniser will understand of it."""
        self.ears.scripts.append(script)
        asterisk = FakeAsterisk(caller, UUID(context_id), self.metronome, manner)
        self.network.connect(self.factory, asterisk)
        return asterisk

    def entries(self, conversation_id: int) -> tuple[Entry, ...]:
        """All that was remembered of a call by now."""
        conversation: Conversation = done(self.conversations.get(conversation_id))
        return conversation.entries

    def leftovers(self) -> list[str]:
        """What outlived its call: empty after every story."""
        left = [f"timer: {call}" for call in self.clock.getDelayedCalls()]
        left += [f"on the beat: {len(self.beat)}"] if len(self.beat) else []
        left += [f"running: {len(self.calls)}"] if len(self.calls) else []
        left += [f"connection: {one}" for one in self.factory.connections]
        return left


class Simulation:
    """One call's story."""

    def __init__(
        self,
        *,
        greeting: str = "",
        replies: Sequence[Sequence[str]] = (),
        model: Mapping[str, Any] | None = None,
        model_provider: ModelProvider | None = None,
        tools: Sequence[Mapping[str, Any]] = (),
        manner: Manner = APPLICATION,
        metadata: Mapping[str, str] | None = None,
        **deployment: Any,
    ) -> None:
        options = model or {"replies": [list(pair) for pair in replies], "otherwise": "Pardon?"}
        self.server = VirtualServer(
            options, {"greeting": greeting, **deployment}, tools, model_provider
        )
        self.caller = Caller()
        self._script: deque[str | None] = deque()
        self._context = self.server.register(**(metadata or {}))
        self._asterisk: FakeAsterisk | None = None
        self._manner = manner

    @property
    def clock(self) -> VirtualClock:
        return self.server.clock

    @property
    def asterisk(self) -> FakeAsterisk:
        """The far side; connects on first use."""
        if self._asterisk is None:
            self._asterisk = self.server.connect(
                self._context.id, self.caller, self._script, self._manner
            )
        return self._asterisk

    # -- the story --------------------------------------------------------------------------------

    def says(self, text: str, at: float, lasting: float = 0.8) -> None:
        """The caller says it, `at` seconds after the line came up. Give them in their order."""
        self._script.append(text)
        self.caller.says(text, at, lasting=lasting)

    def coughs(self, at: float, lasting: float = 0.2) -> None:
        """A sound without words."""
        self._script.append(None)
        self.caller.says("cough", at, lasting=lasting)

    def presses(self, digits: str, at: float) -> None:
        self.caller.presses(digits, at)

    def hangs_up(self, at: float) -> None:
        self.caller.hangs_up(at)

    def run(self, until: float) -> None:
        """Connect, if not yet, and let time pass up to `until` seconds from the beginning."""
        _ = self.asterisk
        self.clock.run(until)

    # -- what came of it --------------------------------------------------------------------------

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.server.entries(self._context.conversation_id)

    @property
    def dialogue(self) -> list[tuple[str, str]]:
        """Who said what; of the assistant only what was heard."""
        return [(entry.name, entry.value) for entry in self.entries if entry.kind == "message"]

    @property
    def events(self) -> list[str]:
        return [entry.name for entry in self.entries if entry.kind == "event"]

    @property
    def metrics(self) -> dict[str, str]:
        return {entry.name: entry.value for entry in self.entries if entry.kind == "metric"}

    @property
    def latencies(self) -> list[Mapping[str, Any]]:
        """Each answered turn's latency in seconds, and its parts."""
        return [entry.data for entry in self.entries if entry.name == "turn.latency"]

    @property
    def contexts_waiting(self) -> bool:
        """The call was registered and nobody has connected."""
        return self._asterisk is None

    @property
    def context_id(self) -> str:
        return self._context.id

    @property
    def voice(self) -> ScriptedSynthesizer:
        return self.server.voices.opened[-1]


def done(deferred: Deferred[Any]) -> Any:
    """The result of a Deferred that has fired; its error is raised."""
    result: list[Any] = []
    errors: list[Any] = []
    deferred.addCallbacks(result.append, errors.append)
    if errors:
        errors[0].raiseException()
    return result[0]


def _no_http(definition: Mapping[str, Any]) -> HttpTool:
    raise NotImplementedError("no HTTP in virtual time")
