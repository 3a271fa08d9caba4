"""The services on a port in memory, over real stores; calls are placed by a fake that remembers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message
from twisted.internet.defer import Deferred, fail, succeed

from rapida_tw.calls.call_request import CallRequest, Placing
from rapida_tw.rpc.services import RpcDependencies, build_rpc
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.client_metrics import ClientMetrics
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.credential_documents import Known
from rapida_tw.store.credentials import Credentials
from rapida_tw.store.keys import Keys
from rapida_tw.store.records import Assistant, Conversation, Entry
from rapida_tw.store.telemetry import Telemetry
from rapida_tw.store.vault import Vault
from tests.rpc.client import Client
from tests.store.case import StoreCase

A = TypeVar("A", bound=Message)

TALK = "/talk_api.TalkService/"
ASSISTANT = "/assistant_api.AssistantService/"
DEPLOYMENT = "/assistant_api.AssistantDeploymentService/"
VAULT = "/vault_api.VaultService/"
TWILIO = {"account_sid": "The account.", "account_token": "Its token."}


class FakePlacing:
    """Takes every call but those to numbers in `refusals`; `waiting` ones wait."""

    def __init__(self, ids: Any, now: Any) -> None:
        self._ids = ids
        self._now = now
        self.prepared: list[CallRequest] = []
        self.dialled: list[CallRequest] = []
        self.refusals: dict[str, Exception] = {}
        self.not_prepared: dict[str, Exception] = {}
        self.waiting: dict[str, Deferred[Any]] = {}

    def place(self, request: CallRequest) -> Deferred[Conversation]:
        raise NotImplementedError

    def prepare(self, request: CallRequest) -> Deferred[Conversation]:
        if request.callee in self.not_prepared:
            return fail(self.not_prepared[request.callee])
        self.prepared.append(request)
        return succeed(
            Conversation(
                self._ids.new(),
                request.project_id,
                request.assistant_id,
                request.callee,
                direction="outbound",
                carrier="twilio",
                status="queued",
                created=self._now(),
                updated=self._now(),
            )
        )

    def dial(self, conversation: Conversation, request: CallRequest) -> Deferred[Conversation]:
        if request.callee in self.refusals:
            return fail(self.refusals[request.callee])
        self.dialled.append(request)
        return self.waiting.get(request.callee, succeed(None)).addCallback(lambda _: conversation)

    def give_up(self, conversation_id: int, project_id: int | None = None) -> bool:
        raise NotImplementedError


class ServicesCase(StoreCase):
    """`ask` calls a method; `self.assistant` is the project's, `self.stranger` somebody else's."""

    def setUp(self) -> None:
        super().setUp()
        now = self.clock.seconds
        self.keys = Keys(self.database, self.ids, now)
        vault = Vault(lambda: "key of a test")
        self.assistants = Assistants(self.database, self.ids, now, vault)
        self.conversations = Conversations(self.database, now, "here")
        self.credentials = Credentials(self.database, vault, self.ids, now)
        self.placing = FakePlacing(self.ids, now)
        self.trouble = ""
        self.key_record, self.key = self.successResultOf(self.keys.create(self.project, "mine"))
        made = self.assistants.create(Assistant(0, self.project, "Ada"))
        self.assistant: Assistant = self.successResultOf(made)
        self.server = build_rpc(
            RpcDependencies(
                self.clock,
                self.keys,
                self.assistants,
                self.credentials,
                self.conversations,
                ClientMetrics(self.database),
                Telemetry(self.database),
                self.placing,
                self.known,
                lambda: self.trouble,
                now,
            )
        )
        self.client = Client(self.server).begin()

    async def known(self) -> Known:
        return {"twilio": TWILIO}

    def tearDown(self) -> None:
        self.client.pump()
        self.client.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def ask(self, path: str, request: Message, answer: type[A], key: str | None = None) -> A:
        """The answer; the call itself must have gone well."""
        called = self.client.call(path, request.SerializeToString(), key=key or self.key)
        self.assertEqual(called.status, 0, called.message)
        (message,) = called.messages
        return answer.FromString(message)

    def converse(self, entries: Sequence[tuple[Any, ...]] = (), **fields: Any) -> Conversation:
        """A conversation in the history; entries are (kind, name, value, data)."""
        self.clock.advance(1)
        conversation = Conversation(
            self.ids.new(), self.project, self.assistant.id, "+15550100", **fields
        )
        self.successResultOf(self.conversations.create(conversation))
        rows = []
        for kind, name, value, *data in entries:
            self.clock.advance(0.5)
            rows.append(
                Entry(
                    conversation.id,
                    kind,
                    name,
                    value,
                    data[0] if data else {},
                    self.clock.seconds(),
                )
            )
        self.successResultOf(self.conversations.append(rows))
        return conversation

    def other_project(self) -> str:
        """A key of somebody else."""
        from sqlalchemy import insert

        from rapida_tw.store.schema import project

        number = self.ids.new()
        self.database.write_now(
            lambda c: c.execute(insert(project).values(id=number, name="other", created=0.0))
        )
        _, key = self.successResultOf(self.keys.create(number, "other"))
        return str(key)


_conforms: type[Placing] = FakePlacing
