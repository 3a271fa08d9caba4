"""Carriers' webhooks, from the bytes of the request to the bytes of the answer."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher

from rapida_tw.carriers.base import IncomingCall
from rapida_tw.errors import (
    AssistantNotFound,
    CapacityExceeded,
    MisconfiguredAssistant,
    Unavailable,
)
from tests.web.case import Response, WebCase, failing
from tests.web.fakes import ASSISTANT, CONTEXT_ID, KEY, OTHER_KEY, OTHER_PROJECT, PROJECT

CALL = f"/v1/talk/asterisk/call/{ASSISTANT}"
FORM = "application/x-www-form-urlencoded"


class CallTests(WebCase):
    def call(self, query: str, key: str = KEY) -> Response:
        return self.get(f"{CALL}?{query}&x-api-key={key}", key=None)

    def test_answer(self) -> None:
        """The bare id of the context, and nothing else."""
        response = self.call("from=15551234567")
        self.assertEqual((response.status, response.body), (200, CONTEXT_ID.encode()))
        self.assertEqual(response.headers["content-type"], "text/plain; charset=utf-8")
        self.assertNotIn("x-rapida-error", response.headers)

    def test_registered(self) -> None:
        """The register hears of the caller, the assistant and the key's project."""
        self.call("from=+15551234567&to=100&channel_id=1700.1&transfer=1")
        incoming = IncomingCall("asterisk", "+15551234567", "100", "1700.1", {"transfer": "1"})
        self.assertEqual(self.calls.registered, [(incoming, ASSISTANT, PROJECT)])

    def test_encoded_plus(self) -> None:
        """`from=${URIENCODE(…)}` says the same."""
        self.call("from=%2B15551234567")
        self.assertEqual(self.calls.registered[0][0].caller, "+15551234567")

    def test_anonymous(self) -> None:
        """`from=` with nothing behind it is how the brief's dialplan names a hidden caller."""
        for query in ("from=", "from", "from=anonymous"):
            self.assertEqual(self.call(query).status, 200, query)
        self.assertEqual({call.caller for call, _, _ in self.calls.registered}, {""})

    def test_key_in_header(self) -> None:
        """`CURLOPT(httpheader)` may carry the key."""
        self.assertEqual(self.get(f"{CALL}?from=1").status, 200)

    def test_post(self) -> None:
        """CURL() with data posts a form."""
        response = self.send("POST", CALL, b"from=%2B1555&channel_id=9", Content_Type=FORM)
        self.assertEqual(response.body, CONTEXT_ID.encode())
        self.assertEqual(self.calls.registered[0][0].caller, "+1555")

    def test_project(self) -> None:
        """A key opens its own project's assistants."""
        self.call("from=1", key=OTHER_KEY)
        self.assertEqual(self.calls.registered[0][2], OTHER_PROJECT)

    def refused(self, response: Response, status: int, reason: str) -> None:
        self.assertEqual((response.status, response.body), (status, b""))
        self.assertTrue(response.headers["x-rapida-error"].startswith(reason), response.headers)
        self.assertEqual(response.headers["content-length"], "0")
        self.assertEqual(self.calls.registered, [])

    def test_wrong_key(self) -> None:
        """403, no body, and the key is not repeated."""
        response = self.call("from=1", key="rpd-wrong")
        self.refused(response, 403, "unauthenticated")
        self.assertNotIn("rpd-wrong", str(response.headers))

    def test_no_key(self) -> None:
        """403, no body."""
        self.refused(self.get(f"{CALL}?from=1", key=None), 403, "unauthenticated")

    def test_no_caller(self) -> None:
        """400, no body: a dialplan with a mistake in it."""
        self.refused(self.call("channel_id=1"), 400, "bad-request: from is missing")

    def test_bad_id(self) -> None:
        """400, no body: what stands there is no id."""
        for text in ("abc", "12x", "-1", "0", "1.5", "%D9%A3"):
            response = self.get(f"/v1/talk/asterisk/call/{text}?from=1")
            self.refused(response, 400, "bad-request")

    def test_no_id(self) -> None:
        """404, no body: ${ASSISTANT_ID} was empty."""
        self.refused(self.get("/v1/talk/asterisk/call/?from=1"), 404, "no-such-route")

    def test_large_id(self) -> None:
        """404, no body: no id has more than 63 bits."""
        for number in (2**63, 10**30):
            response = self.get(f"/v1/talk/asterisk/call/{number}?from=1")
            self.refused(response, 404, "assistant-not-found")

    def test_refusals_of_the_register(self) -> None:
        """Each with its own status, no body."""
        for error in (
            AssistantNotFound("no assistant 1"),
            CapacityExceeded("draining"),
            MisconfiguredAssistant("no recognizers named 'x'"),
            Unavailable("the database is away"),
        ):
            self.calls.refusal = error
            self.refused(self.call("from=1"), error.status, f"{error.reason}: {error}")

    def test_bug(self) -> None:
        """500, no body, nothing of the exception; the log has it."""
        self.calls.refusal = KeyError("secret")
        response = self.call("from=1")
        self.refused(response, 500, "internal-error")
        self.assertNotIn("secret", str(response.headers))
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_wrong_method(self) -> None:
        """405, no body."""
        self.refused(self.send("PUT", f"{CALL}?from=1"), 405, "method-not-allowed")

    def test_large_body(self) -> None:
        """413, no body."""
        response = self.send("POST", CALL, b"from=1&x=" + b"x" * (1 << 20), Content_Type=FORM)
        self.refused(response, 413, "body-too-large")

    def test_many_fields(self) -> None:
        """400, no body."""
        response = self.send("POST", CALL, b"&".join([b"a=1"] * 300), Content_Type=FORM)
        self.refused(response, 400, "bad-request")

    def test_no_answer(self) -> None:
        """503 after half a minute, no body, though the register is silent."""
        self.calls.answer = Deferred()
        connection = self.ask("GET", f"{CALL}?from=1")
        self.assertEqual(connection.transport.value(), b"")
        self.clock.advance(30)
        response = connection.response()
        self.assertEqual((response.status, response.body), (503, b""))
        connection.close()

    def test_logged(self) -> None:
        """A refused call is one line of the log, with the reason and without the key."""
        events: list[dict[str, object]] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        self.calls.refusal = CapacityExceeded("draining")
        self.call("from=1")
        warnings = [event for event in events if str(event["log_level"]).endswith("warn>")]
        self.assertEqual(len(warnings), 1)
        self.assertEqual(warnings[0]["reason"], "capacity-exceeded")
        self.assertNotIn(KEY, repr(events))

    def test_unknown_carrier(self) -> None:
        """No plug-in of that name: JSON, since nobody knows what it would understand."""
        response = self.get(f"/v1/talk/pigeon/call/{ASSISTANT}?from=1")
        self.assertEqual((response.status, response.error), (404, "not-found"))


