"""Twilio's webhooks of WhatsApp, and POST /v1/messages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from rapida_tw.carriers.outbound import CarrierRefused, Outcome
from rapida_tw.carriers.twilio import TWILIO
from rapida_tw.errors import (
    AssistantNotFound,
    CapacityExceeded,
    MisconfiguredAssistant,
    NotSupported,
    Unavailable,
)
from rapida_tw.sim.twilio import signature
from rapida_tw.store.records import Deployment
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.peer import Proxies
from tests.web.case import Response, WebCase
from tests.web.fake_writing import FakeWriting
from tests.web.fakes import ASSISTANT, KEY, PROJECT

TOKEN = "0123456789abcdef0123456789abcdef"
PATH = f"/v1/talk/whatsapp/{ASSISTANT}"
OLDER = f"/v1/talk/twilio/whatsapp/{ASSISTANT}"
MESSAGE = {
    "MessageSid": "SM1",
    "From": "whatsapp:+15550100001",
    "To": "whatsapp:+14155238886",
    "Body": "Héllo +1 & ok",
    "NumMedia": "0",
}
STATUS = {"MessageSid": "SM2", "MessageStatus": "read"}
SEND = {"assistantId": str(ASSISTANT), "to": "+1 555 010 0001", "text": "Ready."}
TEMPLATE = "HX" + "0" * 32


class WhatsAppCase(WebCase):
    def setUp(self) -> None:
        super().setUp()
        self.carriers["twilio"] = TWILIO
        self.writing = FakeWriting()
        self.make_site(writing=self.writing)
        kept = self.credentials.create(
            PROJECT, "Main", "twilio", {"account_sid": "AC1", "account_token": TOKEN}
        )
        number = self.successResultOf(kept).id
        self.assistants.deployed[ASSISTANT] = Deployment(ASSISTANT, "twilio", number)

    def post(
        self,
        path: str = PATH,
        fields: dict[str, str] = MESSAGE,
        key: str | None = None,
        host: str = "voice.example",
        token: str = TOKEN,
    ) -> Response:
        headers = {"Content_Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        if token:
            headers["X_Twilio_Signature"] = signature(token, f"https://{host}{path}", fields)
        return self.send("POST", path, urlencode(fields).encode(), key, **headers)


class MessageTests(WhatsAppCase):
    def test_signed(self) -> None:
        """What Twilio has signed is taken, and answered with nothing to say."""
        response = self.post()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["content-type"], "text/xml")
        self.assertIn(b"<Response", response.body)
        self.assertNotIn(b"<Message", response.body)
        ((message, assistant, project),) = self.writing.whatsapp.messages
        self.assertEqual((assistant, project), (ASSISTANT, PROJECT))
        self.assertEqual(message.text, "Héllo +1 & ok")

    def test_older(self) -> None:
        """The older address is the same."""
        self.assertEqual(self.post(OLDER).status, 200)
        self.assertEqual(len(self.writing.whatsapp.messages), 1)

    def test_port(self) -> None:
        """Of messages Twilio signs the address with its port."""
        host = "voice.example:8443"
        self.make_site(writing=self.writing, address=PublicAddress(host, "https", Proxies()))
        for signed in (host, "voice.example"):
            self.assertEqual(self.post(host=signed).status, 200, signed)

    def test_key(self) -> None:
        """A key is enough."""
        self.assertEqual(self.post(key=KEY, token="").status, 200)

    def test_forged(self) -> None:
        """A wrong signature is refused, and nobody hears of the message."""
        for path in (PATH, OLDER):
            self.assertEqual(self.post(path, token="wrong").status, 403)
        self.assertEqual(self.writing.whatsapp.messages, [])

    def test_nobody(self) -> None:
        """Who shows nothing is not let in."""
        self.assertEqual(self.post(token="").status, 403)

    def test_incomplete(self) -> None:
        """What is no message is a bad request."""
        for missing in ("MessageSid", "From", "To"):
            fields = {name: value for name, value in MESSAGE.items() if name != missing}
            self.assertEqual(self.post(fields=fields).status, 400, missing)

    def test_inline(self) -> None:
        """A reply that cannot be sent by itself is the answer."""
        self.writing.whatsapp.answer = ("One & two.", "Three.")
        body = self.post().body
        self.assertIn(b"<Message>One &amp; two.</Message><Message>Three.</Message>", body)

    def test_status_address(self) -> None:
        """Our messages name the address where Twilio tells what became of them."""
        self.post()
        self.assertEqual(
            self.writing.whatsapp.urls, [f"https://voice.example{PATH}/event?conversation=77"]
        )

    def test_apology(self) -> None:
        """When nobody can answer, the person is told so, in the assistant's words."""
        error = CapacityExceeded("full")
        error.spoken = "Please write again <later>."
        self.writing.whatsapp.answer = error
        response = self.post()
        self.assertEqual((response.status, response.headers["x-rapida-error"]), (200, error.reason))
        self.assertIn(b"<Message>Please write again &lt;later&gt;.</Message>", response.body)

    def test_which_errors(self) -> None:
        """A mistake in the assistant is apologised for; a stranger's request is refused."""
        for error, status in (
            (MisconfiguredAssistant("no model"), 200),
            (NotSupported("cannot write"), 200),
            (Unavailable("away"), 200),
            (AssistantNotFound("none"), 404),
        ):
            self.writing.whatsapp.answer = error
            self.assertEqual(self.post().status, status, error)

    def test_large(self) -> None:
        """A body without end is refused."""
        self.assertEqual(self.post(fields=MESSAGE | {"Body": "x" * 70_000}).status, 413)


