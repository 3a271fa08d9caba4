"""AudioSocket's shell in the call: a Leg, and every way out."""

from __future__ import annotations

import contextlib

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from rapida_tw.errors import NotSupported
from rapida_tw.transports import audiosocket
from rapida_tw.transports.audiosocket import (
    CLOSED_WITHIN,
)
from rapida_tw.transports.pace import BURST, FASTEST
from tests.transports.case import (
    DIGIT,
    ERROR,
    FRAME,
    HANGUP,
    HELLO,
    WIDE,
    AudioSocketCase,
    raising,
)


class LegTests(AudioSocketCase):
    """A call's two directions."""

    def setUp(self) -> None:
        super().setUp()
        self.call()

    def test_one_write(self) -> None:
        """A frame leaves in one write of header and payload, and nothing else."""
        self.protocol.send_audio(bytes(range(160)) * 2)
        self.assertEqual(self.wire.writes, [FRAME])

    def test_kind_of_the_peer(self) -> None:
        """We answer in the kind we hear, from the first frame of it on."""
        self.protocol.send_audio(bytes(320))
        self.protocol.dataReceived(WIDE)
        self.assertEqual(self.protocol.format.rate, 16_000)
        self.protocol.send_audio(bytes(640))
        self.protocol.send_audio(bytes(320))
        self.protocol.dataReceived(FRAME)
        self.protocol.send_audio(bytes(320))
        self.assertEqual(
            [write[:3].hex() for write in self.wire.writes],
            ["100140", "120280", "120140", "100140"],
        )
        self.assertEqual(
            self.listener.told,
            [("format", 16_000), ("audio", 640), ("format", 8_000), ("audio", 320)],
        )

    def test_tolerated(self) -> None:
        """The silence packet of published descriptions is taken, and means nothing."""
        self.protocol.dataReceived(bytes.fromhex("020000") + DIGIT)
        self.assertEqual(self.listener.told, [("digit", "5")])

    def test_mark(self) -> None:
        """Nothing waits at the far side: a mark is heard at once."""
        self.protocol.mark("here")
        self.assertEqual(self.listener.told, [("mark", "here")])

    def test_no_digits(self) -> None:
        """There is no packet for digits towards Asterisk."""
        self.assertRaises(NotSupported, self.protocol.send_digits, "1")

    def test_back_pressure(self) -> None:
        """The call is told when the socket takes no more, and when it does again."""
        verifyObject(IPushProducer, self.protocol)
        self.assertIs(self.wire.producer, self.protocol)
        self.protocol.pauseProducing()
        self.protocol.resumeProducing()
        self.assertEqual(self.listener.told, [("full", True), ("full", False)])

    def test_back_pressure_otherwise(self) -> None:
        """Without a call, or after it, nobody is told."""
        waiting, _ = self.connect()
        waiting.pauseProducing()
        self.protocol.hang_up()
        self.protocol.pauseProducing()
        self.protocol.resumeProducing()
        self.assertEqual(self.listener.told, [])


class FloodTests(AudioSocketCase):
    """A peer that sends faster than any phone takes the time of everybody else's calls."""

    def setUp(self) -> None:
        super().setUp()
        self.call()

    def send(self, packet: bytes, seconds: float, speed: float) -> None:
        """Packets of 20 ms for so long, at a multiple of real time; stops when we hang up."""
        for _ in range(round(seconds * 50 * speed)):
            self.protocol.dataReceived(packet)
            if HANGUP in self.wire.writes:
                return
            self.clock.advance(0.02 / speed)

    def test_stalled_network(self) -> None:
        """All that a network can have held back, sent in one burst, is heard."""
        self.protocol.dataReceived(FRAME * round(BURST * 49))
        self.send(FRAME, 10.0, 1.0)
        self.assertEqual(self.ends(), [])

    def test_somewhat_fast(self) -> None:
        """A peer in a hurry is no flood, nor are packets of 10 ms, nor a burst now and then."""
        self.send(FRAME, 60.0, FASTEST - 1)
        half = bytes.fromhex("1000a0") + bytes(160)
        self.send(half + half, 60.0, FASTEST - 1)
        for _ in range(10):
            self.send(FRAME, 10.0, 1.0)
            self.protocol.dataReceived(FRAME * 1000)
        self.assertEqual(self.ends(), [])

    def test_much_too_fast(self) -> None:
        """Audio at ten times real time ends the call, after a while."""
        self.send(FRAME, 60.0, 10.0)
        self.assertEqual(self.ends(), ["protocol_error"])
        self.assertGreater(self.clock.seconds(), BURST / 10)
        self.hung_up()

    def test_crumbs(self) -> None:
        """Packets of a single sample cost as much as whole ones, and count."""
        self.protocol.dataReceived(bytes.fromhex("1000020000") * 13_000)
        self.assertEqual(self.ends(), ["protocol_error"])
        self.assertLess(len(self.listener.told), 5_000)

    def test_keys(self) -> None:
        """So do keys that no finger can press, and packets that mean nothing."""
        for packet in (DIGIT, bytes.fromhex("020000")):
            with self.subTest(packet):
                self.setUp()
                self.protocol.dataReceived(packet * 16_000)
                self.assertEqual(self.ends(), ["protocol_error"])

    def test_for_an_hour(self) -> None:
        """An honest call is never near the limit, however long it lasts."""
        for _ in range(3600):
            self.protocol.dataReceived(FRAME * 50)
            self.clock.advance(1.0)
        self.assertEqual(self.ends(), [])

    def test_clock_put_back(self) -> None:
        """When the wall clock is put back, honest calls go on."""
        self.send(FRAME, 10.0, 1.0)
        self.clock.rightNow -= 3600.0
        self.send(FRAME, 100.0, 1.0)
        self.assertEqual(self.ends(), [])


