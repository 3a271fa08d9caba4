"""AudioSocket's shell: from a connection to a Leg, and every way out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import CapacityExceeded, ContextNotFound, End, NotSupported
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.transports import audiosocket
from rapida_tw.transports.audiosocket import (
    BURST,
    CLAIM_WITHIN,
    CLOSED_WITHIN,
    FASTEST,
    IDENTIFY_WITHIN,
    WAITING_CONNECTIONS,
    AudioSocketFactory,
    AudioSocketProtocol,
)

CONTEXT = UUID("66bc093d-34ab-4436-8e47-83e4fa85f361")
HELLO = bytes.fromhex("010010") + CONTEXT.bytes
FRAME = bytes.fromhex("100140") + bytes(range(160)) * 2
WIDE = bytes.fromhex("120280") + bytes(640)
DIGIT = bytes.fromhex("03000135")
ERROR = bytes.fromhex("ff000101")
HANGUP = bytes(3)


class Wire(StringTransport):
    """A transport that keeps each write apart, and knows when it is cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.aborted = 0
        self.no_delay = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled

    def unregisterProducer(self) -> None:
        self.producer = None  # as lenient as Twisted's TCP

    def abortConnection(self) -> None:
        self.aborted += 1


class Listener:
    """A call that writes down what it is told; `act(name)` is done at each."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.act: Callable[[str], None] = lambda name: None

    def _tell(self, name: str, value: object) -> None:
        self.told.append((name, value))
        self.act(name)

    def audio_received(self, payload: bytes, sequence: int | None = None) -> None:
        self._tell("audio", len(payload))

    def format_changed(self, format: AudioFormat) -> None:
        self._tell("format", format.rate)

    def digit_received(self, digit: str) -> None:
        self._tell("digit", digit)

    def mark_heard(self, name: str) -> None:
        self._tell("mark", name)

    def far_end_full(self, full: bool) -> None:
        self._tell("full", full)

    def leg_ended(self, end: End) -> None:
        self._tell("end", end.reason)


_conforms: type[LegListener] = Listener


class AudioSocketCase(SynchronousTestCase):
    """One connection; the test is the context store and the call."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.listener = Listener()
        self.claims: list[str] = []
        self.cancelled = 0
        self.answer: Callable[[], Deferred[Any]] = lambda: succeed("claimed")
        self.attached: list[tuple[Any, Leg]] = []
        self.at_attach: Callable[[Leg], None] = lambda leg: None
        self.factory = AudioSocketFactory(self.clock, self.claim, self.attach)
        self.counted = dict(audiosocket.refused._values)
        self.protocol, self.wire = self.connect()

    def connect(self) -> tuple[AudioSocketProtocol, Wire]:
        protocol = self.factory.buildProtocol(None)
        assert protocol is not None
        wire = Wire()
        protocol.makeConnection(wire)
        return protocol, wire

    def claim(self, context_id: str) -> Deferred[Any]:
        self.claims.append(context_id)
        return self.answer()

    def attach(self, claimed: Any, leg: Leg) -> LegListener:
        self.attached.append((claimed, leg))
        self.at_attach(leg)
        return self.listener

    def slowly(self) -> Deferred[Any]:
        """The next claim is answered by this Deferred, later."""

        def cancel(_: Deferred[Any]) -> None:
            self.cancelled += 1

        answer: Deferred[Any] = Deferred(cancel)
        self.answer = lambda: answer
        return answer

    def call(self) -> None:
        """A call is up, and what happened until then forgotten."""
        self.protocol.dataReceived(HELLO)
        self.listener.told.clear()
        self.wire.writes.clear()

    def lost(self, reason: Exception | None = None) -> None:
        self.protocol.connectionLost(Failure(reason or ConnectionDone()))

    def refused(self, reason: str = "") -> None:
        """It was counted (not at all without a reason) and hung up, and then nothing is left."""
        now = audiosocket.refused._values
        counts = {name[0]: count - self.counted.get(name, 0) for name, count in now.items()}
        self.assertEqual(
            {name: count for name, count in counts.items() if count}, {reason: 1} if reason else {}
        )
        self.hung_up()

    def hung_up(self) -> None:
        """One hang-up packet, last; reading goes on; a peer that does not close is cut off."""
        self.assertEqual(self.wire.writes.count(HANGUP), 1)
        self.assertEqual(self.wire.writes[-1], HANGUP)
        self.assertEqual(self.wire.producerState, "producing")
        self.assertEqual((self.wire.aborted, self.wire.disconnecting), (0, False))
        self.clock.advance(CLOSED_WITHIN)
        self.assertEqual(self.wire.aborted, 1)
        self.nothing_left()

    def nothing_left(self) -> None:
        told = [name for name, _ in self.listener.told]
        self.lost(ConnectionLost())
        self.assertEqual([name for name, _ in self.listener.told], told)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual((self.factory.waiting, self.factory.connections), (0, set()))
        self.assertLessEqual(told.count("end"), 1)

    def ends(self) -> list[str]:
        return [value for name, value in self.listener.told if name == "end"]


