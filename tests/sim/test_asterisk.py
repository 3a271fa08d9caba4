from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from treq.client import HTTPClient
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from rapida_tw.sim.asterisk import HTTP_TIMEOUT, Asterisk, Dialplan
from rapida_tw.sim.audiosocket import CONTEXT, FakeAsterisk, packet
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import CallFailed
from tests.sim.peers import RecordingPhone

CALL = "66bc093d-34ab-4436-8e47-83e4fa85f361"


class Web(Resource):
    """Answers every request with one status, body and headers; records the requests."""

    isLeaf = True

    def __init__(self, body: bytes, code: int = 200, headers: Mapping[str, str] | None = None):
        super().__init__()
        self.answer = (body, code, headers or {})
        self.requests: list[Any] = []

    def render(self, request: Any) -> Any:
        self.requests.append(request)
        body, code, headers = self.answer
        if not code:
            return NOT_DONE_YET
        request.setResponseCode(code)
        for name, value in headers.items():
            request.setHeader(name, value)
        return body


class AsteriskTests(SynchronousTestCase):
    def asterisk(self, web: Web, key_in_header: bool = False) -> Asterisk:
        self.web = web
        self.reactor = MemoryReactorClock()
        self.agent = RequestTraversalAgent(web)
        plan = Dialplan(
            "http://pbx.test:9007/",
            "123",
            "rpd-key",
            "127.0.0.1",
            4_573,
            "+1555",
            "17.1",
            key_in_header,
        )
        return Asterisk(self.reactor, plan, HTTPClient(self.agent))

    def context(self, web: Web) -> Deferred[UUID]:
        context = self.asterisk(web).context()
        self.agent.flush()
        return context

    def assertFails(self, web: Web, why: str) -> None:
        failure = self.failureResultOf(self.context(web), CallFailed)
        self.assertIn(why, str(failure.value))

    def test_request(self) -> None:
        """Phase 1 is the GET of the published dialplan, its values quoted."""
        self.successResultOf(self.context(Web(CALL.encode())))
        (request,) = self.web.requests
        self.assertEqual(
            request.uri,
            b"/v1/talk/asterisk/call/123?from=%2B1555&channel_id=17.1&x-api-key=rpd-key",
        )
        self.assertEqual(request.getHeader("user-agent"), "asterisk-libcurl-agent/1.0")

    def test_key_in_header(self) -> None:
        """The key can go into a header instead, and is then not in the URL."""
        asterisk = self.asterisk(Web(CALL.encode()), key_in_header=True)
        asterisk.context()
        (request,) = self.web.requests
        self.assertEqual(request.getHeader("x-api-key"), "rpd-key")
        self.assertNotIn(b"key", request.uri)

    def test_context(self) -> None:
        """The body is the UUID, in any case, and blanks at its end are trimmed."""
        for body in (CALL, CALL.upper(), f"{CALL}\r\n "):
            context = self.successResultOf(self.context(Web(body.encode())))
            self.assertEqual(context, UUID(CALL))

    def test_no_context(self) -> None:
        """An empty body goes to the dialplan's error branch."""
        self.assertFails(Web(b""), "empty CTX")

    def test_not_a_uuid(self) -> None:
        """What Asterisk's parser refuses is refused: other forms, leading blanks, error texts."""
        for body in (CALL.replace("-", ""), f"{{{CALL}}}", f" {CALL}", f'"{CALL}"', "not found"):
            self.assertFails(Web(body.encode()), "Failed to parse UUID")

    def test_error_status(self) -> None:
        """An error's reason is told, from the header where there is one."""
        self.assertFails(
            Web(b"", 404, {"x-rapida-error": "assistant-not-found"}), "HTTP 404: assis"
        )
        self.assertFails(Web(b"a page", 500), "HTTP 500: a page")

    def test_long_body(self) -> None:
        """A body without an end is not gathered."""
        self.assertFails(Web(b"x" * 100_000), "")

    def test_no_answer(self) -> None:
        """A server that does not answer is given up after 5 s."""
        context = self.context(Web(b"", 0))
        self.assertNoResult(context)
        self.reactor.advance(HTTP_TIMEOUT + 1)
        self.failureResultOf(context, CallFailed)

    def test_key_is_kept_secret(self) -> None:
        """The key is in no repr."""
        self.assertNotIn("rpd-key", repr(Dialplan("http://x", "1", "rpd-key")))

    def call(self) -> tuple[Deferred[FakeAsterisk], RecordingPhone]:
        phone = RecordingPhone()
        asterisk = self.asterisk(Web(CALL.encode()))
        calling = asterisk.call(phone, Metronome(Clock()))
        self.agent.flush()
        return calling, phone

    def test_call(self) -> None:
        """Phase 2 connects to the AudioSocket port with the UUID of phase 1."""
        calling, phone = self.call()
        ((host, port, factory, _, _),) = self.reactor.tcpClients
        self.assertEqual((host, port), ("127.0.0.1", 4_573))

        transport = StringTransport()
        transport.setTcpNoDelay = lambda enabled: None  # type: ignore[attr-defined]
        protocol = factory.buildProtocol(None)
        protocol.makeConnection(transport)
        line = self.successResultOf(calling)
        self.assertIs(phone.line, line)
        self.assertEqual(transport.value(), packet(CONTEXT, UUID(CALL).bytes))

    def test_nobody_listens(self) -> None:
        """A server that cannot be reached ends the call with the address."""

        calling, phone = self.call()
        factory = self.reactor.tcpClients[0][2]
        factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
        self.reactor.advance(1.0)  # until the endpoint knows that there is no other address
        failure = self.failureResultOf(calling, CallFailed)
        self.assertIn("AudioSocket(127.0.0.1:4573)", str(failure.value))
        self.assertIsNone(phone.line)
