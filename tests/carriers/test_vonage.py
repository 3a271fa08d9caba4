"""What Vonage asks and tells, and what it may be told."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw import errors
from rapida_tw.carriers.base import CarrierEvent, Document, IncomingCall, Invitation, WebhookRequest
from rapida_tw.carriers.vonage import VONAGE
from rapida_tw.errors import BadRequest, MisconfiguredAssistant

LEG = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
CONVERSATION = f"CON-{LEG}"
CALL = {"from": "15550100001", "to": "15550100002", "uuid": LEG, "conversation_uuid": CONVERSATION}
CONTEXT = "66bc093d-34ab-4436-8e47-83e4fa85f361"
MEDIA = f"wss://voice.example/v1/talk/vonage/ctx/{CONTEXT}"
EVENTS = f"https://voice.example/v1/talk/vonage/ctx/{CONTEXT}/event"
REQUEST = WebhookRequest("GET", "/")


def get(**query: str) -> WebhookRequest:
    return WebhookRequest("GET", "/", {name.rstrip("_"): query[name] for name in query})


def post(**fields: Any) -> WebhookRequest:
    told = {name.rstrip("_"): value for name, value in fields.items()}
    return WebhookRequest("POST", "/", {"x-api-key": "rpd-secret"}, json=told)


def invite(
    caller: str = "+15550100001", callee: str = "+15550100002", **options: Any
) -> Invitation:
    incoming = IncomingCall("vonage", caller, callee)
    return Invitation(CONTEXT, MEDIA, EVENTS, 123, 456, incoming, options)


def ncco(document: Document) -> Any:
    assert document.content_type == "application/json"
    return json.loads(document.body)


def connect(invitation: Invitation) -> Any:
    (action,) = ncco(VONAGE.answer(invitation, REQUEST))
    return action


class ReadCallTests(SynchronousTestCase):
    EXPECTED = IncomingCall(
        "vonage", "+15550100001", "+15550100002", LEG, {}, aliases=(CONVERSATION,)
    )

    def test_every_way(self) -> None:
        """By GET, which is Vonage's default, by POST of JSON, and by POST of a form."""
        for request in (
            WebhookRequest("GET", "/", CALL),
            WebhookRequest("POST", "/", json=CALL),
            WebhookRequest("POST", "/", form=CALL),
        ):
            self.assertEqual(VONAGE.read_call(request), self.EXPECTED)

    def test_user(self) -> None:
        """A caller with an app has a name and no number."""
        call = VONAGE.read_call(post(from_user="alice", custom_data={"room": 7}))
        self.assertEqual(call.caller, "alice")
        self.assertEqual(call.metadata, {"custom_data": '{"room": 7}'})

    def test_withheld(self) -> None:
        """A caller who shows no number is a caller."""
        for number in ("", "anonymous", "Unknown", "private"):
            self.assertEqual(VONAGE.read_call(get(from_=number)).caller, "", number)

    def test_missing(self) -> None:
        """Without any `from` it is no call; a JSON null is none."""
        for request in (get(to="1"), post(from_=None)):
            error = self.assertRaises(BadRequest, VONAGE.read_call, request)
            self.assertIn("from", str(error))

    def test_too_long(self) -> None:
        """Nobody's number has 129 characters."""
        self.assertRaises(BadRequest, VONAGE.read_call, get(from_="1" * 129))

    def test_signed_before_unsigned(self) -> None:
        """What the query adds to a signed body does not count."""
        request = WebhookRequest("POST", "/", {"from": "666"}, json=CALL)
        self.assertEqual(VONAGE.read_call(request).caller, "+15550100001")

    def test_region(self) -> None:
        """Where requests about the call must go: at Vonage, and nowhere else."""
        mine = "https://api-us-3.vonage.com"
        call = VONAGE.read_call(get(from_="1", region_url=mine))
        self.assertEqual(call.metadata, {"region_url": mine})
        for bad in (
            "https://evil.example",
            "http://api-us-3.vonage.com",
            "https://evil.example/.vonage.com",
            "https://me@evil.example#.vonage.com",
            "https://vonage.com.evil.example",
            "https://evilvonage.com",
            "https://api.vonage.com/",
        ):
            self.assertEqual(VONAGE.read_call(get(from_="1", region_url=bad)).metadata, {}, bad)

    def test_sip(self) -> None:
        """Headers of a SIP caller are kept, as short as anybody means them."""
        request = WebhookRequest("GET", "/", {"from": "1", "SipHeader_X-Account": "a" * 900})
        self.assertEqual(VONAGE.read_call(request).metadata, {"SipHeader_X-Account": "a" * 500})


