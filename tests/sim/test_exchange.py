from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.exchange import Exchange
from rapida_tw.sim.http import HttpAnswer, HttpRequest, NoAnswer
from rapida_tw.sim.memory import Network
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import CallFailed, Ending
from rapida_tw.sim.websocket_line import WebSocketLine
from tests.sim.peers import RecordingPhone, run
from tests.sim.test_websocket_line import Plain
from tests.sim.websocket_server import MediaServers

URL = "ws://x.test/ctx/1"


class Carrier:
    """Goes where the answer's body says, and reports each end of the media."""

    def webhook(self, now: float) -> HttpRequest:
        return HttpRequest("GET", f"http://x.test/call?at={now:.0f}")

    def invited(self, answer: HttpAnswer, now: float) -> Media:
        if answer.status != 200:
            raise CallFailed(answer.reason)
        return Media(answer.text, Plain())

    def started(self, now: float) -> Sequence[HttpRequest]:
        return [HttpRequest("POST", "http://x.test/started")]

    def ended(self, ending: Ending, now: float) -> Sequence[HttpRequest]:
        return [HttpRequest("POST", f"http://x.test/{ending}?at={now:.0f}")]


_conforms: type[FakeCarrier] = Carrier


class ExchangeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.servers = MediaServers()
        self.phone = RecordingPhone()
        self.asked: list[HttpRequest] = []
        self.answers: list[HttpAnswer | NoAnswer] = [HttpAnswer(200, {}, URL.encode())]
        self.refuses = False

    def http(self, request: HttpRequest) -> Deferred[HttpAnswer]:
        self.asked.append(request)
        answer = self.answers.pop(0) if self.answers else HttpAnswer(204)
        return fail(answer) if isinstance(answer, NoAnswer) else succeed(answer)

    def connect(self, media: Media, line: WebSocketLine) -> Deferred[object]:
        if self.refuses:
            return fail(ConnectionRefusedError())
        Network(self.clock).connect(self.servers, line)
        return succeed(None)

    def call(self) -> Deferred[WebSocketLine]:
        self.exchange = Exchange(self.http, self.connect, Metronome(self.clock), lambda: 1_000.0)
        calling = self.exchange.call(Carrier(), self.phone)
        run(self.clock, 0.02)
        return calling

    def assertFails(self, why: str) -> None:
        failure = self.failureResultOf(self.call(), CallFailed)
        self.assertIn(why, str(failure.value))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_call(self) -> None:
        """The webhook's answer leads to the media; it fires when the line is up."""
        line = self.successResultOf(self.call())
        self.assertIs(self.phone.line, line)
        self.assertEqual([request.url for request in self.asked], ["http://x.test/call?at=1000"])
        self.assertIn(b"GET /ctx/1 ", self.servers.made[0].request)
        line.hang_up()

    def test_no_webhook(self) -> None:
        """A webhook without an answer is a call that failed."""
        self.answers = [NoAnswer("connection refused")]
        self.assertFails("the webhook failed: connection refused")

    def test_not_invited(self) -> None:
        """So is one whose answer the carrier does not take."""
        self.answers = [HttpAnswer(403, {}, b"who are you")]
        self.assertFails("HTTP 403: who are you")
        self.assertEqual(self.servers.made, [])

    def test_not_connected(self) -> None:
        """And one whose media leads nowhere."""
        self.refuses = True
        self.assertFails(f"no connection for {URL}")

    def test_refused(self) -> None:
        """And one whose media is refused."""
        self.servers = MediaServers(b"HTTP/1.1 404 Not Found\r\n\r\n")
        self.assertFails(f"{URL}: refused (HTTP 404)")

    def test_cancel(self) -> None:
        """Cancelled while the server thinks, it leaves no connection behind."""
        self.servers = MediaServers(b"")
        calling = self.call()
        calling.cancel()
        self.failureResultOf(calling, CancelledError)
        run(self.clock, 0.02)
        self.assertIsNotNone(self.servers.made[0].lost)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def report(self, *answers: HttpAnswer | NoAnswer) -> list[int]:
        line = self.successResultOf(self.call())
        self.answers = list(answers)
        reporting = self.exchange.report(Carrier(), line)
        self.assertNoResult(reporting)
        line.hang_up()
        run(self.clock, 0.02)
        return self.successResultOf(reporting)

    def test_report(self) -> None:
        """The beginning is reported at once, the end when the connection is gone."""
        self.assertEqual(self.report(HttpAnswer(201), HttpAnswer(404)), [201, 404])
        told = ["http://x.test/started", "http://x.test/caller_hung_up?at=1000"]
        self.assertEqual([request.url for request in self.asked[1:]], told)

    def test_report_without_answer(self) -> None:
        """Nobody's answer is needed."""
        self.assertEqual(self.report(NoAnswer("refused"), HttpAnswer(204)), [0, 204])
