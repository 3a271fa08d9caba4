"""VirtualServer: a whole server in virtual time, without sockets."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from twisted.internet.defer import Deferred

from rapida_tw.calls.admission import RESERVE
from rapida_tw.calls.calls import Calls
from rapida_tw.calls.chains import Chains
from rapida_tw.calls.context import CallContext, MemoryContexts
from rapida_tw.calls.dialling_rules import DiallingRules
from rapida_tw.calls.journal import Journal
from rapida_tw.calls.parts import Defaults, Vendors
from rapida_tw.calls.placing import Settings
from rapida_tw.calls.registration import Registered
from rapida_tw.calls.toolset import Makers
from rapida_tw.carriers.base import IncomingCall
from rapida_tw.carriers.outbound import Telephone
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.ids import Ids
from rapida_tw.media.clock import MediaClock
from rapida_tw.media.disk import RecordingDisk
from rapida_tw.models.base import ModelProvider
from rapida_tw.models.live import LiveModelProvider
from rapida_tw.pipeline.http_tool import HttpTool
from rapida_tw.pipeline.mcp_tools import Toolkit
from rapida_tw.sim.audiosocket import APPLICATION, FakeAsterisk, Manner
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.memory import Network
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.vendors.base import FakeVendor
from rapida_tw.simulation.clock import VirtualClock
from rapida_tw.simulation.speech import Ears, Voices
from rapida_tw.simulation.vendor_net import FakeVendorNet
from rapida_tw.speech.base import (
    DetectorProvider,
    Host,
    RecognizerProvider,
    Registry,
    SynthesizerProvider,
)
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.credentials import Credentials
from rapida_tw.store.database import Database
from rapida_tw.store.placements import Placements
from rapida_tw.store.projects import Projects
from rapida_tw.store.records import Assistant, Conversation, Deployment, Entry, VendorChoice
from rapida_tw.store.vault import Vault
from rapida_tw.transports.audiosocket import AudioSocketFactory

HOST = "voice.example.com"  # under which carriers know it
_EPOCH = 1_700_000_000.0  # the wall clock when the virtual one shows 0


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
        weather: Callable[[], float] | None = None,
        joined: bool = False,
        recognizer: RecognizerProvider | None = None,
        voice: SynthesizerProvider | None = None,
        model_vendor: str = "",
        model_key: str = "",
        vendors: Sequence[FakeVendor] = (),
        rules: DiallingRules | None = None,
        beside: VirtualServer | None = None,
    ) -> None:
        """`deployment`: fields of a Deployment; `model`: options of the scripted model.

        `recognizer`, `voice`, `model_vendor`: others than the scripted ones; `model_key` is in the
        latter's credential. `vendors`: who can be reached. `rules`: of calls that are placed.
        Without a `disk` nothing is recorded. `weather`, `joined`: of the network (sim/memory.py).
        `beside`: another node of the same installation, with its database, contexts and network.
        """
        self.clock: VirtualClock = beside.clock if beside else VirtualClock()
        clock = self.clock
        self.network: Network = beside.network if beside else Network(clock, weather, joined)
        self.metronome: Metronome = beside.metronome if beside else Metronome(clock)
        self.node = "beside" if beside else "virtual"
        self.beat = MediaClock(clock)
        self.ids: Ids = beside.ids if beside else Ids(self.now)
        self.database: Database = beside.database if beside else Database("sqlite://", None)
        if beside is None:
            self.database.migrate()
        vault = Vault(lambda: "virtual")
        self.assistants = Assistants(self.database, self.ids, self.now, vault)
        self.credentials = Credentials(self.database, vault, self.ids, self.now)
        self.conversations = Conversations(self.database, self.now, self.node)
        self.journal = Journal(clock, self.conversations, self.now)
        self.contexts: MemoryContexts = beside.contexts if beside else MemoryContexts(clock)
        self.ears = Ears()
        self.net: FakeVendorNet = beside.net if beside else FakeVendorNet(clock, *vendors)
        host = Host(clock, Path(), self.net)
        self.voices = Voices(host)
        self.vendors = Vendors(
            Registry[RecognizerProvider]("rapida_tw.recognizers", host),
            Registry[SynthesizerProvider]("rapida_tw.synthesizers", host),
            Registry[DetectorProvider]("rapida_tw.detectors", host),
            Registry[ModelProvider]("rapida_tw.models", host),
            Defaults("virtual", "virtual", "energy", "virtual" if model_provider else "scripted"),
            Chains(clock),
            Registry[LiveModelProvider]("rapida_tw.live_models", host),
        )
        self.telephones: dict[str, Telephone] = {}  # by the carrier's name; a story fills it
        self.vendors.recognizers.add("virtual", recognizer or self.ears)
        self.vendors.synthesizers.add("virtual", voice or self.voices)
        if model_provider is not None:
            self.vendors.models.add("virtual", model_provider)
        self.calls = Calls(
            clock,
            self.beat,
            self.contexts,
            self.assistants,
            self.credentials,
            self.conversations,
            self.journal,
            self.vendors,
            Makers(_no_http, _no_mcp),
            self.ids,
            self.now,
            max_calls,
            Path("recordings"),
            disk,
            self.telephones,
        )
        self.placing = self.calls.placements(
            Placements(self.database, self.now, self.node),
            rules or DiallingRules(clock.seconds),
            Settings(
                media_url=partial("wss://{}{}".format, HOST),
                event_url=partial("https://{}{}".format, HOST),
                audiosocket="127.0.0.1:4573",
            ),
            RESERVE,
        )
        claim = partial(self.calls.claim, carrier="asterisk")
        self.factory = AudioSocketFactory(clock, claim, self.calls.attach)
        self.project_id = done(Projects(self.database, self.ids, self.now).ensure())
        if beside is not None:
            self.assistant_id: int = beside.assistant_id
            return
        choice = VendorChoice(model_vendor, self._credential(model_vendor, model_key), model)
        assistant = done(
            self.assistants.create(
                Assistant(0, self.project_id, "virtual", model=choice, tools=tuple(tools))
            )
        )
        self.assistant_id = assistant.id
        done(self.assistants.deploy(Deployment(assistant.id, **deployment)))

    def _credential(self, vendor: str, key: str) -> int | None:
        """The id of a new one; None without a key."""
        if not key:
            return None
        made = self.credentials.create(self.project_id, vendor, vendor, {"key": key})
        credential_id: int = done(made).id
        return credential_id

    def now(self) -> float:
        """The virtual wall clock."""
        return _EPOCH + self.clock.seconds()

    def register(self, caller: str = "100", **metadata: str) -> CallContext:
        """Phase 1."""
        incoming = IncomingCall("asterisk", caller, metadata=metadata)
        registered: Registered = done(
            self.calls.register(incoming, self.assistant_id, self.project_id)
        )
        return registered.context

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

    def latest(self) -> int:
        """The id of the conversation that was begun last; 0 before any."""
        page = done(self.conversations.page(self.project_id, 1, 1))
        return page.items[0].id if page.items else 0

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
        left += [f"connection: {one.protocol}" for one in self.network.connected]
        left += self.net.leftovers()
        return left


def done(deferred: Deferred[Any]) -> Any:
    """The result of a Deferred that has fired; its error is raised."""
    result: list[Any] = []
    errors: list[Any] = []
    deferred.addCallbacks(result.append, errors.append)
    if errors:
        errors[0].raiseException()
    return result[0]


def _no_mcp(definition: Mapping[str, Any]) -> Toolkit:
    raise MisconfiguredAssistant("there are no servers of tools in virtual time")


def _no_http(definition: Mapping[str, Any]) -> HttpTool:
    raise NotImplementedError("no HTTP in virtual time")
