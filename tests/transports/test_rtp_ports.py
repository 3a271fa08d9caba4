"""Pairs of ports: drawn, held, rested and free again, on every path."""

from __future__ import annotations

import errno
from itertools import pairwise
from random import Random

import pytest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.datagrams import Datagrams, MemorySocket
from rapida_tw.transports.rtp_ports import (
    AT_MOST,
    SILENT_FOR,
    Exhausted,
    PortPair,
    PortPool,
    not_bound,
)

HOST = "192.0.2.10"
PEER = ("198.51.100.7", 4_000)


class Sockets:
    """A machine's; `failing` has a port's error, and `asked` all that were tried."""

    def __init__(self, network: Datagrams) -> None:
        self._machine = network.machine(HOST, "2001:db8::10")
        self.failing: dict[int, int] = {}
        self.asked: list[int] = []

    def bind(self, host: str, port: int) -> MemorySocket:
        self.asked.append(port)
        if port in self.failing:
            raise OSError(self.failing[port], "as the test says")
        return self._machine.bind(host, port)


class PortPoolTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.network = Datagrams(self.clock)
        self.sockets = Sockets(self.network)

    def pool(self, first: int = 10_000, last: int = 10_009, interface: str = HOST) -> PortPool:
        return PortPool(self.clock, self.sockets, interface, first, last, Random(5))

    def until(self, seconds: float) -> None:
        """Time passes in steps that no timer is late in."""
        while self.clock.seconds() < seconds - 1e-9:
            self.clock.advance(0.05)

    def test_bound(self) -> None:
        """The even port and the next one are ours as soon as the pair is taken."""
        pair = self.pool().take()
        self.assertEqual(pair.port % 2, 0)
        self.assertEqual(pair.rtp.address, (HOST, pair.port))
        self.assertEqual(pair.rtcp.address, (HOST, pair.port + 1))
        self.assertEqual(set(self.network.bound), {pair.rtp.address, pair.rtcp.address})

    def test_as_they_are_told(self) -> None:
        """A pool on all addresses binds the one that the far side is told, where that is ours."""
        pool = self.pool(interface="0.0.0.0")
        for host in (HOST, ""):
            pair = pool.take(host)
            self.assertEqual({pair.rtp.address[0], pair.rtcp.address[0]}, {host or "0.0.0.0"})
            pair.close()
        pool.close()

    def test_a_routers_address(self) -> None:
        """Behind NAT it is none of ours: all are bound, and no port is given up for it."""
        pool = self.pool(10_000, 10_003, interface="0.0.0.0")
        refused = not_bound.value("EADDRNOTAVAIL")
        for _ in range(2):
            self.assertEqual(pool.take("203.0.113.66").rtp.address[0], "0.0.0.0")
        self.assertEqual(not_bound.value("EADDRNOTAVAIL"), refused)

    def test_one_address(self) -> None:
        """A pool that is on one address stays there, whatever is announced."""
        self.assertEqual(self.pool().take("203.0.113.66").rtp.address[0], HOST)

    def test_range(self) -> None:
        """All even ports whose neighbour is within the range, each once."""
        for first, last in ((10_000, 10_009), (9_999, 10_009), (10_000, 10_010)):
            pool = self.pool(first, last)
            pairs = [pool.take() for _ in range(5)]
            self.assertEqual({pair.port for pair in pairs}, set(range(10_000, 10_009, 2)))
            with self.assertRaises(Exhausted):
                pool.take()
            pool.close()
            for pair in pairs:
                pair.close()

    def test_no_range(self) -> None:
        """A range without a pair is a mistake, told at once."""
        for first, last in ((10_000, 10_000), (10_001, 10_002), (10_008, 10_000)):
            with self.assertRaises(ValueError):
                self.pool(first, last)

    def test_random_place(self) -> None:
        """Calls one after another do not get the same port, nor the next one."""
        pool = self.pool(10_000, 19_999)
        ports = [pool.take().port for _ in range(50)]
        self.assertGreater(max(ports) - min(ports), 7_000)
        steps = [after - before for before, after in pairwise(ports)]
        self.assertLess(steps.count(2), 3)

    def test_next_when_taken(self) -> None:
        """Ports of other programs are left alone, whichever of the two it is."""
        self.sockets.failing = dict.fromkeys((10_000, 10_003, 10_004), errno.EADDRINUSE)
        pool = self.pool()
        taken = {pool.take().port for _ in range(2)}
        self.assertEqual(taken, {10_006, 10_008})
        self.assertRaises(Exhausted, pool.take)
        self.assertEqual(len(self.network.bound), 4)  # of a half-bound pair nothing is left
        self.sockets.failing.clear()
        self.assertEqual({pool.take().port for _ in range(3)}, {10_000, 10_002, 10_004})

    def test_no_use_to_go_on(self) -> None:
        """Where no port can be bound, not every one is tried."""
        self.sockets.failing = dict.fromkeys(range(10_000, 20_000), errno.EMFILE)
        pool = self.pool(10_000, 19_999)
        with self.assertRaisesRegex(Exhausted, "as the test says"):
            pool.take()
        self.assertEqual(len(self.sockets.asked), 1)
        self.assertEqual((len(pool), pool.in_use), (5_000, 0))

    def test_tries(self) -> None:
        """A range that others hold costs a bounded time."""
        self.sockets.failing = dict.fromkeys(range(10_000, 20_000), errno.EADDRINUSE)
        pool = self.pool(10_000, 19_999)
        with self.assertRaisesRegex(Exhausted, "other programs"):
            pool.take()
        self.assertEqual(len(self.sockets.asked), 100)
        self.assertEqual(len(pool), 5_000)

    def test_silent_peer(self) -> None:
        """A pair that hears nothing rests for two seconds, still bound, and is free."""
        pool = self.pool()
        pair = pool.take()
        pair.close()
        self.until(SILENT_FOR - 0.1)
        self.assertEqual((pool.in_use, pool.resting, len(pool)), (0, 1, 4))
        self.assertEqual(len(self.network.bound), 2)
        self.until(SILENT_FOR + 0.65)
        self.assertEqual((pool.resting, len(pool)), (0, 5))
        self.assertEqual(self.network.bound, {})
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_talking_peer(self) -> None:
        """A pair that is still sent to rests on, on either port, and at most 30 s."""
        for offset in (0, 1):
            with self.subTest(port=offset):
                pool = self.pool()
                pair = pool.take()
                begin = self.clock.seconds()
                pair.close()
                while self.clock.seconds() < begin + AT_MOST - 0.1:
                    self.network.carry(b"audio", PEER, (HOST, pair.port + offset))
                    self.clock.advance(0.05)
                    self.assertEqual(pool.resting, 1)
                for _ in range(25):
                    self.network.carry(b"audio", PEER, (HOST, pair.port + offset))
                    self.clock.advance(0.05)
                self.assertEqual(pool.resting, 0)

    def test_silent_at_last(self) -> None:
        """The two seconds count from the last datagram."""
        pool = self.pool()
        pair = pool.take()
        pair.close()
        self.until(4.0)
        pool = self.pool()
        pair = pool.take()
        pair.close()
        while self.clock.seconds() < 7.0:
            self.network.carry(b"audio", PEER, (HOST, pair.port))
            self.clock.advance(0.05)
        self.until(8.9)
        self.assertEqual(pool.resting, 1)
        self.until(9.6)
        self.assertEqual(pool.resting, 0)

    def test_nobody_hears(self) -> None:
        """What comes to a pair at rest reaches nobody."""
        heard: list[bytes] = []
        pair = self.pool().take()

        def hear(data: bytes, address: tuple[str, int]) -> bool:
            heard.append(data)
            return True

        pair.rtp.hear(hear)
        self.network.carry(b"one", PEER, pair.rtp.address)
        self.clock.advance(0)
        pair.close()
        self.network.carry(b"two", PEER, pair.rtp.address)
        self.clock.advance(0)
        self.assertEqual(heard, [b"one"])

    def test_once(self) -> None:
        """A pair that is closed twice is given back once."""
        pool = self.pool()
        pair = pool.take()
        pair.close()
        pair.close()
        self.assertEqual((pool.in_use, pool.resting), (0, 1))

    def test_full_again(self) -> None:
        """After ten thousand calls, failing binds among them, every pair is free."""
        pool = self.pool(10_000, 10_399)
        chance = Random(8)
        held: list[PortPair] = []
        for _ in range(10_000):
            self.sockets.failing = {chance.randrange(10_000, 10_400): errno.EADDRINUSE}
            if len(held) > 5:
                held.pop(chance.randrange(len(held))).close()
            try:
                held.append(pool.take())
            except Exhausted:
                self.clock.advance(1.0)
            self.clock.advance(0.01)
        for pair in held:
            pair.close()
        self.until(self.clock.seconds() + SILENT_FOR + 0.65)
        self.assertEqual((len(pool), pool.in_use, pool.resting), (200, 0, 0))
        self.assertEqual(self.network.bound, {})

    def test_many_at_rest(self) -> None:
        """All pairs of a full range rest and are free in time, a few looked at in a beat."""
        pool = self.pool(10_000, 10_799)
        for pair in [pool.take() for _ in range(400)]:
            pair.close()
        self.until(SILENT_FOR + 0.65)
        self.assertEqual(len(pool), 400)

    def test_close(self) -> None:
        """A closed pool holds no socket and no timer; what is taken is unbound when it comes."""
        pool = self.pool()
        resting, taken = pool.take(), pool.take()
        resting.close()
        pool.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.network.bound), 2)
        taken.close()
        self.assertEqual(self.network.bound, {})
        self.assertRaises(Exhausted, pool.take)

    def test_each_family(self) -> None:
        """IPv4 and IPv6 have the same ports beside each other."""
        pools = [self.pool(10_000, 10_001, interface) for interface in ("0.0.0.0", "::")]
        self.assertEqual([pool.take().port for pool in pools], [10_000, 10_000])


@pytest.mark.parametrize("error", [errno.EADDRNOTAVAIL, errno.ENOBUFS])
def test_half_bound(error: int) -> None:
    """When the second bind fails the first is undone."""
    clock = Clock()
    network = Datagrams(clock)
    sockets = Sockets(network)
    sockets.failing = {10_001: error}
    pool = PortPool(clock, sockets, HOST, 10_000, 10_001, Random(1))
    with pytest.raises(Exhausted):
        pool.take()
    assert network.bound == {}
    assert (len(pool), pool.in_use) == (1, 0)
