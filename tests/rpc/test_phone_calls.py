"""Calls that are placed by gRPC: what becomes of a request, and of each that is refused."""

from __future__ import annotations

from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from twisted.internet.defer import Deferred

from rapida_tw.carriers.outbound import CarrierRefused, Outcome
from rapida_tw.errors import MisconfiguredAssistant, TooManyCalls
from rapida_tw.rpc.messages.shared_pb2 import AssistantDefinition
from rapida_tw.rpc.messages.talk_pb2 import (
    CreateBulkPhoneCallRequest,
    CreateBulkPhoneCallResponse,
    CreatePhoneCallRequest,
    CreatePhoneCallResponse,
)
from rapida_tw.rpc.values import to_any
from tests.rpc.services import TALK, ServicesCase

TO = "+15550111"


class PhoneCallCase(ServicesCase):
    def request(self, to: str = TO, **more: Any) -> CreatePhoneCallRequest:
        named = AssistantDefinition(assistantId=self.assistant.id, version="latest")
        return CreatePhoneCallRequest(**{"assistant": named, "toNumber": to, **more})

    def place(self, to: str = TO, **more: Any) -> CreatePhoneCallResponse:
        asked = self.request(to, **more)
        return self.ask(f"{TALK}CreatePhoneCall", asked, CreatePhoneCallResponse)

    def place_all(self, *requests: CreatePhoneCallRequest) -> CreateBulkPhoneCallResponse:
        asked = CreateBulkPhoneCallRequest(phoneCalls=requests)
        return self.ask(f"{TALK}CreateBulkPhoneCall", asked, CreateBulkPhoneCallResponse)