class StatusTests(WhatsAppCase):
    def test_told(self) -> None:
        """A status goes to the conversation that its address names."""
        path = f"{PATH}/event?conversation=77"
        self.assertEqual(self.post(path, STATUS).status, 201)
        self.assertEqual(self.writing.deliveries.statuses, [("SM2", "read", 77)])

    def test_unnamed(self) -> None:
        """Without one the message's name tells."""
        self.post(f"{PATH}/event", STATUS)
        self.assertEqual(self.writing.deliveries.statuses, [("SM2", "read", 0)])

    def test_forged(self) -> None:
        """A forged status is refused."""
        self.assertEqual(self.post(f"{PATH}/event", STATUS, token="wrong").status, 403)
        self.assertEqual(self.writing.deliveries.statuses, [])


class SendTests(WhatsAppCase):
    def ask_to_send(self, document: Any, key: str | None = KEY, **headers: str) -> Response:
        return self.send("POST", "/v1/messages", document, key, **headers)

    def test_sent(self) -> None:
        """The answer has the message's name and its conversation."""
        response = self.ask_to_send(SEND | {"metadata": {"order": 17, "gift": True, "note": None}})
        self.assertEqual(
            response.json["data"],
            {"id": "SM1", "conversationId": "77", "status": "queued", "channel": "whatsapp"},
        )
        request = self.writing.outgoing.requests[0]
        self.assertEqual((request.recipient, request.project_id), ("+15550100001", PROJECT))
        self.assertEqual(request.metadata, {"order": "17", "gift": "true", "note": ""})
        self.assertEqual(
            self.writing.outgoing.urls, [f"https://voice.example{PATH}/event?conversation=77"]
        )

    def test_no_public_host(self) -> None:
        """Without a public address Twilio is not told to tell anything: it would refuse."""
        self.make_site(writing=self.writing, address=PublicAddress("", "https", Proxies()))
        self.ask_to_send(SEND)
        self.assertEqual(self.writing.outgoing.urls, [""])

    def test_template(self) -> None:
        """A template with its variables."""
        del (document := dict(SEND))["text"]
        self.ask_to_send({**document, "contentSid": TEMPLATE, "contentVariables": {"1": "Ada"}})
        request = self.writing.outgoing.requests[0]
        self.assertEqual((request.content_sid, request.variables), (TEMPLATE, {"1": "Ada"}))

    def test_idempotency(self) -> None:
        """The key may be a header; that of the document goes first."""
        self.ask_to_send(SEND, Idempotency_Key="header")
        self.ask_to_send(SEND | {"idempotencyKey": "own"}, Idempotency_Key="header")
        keys = [request.idempotency_key for request in self.writing.outgoing.requests]
        self.assertEqual(keys, ["header", "own"])
        # Cut off, it would be the key of another message.
        self.assertEqual(self.ask_to_send(SEND, Idempotency_Key="k" * 256).status, 400)
        self.assertEqual(len(self.writing.outgoing.requests), 2)

    def test_mistakes(self) -> None:
        """What cannot be sent is a bad request that says why."""
        for change, words in (
            ({"assistantId": None}, "assistantId"),
            ({"to": "somebody"}, "to is no number in E.164, like +15550100001"),
            ({"to": ""}, "E.164"),
            ({"text": ""}, "text"),
            ({"text": "x" * 1601}, "1600"),
            ({"contentSid": TEMPLATE}, "not both"),
            ({"text": None, "contentSid": "HX1"}, "contentSid"),
            ({"contentVariables": {"1": "x"}}, "contentSid"),
            ({"metadata": {"a": {"b": 1}}}, "metadata"),
            ({"from": "whatsapp:+1;DROP"}, "E.164"),
            ({"colour": "red"}, "colour"),
        ):
            response = self.ask_to_send(SEND | change)
            self.assertEqual(response.status, 400, change)
            self.assertIn(words, response.json["error"]["errorMessage"], change)
        self.assertEqual(self.writing.outgoing.requests, [])

    def test_refused(self) -> None:
        """What Twilio did not take is told with its words."""
        self.writing.outgoing.error = CarrierRefused.by(
            Outcome("rejected", "more than 24 hours", "63016")
        )
        response = self.ask_to_send(SEND)
        self.assertEqual((response.status, response.error), (502, "carrier-refused"))
        self.assertIn("(63016)", response.json["error"]["errorMessage"])

    def test_away(self) -> None:
        """A database that is away is 503."""
        self.writing.outgoing.error = Unavailable("away")
        self.assertEqual(self.ask_to_send(SEND).status, 503)

    def test_key(self) -> None:
        """It needs a key; Twilio's signature is none here."""
        self.assertEqual(self.ask_to_send(SEND, key=None).status, 403)
