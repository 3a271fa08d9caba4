"""Status callbacks: whose call they are of, who may send them, and what is kept of them."""

from __future__ import annotations

import json

from rapida_tw.carriers.base import CarrierEvent
from rapida_tw.carriers.exotel import EXOTEL
from rapida_tw.carriers.twilio import TWILIO
from rapida_tw.carriers.vonage import VONAGE
from rapida_tw.errors import Unavailable
from rapida_tw.store.records import Deployment, NamedCall
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.peer import Proxies
from tests.web.acme import AcmeCase, signed
from tests.web.case import Response, WebCase, failing
from tests.web.fakes import ASSISTANT, CONTEXT_ID, KEY, OTHER_KEY, PROJECT

FORM = "application/x-www-form-urlencoded"
CALL = NamedCall(5, ASSISTANT, PROJECT)


class AsteriskTests(WebCase):
    """A carrier that signs nothing."""

    PATH = f"/v1/talk/asterisk/ctx/{CONTEXT_ID}/event"

    def setUp(self) -> None:
        super().setUp()
        self.calls.names["asterisk", CONTEXT_ID] = CALL

    def event(self) -> CarrierEvent:
        """The only one that was taken, of the call."""
        ((call, carrier, event),) = self.calls.events
        self.assertEqual((call, carrier), (CALL, "asterisk"))
        return event

    def test_query(self) -> None:
        """GET with a query: 201, nothing in it; the key is not journalled."""
        response = self.get(f"{self.PATH}?type=StasisEnd&x-api-key={KEY}&X-Api-Key=k", key=None)
        self.assertEqual((response.status, response.body), (201, b""))
        self.assertEqual(self.event().data, {"type": "StasisEnd"})

    def test_address(self) -> None:
        """The context of its address goes with it: it may end a call that another node placed."""
        self.get(f"{self.PATH}?type=StasisEnd", key=None)
        self.assertEqual(self.calls.addressed, [CONTEXT_ID])

    def test_json(self) -> None:
        """ARI's JSON by POST: what is nested comes as JSON text."""
        document = {"type": "ChannelDestroyed", "cause": 16, "channel": {"id": "1.2"}}
        self.send("POST", self.PATH, document, key=None)
        fields = self.event().data
        self.assertEqual(fields["type"], "ChannelDestroyed")
        self.assertEqual(fields["cause"], "16")
        self.assertEqual(json.loads(fields["channel"]), {"id": "1.2"})

    def test_form_and_query(self) -> None:
        """A query beside the body does not hide it."""
        path = f"{self.PATH}?x-api-key={KEY}&event=answered"
        self.send("POST", path, b"b=2", key=None, Content_Type=FORM)
        self.assertEqual(self.event().data, {"event": "answered", "b": "2"})

    def test_malformed(self) -> None:
        """400 for what is no JSON object, and for what tells nothing."""
        for body in (b"{", b"[]", b"\xff", b"[" * 10_000, b"{}"):
            response = self.send("POST", self.PATH, body, key=None, Content_Type="application/json")
            self.assertEqual(response.status, 400)
        self.assertEqual(self.calls.events, [])


