"""AudioSocket's shell before the call: the UUID, the claim, the making of a Leg."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionLost

from rapida_tw.errors import CapacityExceeded, ContextNotFound, NotSupported
from rapida_tw.media.leg import Leg
from rapida_tw.transports import audiosocket
from rapida_tw.transports.audiosocket import (
    CLAIM_WITHIN,
    IDENTIFY_WITHIN,
    WAITING_CONNECTIONS,
)
from tests.transports.case import (
    CONTEXT,
    DIGIT,
    ERROR,
    FRAME,
    HANGUP,
    HELLO,
    WIDE,
    AudioSocketCase,
    fails,
    raising,
)


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
        """Two UUIDs at once: no call, and the store need not look for it any more."""
        self.slowly()
        self.protocol.dataReceived(HELLO + HELLO)
        self.assertEqual((len(self.claims), self.cancelled, self.attached), (1, 1, []))
        self.refused("protocol-error")


class AttachTests(AudioSocketCase):
    """Whoever makes the call may fail, or end it at once."""

    def test_refused(self) -> None:
        """A call that cannot be is counted by its reason."""
        self.at_attach = lambda leg: fails(CapacityExceeded("full"))
        self.protocol.dataReceived(HELLO + FRAME)
        self.refused("capacity-exceeded")

    def test_bug(self) -> None:
        """A bug while the call is made is logged, and ends this connection."""
        self.at_attach = lambda leg: fails(RuntimeError("a bug"))
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