class AnswerTests(SynchronousTestCase):
    def test_golden(self) -> None:
        """The whole NCCO."""
        self.assertEqual(
            ncco(VONAGE.answer(invite(), REQUEST)),
            [
                {
                    "action": "connect",
                    "eventUrl": [EVENTS],
                    "eventMethod": "POST",
                    "from": "15550100002",
                    "endpoint": [
                        {
                            "type": "websocket",
                            "uri": MEDIA,
                            "content-type": "audio/l16;rate=16000",
                            "headers": {"assistant_id": "123", "client_number": "15550100001"},
                        }
                    ],
                }
            ],
        )

    def test_callee_unknown(self) -> None:
        """A `from` that is no number of ours would have the NCCO refused."""
        for callee in ("", "alice", "sip:alice@example.com"):
            self.assertNotIn("from", connect(invite(callee=callee)))

    def test_rate(self) -> None:
        """By the deployment's option, a number or a text."""
        for asked, rate in ((8000, 8000), ("16000", 16000), (24000, 24000), ("", 16000)):
            (endpoint,) = connect(invite(sample_rate=asked))["endpoint"]
            self.assertEqual(endpoint["content-type"], f"audio/l16;rate={rate}")

    def test_bad_options(self) -> None:
        """A rate that Vonage does not have is said rather than guessed."""
        for options in ({"sample_rate": 44100}, {"sample_rate": [8000]}, {"authorization": "me"}):
            error = self.assertRaises(
                MisconfiguredAssistant, VONAGE.answer, invite(**options), REQUEST
            )
            self.assertIn(next(iter(options)), str(error))

    def test_authorization(self) -> None:
        """Vonage signs the socket's upgrade when it is asked to."""
        (endpoint,) = connect(invite(authorization="vonage"))["endpoint"]
        self.assertEqual(endpoint["authorization"], {"type": "vonage"})

    def test_headers_fit(self) -> None:
        """Vonage takes 512 bytes: a name that would not fit is left out."""
        (endpoint,) = connect(invite(caller="\N{PILE OF POO}" * 60))["endpoint"]
        self.assertEqual(endpoint["headers"], {"assistant_id": "123"})

    @given(st.text(max_size=128))
    def test_injection(self, caller: str) -> None:
        """Whatever a caller is named, there is one action with one endpoint, ours."""
        action = connect(invite(caller=caller, callee=caller))
        (endpoint,) = action["endpoint"]
        self.assertEqual((action["action"], endpoint["uri"]), ("connect", MEDIA))
        self.assertLessEqual(len(json.dumps(endpoint["headers"])), 512)

    def test_media(self) -> None:
        """The socket's wire begins with the rate that was asked for."""
        self.assertEqual(VONAGE.media(REQUEST, {"sample_rate": "8000"}).format.rate, 8000)


class ApologyTests(SynchronousTestCase):
    def test_spoken(self) -> None:
        """The caller hears that something is wrong with us or the vendors."""
        for error in (
            errors.CallError(),
            errors.CapacityExceeded("draining"),
            errors.Unavailable("database"),
            errors.VendorFailed("no voice"),
            errors.MisconfiguredAssistant("sample_rate"),
        ):
            document = VONAGE.apology(error)
            self.assertEqual(document.status, 200)
            self.assertEqual(ncco(document), [{"action": "talk", "text": error.spoken}])

    def test_refused(self) -> None:
        """Requests that make no sense are told so, with the reason."""
        for error, status in (
            (errors.BadRequest("from is missing"), 422),
            (errors.AssistantNotFound("no such assistant"), 422),
            (errors.Unauthenticated("no key"), 403),
            (errors.Forged("another application"), 403),
            (errors.ContextNotFound("unknown"), 404),
        ):
            document = VONAGE.apology(error)
            self.assertEqual(document.status, status)
            self.assertEqual(ncco(document), {"error": str(error), "reason": error.reason})

    def test_never_repeated(self) -> None:
        """No error of the house has a status that Vonage tries again for."""
        kinds = [errors.CallError]
        for kind in kinds:
            kinds += kind.__subclasses__()
            error = kind.__new__(kind, "x")  # whatever else its constructor wants
            self.assertNotIn(VONAGE.apology(error).status, (429, 500, 502, 503, 504), kind)

    def test_long(self) -> None:
        """Vonage speaks 1500 characters."""

        class Wordy(errors.CallError):
            spoken = "a" * 2000

        self.assertEqual(len(ncco(VONAGE.apology(Wordy()))[0]["text"]), 1500)