class EventTests(AcmeCase):
    """A carrier that signs. The address with the context's id is secret enough without."""

    def setUp(self) -> None:
        super().setUp()
        for name in (CONTEXT_ID, "c1"):
            self.calls.names["acme", name] = CALL

    def event(self, context_id: str, body: str = "Status=ringing", **headers: str) -> Response:
        path = f"/v1/talk/acme/ctx/{context_id}/event"
        kind = {"Content_Type": FORM}
        key = headers.pop("key", None)
        return self.send("POST", path, body.encode(), key=key, **kind, **headers)

    def taken(self, response: Response, call: NamedCall | None = CALL) -> None:
        self.assertEqual((response.status, response.body), (201, b""))
        self.assertEqual([call for call, _, _ in self.calls.events], [call])
        self.calls.events.clear()

    def refused(self, response: Response, status: int, reason: str) -> None:
        self.assertEqual((response.status, response.headers["x-reason"]), (status, reason))
        self.assertEqual(self.calls.events, [])

    def test_by_context(self) -> None:
        """The address tells whose it is, in any spelling, and before the body."""
        for context_id in (CONTEXT_ID, CONTEXT_ID.upper()):
            self.taken(self.event(context_id, "Status=ringing&CallId=other"))

    def test_by_name(self) -> None:
        """An address that is the same for all calls: the body tells whose it is."""
        for context_id in (
            "{contextId}",
            "%7BcontextId%7D",
            "9f1c0d3e-0000-4000-8000-000000000000",
        ):
            self.taken(self.event(context_id, "Status=ringing&CallId=c1"))

    def test_of_no_call(self) -> None:
        """One that nobody can place is taken, and passed on as such: a refusal would come again."""
        self.taken(self.event("{contextId}"), None)
        self.taken(self.event("{contextId}", "Status=ringing&CallId=other"), None)

    def test_another_carrier(self) -> None:
        """Names are of one carrier: another's callback does not find the call."""
        self.carriers["twilio"] = TWILIO
        path = f"/v1/talk/twilio/ctx/{CONTEXT_ID}/event?CallStatus=completed&CallSid=c1"
        self.taken(self.get(path, key=None), None)

    def test_signed(self) -> None:
        """A good signature changes nothing, a wrong one is refused, with a key as without."""
        url = f"https://voice.example/v1/talk/acme/ctx/{CONTEXT_ID}/event"
        self.taken(self.event(CONTEXT_ID, X_Acme_Signature=signed(url, 0.0)))
        for key in ({}, {"key": KEY}):
            wrong = {"X_Acme_Signature": signed(f"{url}?", 0.0), **key}
            self.refused(self.event(CONTEXT_ID, **wrong), 403, "signature-mismatch")

    def test_signed_literally(self) -> None:
        """The carrier signs the address as it was typed into its console."""
        for typed in ("%7BcontextId%7D", "{contextId}"):
            url = f"https://voice.example/v1/talk/acme/ctx/{typed}/event"
            body = "Status=ringing&CallId=c1"
            self.taken(self.event(typed, body, X_Acme_Signature=signed(url, 0.0)))

    def test_replayed(self) -> None:
        """A signature from long ago is refused."""
        url = f"https://voice.example/v1/talk/acme/ctx/{CONTEXT_ID}/event"
        self.clock.advance(1000)
        forged = self.event(CONTEXT_ID, X_Acme_Signature=signed(url, 0.0))
        self.refused(forged, 403, "signature-mismatch")

    def test_key(self) -> None:
        """A key that is shown must be good, and opens its own project's calls alone."""
        self.taken(self.event(CONTEXT_ID, key=KEY))
        self.refused(self.event(CONTEXT_ID, key="rpd-wrong"), 403, "unauthenticated")
        self.taken(self.event(CONTEXT_ID, key=OTHER_KEY), None)

    def test_assistant_deleted(self) -> None:
        """The history of a call outlives its assistant."""
        self.assistants.kept.clear()
        self.taken(self.event(CONTEXT_ID))

    def test_malformed(self) -> None:
        """An error of the carrier's is told by its status: no caller listens here."""
        self.refused(self.event(CONTEXT_ID, "nothing=1"), 400, "bad-request")
        self.refused(self.event(CONTEXT_ID, "a=1&" * 300), 400, "bad-request")
        self.refused(self.event(CONTEXT_ID, "x" * 100_000), 413, "body-too-large")

    def test_database_away(self) -> None:
        """A failure of ours is no success: the carrier may send it again."""
        self.patch(self.calls, "named", lambda *_: failing(Unavailable("away")))
        self.refused(self.event(CONTEXT_ID), 503, "unavailable")


class EventOfAssistantTests(AcmeCase):
    """One address for all calls of an assistant."""

    PATH = f"/v1/talk/acme/event/{ASSISTANT}?Status=ringing&CallId=c1"

    def setUp(self) -> None:
        super().setUp()
        self.calls.names["acme", "c1"] = CALL

    def test_key(self) -> None:
        """A key opens its project's calls."""
        self.assertEqual(self.get(self.PATH).status, 201)
        self.assertEqual(self.get(self.PATH, key=OTHER_KEY).status, 201)
        self.assertEqual([call for call, _, _ in self.calls.events], [CALL, None])

    def test_signature(self) -> None:
        """So does the carrier's signature."""
        signature = signed(f"https://voice.example{self.PATH}", 0.0)
        response = self.get(self.PATH, key=None, X_Acme_Signature=signature)
        self.assertEqual(response.status, 201)
        self.assertEqual(self.calls.asked, [("acme", ("c1",), PROJECT)])

    def test_neither(self) -> None:
        """The name of a call is not enough here: who shows nothing is refused."""
        self.assertEqual(self.get(self.PATH, key=None).status, 403)
        forged = self.get(self.PATH, X_Acme_Signature=signed("x", 0.0))
        self.assertEqual(forged.status, 403)
        self.assertEqual(self.calls.events, [])

    def test_malformed(self) -> None:
        """First of all it must be an event."""
        self.assertEqual(self.get(f"/v1/talk/acme/event/{ASSISTANT}", key=None).status, 400)


