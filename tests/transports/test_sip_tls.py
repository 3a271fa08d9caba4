"""SIP over TLS: both ends in memory, with a handshake in between."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.address import IPv4Address
from twisted.internet.ssl import CertificateOptions, PrivateCertificate
from twisted.protocols.tls import TLSMemoryBIOFactory

from rapida_tw.transports.sip_stream_sockets import (
    CONNECTIONS_A_SOURCE,
    UNREAD_FOR,
    SipConnection,
)
from tests.interop.certificate import self_signed
from tests.transports.sip_lines import OPTIONS, PEER, Line, Wire


class Tls:
    """A connection over TLS, both ends of it ours."""

    def __init__(self, folder: Path) -> None:
        self.here, self.there = Line(), Line()
        files = self_signed(folder)
        both = files.key.read_bytes() + files.certificate.read_bytes()
        ours = TLSMemoryBIOFactory(
            PrivateCertificate.loadPEM(both).options(), False, self.here.factory, self.here.clock
        )
        theirs = TLSMemoryBIOFactory(
            CertificateOptions(), True, self.there.factory, self.there.clock
        )
        address = IPv4Address("TCP", *PEER)
        self.ends = [factory.buildProtocol(address) for factory in (ours, theirs)]
        self.wires = [Wire(), Wire()]

    def connect(self) -> SipConnection:
        """Their end, with what they have sent by then."""
        for end, wire in zip(self.ends, self.wires, strict=True):
            end.makeConnection(wire)
        (connection,) = self.there.sockets.connections
        return connection

    def pump(self) -> None:
        """All that both have to say."""
        for _ in range(10):
            self.here.clock.advance(0)
            self.there.clock.advance(0)
            for end, wire in zip(self.ends[::-1], self.wires, strict=True):
                data = wire.value()
                wire.clear()
                if data:
                    end.dataReceived(data)


def test_tls(tmp_path: Path) -> None:
    """What is sent during the handshake comes after it, and the connection stays."""
    tls = Tls(tmp_path)
    connection = tls.connect()
    assert connection.flow.send(OPTIONS)
    tls.pump()
    ((data, flow),) = tls.here.receiver.told
    assert data == OPTIONS
    assert flow.send(OPTIONS)
    tls.pump()
    ((data, _),) = tls.there.receiver.told
    assert data == OPTIONS
    tls.there.clock.advance(UNREAD_FOR + 1)
    assert connection.flow.open


def test_a_handshake_that_does_not_end(tmp_path: Path) -> None:
    """Is cut off when something waits for it."""
    tls = Tls(tmp_path)
    connection = tls.connect()
    connection.flow.send(OPTIONS)
    tls.there.clock.advance(0)
    tls.there.clock.advance(UNREAD_FOR)
    assert tls.wires[1].aborted


def test_refused_over_tls(tmp_path: Path) -> None:
    """Beyond the limit, without an error of ours."""
    tls = Tls(tmp_path)
    for port in range(CONNECTIONS_A_SOURCE):
        tls.here.connect(port=port)
    end = tls.here.factory.buildProtocol(IPv4Address("TCP", *PEER))
    wrapped = tls.ends[0]
    wrapped.wrappedProtocol = end
    tls.connect()
    assert tls.wires[0].aborted
