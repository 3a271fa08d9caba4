from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IConsumer, IPushProducer, ITransport
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from rapida_tw.sim.memory import MemoryTransport, Network
from rapida_tw.sim.weather import RESENT_AFTER, Weather
from tests.sim.peers import Server, Servers


@implementer(IPushProducer)
class Producer:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


class Refusing(Factory):
    def buildProtocol(self, addr: object) -> None:
        return None


class NetworkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.network = Network(self.clock)
        servers = Servers()
        self.near = Server()
        transport = self.network.connect(servers, self.near)
        assert transport is not None
        self.wire: MemoryTransport = transport
        self.far = servers.made[0]

    def settle(self) -> None:
        while self.clock.getDelayedCalls():
            self.clock.advance(0)

    def lost(self, end: Server) -> Any:
        assert end.lost is not None
        return end.lost.type

    def test_interfaces(self) -> None:
        """It is what Twisted calls a transport."""
        self.assertTrue(verifyObject(ITransport, self.wire))
        self.assertTrue(verifyObject(IConsumer, self.wire))
        self.assertTrue(verifyObject(IPushProducer, self.wire))

    def test_never_within_write(self) -> None:
        """Bytes arrive in a later turn of the reactor, in their order and pieces."""
        self.wire.write(b"one")
        self.wire.write(b"two")
        self.assertEqual(self.far.pieces, [])
        self.settle()
        self.assertEqual(self.far.pieces, [b"one", b"two"])

    def test_refused(self) -> None:
        """A factory may refuse, as over TCP."""
        self.assertIsNone(Network(self.clock).connect(Refusing(), Server()))

    def test_close(self) -> None:
        """A close arrives behind the bytes before it; both ends are told once, cleanly."""
        self.wire.write(b"last words")
        self.wire.loseConnection()
        self.wire.write(b"too late")
        self.settle()
        self.assertEqual(self.far.received, b"last words")
        self.assertEqual((self.lost(self.near), self.lost(self.far)), (ConnectionDone,) * 2)

    def test_abort(self) -> None:
        """A reset is told as one to both; what is under way is lost."""
        self.far.transport.pauseProducing()
        self.wire.write(b"never read")
        self.wire.abortConnection()
        self.settle()
        self.assertEqual(self.far.received, b"")
        self.assertEqual(self.lost(self.near), ConnectionAborted)
        self.assertEqual(self.lost(self.far), ConnectionLost)

    def test_paused_reader(self) -> None:
        """Who does not read gets everything later, the end too."""
        self.far.transport.pauseProducing()
        self.wire.write(b"waits")
        self.wire.loseConnection()
        self.settle()
        self.assertEqual((self.far.received, self.far.lost), (b"", None))
        self.far.transport.resumeProducing()
        self.assertEqual(self.far.received, b"waits")
        self.assertEqual(self.lost(self.far), ConnectionDone)

    def test_close_while_not_reading(self) -> None:
        """Who closes is rid of the connection whether it reads or not."""
        self.wire.pauseProducing()
        self.wire.loseConnection()
        self.settle()
        self.assertEqual(self.lost(self.near), ConnectionDone)

    def test_writing_to_a_closed_peer(self) -> None:
        """Writing to who has gone is answered by a reset, even while the end was not read."""
        self.far.transport.pauseProducing()
        self.wire.loseConnection()
        self.settle()
        self.far.transport.write(b"anybody?")
        self.settle()
        self.assertEqual(self.lost(self.far), ConnectionLost)

    def test_back_pressure(self) -> None:
        """A reader that sleeps makes the writer's producer pause, and later resume."""
        producer = Producer()
        self.wire.registerProducer(producer, True)
        self.far.transport.pauseProducing()
        while not producer.calls:
            self.wire.write(bytes(1_000))
        self.assertGreater(self.wire.unread, 65_536 + self.wire.bufferSize)
        self.settle()
        self.far.transport.resumeProducing()
        self.assertEqual(producer.calls, ["pause", "resume"])

    def test_a_close_waits_for_a_full_kernel(self) -> None:
        """Unsent bytes keep a closing connection open until they are read."""
        self.far.transport.pauseProducing()
        self.wire.write(bytes(200_000))
        self.wire.loseConnection()
        self.settle()
        self.assertIsNone(self.near.lost)
        self.far.transport.resumeProducing()
        self.settle()
        self.assertEqual(len(self.far.received), 200_000)
        self.assertEqual((self.lost(self.near), self.lost(self.far)), (ConnectionDone,) * 2)

    def test_producer_is_stopped(self) -> None:
        """The end of the connection stops the producer."""
        producer = Producer()
        self.far.transport.registerProducer(producer, True)
        self.wire.loseConnection()
        self.settle()
        self.assertEqual(producer.calls, ["stop"])

    def test_one_producer(self) -> None:
        """A second producer is refused until the first is unregistered; after the end, stopped."""
        self.wire.registerProducer(Producer(), True)
        second = Producer()
        self.assertRaises(RuntimeError, self.wire.registerProducer, second, True)
        self.wire.unregisterProducer()
        self.wire.abortConnection()
        self.settle()
        self.wire.registerProducer(second, True)
        self.assertEqual(second.calls, ["stop"])

    def test_failing_protocol(self) -> None:
        """A protocol that raises loses its connection; what comes for others still does."""
        servers, other = Servers(), Server()
        self.network.connect(servers, other)
        self.far.dataReceived = lambda data: 1 / 0  # type: ignore[assignment,method-assign]
        self.wire.write(b"x")
        other.transport.write(b"unharmed")
        self.settle()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(
            (self.lost(self.near), self.lost(self.far)), (ConnectionLost, ZeroDivisionError)
        )
        self.assertEqual(servers.made[0].received, b"unharmed")

    def test_joined(self) -> None:
        """Where writes are joined, those of one turn are one piece, and the end comes behind it."""
        servers, near = Servers(), Server()
        network = Network(self.clock, joined=True)
        network.connect(servers, near)
        for data in (b"one", b"two"):
            near.transport.write(data)
        servers.made[0].transport.write(b"back")
        near.transport.loseConnection()
        self.settle()
        self.assertEqual(servers.made[0].pieces, [b"onetwo"])
        self.assertEqual(near.pieces, [b"back"])
        self.assertEqual(self.lost(servers.made[0]), ConnectionDone)

    def test_connected(self) -> None:
        """The network knows what is open."""
        self.assertEqual(self.network.connected, {self.wire, self.wire.peer})
        self.wire.loseConnection()
        self.settle()
        self.assertEqual(self.network.connected, set())


