"""RTCP: reports read and written, and what they say of a stream."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError
from rapida_tw.wire import rtcp
from rapida_tw.wire.rtcp import Block, Bye, Description, ReceiverReport, SenderReport, VoipMetrics
from rapida_tw.wire.rtcp_statistics import Statistics

# From the protocol notes, "RTCP": 1500 packets sent; 25 of theirs lost, 13/256 of late.
GOLDEN = bytes.fromhex(
    "81 c8 00 0c  ca fe ba be  ec ed af c0 80 00 00 00  00 04 00 00  00 00 05 dc  00 03 a9 80"
    "11 22 33 44  0d 00 00 19  00 01 56 78  00 00 00 22  12 34 56 78  00 01 00 00"
)
BLOCK = Block(0x11223344, 13, 25, 0x15678, 34, 0x12345678, 0x10000)
SENT = SenderReport(0xCAFEBABE, 0xECEDAFC080000000, 0x40000, 1500, 240_000, (BLOCK,))
DESCRIBED = rtcp.description(0xCAFEBABE, "call")


def test_golden_read() -> None:
    """A sender report with one block."""
    assert rtcp.parse(GOLDEN) == [SENT]


def test_golden_written() -> None:
    """The same, byte for byte."""
    assert rtcp.sender_report(*SENT) == GOLDEN


@pytest.mark.parametrize("lost", [-1, -(1 << 23), (1 << 23) - 1, 0])
def test_lost_is_signed(lost: int) -> None:
    """Duplicates make the count of lost packets negative."""
    block = BLOCK._replace(lost=lost)
    assert rtcp.parse(rtcp.receiver_report(1, [block])) == [ReceiverReport(1, (block,))]


def test_compound() -> None:
    """Report, description and farewell in one datagram."""
    data = GOLDEN + DESCRIBED + rtcp.bye(0xCAFEBABE, "done")
    assert rtcp.parse(data) == [
        SENT,
        Description(0xCAFEBABE, "call"),
        Bye((0xCAFEBABE,), "done"),
    ]


@pytest.mark.parametrize(
    "data", [DESCRIBED, rtcp.bye(1), rtcp.receiver_report(1), DESCRIBED + GOLDEN]
)
def test_reduced_size(data: bytes) -> None:
    """A datagram may begin with anything (RFC 5506)."""
    assert rtcp.parse(data)


@pytest.mark.parametrize("name", ["", "a", "ab", "abc", "abcd", "abcde", "é" * 100, "x" * 255])
def test_names(name: str) -> None:
    """A chunk ends with at least one null, on a word."""
    data = rtcp.description(7, name)
    assert len(data) % 4 == 0
    assert data[-1] == 0
    assert rtcp.parse(data) == [Description(7, name)]


def test_other_items() -> None:
    """Of two chunks with several items the canonical names are read."""
    first = struct.pack("!I", 1) + b"\x06\x04tool\x01\x01a\0\0\0"
    second = struct.pack("!I", 2) + b"\x01\x02bc\0\0\0\0"
    data = bytes((0x82, 202)) + struct.pack("!H", (len(first) + len(second)) // 4) + first + second
    assert rtcp.parse(data) == [Description(1, "a"), Description(2, "bc")]


@pytest.mark.parametrize("reason", ["", "a", "abc", "abcd", "RTP timeout"])
def test_bye(reason: str) -> None:
    """With a reason or without."""
    assert rtcp.parse(rtcp.bye(9, reason)) == [Bye((9,), reason)]


def test_bye_of_nobody() -> None:
    """A farewell without a source is useless and valid (RFC 3550 6.6)."""
    assert rtcp.parse(bytes.fromhex("80cb0000")) == [Bye(())]


@pytest.mark.parametrize("kind", [192, 204, 205, 206, 210])
def test_other_types(kind: int) -> None:
    """Feedback, application packets and unknown ones are passed over."""
    data = bytes((0x81, kind, 0, 2)) + bytes(8)
    assert rtcp.parse(data + GOLDEN) == [SENT]


def test_as_much_as_may_be() -> None:
    """Sixteen packets and 2048 bytes are still read."""
    assert len(rtcp.parse(bytes.fromhex("80cb0000") * 16)) == 16
    assert rtcp.parse(bytes.fromhex("80cc01ff") + bytes(2044)) == []


def test_padding() -> None:
    """The last packet may be padded."""
    padded = bytes((DESCRIBED[0] | 0x20,)) + DESCRIBED[1:2]
    padded += struct.pack("!H", len(DESCRIBED) // 4) + DESCRIBED[4:] + b"\0\0\0\4"
    assert rtcp.parse(GOLDEN + padded) == [SENT, Description(0xCAFEBABE, "call")]
    with pytest.raises(RemoteProtocolError):
        rtcp.parse(padded + GOLDEN)


# A block of RFC 3611 4.7: 4 % lost, 2 % discarded, 120 ms round trip, R 87, MOS 4.1 and 3.9.
VOIP = bytes.fromhex(
    "80 cf 00 0a  00 00 00 01"
    "07 00 00 08  ca fe ba be  0a 05 00 00  00 00 00 00  00 78 00 32  e2 c4 37 10"
    "57 7f 29 27  30 00 00 3c  00 50 00 64"
)


def test_voip_metrics() -> None:
    """How they hear us, by their own account."""
    assert rtcp.parse(VOIP) == [
        VoipMetrics(0xCAFEBABE, 3.90625, 1.953125, 120, 50, 87, 4.1, 3.9, 60)
    ]


def test_voip_metrics_unknown() -> None:
    """127 is said by who does not know."""
    data = VOIP[:32] + b"\x7f\x7f\x7f\x7f" + VOIP[36:]
    (metrics,) = rtcp.parse(data)
    assert isinstance(metrics, VoipMetrics)
    assert (metrics.r_factor, metrics.mos_listening, metrics.mos_conversational) == (None,) * 3


def test_other_extended_reports() -> None:
    """Blocks of other types are passed over, also ones of metrics that have another length."""
    other = bytes.fromhex("04 00 00 02") + bytes(8) + bytes.fromhex("07 00 00 01") + bytes(4)
    body = VOIP[4:8] + other + VOIP[8:]
    data = VOIP[:2] + struct.pack("!H", len(body) // 4) + body
    assert len(rtcp.parse(data)) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"\x81",
        GOLDEN[:-1],
        GOLDEN[:-4],
        GOLDEN + b"\x80\xc9",
        b"\x01" + GOLDEN[1:],
        b"\x82" + GOLDEN[1:],  # two blocks, and room for one
        b"\x9f" + GOLDEN[1:],
        bytes.fromhex("80c80001 00000001"),
        bytes.fromhex("80c90000"),
        bytes.fromhex("81ca0001 00000001"),
        bytes.fromhex("81ca0002 00000001 0104 6162"),  # a name beyond the end
        bytes.fromhex("81ca0002 00000001 01026162"),  # no null
        bytes.fromhex("82cb0001 00000001"),
        bytes.fromhex("a0c90001 00000000"),
        bytes.fromhex("a0c90001 00000008"),
        bytes.fromhex("80cf0002 00000001 07000008"),
        bytes.fromhex("80c9ffff 00000001"),
        bytes.fromhex("80cb0000") * 17,
        DESCRIBED * 16 + bytes(4),
        bytes.fromhex("80cc0200") + bytes(2048),
    ],
)
def test_malformed(data: bytes) -> None:
    """Lengths and counts that lie are refused."""
    with pytest.raises(RemoteProtocolError):
        rtcp.parse(data)


def packets_like(first: int, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return bytes((0x80 | first, kind)) + struct.pack("!H", len(body) // 4) + body


@given(
    st.binary(max_size=200)
    | st.lists(
        st.builds(packets_like, st.integers(0, 63), st.integers(199, 208), st.binary(max_size=60)),
        max_size=4,
    ).map(b"".join)
)
def test_any_bytes(data: bytes) -> None:
    """Whatever comes is read or refused."""
    with contextlib.suppress(RemoteProtocolError):
        rtcp.parse(data)


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (GOLDEN, True),
        (DESCRIBED, True),
        (bytes.fromhex("80 00 0001 00000000 00000000"), False),
        (bytes.fromhex("80 e5 0001 00000000 00000000"), False),
        (bytes.fromhex("80 c8 0001"), False),
        (b"", False),
    ],
)
def test_told_from_rtp(data: bytes, answer: bool) -> None:
    """On one port for both, by the second byte."""
    assert rtcp.is_rtcp(data) is answer


def test_limits_of_what_is_written() -> None:
    """31 blocks and 255 bytes of text are all that there is room for."""
    with pytest.raises(LocalProtocolError):
        rtcp.receiver_report(1, [BLOCK] * 32)
    with pytest.raises(LocalProtocolError):
        rtcp.description(1, "x" * 256)


# -- time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unix", "ntp"),
    [
        (0, 2_208_988_800 << 32),
        (1_000_000_000.5, (3_208_988_800 << 32) + (1 << 31)),
        (2_085_978_496, 0),  # February 2036: the era ends
    ],
)
def test_ntp_time(unix: float, ntp: int) -> None:
    """Seconds since 1900 and their fraction."""
    assert rtcp.ntp_time(unix) == ntp


def test_middle() -> None:
    """What comes back of a sender report's time."""
    assert rtcp.middle(0xECEDAFC080000000) == 0xAFC08000


