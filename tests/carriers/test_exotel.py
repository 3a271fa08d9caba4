"""What Exotel's applets ask, and what they are answered; who may open the socket."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw import errors
from rapida_tw.carriers.base import IncomingCall, Invitation, WebhookRequest
from rapida_tw.carriers.exotel import EXOTEL
from rapida_tw.errors import BadRequest, Forged, MisconfiguredAssistant

DATA = Path(__file__).parents[1] / "data" / "exotel"
CALL = dict(parse_qsl((DATA / "voicebot.query").read_text().strip(), keep_blank_values=True))
CONTEXT = "66bc093d-34ab-4436-8e47-83e4fa85f361"
MEDIA = f"wss://voice.example/v1/talk/exotel/ctx/{CONTEXT}"
JSON_ANSWER = {"url": MEDIA}


def get(accept: str = "*/*", **query: str) -> WebhookRequest:
    return WebhookRequest("GET", "/", query, headers={"accept": accept})


def invite(**options: Any) -> Invitation:
    incoming = IncomingCall("exotel", "09800000001", "08000000002")
    return Invitation(CONTEXT, MEDIA, "", 123, 456, incoming, options)


class ReadCallTests(SynchronousTestCase):
    EXPECTED = IncomingCall(
        "exotel", "09800000001", "08000000002", "a1b2c3d4e5f60718293a4b5c6d7e8f90"
    )

    def test_captured(self) -> None:
        """A request of the Voicebot applet, by any method; its numbers stay as they are."""
        for request in (
            WebhookRequest("GET", "/", CALL),
            WebhookRequest("HEAD", "/", CALL),
            WebhookRequest("POST", "/", form=CALL),
            WebhookRequest("POST", "/", json=CALL),
        ):
            self.assertEqual(EXOTEL.read_call(request), self.EXPECTED)

    def test_second_names(self) -> None:
        """Where the first names are missing or empty, From and To are good enough."""
        for query in ({"From": "1", "To": "2"}, {"CallFrom": "", "From": "1", "to": "2"}):
            call = EXOTEL.read_call(WebhookRequest("GET", "/", query))
            self.assertEqual((call.caller, call.callee), ("1", "2"))

    def test_withheld(self) -> None:
        """A caller who shows no number is a caller."""
        for number in ("", "anonymous"):
            self.assertEqual(EXOTEL.read_call(get(CallFrom=number)).caller, "")

    def test_missing(self) -> None:
        """Without a caller it is no call."""
        error = self.assertRaises(BadRequest, EXOTEL.read_call, get(CallTo="1"))
        self.assertIn("CallFrom", str(error))

    def test_custom_field(self) -> None:
        """Ours, from a call that the API has placed; as long as Exotel takes it."""
        call = EXOTEL.read_call(get(CallFrom="1", CustomField="order 7" + "x" * 200))
        self.assertEqual(call.metadata, {"CustomField": ("order 7" + "x" * 200)[:128]})


class AnswerTests(SynchronousTestCase):
    def test_json(self) -> None:
        """The one key that the applet reads."""
        document = EXOTEL.answer(invite(), get())
        self.assertEqual((document.status, document.content_type), (200, "application/json"))
        self.assertEqual(json.loads(document.body), JSON_ANSWER)

    def test_rate(self) -> None:
        """Another rate than 8000 Hz is asked for by the address; the context stays in the path."""
        for rate, url in ((8000, MEDIA), ("16000", f"{MEDIA}?sample-rate=16000")):
            document = EXOTEL.answer(invite(sample_rate=rate), get())
            self.assertEqual(json.loads(document.body), {"url": url})

    def test_xml(self) -> None:
        """Only for who asks: by the address, by the deployment, or by the header."""
        for request, options in (
            (get(format="xml"), {}),
            (get(), {"answer_format": "xml"}),
            (get("application/xml"), {}),
            (get("text/xml;q=0.9, application/json"), {}),
            (get("application/json", format="XML"), {"answer_format": "json"}),
        ):
            document = EXOTEL.answer(invite(sample_rate=16000, **options), request)
            root = ElementTree.fromstring(document.body)
            self.assertEqual([one.tag for one in root.iter()], ["Response", "Connect", "Stream"])
            self.assertEqual(root[0][0].attrib, {"url": f"{MEDIA}?sample-rate=16000"})
            self.assertEqual((document.status, document.content_type), (200, "text/xml"))

    def test_not_xml(self) -> None:
        """Nobody else gets it."""
        for request, options in (
            (get(""), {}),
            (get("application/json, text/xml"), {}),
            (get("*/*;q=0.8"), {}),
            (get("text/xml"), {"answer_format": "json"}),
            (get("text/xml", format="json"), {}),
            (get(format="yaml"), {}),
        ):
            document = EXOTEL.answer(invite(**options), request)
            self.assertEqual(json.loads(document.body), JSON_ANSWER)

    def test_bad_options(self) -> None:
        """Those of the socket, too: here the carrier can still be told."""
        for options in (
            {"sample_rate": 11025},
            {"encoding": "opus"},
            {"chunk_ms": 7},
            {"answer_format": "yaml"},
            {"strict_chunks": "perhaps"},
        ):
            error = self.assertRaises(
                MisconfiguredAssistant, EXOTEL.answer, invite(**options), get()
            )
            self.assertIn(next(iter(options)), str(error))

    @given(st.text(), st.text())
    def test_injection(self, caller: str, accept: str) -> None:
        """Nothing of the request is in the answer."""
        request = get(accept, CallFrom=caller, CallSid=caller, format="xml")
        expected = EXOTEL.answer(invite(), get(format="xml"))
        self.assertEqual(EXOTEL.answer(invite(), request), expected)

    def test_xml_escaped(self) -> None:
        """Should an address ever hold a quote or an ampersand."""
        invitation = Invitation(CONTEXT, 'wss://x/"><Dial>&', "", 1, 2, invite().incoming)
        document = EXOTEL.answer(invitation, get(format="xml"))
        stream = ElementTree.fromstring(document.body)[0][0]
        self.assertEqual(stream.attrib, {"url": 'wss://x/"><Dial>&'})


class ApologyTests(SynchronousTestCase):
    def test_status(self) -> None:
        """All that Exotel looks at is that it is not 200."""
        for error, status in (
            (errors.BadRequest("CallFrom is missing"), 422),
            (errors.AssistantNotFound("no such assistant"), 422),
            (errors.MisconfiguredAssistant("chunk_ms"), 422),
            (errors.Unauthenticated("no key"), 403),
            (errors.Forged("password"), 403),
            (errors.CapacityExceeded("draining"), 503),
            (errors.VendorFailed("no voice"), 503),
            (errors.CallError(), 503),
        ):
            document = EXOTEL.apology(error)
            self.assertEqual(document.status, status)
            self.assertEqual(
                json.loads(document.body),
                {"error": str(error) or error.reason, "reason": error.reason},
            )


class VerifyTests(SynchronousTestCase):
    SECRETS = {"socket_user": "us\u00e9r", "socket_password": "pass:word"}
    GOOD = "Basic " + b64encode("us\u00e9r:pass:word".encode()).decode()

    def verify(self, authorization: str | None, url: str = MEDIA, **secrets: str) -> bool:
        headers = {} if authorization is None else {"authorization": authorization}
        request = WebhookRequest("GET", "/", headers=headers, url=url)
        return EXOTEL.verify(request, {**self.SECRETS, **secrets}, 0.0)

    def test_password(self) -> None:
        """The applet's own user and password open the socket."""
        self.assertTrue(self.verify(self.GOOD))
        self.assertTrue(self.verify(self.GOOD.replace("Basic", "basic")))

    def test_wrong(self) -> None:
        """Nothing else does."""
        for authorization in (
            None,
            "",
            "Basic",
            "Basic ???",
            "Basic \u00e9",
            "Basic " + b64encode(b"user:pass:word").decode(),
            "Basic " + b64encode("us\u00e9r:pass".encode()).decode(),
            self.GOOD.replace("Basic", "Bearer"),
            "Bearer rpd-" + "a" * 43,
        ):
            error = self.assertRaises(Forged, self.verify, authorization)
            self.assertNotIn("pass:word", str(error))

    def test_nothing_to_check(self) -> None:
        """Webhooks carry no password, and without one stored nothing is asked for."""
        self.assertFalse(self.verify(None, "https://voice.example/v1/talk/exotel/call/1"))
        self.assertFalse(self.verify(self.GOOD, socket_user="", socket_password=""))

    def test_password_alone(self) -> None:
        """A password without a user, or a user without a password, is asked for just as well."""
        for user, password in (("", "secret"), ("user", "")):
            secrets = {"socket_user": user, "socket_password": password}
            good = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
            self.assertTrue(self.verify(good, **secrets))
            self.assertRaises(Forged, self.verify, self.GOOD, **secrets)

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """Whatever stands there is wrong, and nothing worse."""
        for authorization in (text, f"Basic {text}"):
            self.assertRaises(Forged, self.verify, authorization)


class MediaTests(SynchronousTestCase):
    def test_rate(self) -> None:
        """What the address asks for, in either spelling; 8000 Hz otherwise."""
        for query, rate in (
            ({}, 8_000),
            ({"sample-rate": "16000"}, 16_000),
            ({"sample_rate": "24000"}, 24_000),
            ({"sample-rate": "44100"}, 8_000),
            ({"sample-rate": "\u0661"}, 8_000),
        ):
            wire = EXOTEL.media(WebhookRequest("GET", "/", query), {})
            self.assertEqual(wire.format.rate, rate)
