"""`talk` by a carrier's WebSocket; by AudioSocket it is tests/sim/test_talk.py."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Site

from rapida_tw.sim.memory import Network
from rapida_tw.sim.memory_http import memory_http
from rapida_tw.sim.phone import CallFailed, Reason
from rapida_tw.sim.talk import Outcome, Press, Say, TalkOptions, talk
from tests.sim.test_http import Posted
from tests.sim.websocket_server import MediaServer, MediaServers

TWIML = (
    '<Response><Connect><Stream url="wss://voice.test/ctx/1"'
    ' statusCallback="https://voice.test/ctx/1/event"/></Connect></Response>'
)


class Greeter(MediaServer):
    """Says something first, and two seconds later what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.late = [json.dumps({"payload": 216 * "A"})] * 40 + [""] * 60

    def _took(self, opcode: int, payload: bytes) -> None:
        super()._took(opcode, payload)
        message = json.loads(payload) if payload.startswith(b"{") else {}
        if message.get("event") == "media":
            self.late.append(json.dumps({"payload": message["media"]["payload"]}))
            media = self.late.pop(0)
            if media:
                sid = message["streamSid"]
                self.say(f'{{"event":"media","streamSid":"{sid}","media":{media}}}')


class Servers(MediaServers):
    def buildProtocol(self, addr: object) -> MediaServer:
        self.made.append(Greeter())
        return self.made[-1]


class TalkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.lines: list[str] = []
        self.reactor = MemoryReactorClock()
        self.network = Network(self.reactor)
        self.servers = Servers()
        self.web = Posted(TWIML.encode(), 200, {"Content-Type": "text/xml"})

    def talk(self, *steps: Say | Press, **options: Any) -> Deferred[Outcome]:
        site = Site(self.web, reactor=self.reactor)
        self.asked: list[tuple[str, int]] = []

        def server(host: str, port: int) -> Site:
            self.asked.append((host, port))
            return site

        http = memory_http(self.network, self.reactor, server)
        chosen = TalkOptions(
            "http://127.0.0.1:9007", "rpd-key", "1", transport="twilio", steps=steps, **options
        )
        talking = talk(self.reactor, chosen, self.lines.append, lambda: 0.0, None, http)
        self.run_until(0.04)
        if self.reactor.tcpClients:
            host, port, factory = self.reactor.tcpClients[0][:3]
            self.asked.append((host, port))
            self.network.connect(self.servers, factory.buildProtocol(None))
        return talking

    def run_until(self, seconds: float) -> None:
        while self.reactor.seconds() < seconds:
            self.reactor.advance(0.02)

    def test_dialogue(self) -> None:
        """The caller waits for the greeting, says and presses in turn, and hangs up at last."""
        talking = self.talk(Say("good morning"), Press("12"))
        self.run_until(40.0)
        outcome = self.successResultOf(talking)
        self.assertEqual(outcome.ending.reason, Reason.CALLER_HUNG_UP)
        self.assertTrue(outcome.turns[0].answered)
        self.assertEqual(outcome.complaints, ())
        said = [json.loads(message)["event"] for message in self.servers.made[0].messages]
        self.assertEqual(
            (said[:2], said.count("dtmf"), said[-1]), (["connected", "start"], 2, "stop")
        )
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_one_server(self) -> None:
        """Webhook, media and callbacks go to the server, whatever it calls itself."""
        self.talk(longest=2.0)
        self.run_until(4.0)
        self.assertEqual(set(self.asked), {("127.0.0.1", 9007)})
        call, started, stopped = self.web.requests
        self.assertEqual(call.uri, b"/v1/talk/twilio/call/1?x-api-key=rpd-key")
        self.assertEqual((started.uri, stopped.uri), 2 * (b"/ctx/1/event",))
        hosts = stopped.requestHeaders.getRawHeaders("host")
        self.assertEqual(hosts, ["voice.test"])

    def test_complaints(self) -> None:
        """What the carrier did not understand is told at the end."""
        talking = self.talk(longest=1.0)
        self.run_until(0.5)
        self.servers.made[0].say(b"sound")
        self.servers.made[0].say(b"sound")
        self.web.answer = (b"", 500, {})
        self.run_until(2.0)
        complaints = ("31950: a binary message (2 times)", "a callback got HTTP 500")
        self.assertEqual(self.successResultOf(talking).complaints, complaints)
        self.assertIn("twilio complains: 31950: a binary message (2 times)", self.lines[-2])

    def test_no_line(self) -> None:
        """A call that the server refuses fails with the reason."""
        self.web = Posted(b"", 403, {"x-rapida-error": "unauthenticated"})
        failure = self.failureResultOf(self.talk(), CallFailed)
        self.assertIn("unauthenticated", str(failure.value))

    def test_cancel(self) -> None:
        """Cancelling hangs up, reports and leaves nothing behind."""
        talking = self.talk(Say("good morning"))
        self.run_until(2.0)
        talking.cancel()
        self.run_until(2.2)
        self.failureResultOf(talking, CancelledError)
        self.assertEqual(self.servers.made[0].closed_with, (1000, ""))
        self.assertEqual(len(self.web.requests), 3)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
