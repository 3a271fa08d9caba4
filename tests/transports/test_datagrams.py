"""The kernel's sockets, on the loopback; the reactor only takes notes."""

from __future__ import annotations

import errno
import socket

from twisted.internet.interfaces import IReadDescriptor
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rapida_tw.media.clock import MediaClock
from rapida_tw.transports.datagrams import LARGEST, UdpSocket, UdpSockets, not_sent
from rapida_tw.transports.reading import BeatReader
from tests.transports.test_reading import Member, Reactor


class UdpSocketTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.beat = MediaClock(self.reactor)
        self.beat.add(Member())
        self.reader = BeatReader(self.beat.read_with, on_arrival=1)
        self.sockets = UdpSockets(self.reactor, self.reader)
        self.far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.far.bind(("127.0.0.1", 0))
        self.addCleanup(self.far.close)
        self.heard: list[bytes] = []

    def bind(self, host: str = "127.0.0.1") -> UdpSocket:
        made = self.sockets.bind(host, 0)
        self.addCleanup(made.close)
        return made

    def hear(self, data: bytes, address: tuple[str, int]) -> bool:
        self.heard.append(data)
        self.address = address
        return not data.startswith(b"junk")

    def test_interface(self) -> None:
        """It is what the reactor reads."""
        verifyObject(IReadDescriptor, self.bind())

    def test_both_ways(self) -> None:
        """What is sent arrives; what arrives is heard with its sender."""
        ours = self.bind()
        ours.hear(self.hear)
        self.assertTrue(ours.send(b"out", self.far.getsockname()))
        self.assertEqual(self.far.recvfrom(99), (b"out", ours.address))
        self.far.sendto(b"in", ours.address)
        ours.doRead()
        self.assertEqual((self.heard, self.address), ([b"in"], self.far.getsockname()))

    def test_ipv6(self) -> None:
        """Addresses of IPv6 are a host and a port as well; IPv4 may have the same port."""
        ours, other = self.bind("::1"), self.bind("::1")
        ours.hear(self.hear)
        self.assertTrue(other.send(b"in", ours.address))
        ours.doRead()
        self.assertEqual((self.heard, self.address), ([b"in"], other.address))
        wild = self.bind("::")
        self.sockets.bind("0.0.0.0", wild.address[1]).close()

    def test_marked(self) -> None:
        """Its packets ask for expedited forwarding, unless that is not wanted."""
        for expedited, expected in ((True, 0xB8), (False, 0)):
            sockets = UdpSockets(self.reactor, self.reader, expedited)
            for host, level, option in (
                ("127.0.0.1", socket.IPPROTO_IP, socket.IP_TOS),
                ("::1", socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
            ):
                made = sockets.bind(host, 0)
                self.assertEqual(made._socket.getsockopt(level, option), expected)
                made.close()

    def test_in_use(self) -> None:
        """A port that is bound is not bound again, and no socket is left of it."""
        with self.assertRaises(OSError) as caught:
            self.sockets.bind("127.0.0.1", self.far.getsockname()[1])
        self.assertEqual(caught.exception.errno, errno.EADDRINUSE)

    def test_few_on_arrival(self) -> None:
        """Few are the reactor's, many are read on the beat; seldom heard ones never."""
        first, second, seldom = self.bind(), self.bind(), self.bind()
        first.hear(self.hear, often=True)
        seldom.hear(self.hear)
        self.assertEqual(self.reactor.readers, {first, seldom})
        second.hear(self.hear, often=True)
        self.assertEqual(self.reactor.readers, {seldom})
        self.far.sendto(b"in", second.address)
        self.reactor.advance(0.0051)
        self.assertEqual(self.heard, [b"in"])

    def test_junk(self) -> None:
        """What is of no use does not take the turn of what is, within bounds."""
        ours = self.bind()
        ours.hear(self.hear)
        for _ in range(40):
            self.far.sendto(b"junk", ours.address)
        self.far.sendto(b"sound", ours.address)
        self.far.sendto(b"more", ours.address)
        ours.doRead()
        self.assertEqual(self.heard, [b"junk"] * 32)
        ours.doRead()
        self.assertEqual(self.heard[32:], [b"junk"] * 8 + [b"sound"])

    def test_giants(self) -> None:
        """What is longer than any audio is not heard, not even its beginning."""
        ours = self.bind()
        ours.hear(self.hear)
        for size in (LARGEST + 1, 60_000, LARGEST):
            self.far.sendto(bytes(size), ours.address)
        ours.doRead()
        self.assertEqual([len(data) for data in self.heard], [LARGEST])

    def test_not_sent(self) -> None:
        """What the kernel refuses is counted, and nothing more."""
        ours = self.bind()
        for address, error in (
            (("127.0.0.1", 0), "EINVAL"),
            (("255.255.255.255", 9), "EACCES"),
            (("127.0.0.1", 65_536), "other"),
            (("127.0.0.1", -1), "other"),
        ):
            before = not_sent.value(error)
            self.assertFalse(ours.send(b"x", address), address)
            self.assertEqual(not_sent.value(error) - before, 1, address)
        self.assertFalse(ours.send(bytes(65_530), self.far.getsockname()))
        self.assertTrue(ours.send(b"x", self.far.getsockname()))

    def test_raising(self) -> None:
        """A bug in who hears it does not reach the reactor."""
        ours = self.bind()
        ours.hear(lambda data, address: bool(1 // 0))
        self.far.sendto(b"x", ours.address)
        ours.doRead()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_rest(self) -> None:
        """At rest it is read by nobody, keeps next to nothing, and is drained when asked."""
        ours = self.bind()
        ours.hear(self.hear, often=True)
        ours.rest()
        self.assertEqual((self.reactor.readers, self.reader.reading), (set(), 0))
        self.assertFalse(ours.drain())
        for _ in range(500):
            self.far.sendto(bytes(172), ours.address)
        self.assertTrue(ours.drain())
        self.assertFalse(ours.drain())
        ours.doRead()
        self.assertEqual(self.heard, [])

    def test_closed(self) -> None:
        """Nothing of it is left, and whatever is asked of it then does nothing."""
        for place in range(2):  # the reactor's, the beat's
            ours = self.bind()
            other = self.bind()
            if place:
                other.hear(self.hear, often=True)
            ours.hear(self.hear, often=True)
            ours.close()
            ours.close()
            self.assertNotIn(ours, self.reactor.readers)
            self.assertEqual(self.reader.reading, place)
            ours.hear(self.hear)
            ours.rest()
            ours.doRead()
            self.assertFalse(ours.drain())
            self.assertFalse(ours.send(b"x", self.far.getsockname()))
            self.assertEqual(ours.fileno(), -1)
            other.close()

    def test_closed_by_what_is_heard(self) -> None:
        """The next datagram of the same reading is not taken."""
        ours = self.bind()

        def close(data: bytes, address: tuple[str, int]) -> bool:
            self.heard.append(data)
            ours.close()
            return False

        ours.hear(close)
        self.far.sendto(b"one", ours.address)
        self.far.sendto(b"two", ours.address)
        ours.doRead()
        self.assertEqual(self.heard, [b"one"])
