from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from treq.client import HTTPClient
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.memory import Network
from rapida_tw.sim.phone import CallFailed, Reason
from rapida_tw.sim.talk import Outcome, Play, Press, Say, TalkOptions, talk
from tests.sim.peers import Echo, Server, Servers
from tests.sim.test_asterisk import Web
from tests.sim.test_voices import FakeVoice


class Greeter(Server):
    """Echoes what it hears two seconds late, and says something first."""

    def connectionMade(self) -> None:
        self.late: list[bytes] = [b"\x10\x01\x40" + b"\0\x20" * 160] * 40 + [b""] * 60

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if data[0] == 0x10:
            self.late.append(data)
            self.transport.write(self.late.pop(0))


class TalkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.lines: list[str] = []
        self.reactor = MemoryReactorClock()
        self.servers = Servers(Greeter)

    def talk(
        self, *steps: Say | Play | Press, web: Web | None = None, **options: Any
    ) -> Deferred[Outcome]:
        agent = RequestTraversalAgent(web or Web(str(uuid4()).encode()))
        voice = options.pop("voice", None)
        chosen = TalkOptions("http://x.test", "rpd-key", "1", steps=steps, **options)
        talking = talk(
            self.reactor, chosen, self.lines.append, lambda: 0.0, voice, HTTPClient(agent)
        )
        agent.flush()
        if self.reactor.tcpClients:
            factory = self.reactor.tcpClients[0][2]
            protocol = factory.buildProtocol(None)
            Network(self.reactor).connect(self.servers, protocol)
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
        self.assertEqual([turn.text for turn in outcome.turns], ["good morning", "12"])
        self.assertEqual(len(outcome.heard), 2)
        self.assertIn(b"\x03\x00\x012", self.servers.made[0].received)

    def test_lines(self) -> None:
        """Everything that happens is told in a line with its time."""
        self.talk(Say("good morning"))
        self.run_until(20.0)
        self.assertEqual(
            [line[11:].split(":")[0] for line in self.lines],
            [
                "caller hears the assistant",
                "caller says",
                "caller hears the assistant after 1060 ms",
                "caller hangs up",
                "call ended",
            ],
        )

    def test_answered(self) -> None:
        """The outcome says whether each turn was answered."""
        talking = self.talk(Say("good morning"))
        self.run_until(20.0)
        self.assertTrue(self.successResultOf(talking).was_heard)

    def test_not_answered(self) -> None:
        """A server that says nothing has not heard, as far as the caller knows."""
        self.servers = Servers(Server)
        talking = self.talk(Say("good morning"))
        self.run_until(40.0)
        self.assertFalse(self.successResultOf(talking).was_heard)

    def test_longest(self) -> None:
        """A call that does not end is ended by the caller."""
        self.servers = Servers(Echo)
        talking = self.talk(longest=5.0)
        self.run_until(6.0)
        self.assertAlmostEqual(self.successResultOf(talking).duration, 5.0, places=1)

    def test_server_ends(self) -> None:
        """The outcome tells it when the server hung up."""
        talking = self.talk()
        self.run_until(1.0)
        self.servers.made[0].transport.write(b"\0\0\0")
        self.run_until(1.1)
        self.assertEqual(self.successResultOf(talking).ending.reason, Reason.SERVER_HUNG_UP)

    def test_voice(self) -> None:
        """A given voice speaks the lines before the call is made."""
        voice = FakeVoice(succeed(None))
        self.talk(Say("good morning"), voice=voice).addErrback(lambda _: None).cancel()
        self.assertEqual(voice.calls, ["start", "good morning", "stop"])

    def test_heard_wav(self) -> None:
        """What was heard is written where it was asked for."""
        path = Path(self.mktemp())
        self.talk(heard_wav=path)
        self.run_until(20.0)
        self.assertGreater(path.stat().st_size, 10_000)

    def test_no_line(self) -> None:
        """A call that the server refuses fails with the reason."""
        talking = self.talk(web=Web(b"", 403, {"x-rapida-error": "unauthenticated"}))
        failure = self.failureResultOf(talking, CallFailed)
        self.assertIn("unauthenticated", str(failure.value))

    def test_missing_wav(self) -> None:
        """A file that is not there fails before anybody is called."""
        self.failureResultOf(self.talk(Play(Path("no-such.wav"))), OSError)
        self.assertEqual(self.reactor.tcpClients, [])

    def test_cancel(self) -> None:
        """Cancelling hangs up and leaves nothing behind."""
        talking = self.talk(Say("good morning"))
        self.run_until(2.0)
        talking.cancel()
        self.failureResultOf(talking, CancelledError)
        self.run_until(2.1)
        self.assertIsNotNone(self.servers.made[0].lost)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