class IdentifyTests(AudioSocketCase):
    """Before the UUID."""

    def test_quiet(self) -> None:
        """Nothing is sent to who has not said what call it is; small packets are not held back."""
        self.clock.advance(IDENTIFY_WITHIN - 0.1)
        self.assertEqual(self.wire.writes, [])
        self.assertTrue(self.wire.no_delay)

    def test_claimed(self) -> None:
        """The UUID is claimed as lower-case text, and its connection becomes a Leg."""
        self.protocol.dataReceived(HELLO)
        self.assertEqual(self.claims, [str(CONTEXT)])
        self.assertEqual(self.attached, [("claimed", self.protocol)])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.factory.waiting, 0)

    def test_any_split(self) -> None:
        """Where the network cuts the first packets makes no difference."""
        data = HELLO + FRAME + DIGIT
        for cut in range(len(data)):
            self.listener.told.clear()
            self.protocol, self.wire = self.connect()
            self.protocol.dataReceived(data[:cut])
            self.protocol.dataReceived(data[cut:])
            self.assertEqual(self.listener.told, [("audio", 320), ("digit", "5")], f"cut at {cut}")

    def test_no_uuid(self) -> None:
        """Who says nothing is hung up after five seconds; half a UUID is nothing."""
        self.protocol.dataReceived(HELLO[:10])
        self.clock.advance(IDENTIFY_WITHIN)
        self.refused("no-uuid")
        self.assertEqual(self.claims, [])

    def test_nil(self) -> None:
        """Nobody is asked about the nil UUID."""
        self.protocol.dataReceived(bytes.fromhex("010010") + bytes(16))
        self.assertEqual(self.claims, [])
        self.refused("context-not-found")

    def test_something_else_first(self) -> None:
        """Audio, a digit, another protocol: refused, and nothing after it is read."""
        for first in (FRAME, DIGIT, bytes.fromhex("020000"), b"GET / HTTP/1.1\r\n\r\n"):
            with self.subTest(first[:3]):
                self.setUp()
                self.protocol.dataReceived(first + HELLO)
                self.protocol.dataReceived(HELLO)
                self.assertEqual(self.claims, [])
                self.refused("protocol-error")

    def test_left(self) -> None:
        """Who leaves without a UUID, silently or by a packet, is no error."""
        for farewell in (b"", HANGUP, ERROR):
            with self.subTest(farewell):
                self.setUp()
                self.protocol.dataReceived(farewell)
                self.counted = dict(audiosocket.refused._values)
                self.nothing_left()

    def test_too_many(self) -> None:
        """Only so many may wait at a time; when one has gone, or said its UUID, another may."""
        for _ in range(WAITING_CONNECTIONS - 1):
            self.connect()
        _, too_many = self.connect()
        self.assertEqual(too_many.writes, [HANGUP])
        self.lost()
        _, admitted = self.connect()
        self.assertEqual(admitted.writes, [])
        self.assertEqual(self.factory.waiting, WAITING_CONNECTIONS)

    def test_too_many_says_uuid(self) -> None:
        """Who was one too many is not heard any more."""
        for _ in range(WAITING_CONNECTIONS - 1):
            self.connect()
        protocol, _ = self.connect()
        protocol.dataReceived(HELLO)
        self.assertEqual(self.claims, [])


