from __future__ import annotations

from typing import Any

from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Site

from rapida_tw.sim.memory import Network
from rapida_tw.sim.memory_http import memory_http


class Echo(Resource):
    """Tells what it was asked."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        request.setResponseCode(201)
        request.setHeader("X-Told", request.getHeader("x-tell") or "")
        return b"%s %s %s" % (request.method, request.uri, request.content.read())


class MemoryHttpTests(SynchronousTestCase):
    """Real requests and answers without a socket."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.network = Network(self.clock)
        site = Site(Echo(), reactor=self.clock)
        self.http: HTTPClient = memory_http(
            self.network, self.clock, lambda host, port: site if port == 443 else None
        )

    def settle(self) -> None:
        for _ in range(20):
            self.clock.advance(0.001)

    def answer(self, asking: Deferred[Any]) -> tuple[int, bytes, list[str] | None]:
        self.settle()
        response = self.successResultOf(asking)
        body = response.content()
        self.settle()
        told = response.headers.getRawHeaders("x-told")
        return response.code, self.successResultOf(body), told

    def test_get(self) -> None:
        """Method, address, headers and answer go through as they are."""
        asking = self.http.get("https://pbx.test/a?b=c%2Bd", headers={"X-Tell": "me"})
        self.assertEqual(self.answer(asking), (201, b"GET /a?b=c%2Bd ", ["me"]))

    def test_post(self) -> None:
        """A body of any size goes through."""
        body = bytes(300_000)
        asking = self.http.post("https://pbx.test/", data=body)
        self.assertEqual(self.answer(asking)[1], b"POST / " + body)

    def test_nothing_left(self) -> None:
        """Each request has a connection of its own, and none stays."""
        self.answer(self.http.get("https://pbx.test/"))
        self.assertEqual(self.network.connected, set())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused(self) -> None:
        """Where nobody listens, that is the answer."""
        asking = self.http.get("https://pbx.test:9/")
        self.failureResultOf(asking, ConnectionRefusedError)
