"""The port as a whole: limits, errors, and what the log may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher

from rapida_tw.carriers.base import Document, IncomingCall, WebhookRequest
from rapida_tw.errors import BadRequest, CallError, Unavailable
from rapida_tw.web.request import CLOSED_WITHIN
from rapida_tw.web.site import COMPLETE_WITHIN, redacted
from tests.web.case import WebCase, failing, request_bytes
from tests.web.fakes import KEY

PATH = "/v1/assistants"
JSON = "application/json"


class ErrorTests(WebCase):
    def test_unknown_address(self) -> None:
        """404 in JSON."""
        response = self.get("/nowhere", key=None)
        self.assertEqual((response.status, response.error), (404, "no-such-route"))
        self.assertEqual((response.json["code"], response.json["success"]), (404, False))
        self.assertEqual(response.headers["content-type"], JSON)

    def test_wrong_method(self) -> None:
        """405 in JSON, with the methods that there are (RFC 9110, section 15.5.6)."""
        response = self.send("PUT", PATH, {})
        self.assertEqual((response.status, response.error), (405, "method-not-allowed"))
        self.assertEqual(response.headers["allow"], "GET, HEAD, POST")

    def test_bug(self) -> None:
        """500 in JSON without the exception's text; the log has it."""
        self.patch(self.assistants, "page", lambda *_: failing(KeyError("secret")))
        response = self.get(PATH)
        self.assertEqual((response.status, response.error), (500, "internal-error"))
        self.assertNotIn(b"secret", response.body)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_own_fault(self) -> None:
        """An error of ours that says no more than "500" is a bug too: its text stays here."""
        self.patch(self.assistants, "page", lambda *_: failing(CallError("secret")))
        response = self.get(PATH)
        self.assertEqual((response.status, response.error), (500, "internal-error"))
        self.assertNotIn(b"secret", response.body)
        self.assertEqual(len(self.flushLoggedErrors(CallError)), 1)

    def test_unavailable(self) -> None:
        """503 with a sentence for people."""
        self.patch(self.assistants, "page", lambda *_: failing(Unavailable("no database")))
        response = self.get(PATH)
        self.assertEqual((response.status, response.error), (503, "unavailable"))
        self.assertEqual(response.json["error"]["errorMessage"], "no database")
        self.assertTrue(response.json["error"]["humanMessage"].endswith("."))

    def test_no_answer_in_time(self) -> None:
        """A store that hangs does not hang its clients."""
        self.patch(self.assistants, "page", lambda *_: Deferred())
        connection = self.ask("GET", PATH)
        self.clock.advance(29)
        self.assertEqual(connection.transport.value(), b"")
        self.clock.advance(1)
        self.assertEqual(connection.response().status, 503)
        connection.close()

    def test_client_gone(self) -> None:
        """What nobody waits for is cancelled, silently."""
        cancelled: list[object] = []
        self.patch(self.assistants, "page", lambda *_: Deferred(cancelled.append))
        self.ask("GET", PATH).close()
        self.assertEqual(len(cancelled), 1)

    def test_slashes(self) -> None:
        """A slash too many is no reason to send anybody elsewhere."""
        for path in (f"{PATH}/", f"/{PATH}"):
            self.assertEqual(self.get(path).status, 200, path)

    def test_path_is_no_text(self) -> None:
        """400, in JSON and without a traceback."""
        for target in ("/%ff%fe", "/v1/assistants/%80", "/v1/talk/asterisk/call/%c3?from=1"):
            self.assertEqual(self.get(target).status, 400, target)

    def test_host_is_no_name(self) -> None:
        """400, in JSON and without a traceback."""
        for host in ("x" * 64, "a..b", "\xe9"):
            connection = self.connect()
            connection.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
            self.assertEqual(connection.response().status, 400, host)
            connection.close()

    def test_not_http(self) -> None:
        """Garbage is answered and cut off."""
        for garbage in (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET\r\n\r\n", b"\0\r\n"):
            connection = self.connect()
            connection.send(garbage)
            self.assertTrue(connection.closed)
            self.assertTrue(connection.transport.value().startswith(b"HTTP/1.1 400"))

    def test_after_an_error(self) -> None:
        """The connection lives on."""
        connection = self.connect()
        connection.send(request_bytes("GET", "/nowhere"))
        connection.transport.clear()
        connection.send(request_bytes("GET", "/healthz/"))
        self.assertEqual(connection.response().status, 200)
        connection.close()


class LimitTests(WebCase):
    def test_body(self) -> None:
        """A MiB and a byte: 413 when it has come."""
        body = b'"' + b"x" * (1 << 20)
        response = self.send("POST", PATH, body, Content_Type=JSON)
        self.assertEqual((response.status, response.error), (413, "body-too-large"))

    def test_largest_body(self) -> None:
        """A MiB is looked at."""
        body = b'"' + b"x" * ((1 << 20) - 2) + b'"'
        response = self.send("POST", PATH, body, Content_Type=JSON)
        self.assertEqual((response.status, response.error), (400, "bad-request"))

    def test_chunked_body(self) -> None:
        """A body without a length is measured as it comes."""
        connection = self.connect()
        head = request_bytes("POST", PATH, key=KEY, Transfer_Encoding="chunked")
        connection.send(head)
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(17):
            connection.send(chunk)
        connection.send(b"0\r\n\r\n")
        self.assertEqual(connection.response().status, 413)
        connection.close()

    def test_endless_body(self) -> None:
        """What goes on for ever is cut off, and was not kept."""
        connection = self.connect()
        connection.send(request_bytes("POST", PATH, key=KEY, Transfer_Encoding="chunked"))
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        sent = 0
        while not connection.closed and sent < 32:
            connection.send(chunk)
            sent += 1
        self.assertEqual(sent, 17)
        self.assertTrue(connection.transport.value().startswith(b"HTTP/1.1 413"))

    def test_enormous_length(self) -> None:
        """A length beyond all patience is refused before the first byte."""
        connection = self.connect()
        connection.send(request_bytes("POST", PATH, key=KEY, Content_Length=str(1 << 40)))
        self.assertTrue(connection.closed)
        self.assertTrue(connection.transport.value().startswith(b"HTTP/1.1 413"))

    def test_slow_request(self) -> None:
        """A byte now and then does not keep a connection."""
        connection = self.connect()
        for _ in range(COMPLETE_WITHIN):
            self.assertFalse(connection.closed)
            connection.send(b"X")
            self.clock.advance(1)
        self.assertTrue(connection.closed)

    def test_idle(self) -> None:
        """A connection that asks nothing more is closed after the same time."""
        connection = self.connect()
        self.clock.advance(COMPLETE_WITHIN - 1)
        connection.send(request_bytes("GET", "/healthz/"))
        self.clock.advance(COMPLETE_WITHIN - 1)
        self.assertFalse(connection.closed)
        self.clock.advance(1)
        self.assertTrue(connection.closed)

    def test_never_closed(self) -> None:
        """A client that does not close, as Twisted's TLS waits for it to, is cut off."""
        connection = self.connect()
        aborted: list[bool] = []
        transport: Any = connection.transport
        transport.loseConnection = lambda: None
        transport.abortConnection = lambda: aborted.append(True)
        connection.send(request_bytes("GET", "/healthz/", Connection="close"))
        self.clock.advance(CLOSED_WITHIN - 1)
        self.assertEqual(aborted, [])
        self.clock.advance(1)
        self.assertEqual(aborted, [True])

    def test_long_address(self) -> None:
        """414 before the line has ended."""
        connection = self.connect()
        connection.send(b"GET /" + b"x" * 20_000)
        self.assertTrue(connection.closed)
        self.assertTrue(connection.transport.value().startswith(b"HTTP/1.1 414"))

    def test_many_parameters(self) -> None:
        """400 for a query with thousands of them."""
        self.assertEqual(self.get(PATH + "?" + "a&" * 5000).status, 400)

    def test_tls_protocols(self) -> None:
        """No HTTP/2 is offered: Twisted's would know none of the limits."""
        self.assertEqual(self.site.acceptableProtocols(), [b"http/1.1"])

    def test_no_timer(self) -> None:
        """A site that listens leaves no timer behind (tearDown looks)."""
        self.site.doStart()
        self.site.doStop()


class LogTests(WebCase):
    def setUp(self) -> None:
        super().setUp()
        self.events: list[dict[str, Any]] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)

    def test_one_line(self) -> None:
        """Each request is one line at debug level."""
        self.get("/healthz/?a=b", key=None)
        lines = [event for event in self.events if "uri" in event]
        self.assertEqual([line["uri"] for line in lines], ["/healthz/?a=b"])
        self.assertEqual(lines[0]["status"], 200)

    def test_no_key(self) -> None:
        """No event of a request holds the key of its query, however it is written."""
        for name in ("x-api-key", "X-API-Key", "x%2Dapi%2dkey"):
            self.get(f"{PATH}?page=0&{name}={KEY}", key=None)
            self.get(f"/nowhere?{name}={KEY}", key=None)
        self.assertNotIn(KEY, repr(self.events))
        self.assertTrue(self.events)

    def test_redacted(self) -> None:
        """The rest of the query can be read."""
        self.assertEqual(redacted(b"/a?b=1&x-api-key=k&c"), "/a?b=1&x-api-key=***&c")
        self.assertEqual(redacted(b"/a"), "/a")

    def test_headers(self) -> None:
        """Answers name us, not the version of Twisted, and are not to be guessed at."""
        response = self.get("/healthz/", key=None)
        self.assertEqual(response.headers["server"], "rapida_tw")
        self.assertEqual(response.headers["x-content-type-options"], "nosniff")


class CarrierFormTests(WebCase):
    def test_form_of_the_carrier(self) -> None:
        """Below a carrier's address errors are told in the carrier's words, and nowhere else."""

        class Polite:
            name = "polite"
            credential_fields: Mapping[str, str] = {}

            def read_call(self, request: WebhookRequest) -> IncomingCall:
                raise BadRequest("not a word of a call")

            def apology(self, error: Exception) -> Document:
                return Document(b"<Sorry/>", "text/xml", 200)

        self.make_site(carriers={"polite": Polite()})
        answer = self.get("/v1/talk/polite/call/x")
        self.assertEqual((answer.status, answer.body), (200, b"<Sorry/>"))
        self.assertEqual(self.get("/v1/talk/polite/nowhere").body, b"<Sorry/>")
        self.assertEqual(self.get("//v1/talk/polite/call/x").body, b"<Sorry/>")
        self.assertEqual(self.get("/v1/talk/polite").error, "no-such-route")

        # What is not read to a caller is no success.
        answer = self.get("/v1/talk/polite/ctx/x/next", key=None)
        self.assertEqual((answer.status, answer.body), (403, b"<Sorry/>"))
        self.assertEqual(self.get("/v1/talk/asterisk/nowhere").error, "no-such-route")
