"""All sockets of SIP together: what is listened on, and ways that we open."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from rapida_tw.sip.base import Flows
from rapida_tw.transports import sip_udp
from rapida_tw.transports.sip_sockets import SipSockets
from rapida_tw.transports.sip_udp import LARGEST, READ_AT_ONCE
from tests.transports.sip_lines import PEER, WE, Line, Wire

_conforms: type[Flows] = SipSockets


def test_listening() -> None:
    """Any UDP size is read, but not too much in one go; IPv6 has a port of its own."""
    line = Line()
    ports = [
        line.sockets.listen_udp("127.0.0.1", 0, WE[0]),
        line.sockets.listen_udp("::1", 0, "2001:db8::1"),
        line.sockets.listen_tcp("127.0.0.1", 0, WE[0]),
    ]
    assert all(ports)
    udp4, udp6, tcp = line.clock.adoptedPorts
    assert (udp4[1], udp6[1], tcp[1]) == (socket.AF_INET, socket.AF_INET6, socket.AF_INET)
    assert udp4[3] == LARGEST
    assert line.sockets._ports[0].maxThroughput == READ_AT_ONCE
    handle = sip_udp.bound("::1", 0, socket.SOCK_DGRAM)
    with handle:
        assert handle.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
        plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with plain:
            usual = plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert handle.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= usual


def test_a_port_that_is_taken() -> None:
    """Is told, and no socket stays open."""
    line = Line()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"):
            line.sockets.listen_udp("127.0.0.1", taken.getsockname()[1], WE[0])
    assert line.clock.adoptedPorts == []


def fails(asking: Any) -> str:
    """Why."""
    failed: list[Failure] = []
    asking.addErrback(failed.append)
    return failed[0].getErrorMessage()


def succeeded(asking: Any) -> Any:
    """At once."""
    results: list[Any] = []
    asking.addCallback(results.append)
    return results[0]


def test_to_udp() -> None:
    """From the socket of that family; who listens on none has no way."""
    line = Line()
    assert "UDP" in fails(line.sockets.to("198.51.100.7", 5060, "UDP"))
    port = line.sockets.listen_udp("::1", 0, "2001:db8::1")
    flow = succeeded(line.sockets.to("2001:db8::7", 5060, "UDP"))
    assert (flow.peer, flow.local) == (("2001:db8::7", 5060), ("2001:db8::1", port))
    assert "UDP" in fails(line.sockets.to("198.51.100.7", 5060, "UDP"))


def test_to_tcp() -> None:
    """A connection is opened once, and used again as long as it is open."""
    line = Line()
    line.sockets.listen_tcp("127.0.0.1", 0, WE[0])
    connecting = line.sockets.to(*PEER, "TCP")
    ((host, port, factory, _, _),) = line.clock.tcpClients
    assert (host, port) == PEER
    protocol = factory.buildProtocol(IPv4Address("TCP", *PEER))
    protocol.makeConnection(Wire())
    flow = succeeded(connecting)
    assert (flow.transport, flow.peer, flow.local[0]) == ("TCP", PEER, WE[0])
    assert succeeded(line.sockets.to(*PEER, "TCP")) is flow
    assert len(line.clock.tcpClients) == 1
    protocol.connectionLost(Failure(ConnectionDone()))
    line.sockets.to(*PEER, "TCP")
    assert len(line.clock.tcpClients) == 2


def test_not_over_one_that_closes() -> None:
    """What is being closed takes nothing any more."""
    line = Line()
    line.sockets.listen_tcp("127.0.0.1", 0, WE[0])
    protocol, _ = line.connect()
    protocol.close()
    line.sockets.to(*PEER, "TCP")
    assert len(line.clock.tcpClients) == 1


def test_back_over_their_connection() -> None:
    """What they have opened is a way to them."""
    line = Line()
    protocol, _ = line.connect()
    assert succeeded(line.sockets.to(*PEER, "TCP")) is protocol.flow


@pytest.mark.parametrize("transport", ["TCP", "TLS", "SCTP"])
def test_to_nowhere(transport: str) -> None:
    """A family that is not served, or a transport that there is not."""
    line = Line()
    assert transport in fails(line.sockets.to("2001:db8::7", 5060, transport))


def test_close() -> None:
    """All ports and all connections."""
    line = Line()
    line.sockets.listen_udp("127.0.0.1", 0, WE[0])
    protocol, wire = line.connect()
    closed: list[None] = []
    line.sockets.close().addCallback(closed.append)
    assert closed == [None]
    assert wire.disconnecting
    line.lose(protocol)
    line.nothing_left()


def test_ipv6_peer() -> None:
    """Is an address without brackets."""
    line = Line()
    protocol = line.factory.buildProtocol(IPv6Address("TCP", "2001:db8::7", 5060))
    assert protocol.flow.peer == ("2001:db8::7", 5060)
