"""The network in memory: what it carries, and what a storm does to it."""

from __future__ import annotations

import errno
from itertools import pairwise

import pytest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.datagrams import Datagrams, MemorySocket, Storm

NEAR, FAR = "192.0.2.1", "198.51.100.1"


class Heard:
    """What a socket was given, and when."""

    def __init__(self, clock: Clock, socket: MemorySocket) -> None:
        self._clock = clock
        self.got: list[tuple[bytes, tuple[str, int]]] = []
        self.times: list[float] = []
        socket.hear(self)

    def __call__(self, data: bytes, address: tuple[str, int]) -> bool:
        self.got.append((data, address))
        self.times.append(self._clock.seconds())
        return True


class DatagramsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.network = Datagrams(self.clock)
        self.near = self.network.machine(NEAR, "2001:db8::1")
        self.far = self.network.machine(FAR, "2001:db8::2")

    def test_carried(self) -> None:
        """To whom it was sent, with the sender's address, in a later turn."""
        one, other = self.near.bind(NEAR, 10), self.far.bind(FAR, 20)
        heard = Heard(self.clock, other)
        self.assertTrue(one.send(b"hello", (FAR, 20)))
        self.assertEqual(heard.got, [])
        self.clock.advance(0)
        self.assertEqual(heard.got, [(b"hello", (NEAR, 10))])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nobody_there(self) -> None:
        """Sending to a closed port succeeds, and is counted by the network alone."""
        one, other = self.near.bind(NEAR, 10), self.far.bind(FAR, 20)
        heard = Heard(self.clock, other)
        other.close()
        self.assertTrue(one.send(b"hello", (FAR, 20)))
        self.clock.advance(0)
        self.assertEqual((heard.got, self.network.unheard), ([], 1))

    def test_wildcard(self) -> None:
        """0.0.0.0 is each address of IPv4, :: each of IPv6; the sender is the first of them."""
        four, six = self.near.bind("0.0.0.0", 10), self.near.bind("::", 10)
        one, other = self.far.bind("0.0.0.0", 20), self.far.bind("::", 20)
        heard = [Heard(self.clock, four), Heard(self.clock, six)]
        one.send(b"4", (NEAR, 10))
        other.send(b"6", ("2001:db8::1", 10))
        self.clock.advance(0)
        self.assertEqual(heard[0].got, [(b"4", (FAR, 20))])
        self.assertEqual(heard[1].got, [(b"6", ("2001:db8::2", 20))])

    def test_bind_errors(self) -> None:
        """As the kernel says it."""
        self.near.bind("0.0.0.0", 10)
        for host, port, error in (
            (NEAR, 10, errno.EADDRINUSE),
            ("0.0.0.0", 10, errno.EADDRINUSE),
            (FAR, 11, errno.EADDRNOTAVAIL),
        ):
            with self.assertRaises(OSError) as caught:
                self.near.bind(host, port)
            self.assertEqual(caught.exception.errno, error)

    def test_any_port(self) -> None:
        """A bind to port 0 finds one that is free, each time another."""
        ports = {self.near.bind(NEAR).places[0][1] for _ in range(100)}
        self.assertEqual(len(ports), 100)

    def test_refused(self) -> None:
        """What the kernel would not send."""
        one = self.near.bind(NEAR, 10)
        for address in ((FAR, 0), (FAR, 65_536), ("2001:db8::2", 5)):
            self.assertFalse(one.send(b"x", address), address)
        self.assertFalse(one.send(bytes(65_508), (FAR, 20)))
        one.close()
        self.assertFalse(one.send(b"x", (FAR, 20)))

    def test_bound_again(self) -> None:
        """Closing frees the port; closing again does not take it from its next holder."""
        one = self.near.bind(NEAR, 10)
        one.close()
        other = self.near.bind(NEAR, 10)
        one.close()
        self.assertTrue(other.send(b"x", (FAR, 20)))

    def test_drained(self) -> None:
        """What nobody heard is told of once."""
        one, other = self.near.bind(NEAR, 10), self.far.bind(FAR, 20)
        self.assertFalse(other.drain())
        one.send(b"x", (FAR, 20))
        self.clock.advance(0)
        self.assertTrue(other.drain())
        self.assertFalse(other.drain())

    def test_waiting(self) -> None:
        """What came before anybody heard is heard as soon as somebody does, in order."""
        one, other = self.near.bind(NEAR, 10), self.far.bind(FAR, 20)
        for number in range(3):
            one.send(bytes([number]), (FAR, 20))
        self.clock.advance(0)
        heard = Heard(self.clock, other)
        self.assertEqual(heard.got, [])
        self.clock.advance(0)
        self.assertEqual([data for data, _ in heard.got], [b"\0", b"\1", b"\2"])

    def test_error(self) -> None:
        """Who raises on a datagram does not take it from others."""

        def fail(data: bytes, address: tuple[str, int]) -> bool:
            raise ZeroDivisionError

        bad, good = self.far.bind(FAR, 20), self.far.bind(FAR, 21)
        bad.hear(fail)
        heard = Heard(self.clock, good)
        one = self.near.bind(NEAR, 10)
        one.send(b"x", (FAR, 20))
        one.send(b"x", (FAR, 21))
        self.clock.advance(0)
        self.assertEqual(len(heard.got), 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def through(self, storm: Storm, count: int = 5_000) -> Heard:
        """So many datagrams, 20 ms apart, as they arrive."""
        self.network.storm = storm
        heard = Heard(self.clock, self.far.bind(FAR, 20))
        one = self.near.bind(NEAR, 10)
        for number in range(count):
            one.send(number.to_bytes(4, "big"), (FAR, 20))
            self.clock.advance(0.02)
        self.clock.advance(10)
        return heard

    def numbers(self, heard: Heard) -> list[int]:
        return [int.from_bytes(data, "big") for data, _ in heard.got]

    def test_jitter(self) -> None:
        """It delays within its bounds, and keeps the order."""
        arrivals = Storm(1, latency=0.05, jitter=0.2).arrivals
        delays = [at - n for n in range(1000) for at in arrivals("path", n)]
        self.assertTrue(all(0.05 <= delay <= 0.25 + 1e-9 for delay in delays))
        self.assertGreater(max(delays) - min(delays), 0.19)
        heard = self.numbers(self.through(Storm(1, jitter=0.2), 1000))
        self.assertEqual(heard, list(range(1000)))

    def test_loss(self) -> None:
        """Its share does not arrive, in bursts as long as asked for."""
        for burst, expected in ((None, 1 / 0.9), (1.0, 1.0), (3.0, 3.0)):
            storm = Storm(2, loss=0.1, burst=burst)
            there = [bool(storm.arrivals("path", n * 0.02)) for n in range(50_000)]
            lost = there.count(False)
            self.assertTrue(4_500 < lost < 5_500, lost)
            bursts = sum(before and not after for before, after in pairwise(there))
            self.assertTrue(0.95 < lost / bursts / expected < 1.05, lost / bursts)

    def test_reorder(self) -> None:
        """Some come behind those that were sent later, and none is lost by it."""
        numbers = self.numbers(self.through(Storm(3, reorder=0.05), 2000))
        self.assertEqual(sorted(numbers), list(range(2000)))
        swapped = sum(after < before for before, after in pairwise(numbers))
        self.assertTrue(50 < swapped < 150, swapped)

    def test_duplicates(self) -> None:
        """Some come twice."""
        numbers = self.numbers(self.through(Storm(4, duplicates=0.1), 2000))
        self.assertTrue(150 < len(numbers) - len(set(numbers)) < 250)
        self.assertEqual(set(numbers), set(range(2000)))

    def test_seed(self) -> None:
        """The same seed, the same storm."""
        made = [
            [Storm(seed, jitter=0.1, loss=0.2).arrivals("path", n) for n in range(100)]
            for seed in (5, 5, 6)
        ]
        self.assertEqual(made[0], made[1])
        self.assertNotEqual(made[0], made[2])


@pytest.mark.parametrize("loss", [0.0, 1.0])
def test_all_or_nothing(loss: float) -> None:
    """No loss is none, all is all."""
    storm = Storm(1, loss=loss)
    assert sum(bool(storm.arrivals("path", n)) for n in range(1000)) == (0 if loss else 1000)