class ClaimTests(AudioSocketCase):
    """Between the UUID and the call."""

    def test_reading_waits(self) -> None:
        """Nothing is read while the claim is under way, so what waits is bounded."""
        answer = self.slowly()
        self.protocol.dataReceived(HELLO)
        self.assertEqual(self.wire.producerState, "paused")
        answer.callback("claimed")
        self.assertEqual(self.wire.producerState, "producing")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_early(self) -> None:
        """What came with the UUID is heard first, in its order."""
        answer = self.slowly()
        self.protocol.dataReceived(HELLO + WIDE + DIGIT + FRAME + FRAME[:100])
        self.assertEqual(self.listener.told, [])
        answer.callback("claimed")
        self.protocol.dataReceived(FRAME[100:])
        self.assertEqual(
            self.listener.told,
            [
                ("format", 16_000),
                ("audio", 640),
                ("digit", "5"),
                ("format", 8_000),
                ("audio", 320),
                ("audio", 320),
            ],
        )

    def test_early_hangup(self) -> None:
        """A peer that left at once: the call begins, and ends, and hears nothing later."""
        answer = self.slowly()
        self.protocol.dataReceived(HELLO + FRAME + HANGUP + FRAME)
        answer.callback("claimed")
        self.assertEqual(self.listener.told, [("audio", 320), ("end", "remote_hangup")])
        self.refused()

    def test_early_bug(self) -> None:
        """An error of ours in what came early ends the call, and tells it so."""
        for error in (RuntimeError("a bug"), NotSupported("no such thing")):
            with self.subTest(error):
                self.setUp()
                answer = self.slowly()
                self.protocol.dataReceived(HELLO + FRAME)
                self.listener.act = raising(error, "audio")
                answer.callback("claimed")
                self.assertEqual(self.ends(), ["internal_error"])
                self.refused()
                self.assertEqual(len(self.flushLoggedErrors(type(error))), 1)

    def test_not_found(self) -> None:
        """An unknown, late or used UUID is counted and hung up."""
        self.answer = lambda: fail(ContextNotFound("unknown"))
        self.protocol.dataReceived(HELLO + FRAME)
        self.assertEqual(self.attached, [])
        self.refused("context-not-found")

    def test_store_fails(self) -> None:
        """A bug in the store is logged, and ends this connection."""
        self.answer = lambda: fail(RuntimeError("a bug"))
        self.protocol.dataReceived(HELLO)
        self.refused("internal-error")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_store_raises(self) -> None:
        """So does one that raises instead of answering."""

        def broken() -> Deferred[Any]:
            raise RuntimeError("a bug")

        self.answer = broken
        self.protocol.dataReceived(HELLO)
        self.refused("internal-error")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_store_silent(self) -> None:
        """A store that does not answer in two seconds is told to stop: that is no bug."""
        self.slowly()
        self.protocol.dataReceived(HELLO)
        self.clock.advance(CLAIM_WITHIN)
        self.assertEqual(self.cancelled, 1)
        self.refused("unavailable")

    def test_peer_leaves(self) -> None:
        """Who leaves during the claim leaves no call, no timer and no error behind."""
        answer = self.slowly()
        self.protocol.dataReceived(HELLO)
        self.lost(ConnectionLost())
        self.assertEqual(self.cancelled, 1)
        answer.callback("claimed") if not answer.called else None
        self.assertEqual((self.attached, self.wire.writes), ([], []))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.factory.connections, set())

    def test_answer_cannot_be_stopped(self) -> None:
        """An answer that comes although it was cancelled is dropped."""
        answer: Deferred[Any] = Deferred()
        self.answer = lambda: answer
        self.protocol.dataReceived(HELLO)
        self.lost()
        answer.callback("claimed")
        self.assertEqual(self.attached, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_second_uuid(self) -> None:
        """Two UUIDs at once: no call, whatever the store answers later."""
        answer = self.slowly()
        self.protocol.dataReceived(HELLO + HELLO)
        answer.callback("claimed")
        self.assertEqual((len(self.claims), self.attached), (1, []))
        self.refused("protocol-error")


class AttachTests(AudioSocketCase):
    """Whoever makes the call may fail, or end it at once."""

    def test_refused(self) -> None:
        """A call that cannot be is counted by its reason."""
        self.at_attach = lambda leg: _raise(CapacityExceeded("full"))
        self.protocol.dataReceived(HELLO + FRAME)
        self.refused("capacity-exceeded")

    def test_bug(self) -> None:
        """A bug while the call is made is logged, and ends this connection."""
        self.at_attach = lambda leg: _raise(RuntimeError("a bug"))
        self.protocol.dataReceived(HELLO + FRAME)
        self.refused("internal-error")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_hangs_up(self) -> None:
        """A call may end while it is being made: it is hung up, and hears nothing."""
        self.at_attach = lambda leg: leg.hang_up()
        self.protocol.dataReceived(HELLO + FRAME + DIGIT)
        self.assertEqual(self.listener.told, [])
        self.refused()

    def test_hangs_up_and_fails(self) -> None:
        """Even one that fails after it hung up ends once."""

        def both(leg: Leg) -> None:
            leg.hang_up()
            raise RuntimeError("a bug")

        self.at_attach = both
        self.protocol.dataReceived(HELLO)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.hung_up()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


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

    def test_connection_lost(self) -> None:
        """A connection that breaks is the network's failure."""
        self.lost(ConnectionLost())
        self.assertEqual(self.listener.told, [("end", "network_failed")])
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
        self.assertEqual(self.ends(), ["network_failed"])
        self.nothing_left()


def _raise(error: Exception) -> None:
    raise error


def raising(error: Exception, at: str) -> Callable[[str], None]:
    """A listener's `act` that raises when it is told `at`."""
    return lambda name: _raise(error) if name == at else None
