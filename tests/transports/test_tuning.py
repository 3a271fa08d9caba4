"""What a media connection is told about itself, over each kind of transport there is."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import ssl, tcp, unix
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rapida_tw.transports.tuning import for_media
from tests.transports.test_reading import Reactor


@implementer(IPushProducer)
class Producer:
    """Knows whether it is paused."""

    paused = False

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False

    def stopProducing(self) -> None:
        """It is over."""


class TuningTests(SynchronousTestCase):
    def connection(self, family: int, kind: type[tcp.Connection]) -> Any:
        """One whose other end reads nothing."""
        near, far = socket.socketpair() if family == socket.AF_UNIX else _tcp_pair()
        self.addCleanup(far.close)
        self.addCleanup(near.close)
        transport: Any = kind.__new__(kind)
        if kind is unix.Server:
            unix.Server.__init__(transport, near, Protocol(), None, None, 0, Reactor())
        else:
            kind.__init__(transport, near, Protocol(), Reactor())
        transport.connected = 1
        return transport

    def test_tcp(self) -> None:
        """Sent at once, and a host that does not answer is gone after ten seconds."""
        transport = self.connection(socket.AF_INET, tcp.Connection)
        for_media(transport, 16_000)
        option = transport.socket.getsockopt
        self.assertTrue(option(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        self.assertEqual(option(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), 10_000)
        self.assertLess(option(socket.SOL_SOCKET, socket.SO_SNDBUF), 100_000)
        self.assertEqual(transport.bufferSize, 16_000)

    def test_unix(self) -> None:
        """A proxy on the same machine may come by a Unix socket, which has no TCP to tune."""
        transport = self.connection(socket.AF_UNIX, unix.Server)
        for_media(transport, 16_000)
        self.assertEqual(transport.bufferSize, 16_000)

    def test_memory(self) -> None:
        """A transport in memory has no socket at all."""
        transport: Any = StringTransport()
        transport.setTcpNoDelay = lambda enabled: None
        for_media(transport, 16_000)
        self.assertEqual(transport.bufferSize, 16_000)

    def test_tls(self) -> None:
        """Over TLS a producer is told of the same little that lies unsent."""
        transport = self.connection(socket.AF_INET, tcp.Connection)
        factory = TLSMemoryBIOFactory(
            ssl.CertificateOptions(), True, Factory.forProtocol(Protocol), Clock()
        )
        secure: Any = factory.buildProtocol(None)
        secure.makeConnection(transport)
        for_media(secure, 16_000)
        producer = Producer()
        secure.registerProducer(producer, True)
        transport.write(bytes(10_000))
        self.assertFalse(producer.paused)
        transport.write(bytes(7_000))
        self.assertTrue(producer.paused)


def _tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        far = socket.create_connection(server.getsockname())
        return server.accept()[0], far