@pytest.mark.parametrize(
    ("last_sr", "delay", "now", "seconds"),
    [
        (0xAFC08000, 0x10000, 0xAFC1_9000, 0.0625),
        (0xFFFFF000, 0x1000, 0x1000, 0.0625),  # NTP's seconds wrap every 18 hours
        (0, 0x10000, 0x30000, None),
        (0xAFC08000, 0x10000, 0xAFC17FFF, None),  # less than no time
        (0x10000, 0, 0x10000 + (61 << 16), None),
        (0x10000, 0xFFFFFFFF, 0x20000, None),
    ],
)
def test_round_trip(last_sr: int, delay: int, now: int, seconds: float | None) -> None:
    """There and back, without what they kept it; impossible ones are unknown."""
    block = BLOCK._replace(last_sr=last_sr, delay=delay)
    trip = rtcp.round_trip(block, now << 16)
    assert trip is None if seconds is None else trip == pytest.approx(seconds, abs=1e-4)


# -- statistics -----------------------------------------------------------------------------------

FIRST = 0x10000 + 65_000  # an extended number


def received(statistics: Statistics, packets: int) -> None:
    statistics.received += packets


def test_nothing_lost() -> None:
    """The block of a stream without loss; its cycles count from its first packet."""
    statistics = Statistics(8000, FIRST)
    received(statistics, 1000)
    assert statistics.block(7, FIRST + 999, 1.0) == Block(7, 0, 0, 65_999, 0, 0, 0)


