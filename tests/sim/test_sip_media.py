"""A phone's RTP: what it sends, and what it finds wrong in what comes."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from twisted.internet.task import Clock

from rapida_tw.sim.datagrams import Datagrams, HostPort
from rapida_tw.sim.sip_media import SipMedia, Spoken
from rapida_tw.sim.sip_reports import Reports
from rapida_tw.sim.sip_sound import CODECS

SERVER = ("203.0.113.10", 10_000)
SPOKEN = Spoken(CODECS["PCMU"], frozenset((0, 101)), 101, 8_000, SERVER)
PACKET = bytes(160)


def recorder(taken: list[bytes]) -> Callable[[bytes, HostPort], bool]:
    """For `hear`."""

    def received(data: bytes, source: HostPort) -> bool:
        taken.append(data)
        return True

    return received


class Line:
    """One phone's media, and the server's port as the test's."""

    def __init__(self, spoken: Spoken = SPOKEN, codec: str = "PCMU") -> None:
        self.clock = Clock()
        self.network = Datagrams(self.clock)
        server = self.network.machine(SERVER[0])
        self.socket = server.bind(*SERVER)
        self.sent: list[bytes] = []
        self.socket.hear(recorder(self.sent))
        self.reports: list[bytes] = []
        rtcp = server.bind(SERVER[0], SERVER[1] + 1)
        rtcp.hear(recorder(self.reports))
        self.complaints: Counter[str] = Counter()
        self.heard: list[tuple[int, int]] = []
        self.media = SipMedia(
            self.network.machine("198.51.100.7").bind,
            "198.51.100.7",
            self.clock.seconds,
            Random(1),
            CODECS[codec].rate,
            self.complaints,
            lambda payload, rate: self.heard.append((len(payload) // 2, rate)),
        )
        self.media.use(spoken)

    def beat(self, count: int = 1, audio: bool = True) -> None:
        for _ in range(count):
            self.media.beat()
            if audio:
                self.media.send_audio(bytes(320))
            self.clock.advance(0.02)

    def take(self, *heads: tuple[int, int, int], source: HostPort = SERVER, ssrc: int = 9) -> None:
        """Packets of (second octet, sequence, timestamp) come."""
        for kind, sequence, stamp in heads:
            data = struct.pack("!BBHII", 0x80, kind, sequence, stamp, ssrc) + PACKET
            self.network.carry(data, source, ("198.51.100.7", self.media.port))
            self.clock.advance(0)


def heads(packets: list[bytes]) -> list[tuple[int, int, int]]:
    """Second octet; sequence and timestamp from the first on."""
    read = [struct.unpack_from("!BBHI", packet) for packet in packets]
    _, _, first, began = read[0]
    return [(kind, number - first & 0xFFFF, at - began) for _, kind, number, at in read]


def test_audio() -> None:
    """One packet a beat; the first with the marker."""
    line = Line()
    line.beat(3)
    assert heads(line.sent) == [(0x80, 0, 0), (0, 1, 160), (0, 2, 320)]
    assert {len(packet) for packet in line.sent} == {172}


def test_pause() -> None:
    """Time goes on while nothing is sent; sequence numbers do not; a marker follows."""
    line = Line()
    line.beat()
    line.beat(10, audio=False)
    line.beat(2)
    assert heads(line.sent) == [(0x80, 0, 0), (0x80, 1, 11 * 160), (0, 2, 12 * 160)]


def test_digit() -> None:
    """RFC 4733: one timestamp, growing durations, three ends, and audio behind it."""
    line = Line()
    line.beat()
    line.media.press("5")
    line.beat(6)
    events = [packet for packet in line.sent if packet[1] & 0x7F == 101]
    assert [kind for kind, _, _ in heads(events)] == [0xE5, 0x65, 0x65, 0x65, 0x65, 0x65, 0x65]
    assert {at for _, _, at in heads(events)} == {0}
    assert [packet[12:].hex() for packet in events] == [
        "050a00a0",
        "050a0140",
        "050a01e0",
        "050a0280",
        "058a0320",
        "058a0320",
        "058a0320",
    ]
    assert heads(line.sent)[-1] == (0, 8, 6 * 160)


def test_no_events() -> None:
    """Where none is agreed on, a key cannot be sent so."""
    spoken = Spoken(CODECS["PCMU"], frozenset((0,)), None, 8_000, SERVER)
    assert Line(spoken).media.press("5") is False


def test_reports() -> None:
    """A report every five seconds, with a block when something came."""
    line = Line()
    line.take((0x80, 1, 0), (0, 2, 160), (0, 4, 480))
    line.beat(520)
    assert len(line.reports) == 2
    first, _ = line.reports
    assert (first[0], first[1]) == (0x81, 200)
    assert (first[32], int.from_bytes(first[33:36], "big")) == (64, 1)  # a quarter, one
    assert Reports(line.clock.seconds, Random(2)).received(first, None) == ""


def test_heard() -> None:
    """What comes in order is heard at once, without complaint; a pause ends with a marker."""
    line = Line()
    line.take((0x80, 65_535, 0), (0, 0, 160), (0x80, 1, 800))
    assert line.heard == [(160, 8_000)] * 3
    assert line.complaints == {}


def test_late_and_repeated() -> None:
    """What comes behind its successors, or twice, is not heard."""
    line = Line()
    line.take((0x80, 1, 0), (0, 3, 320), (0, 2, 160), (0, 3, 320))
    assert len(line.heard) == 2
    assert (line.media.lost, line.media.late) == (1, 2)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ((8, 2, 160), "payload type 8"),
        ((0, 2, 240), "timestamp goes on by 240 after 160, without marker"),
        ((0, 2, 0), "timestamp goes on by 0 after 160, without marker"),
        ((0, 2, 320), "timestamp goes on by 320 after 160, without marker"),
    ],
)
def test_wrong_packet(head: tuple[int, int, int], why: str) -> None:
    """Numbers that are not agreed on, time that does not go on."""
    line = Line()
    line.take((0x80, 1, 0), head)
    assert dict(line.complaints) == {why: 1}