class RealCarriersTests(WebCase):
    """Callbacks as Twilio, Vonage and Exotel document them, signed by their own libraries."""

    CONTEXT = "7d8f4c0e-2a5b-4b5e-9d3a-0c1d2e3f4a5b"

    def setUp(self) -> None:
        super().setUp()
        self.carriers |= {"twilio": TWILIO, "vonage": VONAGE, "exotel": EXOTEL}
        self.make_site(address=PublicAddress("voice.example.com", "https", Proxies()))

    def keep(self, carrier: str, secrets: dict[str, str]) -> None:
        made = self.successResultOf(self.credentials.create(PROJECT, "c", carrier, secrets))
        self.assistants.deployed[ASSISTANT] = Deployment(ASSISTANT, credential_id=made.id)

    def test_twilio(self) -> None:
        """A stream's callback, signed; with a field changed it is refused."""
        self.keep("twilio", {"account_token": "0123456789abcdef0123456789abcdef"})
        self.calls.names["twilio", self.CONTEXT] = CALL
        form = (
            b"AccountSid=AC00000000000000000000000000000001"
            b"&CallSid=CA00000000000000000000000000000001"
            b"&StreamSid=MZ00000000000000000000000000000001&StreamName=123456789__987654321"
            b"&StreamEvent=stream-started&Timestamp=2026-01-02T03:04:05.678Z"
        )
        for body, status in ((form, 201), (form.replace(b"started", b"stopped"), 403)):
            response = self.send(
                "POST",
                f"/v1/talk/twilio/ctx/{self.CONTEXT}/event",
                body,
                key=None,
                Content_Type=FORM,
                X_Twilio_Signature="yijH2LTRr6A5V9eQqiK4qmzdaGQ=",
            )
            self.assertEqual(response.status, status)
        ((_, _, event),) = self.calls.events
        self.assertEqual(event.name, "stream.started")

    def test_vonage(self) -> None:
        """The literal address of the dashboard, a JSON body and a signed token."""
        self.keep("vonage", {"signature_secret": "test-signature-secret-0123456789abcdef"})
        self.calls.names["vonage", "CON-aaaaaaaa-bbbb-cccc-dddd-0123456789ab"] = CALL
        self.clock.advance(1767323045)
        body = (
            b'{"from":"15550100001","to":"15550100002","uuid":"aaaaaaaa-bbbb-cccc-dddd-0123456789ab",'
            b'"conversation_uuid":"CON-aaaaaaaa-bbbb-cccc-dddd-0123456789ab","status":"answered",'
            b'"direction":"inbound","timestamp":"2026-01-02T03:04:05.678Z"}'
        )
        token = (
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3NjczMjMwNDUsImp0aSI6ImM1YmE4ZjI0LTFhM"
            "TQtNGMxMC1iZmRmLTNmYmU4Y2U1MTFiNSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6IjJlZGFiYzk1"
            "NGI3NzExYzNhNmU0MGQwNzU4ZTI2NWUyNTk4OWNkNGI0MjQwYTJlMjU5Y2JkM2QwM2U5NjY4ZTUiLCJhcGlfa2V"
            "5IjoiYTFiMmMzZDQiLCJhcHBsaWNhdGlvbl9pZCI6ImFhYWFhYWFhLWJiYmItY2NjYy1kZGRkLTAxMjM0NTY3OD"
            "lhYiJ9.JKEOdOv3YUgoLpiU8gxODuE95nfO_i7-0EccHGEmmPw"
        )
        for told, status in ((body, 201), (body.replace(b"answered", b"complete"), 403)):
            response = self.send(
                "POST",
                "/v1/talk/vonage/ctx/%7BcontextId%7D/event",
                told,
                key=None,
                Content_Type="application/json",
                Authorization=f"Bearer {token}",
            )
            self.assertEqual(response.status, status)
        ((call, _, event),) = self.calls.events
        self.assertEqual((call, event.name), (CALL, "status.answered"))

    def test_exotel(self) -> None:
        """A multipart form, which nobody signs."""
        self.calls.names["exotel", self.CONTEXT] = CALL
        fields = {"CallSid": "c5797dcbaaeed7678c4062a4a3ed2f8a", "Status": "completed"}
        parts = "".join(
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        response = self.send(
            "POST",
            f"/v1/talk/exotel/ctx/{self.CONTEXT}/event",
            f"{parts}--b--\r\n".encode(),
            key=None,
            Content_Type="multipart/form-data; boundary=b",
        )
        self.assertEqual(response.status, 201)
        ((call, _, event),) = self.calls.events
        self.assertEqual((call, event.name, event.data), (CALL, "status.completed", fields))

    def test_wrong_method(self) -> None:
        """405 to whoever is no carrier, though the carrier's own form would be another status."""
        for target in (f"ctx/{self.CONTEXT}/event", f"ctx/{self.CONTEXT}", "call/5"):
            response = self.send("DELETE", f"/v1/talk/twilio/{target}")
            self.assertEqual(response.status, 405)
            self.assertIn("GET", response.headers["allow"])
