"""Assistants' webhooks by gRPC, and the log of what they were told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred

from rapida_tw.rpc.http_logs import HttpLogs
from rapida_tw.rpc.messages.assistant_pb2 import (
    AssistantWebhook,
    CreateAssistantWebhookRequest,
    DeleteAssistantWebhookRequest,
    GetAllAssistantHTTPLogRequest,
    GetAllAssistantHTTPLogResponse,
    GetAllAssistantWebhookRequest,
    GetAllAssistantWebhookResponse,
    GetAssistantHTTPLogRequest,
    GetAssistantHTTPLogResponse,
    GetAssistantWebhookRequest,
    GetAssistantWebhookResponse,
    RetryAssistantHTTPLogRequest,
    UpdateAssistantWebhookRequest,
)
from rapida_tw.rpc.messages.shared_pb2 import Criteria, Metadata
from rapida_tw.rpc.server import RpcServer
from rapida_tw.store.deliveries import Deliveries, Delivery
from rapida_tw.store.records import Assistant
from tests.rpc.client import Client
from tests.rpc.services import ASSISTANT, ServicesCase

URL = "https://shop.example/events"


class WebhookCase(ServicesCase):
    def create(self, events: Sequence[str] = ("call.ended",), **options: str) -> Any:
        given = {"http_url": URL} | options
        asked = CreateAssistantWebhookRequest(
            assistantId=self.assistant.id,
            assistantEvents=events,
            description="Mine.",
            options=[Metadata(key=key, value=value) for key, value in given.items()],
        )
        return self.ask(f"{ASSISTANT}CreateAssistantWebhook", asked, GetAssistantWebhookResponse)

    def all(self) -> list[AssistantWebhook]:
        asked = GetAllAssistantWebhookRequest(assistantId=self.assistant.id)
        path = f"{ASSISTANT}GetAllAssistantWebhook"
        return list(self.ask(path, asked, GetAllAssistantWebhookResponse).data)

    def kept(self) -> Any:
        return self.successResultOf(self.assistants.get(self.assistant.id)).webhooks


class WebhookTests(WebhookCase):
    def test_create(self) -> None:
        """In Rapida's spelling, whose options are all texts; the secret is shown this once."""
        made = self.create(
            http_method="put",
            http_headers='{"x-token": "s3cret"}',
            max_retry_count="3",
            timeout_seconds="7",
            retry_status_codes="500,503",
        )
        self.assertEqual((made.code, made.success), (200, True), made)
        told = {one.key: one.value for one in made.data.options}
        self.assertTrue(told.pop("secret").startswith("whsec_"))
        self.assertEqual(
            told,
            {
                "http_url": URL,
                "http_method": "PUT",
                "http_headers": '{"x-token": "***"}',
                "max_retry_count": "3",
                "timeout_seconds": "7.0",
                "retry_status_codes": "[500, 503]",
            },
        )
        (kept,) = self.kept()
        self.assertEqual((kept["url"], kept["maxRetries"]), (URL, 3))
        self.assertEqual((kept["events"], kept["retryStatusCodes"]), (["call.ended"], [500, 503]))
        (read,) = self.all()
        self.assertEqual((read.id, read.status), (made.data.id, "ACTIVE"))
        self.assertNotIn("whsec_", str(read))
        self.assertNotIn("s3cret", str(read))

    def test_change(self) -> None:
        """It keeps its place, its id and its secret, which is not told again."""
        first, second = self.create().data, self.create(http_url=f"{URL}/2").data
        asked = UpdateAssistantWebhookRequest(
            id=first.id,
            assistantId=self.assistant.id,
            assistantEvents=["call.*"],
            options=[Metadata(key="http_url", value=f"{URL}/1")],
        )
        path = f"{ASSISTANT}UpdateAssistantWebhook"
        changed = self.ask(path, asked, GetAssistantWebhookResponse).data
        self.assertEqual((changed.id, list(changed.assistantEvents)), (first.id, ["call.*"]))
        self.assertNotIn("whsec_", str(changed))
        self.assertEqual([one.id for one in self.all()], [first.id, second.id])
        self.assertEqual(self.kept()[0]["url"], f"{URL}/1")

    def test_delete(self) -> None:
        """Of several, that one."""
        first, second = self.create().data, self.create(http_url=f"{URL}/2").data
        asked = DeleteAssistantWebhookRequest(id=first.id, assistantId=self.assistant.id)
        path, kind = f"{ASSISTANT}DeleteAssistantWebhook", GetAssistantWebhookResponse
        self.assertEqual(self.ask(path, asked, kind).data.status, "INACTIVE")
        self.assertEqual([one.id for one in self.all()], [second.id])
        self.assertEqual(self.ask(path, asked, kind).code, 404)
        one = GetAssistantWebhookRequest(id=second.id, assistantId=self.assistant.id)
        self.assertEqual(self.ask(f"{ASSISTANT}GetAssistantWebhook", one, kind).data.id, second.id)

    def test_refused(self) -> None:
        """What a webhook cannot be."""
        self.assertEqual(self.create(http_url="ftp://x").code, 400)
        self.assertEqual(self.create(events=["call.of.the.wild"]).code, 400)
        self.assertEqual(self.create(colour="red").code, 400)
        self.assertEqual(self.all(), [])