def test_fraction_is_of_the_interval() -> None:
    """Lost packets count for ever, their fraction since the last report."""
    statistics = Statistics(8000, FIRST)
    received(statistics, 192)
    first = statistics.block(7, FIRST + 255, 5.0)
    assert (first.fraction, first.lost) == (64, 64)
    received(statistics, 256)
    second = statistics.block(7, FIRST + 511, 10.0)
    assert (second.fraction, second.lost) == (0, 64)
    third = statistics.block(7, FIRST + 511, 15.0)
    assert (third.fraction, third.lost) == (0, 64)
    received(statistics, 128)
    fourth = statistics.block(7, FIRST + 767, 20.0)
    assert (fourth.fraction, fourth.lost) == (128, 192)


def test_duplicates() -> None:
    """More packets than numbers: fewer than none were lost, and no fraction."""
    statistics = Statistics(8000, FIRST)
    received(statistics, 110)
    block = statistics.block(7, FIRST + 99, 5.0)
    assert (block.fraction, block.lost) == (0, -10)


def test_everything_lost() -> None:
    """Of 256 parts at most 255 can be told."""
    statistics = Statistics(8000, FIRST)
    received(statistics, 1)
    statistics.block(7, FIRST, 5.0)
    assert statistics.block(7, FIRST + 1000, 10.0).fraction == 255


@pytest.mark.parametrize("missing", [1 << 23, 1 << 25])
def test_as_much_as_can_be_told(missing: int) -> None:
    """24 bits do not wrap."""
    assert Statistics(8000, FIRST).block(7, FIRST + missing, 5.0).lost == (1 << 23) - 1


def test_their_report() -> None:
    """The middle of their time and how long ago it came go back to them."""
    statistics = Statistics(8000, FIRST)
    statistics.sender_reported(0xECEDAFC080000000, 10.0)
    block = statistics.block(7, FIRST, 11.5)
    assert (block.last_sr, block.delay) == (0xAFC08000, 98304)


def jitter_of(*arrivals_ms: float, rate: int = 8000, first: int = 0) -> float:
    statistics = Statistics(rate)
    for at, ms in enumerate(arrivals_ms):
        statistics.arrived((first + at * rate // 50) & 0xFFFFFFFF, ms / 1000)
    return statistics.jitter


def test_no_jitter() -> None:
    """Steady packets have none, also where timestamps wrap."""
    assert jitter_of(0, 20, 40, 60) == pytest.approx(0)
    assert jitter_of(0, 20, 40, 60, first=0xFFFFFF00) == pytest.approx(0)


def test_jitter() -> None:
    """A sixteenth of each change of the way, in samples of the clock (RFC 3550 A.8)."""
    assert jitter_of(0, 30) == pytest.approx(80 / 16)
    assert jitter_of(0, 30, 40) == pytest.approx(5 + (80 - 5) / 16)
    assert jitter_of(0, 30, rate=48_000) == pytest.approx(480 / 16)


def test_jitter_of_alternation() -> None:
    """Every second packet 10 ms late: it goes towards 10 ms."""
    statistics = Statistics(8000)
    for at in range(400):
        statistics.arrived(at * 160, at * 0.02 + (at % 2) * 0.01)
    assert statistics.jitter_seconds == pytest.approx(0.01, rel=0.01)


def test_jumps_are_no_jitter() -> None:
    """A pause in which the timestamps stood still, or a new beginning, is not the network's."""
    statistics = Statistics(8000)
    statistics.arrived(0, 0.0)
    statistics.arrived(160, 3.0)
    statistics.arrived(0x7000_0000, 3.02)
    assert statistics.jitter == 0
