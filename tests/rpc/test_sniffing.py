"""The HTTP port's two protocols, told apart by the first bytes."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IProtocolNegotiationFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rapida_tw.rpc.bounds import PREFACE_WITHIN
from rapida_tw.rpc.sniffing import HttpPort
from rapida_tw.wire.http2 import PREFACE
from tests.rpc.client import Wire


class Keeping(Protocol):
    """Keeps what it receives."""

    def __init__(self) -> None:
        self.data = b""
        self.lost = False

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Any = None) -> None:
        self.lost = True


class Several(Factory):
    """Of those, unless it is `full`."""

    def __init__(self) -> None:
        self.made: list[Keeping] = []
        self.full = False
        self.started = 0

    def buildProtocol(self, addr: Any) -> Keeping | None:
        if self.full:
            return None
        self.made.append(Keeping())
        return self.made[-1]

    def startFactory(self) -> None:
        self.started += 1

    def stopFactory(self) -> None:
        self.started -= 1


class SniffingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.site, self.rpc = Several(), Several()
        self.port = HttpPort(self.site, self.rpc, self.clock)

    def connect(self) -> Wire:
        wire = Wire()
        wire.protocol = self.port.buildProtocol(None)
        wire.protocol.makeConnection(wire)
        return wire

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_http(self) -> None:
        """One byte that the preface does not begin with is enough, and all of them arrive."""
        wire = self.connect()
        wire.protocol.dataReceived(b"GET / HTTP/1.1\r\n")
        (chosen,) = self.site.made
        self.assertEqual((chosen.data, self.rpc.made), (b"GET / HTTP/1.1\r\n", []))
        self.assertIs(wire.protocol, chosen)
        self.assertIs(chosen.transport, wire)

    def test_preface(self) -> None:
        """However it is cut."""
        stream = PREFACE + b"more"
        for cut in range(1, len(stream)):
            wire = self.connect()
            wire.protocol.dataReceived(stream[:cut])
            wire.protocol.dataReceived(stream[cut:])
            self.assertEqual(self.rpc.made[-1].data, stream)
            self.assertIs(wire.protocol, self.rpc.made[-1])
        self.assertEqual(self.site.made, [])

    def test_almost(self) -> None:
        """What begins like it, as POST and PUT do, is HTTP/1.1."""
        for begun in (b"P", b"PRI", PREFACE[:-1]):
            wire = self.connect()
            wire.protocol.dataReceived(begun)
            wire.protocol.dataReceived(b"X")
            self.assertEqual(self.site.made[-1].data, begun + b"X")

    def test_silent(self) -> None:
        """Whoever says nothing is cut off."""
        wire = self.connect()
        wire.protocol.dataReceived(b"PRI")
        self.clock.advance(PREFACE_WITHIN)
        self.assertTrue(wire.aborted)

    def test_lost(self) -> None:
        """Before it has said anything."""
        self.connect().protocol.connectionLost()

    def test_full(self) -> None:
        """Where no more connections are taken."""
        self.rpc.full = True
        wire = self.connect()
        wire.protocol.dataReceived(PREFACE)
        self.assertTrue(wire.aborted)

    def test_alpn(self) -> None:
        """A client that offers both wants pages; gRPC's offer h2 alone."""
        verifyObject(IProtocolNegotiationFactory, self.port)
        self.assertEqual(self.port.acceptableProtocols(), [b"http/1.1", b"h2"])

    def test_start(self) -> None:
        """The site is started and stopped with its port."""
        self.port.doStart()
        self.assertEqual(self.site.started, 1)
        self.port.doStop()
        self.assertEqual(self.site.started, 0)
