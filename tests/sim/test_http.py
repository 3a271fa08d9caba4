from __future__ import annotations

from typing import Any

from treq.client import HTTPClient
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Site

from rapida_tw.sim.http import HttpAnswer, HttpRequest, NoAnswer, form, real_http
from rapida_tw.sim.memory import Network
from rapida_tw.sim.memory_http import memory_http
from tests.sim.peers import run
from tests.sim.test_asterisk import Web

URL = "http://x.test/call?key=secret"


class Posted(Web):
    """Keeps the bodies, too."""

    def render(self, request: Any) -> Any:
        self.body = request.content.read()
        return super().render(request)


class RealHttpTests(SynchronousTestCase):
    def ask(self, web: Web) -> Deferred[HttpAnswer]:
        self.clock = Clock()
        agent = RequestTraversalAgent(web)
        asking = real_http(self.clock, 5.0, HTTPClient(agent))(HttpRequest("GET", URL))
        agent.flush()
        return asking

    def test_request(self) -> None:
        """Method, URL, headers and body go out as they are."""
        web, clock = Posted(b""), Clock()
        site = Site(web, reactor=clock)
        http = real_http(clock, 5.0, memory_http(Network(clock), clock, lambda host, port: site))
        asking = http(HttpRequest("POST", URL, {"X-A": "b", "Host": "y.test"}, b"a=b"))
        run(clock, 0.1)
        self.assertEqual(self.successResultOf(asking).status, 200)
        (request,) = web.requests
        self.assertEqual((request.method, request.uri), (b"POST", b"/call?key=secret"))
        self.assertEqual((request.getHeader("x-a"), web.body), ("b", b"a=b"))
        self.assertEqual(request.requestHeaders.getRawHeaders("host"), ["y.test"])

    def test_answer(self) -> None:
        """Status, headers by lower-case names, body."""
        web = Web(b"body", 201, {"X-Reason": "why"})
        answer = self.successResultOf(self.ask(web))
        self.assertEqual((answer.status, answer.body), (201, b"body"))
        self.assertEqual(answer.headers["x-reason"], "why")

    def test_redirect(self) -> None:
        """It would carry the key to wherever it points: it is not followed."""
        web = Web(b"", 302, {"Location": "/elsewhere"})
        answer = self.successResultOf(self.ask(web))
        self.assertEqual((answer.status, len(web.requests)), (302, 1))

    def test_no_answer(self) -> None:
        """Who does not answer in time is given up."""
        asking = self.ask(Web(b"", 0))
        self.clock.advance(4.9)
        self.assertNoResult(asking)
        self.clock.advance(0.2)
        self.failureResultOf(asking, NoAnswer)

    def test_endless_body(self) -> None:
        """A body that is too long is not gathered."""
        answer = self.successResultOf(self.ask(Web(b"x" * 1_000_000)))
        self.assertEqual(answer.body, b"x" * 65_536)

    def test_cancel(self) -> None:
        """Who asked need not wait, and nothing is left of it."""
        asking = self.ask(Web(b"", 0))
        asking.cancel()
        self.failureResultOf(asking, NoAnswer)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nobody_listens(self) -> None:
        """What kept the server from being reached is in the text."""
        reactor = MemoryReactorClock()
        asking = real_http(reactor, 5.0)(HttpRequest("GET", "http://127.0.0.1:9007/"))
        reactor.tcpClients[0][2].clientConnectionFailed(None, Failure(ConnectionRefusedError()))
        reactor.advance(1.0)
        failure = self.failureResultOf(asking, NoAnswer)
        self.assertIn("refused", str(failure.value))


class ValueTests(SynchronousTestCase):
    def test_post(self) -> None:
        """A form goes into the body, encoded as HTML does."""
        request = form("POST", URL, {"From": "+1 2", "Empty": ""}, {"X-A": "b"})
        self.assertEqual((request.url, request.body), (URL, b"From=%2B1+2&Empty="))
        kind = "application/x-www-form-urlencoded; charset=UTF-8"
        self.assertEqual(request.headers, {"Content-Type": kind, "X-A": "b"})

    def test_get(self) -> None:
        """Or into the query, behind what is there."""
        request = form("GET", URL, {"From": "+1"}, {})
        self.assertEqual((request.url, request.body), (f"{URL}&From=%2B1", b""))
        self.assertEqual(form("GET", "http://x/", {"a": "b"}, {}).url, "http://x/?a=b")

    def test_secret(self) -> None:
        """A request may be logged."""
        request = HttpRequest("GET", URL, {"x-api-key": "secret"})
        self.assertNotIn("secret", repr(request))

    def test_content_type(self) -> None:
        """Without parameters."""
        answer = HttpAnswer(200, {"content-type": "Text/XML; charset=utf-8"})
        self.assertEqual(answer.content_type, "text/xml")
        self.assertEqual(HttpAnswer(200).content_type, "")

    def test_reason(self) -> None:
        """The server's own word, else the beginning of the page, else the status alone."""
        self.assertEqual(HttpAnswer(403, {"x-rapida-error": "no"}, b"x").reason, "HTTP 403: no")
        self.assertEqual(HttpAnswer(500, {}, b"a page").reason, "HTTP 500: a page")
        self.assertEqual(HttpAnswer(500).reason, "HTTP 500")
