"""HttpTool: requests as they go out, answers as they come in, and ways to fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.interfaces import IConsumer
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import Agent
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.pipeline.http_tool import LONGEST, TIMEOUT, HttpTool, RequestFailed
from rapida_tw.pipeline.tools import Result, Runner

URL = "http://shop.example/orders"
SECRET = "Bearer s3cr3t"
_conforms: type[Runner] = HttpTool


def definition(url: str = URL, method: str = "GET", **options: object) -> dict[str, Any]:
    options = {"tool.endpoint": url, "tool.method": method, **options}
    return {"name": "orders", "description": "Looks up orders.", "options": options}


class _Case(SynchronousTestCase):
    """A real agent over a connection in memory; the test is the service."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.clock = Clock()
        self.logged: list[str] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            self.logged.append(repr(event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)

    def tool(self, *args: Any, **options: Any) -> HttpTool:
        http = HTTPClient(Agent(self.reactor), data_to_body_producer=_Body)
        return HttpTool(definition(*args, **options), http, self.clock)

    def use(self, tool: HttpTool, **arguments: object) -> Deferred[Result]:
        using = tool.use(arguments)
        if self.reactor.tcpClients:
            client: Any = self.reactor.tcpClients[-1]
            self.port: int = client[1]
            self.protocol: Any = client[2].buildProtocol(None)
            self.transport = _Transport()
            self.protocol.makeConnection(self.transport)
        return using

    @property
    def request(self) -> tuple[str, dict[str, str], str]:
        head, _, body = self.transport.sent.decode().partition("\r\n\r\n")
        first, *rest = head.split("\r\n")
        return first, {k.lower(): v for k, _, v in (line.partition(": ") for line in rest)}, body

    def respond(self, body: bytes = b"{}", status: str = "200 OK", *more: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more, "", ""]
        self.protocol.dataReceived("\r\n".join(lines).encode() + body)


@implementer(IBodyProducer)
class _Body:
    """Writes at once; treq's own asks the global reactor for time."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.length = len(data)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._data)
        return succeed(None)

    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def stopProducing(self) -> None: ...


class _Transport:
    """A TCP transport that remembers what it was told."""

    def __init__(self) -> None:
        self.sent = b""
        self.closed = False
        self.disconnecting = False

    def write(self, data: bytes) -> None:
        self.sent += data

    def writeSequence(self, data: list[bytes]) -> None:
        self.sent += b"".join(data)

    def loseConnection(self) -> None:
        self.closed = True

    abortConnection = loseConnection
    stopProducing = loseConnection

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Bodies are small."""

    unregisterProducer = pauseProducing = resumeProducing = lambda self: None


class RequestTests(_Case):
    """What the service gets."""

    def sent(self, tool: HttpTool, **arguments: object) -> tuple[str, str]:
        using = self.use(tool, **arguments)
        self.respond()
        self.successResultOf(using)
        first, _, body = self.request
        return first.removesuffix(" HTTP/1.1"), body

    def test_query(self) -> None:
        """Arguments of a GET go into the query, behind what is there."""
        first, body = self.sent(self.tool(f"{URL}?v=2"), number="a b&c=d", count=3, open=True)
        self.assertEqual(first, "GET /orders?v=2&number=a+b%26c%3Dd&count=3&open=true")
        self.assertEqual(body, "")

    def test_delete(self) -> None:
        """So do those of a DELETE."""
        first, body = self.sent(self.tool(URL, "delete"), number=7)
        self.assertEqual((first, body), ("DELETE /orders?number=7", ""))

    def test_body(self) -> None:
        """Arguments of all others are a JSON body."""
        for method in ("POST", "PUT", "PATCH"):
            first, body = self.sent(self.tool(URL, method), number=7, name="Zoë", tags=["a"])
            self.assertEqual(first, f"{method} /orders")
            self.assertEqual(json.loads(body), {"number": 7, "name": "Zoë", "tags": ["a"]})
            self.assertIn("application/json", self.request[1]["content-type"])

    def test_in_the_url(self) -> None:
        """An argument with a place in the URL goes there, everywhere, and nowhere else."""
        first, body = self.sent(self.tool(f"{URL}/{{id}}/of/{{id}}", "POST"), id=7, note="x")
        self.assertEqual((first, json.loads(body)), ("POST /orders/7/of/7", {"note": "x"}))

    def test_escaped(self) -> None:
        """No argument leaves its place in the path, whatever the caller talks the model into."""
        first, _ = self.sent(self.tool(f"{URL}/{{id}}"), id="../admin?x=1#y z/ü%2F")
        self.assertEqual(first, "GET /orders/..%2Fadmin%3Fx%3D1%23y%20z%2F%C3%BC%252F")

    def test_no_second_round(self) -> None:
        """An argument that looks like a place is only text."""
        first, _ = self.sent(self.tool(f"{URL}/{{a}}/{{b}}"), a="{b}", b="x")
        self.assertEqual(first, "GET /orders/%7Bb%7D/x")

    def test_place_in_the_query(self) -> None:
        """A place in the query is filled and escaped for it."""
        first, _ = self.sent(self.tool(f"{URL}?q={{words}}&v=2"), words="a&v=3")
        self.assertEqual(first, "GET /orders?q=a%26v%3D3&v=2")

    def test_headers(self) -> None:
        """The headers of the definition are sent."""
        tool = self.tool(**{"tool.headers": {"Authorization": SECRET, "X-Count": 3}})
        self.sent(tool)
        headers = self.request[1]
        self.assertEqual((headers["authorization"], headers["x-count"]), (SECRET, "3"))

    def test_host(self) -> None:
        """The service of the definition is asked."""
        self.sent(self.tool("http://shop.example:8080/orders"))
        self.assertEqual((self.port, self.request[1]["host"]), (8080, "shop.example:8080"))


class AnswerTests(_Case):
    """What the model gets."""

    def answer(self, body: bytes, *more: str) -> Any:
        using = self.use(self.tool())
        self.respond(body, "200 OK", *more)
        result = self.successResultOf(using)
        self.assertIsNone(result.end)
        return json.loads(result.text)

    def test_json(self) -> None:
        """JSON is given as what it says."""
        self.assertEqual(self.answer(b'{"open": [9]}'), {"status": 200, "body": {"open": [9]}})

    def test_text(self) -> None:
        """Anything else is text, whatever its bytes."""
        self.assertEqual(self.answer(b"ok \xff")["body"], "ok \ufffd")

    def test_huge(self) -> None:
        """Of a huge answer the beginning is enough, and the rest is not waited for."""
        using = self.use(self.tool())
        self.protocol.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        self.protocol.dataReceived(b"x" * LONGEST)
        self.assertNoResult(using)
        self.protocol.dataReceived(b"x" * LONGEST)
        self.assertEqual(len(json.loads(self.successResultOf(using).text)["body"]), LONGEST)
        self.assertTrue(self.transport.closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_without_length(self) -> None:
        """An answer that ends with its connection is whole."""
        using = self.use(self.tool())
        self.protocol.dataReceived(b"HTTP/1.0 200 OK\r\n\r\nyes")
        self.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(json.loads(self.successResultOf(using).text)["body"], "yes")


class FailureTests(_Case):
    """The model is told in a sentence, and nothing waits for ever."""

    def failing(self, using: Deferred[Result]) -> str:
        return str(self.failureResultOf(using, RequestFailed).value)

    def test_status(self) -> None:
        """Anything but success is a failure with its number."""
        for status in ("404 Not Found", "500 Oops", "304 Same", "199 Odd"):
            using = self.use(self.tool())
            self.respond(b"", status)
            if status[0] != "1":
                self.assertIn(status[:3], self.failing(using))
            else:  # informational: the real answer is still to come
                self.assertNoResult(using)
                using.cancel()
                self.failureResultOf(using, CancelledError)

    def test_redirect(self) -> None:
        """A redirect is not followed: the headers are for this service only."""
        using = self.use(self.tool(**{"tool.headers": {"X-Api-Key": SECRET}}))
        self.respond(b"", "302 Found", "Location: http://other.example/")
        self.assertIn("302", self.failing(using))
        self.assertEqual(len(self.reactor.tcpClients), 1)

    def test_refused(self) -> None:
        """A service that is not there."""
        using = self.tool().use({})
        factory: Any = self.reactor.tcpClients[-1][2]
        factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
        self.reactor.advance(1.0)  # Twisted waits for other addresses of the host
        self.assertIn("ConnectionRefusedError", self.failing(using))

    def test_cut_off(self) -> None:
        """A connection that is lost in the middle of the answer."""
        using = self.use(self.tool())
        self.protocol.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        self.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertIn("did not answer", self.failing(using))

    def test_missing_argument(self) -> None:
        """A place in the URL that the model left empty: nothing is sent."""
        tool = self.tool(f"{URL}/{{id}}/{{day}}")
        self.assertIn("missing arguments: day", self.failing(self.use(tool, id=7)))
        self.assertEqual(self.reactor.tcpClients, [])

    def test_dots(self) -> None:
        """Dots alone would climb up the path, quoted or not."""
        for dots in (".", ".."):
            self.failing(self.use(self.tool(f"{URL}/{{id}}"), id=dots))
        self.assertEqual(self.reactor.tcpClients, [])

    def test_silent_service(self) -> None:
        """No answer in time, before its head or in its body: the connection is closed."""
        for received in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"):
            using = self.use(self.tool())
            self.protocol.dataReceived(received)
            self.clock.advance(TIMEOUT - 0.1)
            self.assertNoResult(using)
            self.clock.advance(0.2)
            self.assertIn("15 s", self.failing(using))
            self.assertTrue(self.transport.closed)

    def test_interrupted(self) -> None:
        """Cancelling closes the connection, before the answer's head and in its body."""
        for received in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"):
            using = self.use(self.tool())
            self.protocol.dataReceived(received)
            using.cancel()
            self.failureResultOf(using, CancelledError)
            self.assertTrue(self.transport.closed)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_secrets(self) -> None:
        """Neither log nor error has a header's value, whatever happens."""
        for happen in (self._refuse, self._break, self._time_out):
            using = self.use(self.tool(**{"tool.headers": {"Authorization": SECRET}}))
            happen()
            self.assertNotIn("s3cr3t", self.failing(using))
        self.assertNotIn("s3cr3t", "".join(self.logged))

    def _refuse(self) -> None:
        self.respond(b"", "403 Forbidden")

    def _break(self) -> None:
        self.protocol.dataReceived(b"no HTTP at all\r\n\r\n")
        self.protocol.connectionLost(Failure(ConnectionDone()))

    def _time_out(self) -> None:
        self.clock.advance(TIMEOUT)


class DefinitionTests(SynchronousTestCase):
    """Mistakes are named before a call comes."""

    def make(self, change: Callable[[dict[str, Any]], object]) -> HttpTool:
        made = definition()
        change(made)
        return HttpTool(made, HTTPClient(Agent(MemoryReactorClock())), Clock())

    def test_mistakes(self) -> None:
        """A bad name, URL, method, or something that is no object."""
        changes: list[Callable[[dict[str, Any]], object]] = [
            lambda d: d.update(name=""),
            lambda d: d.update(name="look up"),
            lambda d: d.update(name="größe"),
            lambda d: d.update(options=["tool.endpoint"]),
            lambda d: d["options"].pop("tool.endpoint"),
            lambda d: d["options"].update({"tool.endpoint": "ftp://shop.example"}),
            lambda d: d["options"].update({"tool.endpoint": "http://[shop"}),
            lambda d: d["options"].update({"tool.method": "TRACE"}),
            lambda d: d["options"].update({"tool.headers": "Authorization: x"}),
        ]
        for change in changes:
            self.assertRaises(MisconfiguredAssistant, self.make, change)

    def test_defaults(self) -> None:
        """GET, no headers, no parameters, and the name for a description."""
        tool = self.make(lambda d: d.update(description="", options={"tool.endpoint": URL}))
        self.assertEqual((tool.tool.name, tool.tool.description), ("orders", "orders"))
        self.assertEqual(tool.tool.parameters["type"], "object")