class PhoneCallTests(PhoneCallCase):
    def test_placed(self) -> None:
        """All that the request says gets there, and the answer says it back."""
        answer = self.place(
            fromNumber="+1 555 0122",
            metadata={"campaign": to_any("x"), "n": to_any(3)},
            args={"name": to_any("Mary"), "vip": to_any(True), "cart": to_any({"items": [1, 2]})},
            options={"experience.greeting": to_any("Hi"), "ring_timeout": to_any(20.5)},
        )
        (asked,) = self.placing.dialled
        self.assertEqual((asked.callee, asked.caller), (TO, "+15550122"))
        self.assertEqual((asked.version, asked.source), ("latest", "sdk"))
        self.assertEqual((asked.project_id, asked.key_id), (self.project, self.key_record.id))
        self.assertEqual(asked.metadata, {"campaign": "x", "n": "3"})
        cart = {"items": [1, 2]}
        self.assertEqual(asked.arguments, {"name": "Mary", "vip": True, "cart": cart})
        self.assertEqual(asked.options, {"experience.greeting": "Hi", "ring_timeout": 20.5})
        data = answer.data
        self.assertEqual((answer.code, answer.success), (200, True))
        self.assertGreater(data.id, 2**53)
        self.assertEqual((data.assistantId, data.projectId), (self.assistant.id, self.project))
        self.assertEqual((data.status, data.direction), ("QUEUED", "outbound"))
        self.assertEqual((data.source, data.identifier), ("phone-call", TO))
        self.assertEqual({one.key: one.value for one in data.metadata}, {"campaign": "x", "n": "3"})
        self.assertEqual(
            {one.name: one.value for one in data.arguments},
            {"name": "Mary", "vip": "true", "cart": '{"items": [1, 2]}'},
        )
        self.assertEqual(data.createdDate.seconds, int(self.clock.seconds()))

    def test_no_caller(self) -> None:
        """The deployment's number is for the placing to find."""
        self.place()
        self.assertEqual(self.placing.dialled[0].caller, "")

    def test_refusals(self) -> None:
        """Each has its number, its status, and words of its own and of its kind."""
        odd = AnyMessage(type_url="type.googleapis.com/acme.Thing", value=b"x")
        broken = AnyMessage(type_url="type.googleapis.com/google.protobuf.StringValue", value=b"\n")
        for number, more in (
            (1002003, {"toNumber": ""}),
            (1002003, {"toNumber": "call me"}),
            (1002004, {"assistant": None}),
            (1002004, {"assistant": AssistantDefinition(assistantId=7, version="nine")}),
            (1002005, {"metadata": {"a": odd}}),
            (1002006, {"args": {"a": broken}}),
            (1002007, {"options": {"a": odd}}),
        ):
            answer = self.place(**more)
            self.assertEqual((answer.code, answer.success), (400, False), answer)
            self.assertEqual(answer.error.errorCode, number, answer)
            self.assertTrue(answer.error.errorMessage and answer.error.humanMessage)
            self.assertFalse(answer.HasField("data"))
        self.assertEqual(self.placing.prepared, [])

    def test_not_started(self) -> None:
        """Whoever does not want it: our own rules, the deployment, the carrier."""
        refused = CarrierRefused.by(Outcome("bad_number", "not valid", "21211"))
        for to, error, status in (
            ("+15550001", MisconfiguredAssistant("no credential"), 500),
            ("+15550002", TooManyCalls("slowly", 3.0), 429),
        ):
            self.placing.not_prepared[to] = error
            answer = self.place(to)
            self.assertEqual((answer.code, answer.error.errorCode), (status, 1002008))
            self.assertEqual(answer.error.errorMessage, str(error))
        self.placing.refusals[TO] = refused
        answer = self.place()
        self.assertEqual((answer.code, answer.error.errorCode), (500, 1002008))
        self.assertIn("21211", answer.error.errorMessage)

    def test_bug(self) -> None:
        """What nobody foresaw is INTERNAL, without its words."""
        self.placing.not_prepared[TO] = ZeroDivisionError("secret")
        request = self.request().SerializeToString()
        called = self.client.call(f"{TALK}CreatePhoneCall", request, key=self.key)
        self.assertEqual(called.status, 13)
        self.assertNotIn("secret", called.message)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_no_protobuf(self) -> None:
        """What cannot be decoded, and no request at all, is INVALID_ARGUMENT."""
        for messages in ((b"\xff\xff",), ()):
            called = self.client.call(f"{TALK}CreatePhoneCall", *messages, key=self.key)
            self.assertEqual(called.status, 3)

    def test_nul(self) -> None:
        """No database keeps it as text; in a request, in a value, in a struct in a value."""
        key = {"a\0": to_any("x")}
        for request in (self.request("+1555\0"), self.request(metadata=key)):
            encoded = request.SerializeToString()
            called = self.client.call(f"{TALK}CreatePhoneCall", encoded, key=self.key)
            self.assertEqual((called.status, "NUL" in called.message), (3, True))
        for value in ("a\0", {"b": ["\0"]}):
            answer = self.place(args={"x": to_any(value)})
            self.assertEqual(answer.error.errorCode, 1002006)

    def test_idempotency(self) -> None:
        """The metadata's key is the call's; of many, each has its own."""
        encoded = self.request().SerializeToString()
        called = self.client.call(
            f"{TALK}CreatePhoneCall", encoded, key=self.key, idempotency_key="abc"
        )
        self.assertEqual(called.status, 0)
        many = CreateBulkPhoneCallRequest(phoneCalls=[self.request()] * 2).SerializeToString()
        self.client.call(f"{TALK}CreateBulkPhoneCall", many, key=self.key, idempotency_key="abc")
        keys = [one.idempotency_key for one in self.placing.dialled]
        self.assertEqual(keys, ["abc", "abc#0", "abc#1"])

    def test_scope(self) -> None:
        """A key that may not place calls places none."""
        _, key = self.successResultOf(
            self.keys.create(self.project, "reader", ["conversations:read"])
        )
        called = self.client.call(
            f"{TALK}CreatePhoneCall", self.request().SerializeToString(), key=key
        )
        self.assertEqual((called.status, self.placing.prepared), (7, []))

    def test_the_client_goes(self) -> None:
        """A call is not lost between two steps: it is dialled to its end."""
        cancelled: list[Deferred[None]] = []
        waiting: Deferred[None] = Deferred(cancelled.append)
        self.placing.waiting[TO] = waiting
        number = self.client.start(f"{TALK}CreatePhoneCall", key=self.key)
        encoded = self.request().SerializeToString()
        self.client.send(number, b"\0" + len(encoded).to_bytes(4, "big") + encoded, end=True)
        self.client.lose()
        self.assertEqual((len(self.placing.dialled), cancelled), (1, []))
        waiting.callback(None)