class EndTests(AudioSocketCase):
    """Every way out tells the call exactly once, or not at all when it hung up itself."""

    def setUp(self) -> None:
        super().setUp()
        self.call()

    def test_hang_up(self) -> None:
        """Our hang-up is a packet; then Asterisk closes. The call is not told of what it did."""
        self.protocol.send_audio(bytes(320))
        self.protocol.hang_up()
        self.protocol.hang_up()
        self.protocol.send_audio(bytes(320))
        self.protocol.dataReceived(FRAME + DIGIT)
        self.assertEqual(self.listener.told, [])
        self.assertIsNone(self.wire.producer)
        self.hung_up()

    def test_peer_closes_in_answer(self) -> None:
        """When Asterisk closes, nothing is cut off and no timer is left."""
        self.protocol.hang_up()
        self.lost()
        self.clock.advance(CLOSED_WITHIN * 2)
        self.assertEqual(self.wire.aborted, 0)
        self.assertEqual(self.listener.told, [])

    def test_caller_hangs_up(self) -> None:
        """Asterisk just closes: the caller has hung up."""
        self.lost()
        self.assertEqual(self.listener.told, [("end", "remote_hangup")])
        self.nothing_left()

    def test_reset(self) -> None:
        """Asterisk closes while audio of ours lies unread: a reset, and the caller's hang-up."""
        self.lost(ConnectionLost())
        self.assertEqual(self.listener.told, [("end", "remote_hangup")])
        self.nothing_left()

    def test_connection_lost(self) -> None:
        """A connection that breaks when nothing was taken any more is the network's failure."""
        self.protocol.pauseProducing()
        self.lost(ConnectionLost())
        self.assertEqual(self.ends(), ["network_failed"])
        self.nothing_left()

    def test_packets_that_end(self) -> None:
        """0x00, 0xff, and what is against the rules: told once; then we hang up too."""
        for data, reason in {
            HANGUP: "remote_hangup",
            ERROR: "network_failed",
            HELLO: "protocol_error",
            bytes.fromhex("040000"): "protocol_error",
            bytes.fromhex("10ffff"): "protocol_error",
            bytes.fromhex("100000"): "protocol_error",
        }.items():
            with self.subTest(data[:3].hex()):
                self.setUp()
                self.protocol.dataReceived(data)
                self.protocol.dataReceived(data + FRAME)
                self.assertEqual(self.listener.told, [("end", reason)])
                self.refused()

    def test_listener_hangs_up_in_its_end(self) -> None:
        """A call that hangs up when it is told of the end does not end twice."""
        self.listener.act = lambda name: self.protocol.hang_up()
        self.protocol.dataReceived(HANGUP)
        self.assertEqual(self.listener.told, [("end", "remote_hangup")])
        self.hung_up()

    def test_listener_fails(self) -> None:
        """A bug of ours while something is heard ends this call, as our own fault."""
        for packet, name in ((FRAME, "audio"), (DIGIT, "digit"), (WIDE, "format")):
            with self.subTest(name):
                self.setUp()
                self.listener.act = raising(RuntimeError("a bug"), name)
                self.protocol.dataReceived(packet + FRAME)
                self.assertEqual(self.ends(), ["internal_error"])
                self.refused()
                self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_listener_fails_in_its_end(self) -> None:
        """A call that fails even at its end is hung up all the same, and forgotten."""
        for data in (HANGUP, ERROR, b"GET"):
            with self.subTest(data):
                self.setUp()
                self.listener.act = raising(RuntimeError("a bug"), "end")
                # What escapes is the reactor's to log; it closes the connection then.
                with contextlib.suppress(RuntimeError):
                    self.protocol.dataReceived(data)
                self.hung_up()
                self.flushLoggedErrors(RuntimeError)

    def test_listener_fails_when_lost(self) -> None:
        """A lost connection is forgotten though its call fails at being told."""
        self.listener.act = raising(RuntimeError("a bug"), "end")
        self.assertRaises(RuntimeError, self.lost)
        self.assertEqual(self.factory.connections, set())
        self.assertEqual(self.clock.getDelayedCalls(), [])


class FactoryTests(AudioSocketCase):
    """The door."""

    def test_not_accepting(self) -> None:
        """A closed door makes no protocol, so that Twisted closes the connection; counted."""
        self.factory.accepting = False
        before = audiosocket.refused.value("capacity-exceeded")
        self.assertIsNone(self.factory.buildProtocol(None))
        self.assertEqual(audiosocket.refused.value("capacity-exceeded"), before + 1)
        self.assertEqual(self.factory.connections, {self.protocol})

    def test_abort_all(self) -> None:
        """Every connection is cut, whatever its state, and each call is told once."""
        other, wire = self.connect()
        self.call()
        self.factory.abort_all()
        self.assertEqual((self.wire.aborted, wire.aborted), (1, 1))
        other.connectionLost(Failure(ConnectionLost()))
        self.lost(ConnectionLost())
        self.assertEqual(self.ends(), ["remote_hangup"])
        self.nothing_left()
