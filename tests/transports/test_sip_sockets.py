"""Sockets of SIP: what comes in whole, what goes out without raising, and what is cut off."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone, InvalidAddressError, MessageLengthError
from twisted.internet.testing import FakeDatagramTransport, MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from rapida_tw.sip.base import Flow, Flows
from rapida_tw.transports import sip_stream_sockets, sip_udp
from rapida_tw.transports.sip_sockets import SipSockets
from rapida_tw.transports.sip_stream_sockets import (
    CLOSED_WITHIN,
    CONNECTIONS_A_SOURCE,
    IDLE,
    SipConnection,
    StreamFlow,
)
from rapida_tw.transports.sip_udp import LARGEST, READ_AT_ONCE, SipUdp, UdpFlow
from rapida_tw.wire.sip_message import Malformed

_flows: type[Flows] = SipSockets
_udp: type[Flow] = UdpFlow
_stream: type[Flow] = StreamFlow

WE = ("203.0.113.10", 5090)
PEER = ("198.51.100.7", 31002)
OPTIONS = (
    b"OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.5;branch=z9hG4bK1\r\n"
    b"From: <sip:a@h>;tag=1\r\nTo: <sip:h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
    b"Content-Length: 4\r\n\r\nbody"
)


class Receiver:
    """An agent that writes down what it is given."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.spared = False
        self.used = False
        self.raises = False

    def received(self, data: bytes, flow: Any) -> None:
        self.told.append((data, flow))
        if self.raises:
            raise ZeroDivisionError

    def broken(self, error: Malformed, flow: Any) -> None:
        flow.send(b"SIP/2.0 400 " + str(error).encode())
        self.told.append(("broken", flow))

    def lost(self, flow: Any) -> None:
        self.told.append(("lost", flow))

    def spares(self, host: str) -> bool:
        return self.spared

    def uses(self, flow: Any) -> bool:
        return self.used


# -- UDP --------------------------------------------------------------------------------------


def udp(receiver: Receiver) -> tuple[SipUdp, FakeDatagramTransport]:
    protocol = SipUdp(receiver.received, WE)
    wire = FakeDatagramTransport()
    protocol.makeConnection(wire)
    return protocol, wire


def test_datagram() -> None:
    """Comes with the way back, over which an answer goes."""
    receiver = Receiver()
    protocol, wire = udp(receiver)
    protocol.datagramReceived(b"hello", PEER)
    ((data, flow),) = receiver.told
    assert (data, flow.peer, flow.local, flow.transport, flow.open) == (
        b"hello",
        PEER,
        WE,
        "UDP",
        True,
    )
    assert flow.send(b"answer")
    assert flow.beside(5060).send(b"beside")
    assert wire.written == [(b"answer", PEER), (b"beside", (PEER[0], 5060))]


def test_told_where_we_are() -> None:
    """Without an address to advertise it is the one that leads to the peer."""
    protocol = SipUdp(Receiver().received, ("", 5090))
    assert protocol.flow(("127.0.0.1", 5060)).local == ("127.0.0.1", 5090)
    assert protocol.flow(("::1", 5060)).local == ("::1", 5090)
    line = Line()
    factory = line.sockets._factory("TCP", ("", 5090))
    connection = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 5060))
    assert connection.flow.local == ("127.0.0.1", 5090)


def test_same_way() -> None:
    """Ways to the same address from the same socket are equal."""
    protocol, _ = udp(Receiver())
    other, _ = udp(Receiver())
    assert protocol.flow(PEER) == protocol.flow(PEER)
    assert len({protocol.flow(PEER), protocol.flow(PEER), other.flow(PEER)}) == 2


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n"])
def test_keep_alives(data: bytes) -> None:
    """Of UDP are ignored."""
    receiver = Receiver()
    protocol, wire = udp(receiver)
    protocol.datagramReceived(data, PEER)
    assert (receiver.told, wire.written) == ([], [])


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (OSError(errno.EACCES, "broadcast"), "EACCES"),
        (OSError(errno.EAGAIN, "full"), "EAGAIN"),
        (OSError("without number"), "OSError"),
        (MessageLengthError("too long"), "MessageLengthError"),
        (InvalidAddressError("host.example", "a name"), "InvalidAddressError"),
        (OverflowError("port 70000"), "OverflowError"),
    ],
)
def test_what_does_not_leave(error: Exception, name: str) -> None:
    """Is counted, and nobody has to catch it."""

    class Wire(FakeDatagramTransport):
        def write(self, packet: bytes, addr: object = None) -> None:
            raise error

    protocol = SipUdp(Receiver().received, WE)
    protocol.makeConnection(Wire())
    before = sip_udp.not_sent.value(name)
    assert protocol.flow(PEER).send(b"answer") is False
    assert sip_udp.not_sent.value(name) == before + 1


def test_after_the_end() -> None:
    """Nothing leaves a closed port."""
    protocol, _ = udp(Receiver())
    flow = protocol.flow(PEER)
    protocol.doStop()
    assert flow.send(b"answer") is False


def test_an_error_on_a_datagram(capsys: pytest.CaptureFixture[str]) -> None:
    """Does not reach the reactor."""
    receiver = Receiver()
    receiver.raises = True
    protocol, _ = udp(receiver)
    protocol.datagramReceived(b"hello", PEER)
    assert len(receiver.told) == 1


# -- TCP and TLS ------------------------------------------------------------------------------