def test_wrong_source() -> None:
    """From another port, or as another source."""
    line = Line()
    line.take((0x80, 1, 0))
    line.take((0, 2, 160), source=(SERVER[0], 10_002))
    line.take((0, 2, 160), ssrc=8)
    assert dict(line.complaints) == {
        "RTP from ('203.0.113.10', 10002), not ('203.0.113.10', 10000)": 1,
        "another SSRC in one call": 1,
    }


def test_wrong_length() -> None:
    """A packet has 20 ms, or what we have asked for."""
    line = Line(Spoken(CODECS["L16"], frozenset((107,)), None, 8_000, SERVER), "L16")
    line.take((0x80 | 107, 1, 0))
    assert dict(line.complaints) == {"160 bytes for 20 ms": 1}


def test_silence_expected() -> None:
    """On hold and after the end nothing may come, but for what is under way."""
    line = Line()
    line.media.expect_silence()
    line.take((0x80, 1, 0))
    line.clock.advance(1.0)
    line.take((0, 2, 160))
    assert line.media.unwanted == 1


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        ("80c90001 00000009", "a compound of [201]"),
        ("81c90001 00000009", "0 bytes for 1 blocks"),
        ("80c90001 00000008", "201 of another SSRC"),
        ("80c90002 00000009", "head 80c90002 of 8 bytes"),
        ("80c90001 00000009 81", "1 bytes are left over"),
        ("80cb0001 00000009", "a compound of [203]"),
    ],
)
def test_wrong_report(packet: str, why: str) -> None:
    """Faults of RTCP."""
    reports = Reports(Clock().seconds, Random(1))
    assert reports.received(bytes.fromhex(packet), 9) == why
