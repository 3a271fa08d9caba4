"""Connections read on the beat: real sockets, and a reactor that only takes notes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.tcp import Connection
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.media.clock import MediaClock
from rapida_tw.transports.audiosocket import AudioSocketFactory
from rapida_tw.transports.door import Door
from rapida_tw.transports.reading import BeatReader


class Reactor(Clock):
    """Knows who wants to be read by it."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[Any] = set()

    def addReader(self, reader: Any) -> None:
        self.readers.add(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers.discard(reader)

    def addWriter(self, writer: Any) -> None:
        """Nothing is written."""

    def removeWriter(self, writer: Any) -> None:
        """Nothing is written."""


class Heard(Protocol):
    """Notes what it receives; `act` is done at each."""

    def __init__(self) -> None:
        self.data = b""
        self.is_lost = False
        self.act: Callable[[], None] = lambda: None

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.is_lost = True

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        self.act()


class Member:
    """A session that keeps the beat going."""

    def tick(self, now: int) -> None: ...
    def failed(self) -> None: ...


class ReadingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.beat = MediaClock(self.reactor)
        self.reader = BeatReader(self.beat.read_with, on_arrival=1)
        self.reader.take(StringTransport())  # the first is heard on arrival
        self.member = Member()
        self.beat.add(self.member)

    def connect(self) -> tuple[socket.socket, Connection, Heard]:
        """The far end, and ours with its protocol; read by the reactor so far."""
        far, near = socket.socketpair()
        near.setblocking(False)
        protocol = Heard()
        transport = Connection(near, protocol, self.reactor)
        transport.connected = 1
        protocol.makeConnection(transport)
        transport.startReading()
        self.addCleanup(far.close)
        self.addCleanup(near.close)
        return far, transport, protocol

    def test_few_stay(self) -> None:
        """As long as they are few the reactor reads; then all of them are read on the beat."""
        reader = BeatReader(self.beat.read_with, on_arrival=2)
        transports = [self.connect()[1] for _ in range(3)]
        for transport in transports[:2]:
            reader.take(transport)
        self.assertEqual((self.reactor.readers, reader.reading), (set(transports), 0))
        reader.take(transports[2])
        self.assertEqual((self.reactor.readers, reader.reading), (set(), 3))

    def test_few_again(self) -> None:
        """When half of them have left, the reactor reads again, for those that come later too."""
        reader = BeatReader(self.beat.read_with, on_arrival=4)
        pairs = [self.connect() for _ in range(6)]
        transports = [transport for _, transport, _ in pairs]
        for transport in transports[:5]:
            reader.take(transport)
        for transport in transports[:2]:
            reader.leave(transport)
        self.assertEqual(reader.reading, 3)
        reader.leave(transports[2])
        self.assertEqual(reader.reading, 0)
        self.assertEqual(self.reactor.readers, set(transports))
        reader.take(transports[5])
        self.assertEqual(reader.reading, 0)
        for transport in transports[:2]:
            reader.take(transport)
        self.assertEqual(reader.reading, 5)
        pairs[3][0].send(b"still")
        self.reactor.advance(0.0051)
        self.assertEqual(pairs[3][2].data, b"still")

    def test_not_plain(self) -> None:
        """What only the reactor can read stays there, and counts."""
        reader = BeatReader(self.beat.read_with, on_arrival=2)
        for _ in range(2):
            reader.take(StringTransport())
        self.assertEqual(reader.reading, 0)
        reader.take(self.connect()[1])
        reader.take(StringTransport())
        self.assertEqual(reader.reading, 1)

    def test_handed_on(self) -> None:
        """Whoever accepts connections uses the reader that it is given, although it is idle."""
        nothing: Any = None
        door = Door(self.reactor, nothing, nothing, nothing, nothing, self.reader)
        factory = AudioSocketFactory(self.reactor, nothing, nothing, self.reader)
        self.assertIs(door.reader, self.reader)
        self.assertIs(factory.reader, self.reader)

    def test_without_a_beat(self) -> None:
        """All are the reactor's."""
        _, transport, _ = self.connect()
        BeatReader(on_arrival=0).take(transport)
        self.assertIn(transport, self.reactor.readers)

    def test_read(self) -> None:
        """What has come is read on the next sub-beat, 5 ms later at most, and only then."""
        far, transport, protocol = self.connect()
        self.reader.take(transport)
        self.assertNotIn(transport, self.reactor.readers)
        far.send(b"one")
        self.assertEqual(protocol.data, b"")
        self.reactor.advance(0.0051)
        self.assertEqual(protocol.data, b"one")
        self.reactor.advance(0.005)
        far.send(b"two")
        self.reactor.advance(0.005)
        self.assertEqual(protocol.data, b"onetwo")

    def test_end(self) -> None:
        """A closed connection goes back to the reactor, which ends it in its own way."""
        far, transport, protocol = self.connect()
        self.reader.take(transport)
        far.send(b"last")
        far.close()
        self.reactor.advance(0.0051)
        self.reactor.advance(0.0051)
        self.assertEqual(protocol.data, b"last")
        self.assertIn(transport, self.reactor.readers)
        self.assertEqual(self.reader.reading, 0)

    def test_left_while_reading(self) -> None:
        """Who leaves while a neighbour is read is not read any more."""
        pairs = [self.connect() for _ in range(2)]
        heard = [protocol for _, _, protocol in pairs]
        for place, (far, transport, protocol) in enumerate(pairs):
            self.reader.take(transport)
            other = pairs[1 - place][1]
            protocol.act = lambda other=other: self.reader.leave(other)
            far.send(b"x")
        self.reactor.advance(0.0051)
        self.assertEqual(sorted(one.data for one in heard), [b"", b"x"])

    def test_error(self) -> None:
        """A protocol that raises loses its own connection; its neighbour is heard."""
        pairs = [self.connect() for _ in range(2)]
        pairs[0][2].act = lambda: 1 // 0
        for far, transport, _ in pairs:
            self.reader.take(transport)
            far.send(b"x")
        self.reactor.advance(0.0051)
        self.assertEqual(pairs[1][2].data, b"x")
        self.reactor.advance(0)
        self.assertTrue(pairs[0][2].is_lost)
        self.assertFalse(pairs[1][2].is_lost)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_nobody(self) -> None:
        """When the last has left, the beat goes back to its sessions alone."""
        _, transport, _ = self.connect()
        self.reader.take(transport)
        self.reader.leave(transport)
        self.reader.leave(transport)
        self.assertIn(transport, self.reactor.readers)
        self.beat.remove(self.member)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_gone(self) -> None:
        """One that is lost leaves without being touched; its number may be another's by then."""
        _, transport, _ = self.connect()
        self.reader.take(transport)
        transport.connected = 0
        self.reader.leave(transport)
        self.assertNotIn(transport, self.reactor.readers)
        self.assertEqual(self.reader.reading, 0)
