"""A stream that knows its far side has the kernel keep others away, until that may have moved."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.transports.datagrams import UdpSockets
from rapida_tw.transports.reading import BeatReader
from rapida_tw.wire.rtp_source import REBINDS_AFTER
from tests.transports.rtp_case import THEIRS, RtpCase
from tests.transports.test_reading import Reactor


def _port() -> int:
    """One that is free. Bound by its number, as those of a call are, a socket keeps it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class SocketTests(SynchronousTestCase):
    """The kernel's part."""

    def setUp(self) -> None:
        self.ours = UdpSockets(Reactor(), BeatReader()).bind("0.0.0.0", _port())
        self.addCleanup(self.ours.close)
        self.peer, self.stranger = self.far(), self.far()
        self.heard: list[tuple[bytes, tuple[str, int]]] = []
        self.ours.hear(self.hear)

    def far(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        made.settimeout(1.0)
        self.addCleanup(made.close)
        return made

    def hear(self, data: bytes, address: tuple[str, int]) -> bool:
        self.heard.append((data, address))
        return True

    def send(self, source: socket.socket, *texts: bytes) -> None:
        for text in texts:
            source.sendto(text, ("127.0.0.1", self.ours.address[1]))

    def read(self) -> list[bytes]:
        """What is heard by now."""
        for _ in range(5):
            self.ours.doRead()
        texts = [data for data, _ in self.heard]
        self.heard.clear()
        return texts

    def test_others_are_kept_away(self) -> None:
        """The peer is heard, with its address; a stranger is not."""
        self.ours.settle(self.peer.getsockname())
        self.send(self.stranger, b"stranger")
        self.send(self.peer, b"peer")
        self.ours.doRead()
        self.assertEqual(self.heard, [(b"peer", self.peer.getsockname())])

    def test_what_has_come_before(self) -> None:
        """What a stranger sent before is not taken for the peer's, of which nothing is lost."""
        self.send(self.stranger, b"stranger")
        self.send(self.peer, b"one")
        self.send(self.stranger, b"stranger")
        self.send(self.peer, b"two")
        self.ours.settle(self.peer.getsockname())
        self.send(self.peer, b"three")
        self.assertEqual(self.read(), [b"one", b"two", b"three"])

    def test_flood_before(self) -> None:
        """Who cannot be told apart in time is told apart one by one, as before."""
        self.send(self.stranger, *[b"stranger"] * 100)
        self.ours.settle(self.peer.getsockname())
        self.assertIsNone(self.ours._peer)

    def test_both_ways(self) -> None:
        """The peer is sent to, and anybody else still can be."""
        self.ours.settle(self.peer.getsockname())
        for far in (self.peer, self.stranger):
            self.assertTrue(self.ours.send(b"out", far.getsockname()))
            self.assertEqual(far.recvfrom(99)[0], b"out")

    def test_anybody_again(self) -> None:
        """Its port is the same, and whoever sends to it is heard."""
        port = self.ours.address[1]
        for _ in range(2):
            self.ours.settle(self.peer.getsockname())
            self.ours.settle(None)
            self.assertEqual(self.ours._socket.getsockname(), ("0.0.0.0", port))
            self.send(self.stranger, b"from elsewhere")
            self.assertEqual(self.read(), [b"from elsewhere"])

    def test_another_peer(self) -> None:
        """From one to the next."""
        for far in (self.peer, self.stranger, self.peer):
            self.ours.settle(far.getsockname())
            self.send(far, b"x")
            self.assertEqual(self.read(), [b"x"])

    def test_peer_has_gone(self) -> None:
        """A port that nobody has any more neither raises nor stops anything."""
        self.ours.settle(self.peer.getsockname())
        address = self.peer.getsockname()
        self.peer.close()
        for _ in range(3):
            self.ours.send(b"out", address)
            self.ours.doRead()
        self.ours.settle(None)
        self.send(self.stranger, b"still")
        self.assertEqual(self.read(), [b"still"])

    def test_closed(self) -> None:
        """Of a closed socket nothing is asked."""
        self.ours.close()
        self.ours.settle(self.peer.getsockname())
        self.assertIsNone(self.ours._peer)

    def test_impossible(self) -> None:
        """An address that cannot be connected to changes nothing."""
        self.ours.settle(("255.255.255.255", 9))
        self.send(self.stranger, b"x")
        self.assertEqual(self.read(), [b"x"])


class StreamTests(RtpCase):
    """The stream's part: whom, and when."""

    def setUp(self) -> None:
        super().setUp()
        self.told: list[object] = []
        self.stream._pair.rtp.settle = self.told.append  # type: ignore[method-assign]

    def talk(self, seconds: float) -> None:
        for _ in range(round(seconds * 50)):
            self.to_us(self.phone.packet())
            self.run_for(0.02)

    def test_settled(self) -> None:
        """As soon as the far side has settled, once."""
        self.up()
        self.assertEqual(set(self.told), {None})
        self.talk(0.4)
        self.assertEqual([peer for peer in self.told if peer], [(THEIRS, 4000)])

    def test_silent(self) -> None:
        """When nothing has come for so long that it may come from elsewhere, and then again."""
        self.up()
        self.talk(0.4)
        self.told.clear()
        self.run_for(REBINDS_AFTER - 0.1)
        self.assertEqual(self.told, [])
        self.run_for(0.2)
        self.assertEqual(self.told, [None])
        self.talk(0.1)
        self.assertEqual(self.told, [None, (THEIRS, 4000)])

    def test_agreed_anew(self) -> None:
        """A new agreement may mean another address."""
        agreed = self.up()
        self.talk(0.4)
        self.told.clear()
        self.again(agreed, port=4002)
        self.assertEqual(self.told, [None])

    def test_over(self) -> None:
        """A closed stream asks for nothing."""
        self.up()
        self.talk(0.4)
        self.stream.close()
        self.told.clear()
        self.stream._keep_to(None)
        self.assertEqual(self.told, [])