def event(**fields: Any) -> CarrierEvent:
    return VONAGE.read_event(post(**fields))


class ReadEventTests(SynchronousTestCase):
    NAMES = (
        ({"status": "started"}, "status.started"),
        ({"status": "completed", "duration": "12"}, "status.completed"),
        ({"status": "cancelled"}, "status.cancelled"),
        ({"status": "to be invented"}, "status.to-be-invented"),
        ({"status": "completed", "to": MEDIA, "direction": "outbound"}, "stream.completed"),
        ({"status": "failed", "to": {"type": "websocket", "uri": MEDIA}}, "stream.failed"),
        ({"status": "disconnected"}, "stream.disconnected"),
        ({"status": "human"}, "machine.human"),
        ({"status": "machine", "sub_state": "beep_start"}, "machine.machine"),
        ({"recording_url": "https://api.nexmo.com/v1/files/1"}, "recording.completed"),
        ({"dtmf": {"digits": "12", "timed_out": False}}, "input"),
        ({"speech": {"results": []}}, "input"),
        ({"conversation_uuid_from": "CON-1", "conversation_uuid_to": "CON-2"}, "transfer"),
        ({"reason": "Syntax error in NCCO."}, "error"),
        ({"type": "Audio:Done"}, "audio-done"),
    )

    def test_names(self) -> None:
        """Each kind of event has its name; the socket's leg has names of its own."""
        for fields, name in self.NAMES:
            self.assertEqual(event(**fields).name, name, fields)

    def test_call(self) -> None:
        """An event is found by the leg's name and by the conversation's."""
        told = event(**CALL, status="answered", network=None)
        expected = {**CALL, "status": "answered"}
        self.assertEqual((told.name, told.call_ids), ("status.answered", (LEG, CONVERSATION)))
        self.assertEqual(told.data, expected)

    def test_other_names(self) -> None:
        """The older form of answering machine detection, and a transfer."""
        self.assertEqual(event(status="human", call_uuid=LEG).call_ids, (LEG,))
        moved = event(conversation_uuid_from=CONVERSATION, conversation_uuid_to="CON-2")
        self.assertEqual(moved.call_ids, (CONVERSATION,))

    def test_get(self) -> None:
        """Applications may be set to GET."""
        self.assertEqual(VONAGE.read_event(get(status="ringing")).name, "status.ringing")

    def test_flat(self) -> None:
        """What is nested becomes JSON; neither our key nor our address is kept."""
        told = event(status="answered", to=MEDIA, headers={"assistant_id": "123"}, rate=0.01)
        expected = {"status": "answered", "headers": '{"assistant_id": "123"}', "rate": "0.01"}
        self.assertEqual(told.data, expected)

    def test_nothing(self) -> None:
        """Nothing that is known is no event."""
        for fields in ({}, {"uuid": LEG}, {"status": None}):
            self.assertRaises(BadRequest, event, **fields)

    @given(st.dictionaries(st.sampled_from((*CALL, "status", "type", "reason")), st.text()))
    def test_anything(self, fields: dict[str, str]) -> None:
        """Whatever comes is an event of printable texts or a BadRequest."""
        try:
            told = VONAGE.read_event(WebhookRequest("POST", "/", json=fields))
        except BadRequest:
            return
        for text in (told.name, *told.data.values()):
            self.assertTrue(text.isprintable())
