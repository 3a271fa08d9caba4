"""Conversations read back by gRPC, the metrics that clients add, telemetry."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from rapida_tw.rpc.messages.assistant_pb2 import (
    GetAllAssistantTelemetryRequest,
    GetAllAssistantTelemetryResponse,
)
from rapida_tw.rpc.messages.shared_pb2 import (
    AssistantDefinition,
    Criteria,
    FieldSelector,
    Metric,
    Ordering,
    Paginate,
    Source,
)
from rapida_tw.rpc.messages.talk_pb2 import (
    CreateConversationMetricRequest,
    CreateConversationMetricResponse,
    CreateMessageMetricRequest,
    CreateMessageMetricResponse,
    GetAllAssistantConversationRequest,
    GetAllAssistantConversationResponse,
    GetAllAssistantMessageRequest,
    GetAllAssistantMessageResponse,
    GetAllConversationMessageRequest,
    GetAllConversationMessageResponse,
    GetAllMessageRequest,
    GetAllMessageResponse,
    GetAssistantConversationRequest,
    GetAssistantConversationResponse,
)
from tests.rpc.services import ASSISTANT, TALK, ServicesCase

CALL = [
    ("metadata", "campaign", "x"),
    ("argument", "name", "Mary"),
    ("option", "experience.greeting", "Hi"),
    ("event", "call.queued", "", {"carrier": "twilio", "to": "+15550100"}),
    ("event", "hold.started", ""),
    ("message", "assistant", "Hello."),
    ("message", "user", "Hi there.", {"confidence": 0.9}),
    ("metric", "call.duration", "3.000"),
    ("metric", "turn.latency", "700", {"turn": 1}),
    ("metric", "turn.latency", "800", {"turn": 2}),
    ("recording", "stereo", "5.wav"),
]


class GetTests(ServicesCase):
    def get(self, id: int, *selectors: str, **more: Any) -> GetAssistantConversationResponse:
        asked = GetAssistantConversationRequest(
            id=id, selectors=[FieldSelector(field=one) for one in selectors], **more
        )
        path = f"{ASSISTANT}GetAssistantConversation"
        return self.ask(path, asked, GetAssistantConversationResponse)

    def test_all_of_it(self) -> None:
        """With selectors for everything."""
        made = self.converse(CALL, carrier="twilio", direction="outbound", status="ended")
        wanted = ("metric", "metadata", "message", "recording", "telephonyEvent", "context")
        answer = self.get(made.id, *wanted, assistantId=self.assistant.id)
        data = answer.data
        self.assertEqual((answer.code, data.id, data.status), (200, made.id, "ENDED"))
        self.assertEqual([(one.key, one.value) for one in data.metadata], [("campaign", "x")])
        self.assertEqual([(one.name, one.value) for one in data.arguments], [("name", "Mary")])
        self.assertEqual(data.options[0].key, "experience.greeting")
        metrics = {one.name: one.value for one in data.metrics}
        self.assertEqual(metrics, {"call.duration": "3.000", "turn.latency": "800"})
        texts = [(one.role, one.body) for one in data.assistantConversationMessage]
        self.assertEqual(texts, [("assistant", "Hello."), ("user", "Hi there.")])
        (event,) = data.telephonyEvents
        self.assertEqual((event.provider, event.eventType), ("twilio", "call.queued"))
        self.assertEqual(event.payload["to"], "+15550100")
        recording = f"/v1/conversations/{made.id}/recording.wav"
        self.assertEqual(data.recordings[0].conversationRecordingUrl, recording)

    def test_without_selectors(self) -> None:
        """Metrics and metadata, and nothing that is long."""
        data = self.get(self.converse(CALL).id).data
        self.assertEqual((len(data.metrics), len(data.metadata)), (2, 1))
        self.assertFalse(data.assistantConversationMessage or data.recordings)
        self.assertFalse(data.telephonyEvents)

    def test_not_found(self) -> None:
        """Unknown, of another assistant, of another project."""
        made = self.converse()
        for id, more in ((7, {}), (made.id, {"assistantId": 7})):
            answer = self.get(id, **more)
            self.assertEqual((answer.code, answer.success), (404, False))
            self.assertEqual(answer.error.errorCode, 404)
            self.assertFalse(answer.HasField("data"))
        request = GetAssistantConversationRequest(id=made.id)
        path = f"{ASSISTANT}GetAssistantConversation"
        answer = self.ask(path, request, GetAssistantConversationResponse, key=self.other_project())
        self.assertEqual(answer.code, 404)


class ListTests(ServicesCase):
    def list(self, service: str = ASSISTANT, **asked: Any) -> GetAllAssistantConversationResponse:
        return self.ask(
            f"{service}GetAllAssistantConversation",
            GetAllAssistantConversationRequest(**asked),
            GetAllAssistantConversationResponse,
        )

    def test_pages(self) -> None:
        """Newest first; 0 is the first page, and a size beyond the bound is the bound."""
        made = [self.converse().id for _ in range(5)]
        page = self.list(TALK, paginate=Paginate(page=2, pageSize=2))
        self.assertEqual([one.id for one in page.data], [made[2], made[1]])
        self.assertEqual((page.paginated.currentPage, page.paginated.totalItem), (2, 5))
        everything = self.list(paginate=Paginate(pageSize=5_000))
        self.assertEqual((len(everything.data), everything.paginated.currentPage), (5, 1))

    def test_criteria(self) -> None:
        """By a list of what may be asked for; unknown keys and operators are refused."""
        self.converse(status="ended")
        failed = self.converse(status="failed", direction="outbound")
        for key, value, logic in (
            ("status", "FAILED", "="),
            ("direction", "out", "like"),
            ("id", f"{failed.id}", "in"),
            ("created_date", "2000-01-01", ">="),
        ):
            criteria = [Criteria(key=key, value=value, logic=logic)]
            found = [one.id for one in self.list(criterias=criteria).data]
            self.assertIn(failed.id, found, key)
            self.assertEqual(len(found), 2 if key == "created_date" else 1)
        for key, logic in (("password", "="), ("status", "= '' or 1="), ("status; drop", "=")):
            answer = self.list(criterias=[Criteria(key=key, value="x", logic=logic)])
            self.assertEqual((answer.code, answer.success), (400, False), key)

    def test_source(self) -> None:
        """0 is no filter."""
        self.converse()
        self.assertEqual(len(self.list(source=Source.WEB_PLUGIN).data), 1)
        self.assertEqual(len(self.list(source=Source.PHONE_CALL).data), 1)
        self.assertEqual(len(self.list(source=Source.WHATSAPP).data), 0)

    def test_another_assistant(self) -> None:
        """Has none of them."""
        self.converse()
        self.assertEqual(len(self.list(assistantId=7).data), 0)


class MessageTests(ServicesCase):
    def test_of_a_conversation(self) -> None:
        """Oldest first, or as it is asked for."""
        made = self.converse(CALL)
        asked = GetAllConversationMessageRequest(
            assistantId=self.assistant.id, assistantConversationId=made.id
        )
        path, answer = f"{ASSISTANT}GetAllConversationMessage", GetAllConversationMessageResponse
        page = self.ask(path, asked, answer)
        self.assertEqual([one.body for one in page.data], ["Hello.", "Hi there."])
        first = page.data[0]
        self.assertEqual(first.messageId, str(first.id))
        self.assertEqual(first.assistantConversationId, made.id)
        asked.order.CopyFrom(Ordering(column="created_date", order="DESC"))
        self.assertEqual(self.ask(path, asked, answer).data[0].body, "Hi there.")
        asked.order.CopyFrom(Ordering(column="created_date", order="sideways"))
        self.assertEqual(self.ask(path, asked, answer).code, 400)

    def test_of_all(self) -> None:
        """Of an assistant, and of the project."""
        self.converse(CALL)
        self.converse(CALL)
        mine = GetAllAssistantMessageRequest(assistantId=self.assistant.id)
        path = f"{ASSISTANT}GetAllAssistantMessage"
        page = self.ask(path, mine, GetAllAssistantMessageResponse)
        self.assertEqual(page.paginated.totalItem, 4)
        every = GetAllMessageRequest(criterias=[Criteria(key="role", value="user")])
        page = self.ask(f"{ASSISTANT}GetAllMessage", every, GetAllMessageResponse)
        self.assertEqual([one.body for one in page.data], ["Hi there."] * 2)

    def test_missing_ids(self) -> None:
        """Are told."""
        for name, request, kind in (
            (
                "GetAllConversationMessage",
                GetAllConversationMessageRequest(),
                GetAllConversationMessageResponse,
            ),
            (
                "GetAllAssistantMessage",
                GetAllAssistantMessageRequest(),
                GetAllAssistantMessageResponse,
            ),
        ):
            answer: Any = self.ask(ASSISTANT + name, request, kind)
            self.assertEqual(answer.code, 400)


class MetricTests(ServicesCase):
    def add(self, id: int, *metrics: Metric, **more: Any) -> CreateConversationMetricResponse:
        asked = CreateConversationMetricRequest(assistantConversationId=id, metrics=metrics, **more)
        path = f"{TALK}CreateConversationMetric"
        return self.ask(path, asked, CreateConversationMetricResponse)

    def metrics(self, id: int) -> dict[str, str]:
        asked = GetAssistantConversationRequest(id=id)
        path = f"{ASSISTANT}GetAssistantConversation"
        answer = self.ask(path, asked, GetAssistantConversationResponse)
        return {one.name: one.value for one in answer.data.metrics}

    def test_of_a_conversation(self) -> None:
        """Kept by their names, the newest of each; ours stay what they are."""
        made = self.converse(CALL)
        answer = self.add(made.id, Metric(name="mood", value="fair", description="By hand."))
        (kept,) = answer.data
        self.assertEqual((kept.name, kept.value), ("custom.mood", "fair"))
        self.assertEqual(kept.description, "By hand.")
        self.add(
            made.id, Metric(name="mood", value="good"), Metric(name="call.duration", value="9")
        )
        self.assertEqual(
            self.metrics(made.id),
            {
                "call.duration": "3.000",
                "turn.latency": "800",
                "custom.mood": "good",
                "custom.call.duration": "9",
            },
        )

    def test_of_a_message(self) -> None:
        """By message and name; not among those of the conversation."""
        made = self.converse(CALL)
        asked = GetAllConversationMessageRequest(assistantConversationId=made.id)
        path, kind = f"{TALK}GetAllConversationMessage", GetAllConversationMessageResponse
        first, second = self.ask(path, asked, kind).data
        for value in ("1", "5"):
            add = CreateMessageMetricRequest(
                assistantConversationId=made.id,
                messageId=first.messageId,
                metrics=[Metric(name="stars", value=value)],
            )
            self.ask(f"{TALK}CreateMessageMetric", add, CreateMessageMetricResponse)
        first, second = self.ask(path, asked, kind).data
        self.assertEqual([(one.name, one.value) for one in first.metrics], [("custom.stars", "5")])
        self.assertEqual(len(second.metrics), 0)
        self.assertNotIn("custom.stars", self.metrics(made.id))

    def test_refused(self) -> None:
        """Unknown conversations, nameless metrics, and too much of them."""
        made = self.converse()
        one = Metric(name="a", value="1")
        self.assertEqual(self.add(7, one).code, 404)
        self.assertEqual(self.add(made.id, one, assistantId=7).code, 404)
        for metrics in (
            [],
            [Metric(value="1")],
            [Metric(name="a", value="x" * 3_000)],
            [Metric(name="x" * 200)],
            [Metric(name=f"m{number}") for number in range(101)],
        ):
            self.assertEqual(self.add(made.id, *metrics).code, 400)
        asked = CreateMessageMetricRequest(assistantConversationId=made.id, metrics=[one])
        answer = self.ask(f"{TALK}CreateMessageMetric", asked, CreateMessageMetricResponse)
        self.assertEqual(answer.code, 400)

    def test_others(self) -> None:
        """Nobody adds to the history of another project, nor reads of it."""
        made, key = self.converse(CALL), self.other_project()
        asked = CreateConversationMetricRequest(
            assistantConversationId=made.id, metrics=[Metric(name="a", value="1")]
        )
        path = f"{TALK}CreateConversationMetric"
        answer = self.ask(path, asked, CreateConversationMetricResponse, key=key)
        self.assertEqual(answer.code, 404)
        named = AssistantDefinition(assistantId=self.assistant.id)
        path, every = f"{ASSISTANT}GetAllAssistantTelemetry", GetAllAssistantTelemetryRequest
        page = self.ask(path, every(assistant=named), GetAllAssistantTelemetryResponse, key=key)
        self.assertEqual(len(page.data), 0)

    def test_full(self) -> None:
        """A conversation does not grow without end."""
        made = self.converse()
        for round in range(10):
            many = [Metric(name=f"m{round}-{number}", value="1") for number in range(100)]
            self.assertEqual(self.add(made.id, *many).code, 200)
        self.assertEqual(self.add(made.id, Metric(name="one", value="1")).code, 400)
        self.assertEqual(self.add(made.id, Metric(name="m0-0", value="2")).code, 200)


class TelemetryTests(ServicesCase):
    def list(self, *criteria: Criteria, id: int | None = None) -> GetAllAssistantTelemetryResponse:
        asked: Message = GetAllAssistantTelemetryRequest(
            assistant=AssistantDefinition(assistantId=self.assistant.id if id is None else id),
            criterias=criteria,
        )
        path = f"{ASSISTANT}GetAllAssistantTelemetry"
        return self.ask(path, asked, GetAllAssistantTelemetryResponse)

    def test_in_order(self) -> None:
        """Events and messages with texts, metrics with their scope."""
        made = self.converse(CALL)
        self.converse(CALL)
        mine = Criteria(key="conversationId", value=str(made.id), logic="=")
        page = self.list(mine)
        names = [one.event.name or one.metric.metrics[0].name for one in page.data]
        self.assertEqual(
            names,
            [
                *("call.queued", "hold.started", "message", "message"),
                *("call.duration", "turn.latency", "turn.latency"),
            ],
        )
        said = page.data[3].event.data
        self.assertEqual((said["role"], said["text"]), ("user", "Hi there."))
        self.assertEqual(said["confidence"], "0.9")
        scopes = [one.metric.scope for one in page.data[4:]]
        self.assertEqual(scopes, ["conversation", "message", "message"])
        self.assertEqual(page.paginated.totalItem, 7)

    def test_criteria(self) -> None:
        """By name, scope and time."""
        self.converse(CALL)
        self.assertEqual(len(self.list(Criteria(key="name", value="turn.latency")).data), 2)
        self.assertEqual(len(self.list(Criteria(key="scope", value="event")).data), 2)
        later = Criteria(key="time", value=str(self.clock.seconds() + 1), logic=">")
        self.assertEqual(len(self.list(later).data), 0)
        self.assertEqual(self.list(Criteria(key="secret", value="x")).code, 400)

    def test_others(self) -> None:
        """Of which there is nothing to see."""
        self.converse(CALL)
        self.assertEqual(len(self.list(id=7).data), 0)
        self.assertEqual(self.list(id=0).code, 400)