class FakeDeliverer:
    """Over a real store, without anybody who delivers."""

    def __init__(self, store: Deliveries) -> None:
        self.page = store.page
        self.get = store.get
        self.retry = store.retry

    def ping(self, assistant: Assistant) -> Deferred[Sequence[Delivery]]:
        raise NotImplementedError


class LogTests(WebhookCase):
    def setUp(self) -> None:
        super().setUp()
        store = Deliveries(self.database, self.ids, self.clock.seconds, "here")
        deliverer: Any = FakeDeliverer(store)
        self.client.lose()
        logs = HttpLogs(deliverer).methods()
        self.client = Client(RpcServer(self.clock, self.keys, logs)).begin()
        self.made = [
            Delivery(
                store.new_id(),
                self.project,
                self.assistant.id,
                conversation_id,
                f"e{conversation_id}",
                "call.ended",
                f"{URL}?token=s3cret",
                "shop.example",
                {"method": "POST", "credentialId": "77"},
                {"event": "call.ended"},
                created=self.clock.seconds(),
                updated=self.clock.seconds(),
            )
            for conversation_id in (1, 2)
        ]
        self.successResultOf(store.add(self.made))

    def list(self, *criteria: Criteria, project: int = 0) -> GetAllAssistantHTTPLogResponse:
        asked = GetAllAssistantHTTPLogRequest(criterias=criteria, projectId=project)
        return self.ask(f"{ASSISTANT}GetAllAssistantHTTPLog", asked, GetAllAssistantHTTPLogResponse)

    def test_list(self) -> None:
        """Newest first, by conversation and state; addresses without what may be secret."""
        page = self.list()
        self.assertEqual([one.id for one in page.data], [one.id for one in reversed(self.made)])
        log = page.data[0]
        self.assertEqual((log.httpUrl, log.httpMethod), (URL, "POST"))
        self.assertEqual((log.sourceEvent, log.contextId), ("call.ended", "e2"))
        self.assertEqual((log.status, log.sourceRefId), ("WAITING", 77))
        one = Criteria(key="assistantConversationId", value="1", logic="=")
        self.assertEqual([one.contextId for one in self.list(one).data], ["e1"])
        self.assertEqual(len(self.list(Criteria(key="status", value="DELIVERED")).data), 0)

    def test_refused(self) -> None:
        """Other keys, other operators, other projects."""
        for criterion in (
            Criteria(key="url", value="x"),
            Criteria(key="status", value="x", logic=">"),
            Criteria(key="status", value="asleep"),
            Criteria(key="assistantId", value="x"),
        ):
            self.assertEqual(self.list(criterion).code, 400)
        self.assertEqual(self.list(project=7).code, 404)

    def test_get_and_retry(self) -> None:
        """One, and once more."""
        asked = GetAssistantHTTPLogRequest(id=self.made[0].id, projectId=self.project)
        kind = GetAssistantHTTPLogResponse
        found = self.ask(f"{ASSISTANT}GetAssistantHTTPLog", asked, kind)
        self.assertEqual(found.data.contextId, "e1")
        again = RetryAssistantHTTPLogRequest(id=self.made[0].id)
        path = f"{ASSISTANT}RetryAssistantHTTPLog"
        self.assertEqual(self.ask(path, again, kind).data.status, "WAITING")
        again.id = 7
        self.assertEqual(self.ask(path, again, kind).code, 404)
