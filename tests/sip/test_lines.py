"""A call with its real media: ports, the description of them, and sound both ways."""

from __future__ import annotations

import struct
from random import Random

import pytest
from twisted.internet.task import Clock

from rapida_tw.errors import CapacityExceeded
from rapida_tw.media.clock import MediaClock
from rapida_tw.sim.datagrams import Datagrams
from rapida_tw.sip.lines import RtpLines
from rapida_tw.sip.settings import SipSettings
from rapida_tw.transports.report_wheel import ReportWheel
from rapida_tw.transports.rtp_ports import PortPool
from rapida_tw.transports.rtp_stream import Streams
from rapida_tw.wire.sdp_negotiation import Capabilities
from rapida_tw.wire.sip_message import Response
from tests.sip.house import PEER, WE, Endpoint, MemoryFlow, bye, last

ADDRESSES = {4: WE[0], 6: "2001:db8::1"}
PHONE = (PEER[0], 14680)  # of OFFER


class Network:
    """Our machine with two pairs of ports of each family, and a phone."""

    def __init__(self, clock: Clock, families: tuple[int, ...] = (4, 6), **settings: str) -> None:
        self.clock = clock
        self.network = Datagrams(clock)
        machine = self.network.machine(*ADDRESSES.values())
        random = Random(3)
        self.pools = {
            family: PortPool(clock, machine, ADDRESSES[family], 10_000, 10_003, random)
            for family in families
        }
        self.beat = MediaClock(clock)
        told = {"host": WE[0], **settings}
        self.lines = RtpLines(
            SipSettings(**told),
            self.pools,
            Streams(clock, self.beat, ReportWheel(clock, random), clock.seconds),
            Capabilities(("PCMU",)),
            random,
        )
        self.heard: list[bytes] = []
        self.phone = self.network.machine(PHONE[0]).bind(*PHONE)
        self.phone.hear(lambda data, peer: not self.heard.append(data))

    def in_use(self) -> int:
        return sum(pool.in_use for pool in self.pools.values())


def described(network: Network, flow: MemoryFlow) -> bytes:
    """Our offer to a peer on that way."""
    offers, stream = network.lines.open(flow)
    text = offers.offer()
    stream.close()
    return text


@pytest.mark.parametrize(
    ("peer", "settings", "line"),
    [
        ("198.51.100.7", {}, b"c=IN IP4 203.0.113.10"),
        ("198.51.100.7", {"host": ""}, b"c=IN IP4 192.0.2.1"),
        ("2001:db8::7", {"host6": "2001:db8::5"}, b"c=IN IP6 2001:db8::5"),
        ("2001:db8::7", {}, b"c=IN IP6 2001:db8::9"),
    ],
)
def test_addresses(peer: str, settings: dict[str, str], line: bytes) -> None:
    """That of the peer's family is announced; without one, that which leads to it."""
    network = Network(Clock(), **settings)
    local = "2001:db8::9" if ":" in peer else "192.0.2.1"
    flow = MemoryFlow((peer, 5060), local=(local, 5090))
    assert line in described(network, flow).split(b"\r\n")
    assert network.in_use() == 0


def test_no_ports_of_that_family() -> None:
    """Who comes over IPv6 where there are only IPv4's."""
    network = Network(Clock(), (4,))
    with pytest.raises(CapacityExceeded, match="IPv6"):
        network.lines.open(MemoryFlow(("2001:db8::7", 5060)))


def test_no_ports() -> None:
    """All of them in use."""
    network = Network(Clock())
    for _ in range(2):
        network.lines.open(MemoryFlow())
    with pytest.raises(CapacityExceeded):
        network.lines.open(MemoryFlow())


def test_an_address_that_is_none() -> None:
    """What goes wrong behind the ports gives them back."""
    network = Network(Clock(), host="not an address")
    with pytest.raises(Exception, match="address"):
        network.lines.open(MemoryFlow())
    assert network.in_use() == 0


def test_a_call() -> None:
    """Silence flows from the answer on, their sound begins the call, and BYE frees the ports."""
    endpoint = Endpoint()
    network = Network(endpoint.clock)
    endpoint.agent._lines = network.lines
    endpoint.send(endpoint.invite())
    answer = last(endpoint)
    assert isinstance(answer, Response)
    endpoint.send(endpoint.ack(answer))
    endpoint.clock.pump([0.01] * 20)
    assert 8 <= len(network.heard) <= 11
    assert network.heard[0][12:] == b"\xff" * 160
    assert endpoint.house.attached == []
    ((host, port),) = {
        place
        for socket in network.network.bound.values()
        for place in socket.places
        if place[0] == WE[0] and place[1] % 2 == 0
    }
    network.phone.send(struct.pack("!BBHII", 0x80, 0x80, 7, 160, 99) + b"\x55" * 160, (host, port))
    endpoint.clock.pump([0.01] * 3)
    (leg,) = endpoint.house.attached
    before = len(network.heard)
    leg.send_audio(b"\x2a" * 160)
    endpoint.clock.pump([0.01] * 10)
    assert [data[12:] for data in network.heard[before:]] == [b"\x2a" * 160]
    bye(endpoint, answer)
    assert network.in_use() == 0
    for _ in range(80):
        endpoint.clock.advance(1)
    assert endpoint.clock.getDelayedCalls() == []
    assert set(network.network.bound.values()) == {network.phone}
