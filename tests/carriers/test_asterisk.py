"""What the dialplan asks, and what it may be told."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.carriers.asterisk import ASTERISK, ERROR_HEADER
from rapida_tw.carriers.base import IncomingCall, Invitation, WebhookRequest
from rapida_tw.errors import AssistantNotFound, BadRequest, CallError, CapacityExceeded

UUID = "66bc093d-34ab-4436-8e47-83e4fa85f361"


def read(**query: str) -> IncomingCall:
    return ASTERISK.read_call(
        WebhookRequest(
            "GET", "/", {"from" if name == "from_" else name: query[name] for name in query}
        )
    )


class ReadCallTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """Every parameter of the brief has its place."""
        call = read(from_="+15551234567", to="100", channel_id="1700000000.12")
        self.assertEqual(call, IncomingCall("asterisk", "+15551234567", "100", "1700000000.12", {}))

    def test_lost_plus(self) -> None:
        """`from=+1555…` unencoded arrives with a blank for the plus."""
        self.assertEqual(read(from_=" 15551234567").caller, "+15551234567")

    def test_withheld(self) -> None:
        """A caller who shows no number is a caller."""
        for number in ("", "anonymous", "Anonymous", "restricted", "unavailable", "unknown"):
            self.assertEqual(read(from_=number).caller, "", number)

    def test_missing(self) -> None:
        """Without any `from` it is no call."""
        error = self.assertRaises(BadRequest, read, to="100")
        self.assertIn("from", str(error))

    def test_other_names(self) -> None:
        """The names that other dialplans use."""
        for name in ("caller", "callerid"):
            self.assertEqual(read(**{name: "1"}).caller, "1")
        for name in ("extension", "dnid"):
            self.assertEqual(read(from_="1", **{name: "100"}).callee, "100")

    def test_form(self) -> None:
        """`CURL()` with a second argument posts a form."""
        webhook = WebhookRequest("POST", "/", {"x-api-key": "k"}, {"from": "1"})
        self.assertEqual(ASTERISK.read_call(webhook).caller, "1")

    def test_transfer_announced(self) -> None:
        """A dialplan that asks for the target afterwards says so; others do not take transfers."""
        self.assertEqual(read(from_="1", transfer="1").metadata, {"transfer": "1"})
        self.assertEqual(read(from_="1", transfer="0").metadata, {})

    def test_unprintable(self) -> None:
        """A caller chooses its SIP user freely: no control character gets any further."""
        self.assertEqual(read(from_="15\r\n\x00551\x1b").caller, "15551")

    def test_too_long(self) -> None:
        """Nobody's number has 129 characters."""
        self.assertRaises(BadRequest, read, from_="1" * 129)


class AnswerTests(SynchronousTestCase):
    def test_bare(self) -> None:
        """The id and not one byte more: it becomes an argument of AudioSocket()."""
        invitation = Invitation(UUID, "", "", 1, 2, read(from_="1"))
        document = ASTERISK.answer(invitation, WebhookRequest("GET", "/"))
        self.assertEqual(document.body, UUID.encode())
        self.assertTrue(document.content_type.startswith("text/plain"))
        self.assertEqual(document.status, 200)


class ApologyTests(SynchronousTestCase):
    def test_empty(self) -> None:
        """CURL() would take a text for the UUID: the reason is in a header."""
        document = ASTERISK.apology(CapacityExceeded("draining"))
        self.assertEqual((document.body, document.status), (b"", 503))
        self.assertEqual(document.headers[ERROR_HEADER], "capacity-exceeded: draining")

    def test_status(self) -> None:
        """The real status goes with it, for `CURLOPT(failurecodes)`."""
        for error in (AssistantNotFound(), BadRequest(), CallError()):
            document = ASTERISK.apology(error)
            self.assertEqual(document.status, error.status)
            self.assertEqual(document.headers[ERROR_HEADER], error.reason)

    @given(st.text())
    @example("\0\x1b\r\nX-Api-Key: k")
    def test_header(self, text: str) -> None:
        """Whatever the text, the header is one line of ASCII."""
        value = ASTERISK.apology(BadRequest(text)).headers[ERROR_HEADER]
        self.assertTrue(value.isascii())
        self.assertTrue(value.startswith("bad-request"))
        self.assertNotIn("\n", value)
        self.assertNotIn("\r", value)
        self.assertNotIn("\0", value)