class WeatherTests(SynchronousTestCase):
    """Delays, and what they do to a connection."""

    def arrivals(self, delays: list[float]) -> list[tuple[float, bytes]]:
        """When each of some pieces, one written every 10 ms, is there."""
        clock = Clock()
        waiting = iter(delays)
        network = Network(clock, lambda: next(waiting))
        servers, near = Servers(), Server()
        network.connect(servers, near)
        seen: list[tuple[float, bytes]] = []
        servers.made[0].dataReceived = lambda data: seen.append(  # type: ignore[method-assign]
            (round(clock.seconds(), 6), data)
        )
        for number in range(len(delays)):
            near.transport.write(bytes((number,)))
            clock.advance(0.01)
        clock.pump([0.01] * 100)
        return seen

    def test_held_up(self) -> None:
        """Nothing overtakes: what comes behind a late piece comes with it, in order."""
        self.assertEqual(
            self.arrivals([0.01, 0.2, 0.01, 0.01]),
            [(0.01, b"\0"), (0.21, b"\1"), (0.21, b"\2"), (0.21, b"\3")],
        )

    def test_calm(self) -> None:
        """Without jitter and loss each piece takes the latency."""
        weather = Weather(1, latency=0.03)
        self.assertEqual([weather() for _ in range(3)], [0.03] * 3)

    def test_seeded(self) -> None:
        """The same seed makes the same weather."""
        rough = {"jitter": 0.05, "loss": 0.1}
        one, same, other = (Weather(seed, **rough) for seed in (1, 1, 2))
        delays = [one() for _ in range(50)]
        self.assertEqual(delays, [same() for _ in range(50)])
        self.assertNotEqual(delays, [other() for _ in range(50)])

    def test_loss(self) -> None:
        """About the told share is sent again, and again when that is lost, too."""
        weather = Weather(7, latency=0.0, loss=0.2)
        delays = [weather() for _ in range(2000)]
        self.assertLess(abs(sum(delay > 0 for delay in delays) / 2000 - 0.2), 0.03)
        self.assertGreaterEqual({round(delay / RESENT_AFTER) for delay in delays}, {1, 3, 7})
