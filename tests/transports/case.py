"""A connection from Asterisk whose every side the test plays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import End
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.transports import audiosocket
from rapida_tw.transports.audiosocket import (
    CLOSED_WITHIN,
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

    def audio_lost(self, seconds: float) -> None:
        self._tell("lost", seconds)

    def audio_paused(self, seconds: float) -> None:
        self._tell("paused", seconds)

    def alive(self) -> None:
        self._tell("alive", True)

    def hold_changed(self, held: bool) -> None:
        self._tell("held", held)

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


def fails(error: Exception) -> None:
    raise error


def raising(error: Exception, at: str) -> Callable[[str], None]:
    """A listener's `act` that raises when it is told `at`."""
    return lambda name: fails(error) if name == at else None