class BulkTests(PhoneCallCase):
    def test_order(self) -> None:
        """One conversation for each entry, in their order; a bad one loses no other."""
        self.placing.refusals["+15550102"] = CarrierRefused("no money")
        answer = self.place_all(
            self.request("+15550100"),
            self.request(""),
            self.request("+15550102"),
            self.request("+15550103"),
        )
        self.assertEqual((answer.code, answer.success), (200, True))
        self.assertEqual(
            [one.status for one in answer.data], ["QUEUED", "FAILED", "FAILED", "QUEUED"]
        )
        numbers = [one.identifier for one in answer.data]
        self.assertEqual(numbers, ["+15550100", "", "+15550102", "+15550103"])
        told = {one.key: one.value for one in answer.data[2].metadata}
        self.assertEqual(told, {"telephony.error": "no money", "call_error": "carrier-refused"})
        self.assertGreater(answer.data[2].id, 0)
        self.assertEqual(answer.data[1].id, 0)
        self.assertEqual(answer.error.errorCode, 1003004)

    def test_slow_ones(self) -> None:
        """Ten at a time, and whoever answers first keeps its place."""
        waiting: list[Deferred[None]] = [Deferred() for _ in range(12)]
        numbers = [f"+155501{one:02}" for one in range(12)]
        self.placing.waiting = dict(zip(numbers, waiting, strict=True))
        request = CreateBulkPhoneCallRequest(phoneCalls=[self.request(one) for one in numbers])
        number = self.client.start(f"{TALK}CreateBulkPhoneCall", key=self.key)
        encoded = request.SerializeToString()
        self.client.send(number, b"\0" + len(encoded).to_bytes(4, "big") + encoded, end=True)
        self.assertEqual(len(self.placing.dialled), 10)
        for one in reversed(waiting):
            one.callback(None)
        self.client.pump()
        (message,) = self.client.answers[number].messages
        answer = CreateBulkPhoneCallResponse.FromString(message)
        self.assertEqual([one.identifier for one in answer.data], numbers)

    def test_the_client_goes(self) -> None:
        """Whoever is not rung up yet is not rung up any more."""
        waiting: Deferred[None] = Deferred()
        numbers = [f"+155501{one:02}" for one in range(20)]
        self.placing.waiting = dict.fromkeys(numbers, waiting)
        request = CreateBulkPhoneCallRequest(phoneCalls=[self.request(one) for one in numbers])
        number = self.client.start(f"{TALK}CreateBulkPhoneCall", key=self.key)
        encoded = request.SerializeToString()
        self.client.send(number, b"\0" + len(encoded).to_bytes(4, "big") + encoded, end=True)
        self.client.h2.reset_stream(number)
        self.client.pump()
        waiting.callback(None)
        self.assertEqual(len(self.placing.dialled), 10)

    def test_none(self) -> None:
        """An empty list, and one where nothing worked."""
        answer = self.place_all()
        self.assertEqual((answer.code, answer.error.errorCode), (400, 1003003))
        answer = self.place_all(self.request(""), self.request(assistant=None))
        self.assertEqual((answer.code, answer.success), (400, False))
        self.assertEqual(answer.error.errorCode, 1003004)
        self.assertEqual([one.status for one in answer.data], ["FAILED", "FAILED"])