class NextTests(WebCase):
    PATH = f"/v1/talk/asterisk/ctx/{CONTEXT_ID}/next"

    def test_target(self) -> None:
        """The bare target, once."""
        self.calls.targets[CONTEXT_ID] = "+15559876543"
        response = self.get(f"{self.PATH}?x-api-key={KEY}", key=None)
        self.assertEqual((response.status, response.body), (200, b"+15559876543"))
        self.assertTrue(response.headers["content-type"].startswith("text/plain"))
        self.assertEqual(self.get(self.PATH).body, b"")

    def test_none(self) -> None:
        """A call that was not transferred: 200 and nothing."""
        response = self.get(self.PATH)
        self.assertEqual((response.status, response.body), (200, b""))

    def test_key(self) -> None:
        """Who has no key learns nothing, and nothing could be taken for a target."""
        self.calls.targets[CONTEXT_ID] = "+15559876543"
        response = self.get(self.PATH, key=None)
        self.assertEqual((response.status, response.body), (403, b""))
        self.assertEqual(self.get(self.PATH).body, b"+15559876543")

    def test_store_is_away(self) -> None:
        """A failure is no target either."""
        self.patch(self.calls, "follow_up", lambda _: failing(Unavailable("redis is away")))
        response = self.get(self.PATH)
        self.assertEqual((response.status, response.body), (503, b""))
