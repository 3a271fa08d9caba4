"""SIP over UDP: what comes is given on, and what does not leave raises nothing."""

from __future__ import annotations

import errno

import pytest
from twisted.internet.error import InvalidAddressError, MessageLengthError
from twisted.internet.testing import FakeDatagramTransport

from rapida_tw.sip.base import Flow
from rapida_tw.transports import sip_udp
from rapida_tw.transports.sip_udp import SipUdp, UdpFlow
from tests.transports.sip_lines import PEER, WE, Receiver

_conforms: type[Flow] = UdpFlow


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
