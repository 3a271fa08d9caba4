"""SIP over TCP: messages whole, whatever the network does, and far sides that are cut off."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv4Address

from rapida_tw.sip.base import Flow
from rapida_tw.transports import sip_stream_sockets
from rapida_tw.transports.sip_stream_sockets import (
    CLOSED_WITHIN,
    CONNECTIONS_A_SOURCE,
    IDLE,
    UNREAD,
    UNREAD_FOR,
    SipConnection,
    StreamFlow,
)
from tests.transports.sip_lines import OPTIONS, PEER, WE, Line, Wire

_conforms: type[Flow] = StreamFlow


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


def stalled() -> tuple[Line, SipConnection, Wire]:
    """A connection whose far side has stopped reading."""
    line = Line()
    protocol, wire = line.connect()
    assert wire.producer is protocol
    protocol.pauseProducing()
    return line, protocol, wire


def test_a_far_side_that_does_not_read() -> None:
    """Is cut off after ten seconds."""
    line, protocol, wire = stalled()
    assert protocol.flow.send(b"more")
    line.clock.advance(UNREAD_FOR - 1)
    assert not wire.aborted
    line.clock.advance(1)
    assert wire.aborted
    assert protocol.flow.send(b"more") is False
    line.lose(protocol)
    line.nothing_left()


def test_much_for_a_far_side_that_does_not_read() -> None:
    """Is not kept: it is cut off at once."""
    line, protocol, wire = stalled()
    while protocol.flow.send(bytes(10_000)):
        pass
    assert wire.aborted
    assert len(wire.value()) <= UNREAD
    line.lose(protocol)
    line.nothing_left()


def test_a_far_side_that_reads_again() -> None:
    """As after a handshake of TLS."""
    line, protocol, wire = stalled()
    protocol.resumeProducing()
    line.clock.advance(UNREAD_FOR + 1)
    assert not wire.aborted
    for _ in range(100):
        assert protocol.flow.send(bytes(10_000))
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


def test_told_where_we_are() -> None:
    """Without an address to advertise it is the one that leads to the peer."""
    factory = Line().sockets._factory("TCP", ("", 5090))
    connection = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 5060))
    assert connection.flow.local == ("127.0.0.1", 5090)
