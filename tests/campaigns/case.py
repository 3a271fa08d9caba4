"""What the tests of campaigns share: a store in memory, and calls that the test ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls.call_request import CallOver, CallRequest, Placing
from rapida_tw.campaigns.pace import Limits
from rapida_tw.campaigns.service import CampaignService
from rapida_tw.errors import CallError
from rapida_tw.ids import Ids
from rapida_tw.simulation import done
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.campaign_queue import CampaignQueue
from rapida_tw.store.campaigns import Campaign, CampaignEntry, Campaigns
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.database import Database
from rapida_tw.store.projects import Projects
from rapida_tw.store.records import Assistant, Conversation, Deployment

START = 1_700_000_000.0  # 2023-11-14 22:13 UTC, a Tuesday
NUMBERS = ("+15550100001", "+15550100002", "+15550100003")


class FakePlacing:
    """Writes conversations as the real one does, and dials nobody; `error` is for the next one."""

    def __init__(self, case: CampaignCase) -> None:
        self._case = case
        self.known: dict[str, Conversation] = {}
        self.dialled: list[int] = []
        self.prepared: list[CallRequest] = []
        self.error: CallError | None = None
        self.dial_error: CallError | None = None
        self.given_up: list[int] = []

    def place(self, request: CallRequest) -> Deferred[Conversation]:
        raise NotImplementedError

    def prepare(self, request: CallRequest) -> Deferred[Conversation]:
        error, self.error = self.error, None
        if error is not None:
            return fail(error)
        self.prepared.append(request)
        if request.idempotency_key in self.known:
            return succeed(self.known[request.idempotency_key])
        conversation = Conversation(
            self._case.ids.new(),
            request.project_id,
            request.assistant_id,
            request.callee,
            direction="outbound",
            carrier="sip",
            status="queued",
        )
        done(self._case.conversations.create(conversation))
        if request.idempotency_key:
            self.known[request.idempotency_key] = conversation
        return succeed(conversation)

    def dial(self, conversation: Conversation, request: CallRequest) -> Deferred[Conversation]:
        error, self.dial_error = self.dial_error, None
        if error is not None:
            return fail(error)
        self.dialled.append(conversation.id)
        done(self._case.conversations.set_status(conversation.id, "dialling"))
        return succeed(conversation)

    def give_up(self, conversation_id: int, project_id: int | None = None) -> bool:
        self.given_up.append(conversation_id)
        return True


_conforms: type[Placing] = FakePlacing


class CampaignCase(SynchronousTestCase):
    limits = Limits()

    def setUp(self) -> None:
        self.clock = Clock()
        self.ids = Ids(self.now)
        self.database = self.open_database()
        self.project = done(Projects(self.database, self.ids, self.now).ensure())
        self.assistants = Assistants(self.database, self.ids, self.now)
        assistant = done(self.assistants.create(Assistant(0, self.project, "a")))
        self.assistant_id = assistant.id
        done(
            self.assistants.deploy(
                Deployment(assistant.id, provider="sip", options={"phone": "+15550009999"})
            )
        )
        self.store = Campaigns(self.database, self.ids, self.now)
        self.waiting = CampaignQueue(self.database, self.ids, self.now)
        self.no_room = ""
        self.conversations = Conversations(self.database, self.now, "node")
        self.placing = FakePlacing(self)
        self.watchers: list[Any] = []
        self.service = self.node("node")

    def open_database(self) -> Database:
        """An empty one."""
        database = Database("sqlite://", None)
        database.migrate()
        return database

    def node(self, name: str) -> CampaignService:
        """Another worker over the same database."""
        service = CampaignService(
            self.clock,
            self.store,
            self.waiting,
            self.assistants,
            self.placing,
            self.conversations,
            self.watchers,
            self.limits,
            lambda: self.no_room,
            maybeDeferred,
            name,
            self.now,
        )
        service.startService()
        self.addCleanup(self.stop, service)
        return service

    def stop(self, service: CampaignService) -> None:
        if service.running:
            self.successResultOf(service.stopService())

    def tearDown(self) -> None:
        self.stop(self.service)

    def now(self) -> float:
        return START + self.clock.seconds()

    def wait(self, seconds: float = 1.0) -> None:
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            self.clock.advance(min(0.25, end - self.clock.seconds()))

    def create(self, numbers: Any = NUMBERS, **settings: Any) -> Campaign:
        """A campaign that goes as fast as it is looked at, unless told otherwise."""
        settings = {"callsPerSecond": 1000, "simultaneous": 100, **settings}
        campaign = Campaign(0, self.project, self.assistant_id, "c", settings, 7)
        entries = [{"to": number, "assistantId": self.assistant_id} for number in numbers]
        made = self.successResultOf(Deferred.fromCoroutine(self.service.create(campaign, entries)))
        self.wait()
        return made

    def entries(self, campaign: Campaign) -> list[CampaignEntry]:
        return list(done(self.store.entries(campaign.id, 1, 100)).items)

    def states(self, campaign: Campaign) -> list[str]:
        return [entry.state for entry in self.entries(campaign)]

    def state(self, campaign: Campaign) -> str:
        found: Campaign = done(self.store.get(campaign.id, self.project))
        return found.state

    def over(self, entry: CampaignEntry, status: str, reason: str, **more: Any) -> None:
        """What became of its call, as the node that had it tells and writes."""
        assert entry.conversation_id is not None
        self.finished(entry.conversation_id, status, reason)
        over = CallOver(entry.conversation_id, status, reason, False)
        for watcher in self.watchers:
            watcher(replace(over, **more))

    def finished(self, conversation_id: int, status: str, reason: str) -> None:
        """The same, told to nobody."""
        word = "ended" if status == "completed" else "failed"
        done(self.conversations.set_status(conversation_id, word, reason))

    def result(self, work: Any) -> Any:
        """What a coroutine of the service answers."""
        return self.successResultOf(Deferred.fromCoroutine(work))