class Wire(StringTransport):
    """A transport that knows when it is cut off."""

    aborted = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled

    def unregisterProducer(self) -> None:
        self.producer = None

    def abortConnection(self) -> None:
        self.aborted = True


class Line:
    """A listener with its connections."""

    def __init__(self) -> None:
        self.clock = MemoryReactorClock()
        self.receiver = Receiver()
        self.sockets = SipSockets(self.clock)
        self.sockets.receiver = self.receiver
        self.factory = self.sockets._factory("TCP", WE)

    def connect(self, host: str = PEER[0], port: int = PEER[1]) -> tuple[SipConnection, Wire]:
        protocol = self.factory.buildProtocol(IPv4Address("TCP", host, port))
        wire = Wire()
        protocol.makeConnection(wire)
        return protocol, wire

    def lose(self, protocol: SipConnection) -> None:
        protocol.connectionLost(Failure(ConnectionDone()))

    def nothing_left(self) -> None:
        assert self.clock.getDelayedCalls() == []
        assert self.sockets.connections == set()


def test_any_split() -> None:
    """Where the network cuts the stream makes no difference; answers go back on it."""
    line = Line()
    for cut in range(0, len(OPTIONS), 7):
        protocol, wire = line.connect()
        protocol.dataReceived(OPTIONS[:cut])
        protocol.dataReceived(OPTIONS[cut:] + OPTIONS)
        (one, flow), (two, _) = line.receiver.told
        assert (one, two) == (OPTIONS, OPTIONS)
        assert (flow.transport, flow.peer, flow.local) == ("TCP", PEER, WE)
        assert flow.send(b"answer")
        assert flow.beside(5060) is flow
        assert wire.value() == b"answer"
        line.lose(protocol)
        assert not flow.open
        assert flow.send(b"too late") is False
        assert line.receiver.told.pop() == ("lost", flow)
        line.receiver.told.clear()
    line.nothing_left()


def test_ping() -> None:
    """CRLFCRLF is answered by CRLF."""
    line = Line()
    protocol, wire = line.connect()
    protocol.dataReceived(b"\r\n\r\n")
    assert wire.value() == b"\r\n"
    assert line.receiver.told == []


@pytest.mark.parametrize(
    "data",
    [
        OPTIONS.replace(b"Content-Length: 4\r\n", b""),
        OPTIONS.replace(b"Length: 4", b"Length: 99999"),
        b"GET / HTTP/1.1\r\n\r\n",
        b"OPTIONS sip:h SIP/2.0\r\n" + b"X: y\r\n" * 20_000,
    ],
)
def test_a_broken_stream(data: bytes) -> None:
    """Is told of, which may answer, and closed."""
    line = Line()
    protocol, wire = line.connect()
    protocol.dataReceived(data)
    assert [what for what, _ in line.receiver.told] == ["broken"]
    assert wire.value().startswith(b"SIP/2.0 400")
    assert wire.disconnecting
    protocol.dataReceived(OPTIONS)
    assert len(line.receiver.told) == 1
    line.clock.advance(CLOSED_WITHIN)
    assert wire.aborted
    line.lose(protocol)
    line.nothing_left()


def test_idle() -> None:
    """After ten minutes without a message a connection is closed, unless a call needs it."""
    line = Line()
    line.receiver.used = True
    protocol, wire = line.connect()
    line.clock.advance(IDLE + 1)
    assert not wire.disconnecting
    line.receiver.used = False
    line.clock.advance(IDLE - 2)
    protocol.dataReceived(OPTIONS)
    line.clock.advance(IDLE - 1)
    protocol.dataReceived(OPTIONS[:10])  # half a message is none
    assert not wire.disconnecting
    line.clock.advance(1)
    assert wire.disconnecting
    line.lose(protocol)
    line.nothing_left()


def test_twenty_of_a_source() -> None:
    """No more, but of those who are spared; another source is not concerned."""
    line = Line()
    before = sip_stream_sockets.refused.value("source-full")
    wires = [line.connect(port=port)[1] for port in range(CONNECTIONS_A_SOURCE + 3)]
    assert [wire.aborted for wire in wires[-4:]] == [False, True, True, True]
    assert sip_stream_sockets.refused.value("source-full") == before + 3
    assert not line.connect("198.51.100.8")[1].aborted
    line.receiver.spared = True
    assert not line.connect()[1].aborted
    assert len(line.sockets.connections) == CONNECTIONS_A_SOURCE + 2


def test_a_refused_connection() -> None:
    """Is heard no more, and leaves nothing."""
    line = Line()
    for port in range(CONNECTIONS_A_SOURCE):
        line.connect(port=port)
    protocol, wire = line.connect()
    protocol.dataReceived(OPTIONS)
    line.lose(protocol)
    assert wire.aborted
    assert line.receiver.told == []


def test_a_far_side_that_does_not_read() -> None:
    """Is cut off rather than waited for."""
    line = Line()
    protocol, wire = line.connect()
    assert wire.producer is protocol
    protocol.pauseProducing()
    assert wire.aborted
    assert protocol.flow.send(b"more") is False
    line.lose(protocol)
    line.nothing_left()


def test_an_error_on_a_message() -> None:
    """Ends neither the connection nor the messages behind it."""
    line = Line()
    line.receiver.raises = True
    protocol, wire = line.connect()
    protocol.dataReceived(OPTIONS * 2)
    assert len(line.receiver.told) == 2
    assert not wire.disconnecting


# -- all of them ------------------------------------------------------------------------------


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
