"""Webhooks in virtual time: a database in memory, the real client, receivers in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls.journal import Journal
from rapida_tw.config.sections import Webhooks as Settings
from rapida_tw.ids import Ids
from rapida_tw.sim.vendors.base import Asked, Line, Refusal, Reply, Session
from rapida_tw.simulation.clock import VirtualClock
from rapida_tw.simulation.vendor_net import FakeVendorNet
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.credentials import Credentials
from rapida_tw.store.database import Database
from rapida_tw.store.deliveries import Logged
from rapida_tw.store.documents import changed_assistant, new_assistant
from rapida_tw.store.projects import Projects
from rapida_tw.store.records import Assistant, Conversation
from rapida_tw.store.vault import Vault
from rapida_tw.webhooks.service import Webhooks

START = 1_800_000_000.0
HOST = "hooks.example.test"
URL = f"http://{HOST}/calls"


class Receiver:
    """Answers by `status`, with `headers` and `text`; not at all while it is `hanging`."""

    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts or (HOST,)
        self.status = 200
        self.headers: Mapping[str, str] = {}
        self.text = "thanks"
        self.hanging = False
        self.asked: list[Asked] = []
        self.times: list[float] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        raise AssertionError("no webhook is a WebSocket")

    def answer(self, asked: Asked, reply: Reply) -> None:
        self.asked.append(asked)
        self.times.append(self.clock.seconds())
        if not self.hanging:
            reply.head(self.status, self.headers)
            reply.write(self.text.encode())
            reply.end()

    clock: VirtualClock

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(one.body) for one in self.asked]

    @property
    def events(self) -> list[str]:
        return [one.headers["x-rapida-event"] for one in self.asked]


class WebhookCase(SynchronousTestCase):
    """`self.receiver` is told of the calls of assistants that `deploy` makes."""

    def setUp(self) -> None:
        self.clock = VirtualClock()
        self.ids = Ids(self.now)
        self.database = Database("sqlite://")
        self.database.migrate()
        self.addCleanup(lambda: self.successResultOf(self.database.close()))
        self.project = self.successResultOf(Projects(self.database, self.ids, self.now).ensure())
        vault = Vault(lambda: "key")
        self.assistants = Assistants(self.database, self.ids, self.now, vault)
        self.credentials = Credentials(self.database, vault, self.ids, self.now)
        self.receiver = Receiver()
        self.others = [Receiver(f"other{n}.example.test") for n in range(3)]
        self.net = FakeVendorNet(self.clock, self.receiver, *self.others)
        for one in (self.receiver, *self.others):
            one.clock = self.clock
        self.begin()

    def now(self) -> float:
        return START + self.clock.seconds()

    def begin(self, node: str = "here") -> None:
        """A worker starts."""
        self.conversations = Conversations(self.database, self.now, node)
        self.journal = Journal(self.clock, self.conversations, self.now)
        self.webhooks = Webhooks(
            self.clock,
            self.database,
            self.assistants,
            self.credentials,
            self.conversations,
            self.journal,
            self.net,
            Settings(),
            self.ids,
            self.now,
            node,
            600.0,
        )
        starting = Deferred.fromCoroutine(self.webhooks.start(self.now()))
        self.successResultOf(starting)

    def tearDown(self) -> None:
        closing = self.journal.close()
        self.run_for(6)
        self.successResultOf(closing)
        stopping = Deferred.fromCoroutine(self.webhooks.stop())
        self.run_for(6)
        self.successResultOf(stopping)
        ending = self.net.stop()
        self.run_for(2)
        self.successResultOf(ending)
        self.assertEqual(self.net.leftovers(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def run_for(self, seconds: float) -> None:
        self.clock.run(self.clock.seconds() + seconds)

    def deploy(self, *webhooks: Mapping[str, Any]) -> Assistant:
        listed = [{"url": URL, **one} for one in webhooks or ({},)]
        new = new_assistant({"name": "Ada", "webhooks": listed}, self.project)
        return self.successResultOf(self.assistants.create(new))

    def redeploy(self, made: Assistant, *webhooks: Mapping[str, Any]) -> Assistant:
        found = self.successResultOf(self.assistants.get(made.id))
        changed = changed_assistant({"webhooks": [{"url": URL, **one} for one in webhooks]}, found)
        return self.successResultOf(self.assistants.update(changed))

    def call(self, assistant: Assistant, direction: str = "inbound") -> int:
        """A conversation that the webhook of a carrier has made."""
        id = self.ids.new()
        new = Conversation(
            id, self.project, assistant.id, "+15550100", direction=direction, carrier="twilio"
        )
        self.successResultOf(self.conversations.create(new))
        if direction == "inbound":
            self.journal.of(id).event("webhook", carrier="twilio", caller="+15550100")
        note = self.journal.of(id)
        note.metadata("client.assistant_phone", "+15550199")
        note.metadata("client.provider_call_id", "CA1")
        note.metadata("client.context_id", "c0ffee")
        return id

    def logged(self) -> list[Logged]:
        """Every delivery with its attempts, oldest first."""
        page = self.successResultOf(self.webhooks.page(self.project, 1, 100, None, None, ""))
        found = [self.successResultOf(self.webhooks.get(o.id, self.project)) for o in page.items]
        return sorted(found, key=lambda one: one.delivery.id)

    def states(self) -> list[str]:
        return [one.delivery.state for one in self.logged()]
