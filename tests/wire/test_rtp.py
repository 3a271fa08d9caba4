"""RTP packets: what is read, what is refused, what is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import LocalProtocolError
from rapida_tw.wire.rtp import LONGEST, Packet, Sender, duration, later, read, refusal
from rapida_tw.wire.sdp import Codec

PLAIN = bytes.fromhex("80 00 13 00 00 02 00 00 ca fe ba be") + b"\xff" * 160
HEADER = PLAIN[:12]


def test_plain() -> None:
    """The ordinary packet: version 2 and nothing else in the first byte."""
    assert read(PLAIN) == Packet(0, False, 0x1300, 0x20000, 0xCAFEBABE, b"\xff" * 160)


def test_marker() -> None:
    """The marker is no part of the payload type."""
    packet = read(b"\x80\xe5" + PLAIN[2:])
    assert packet is not None
    assert (packet.marker, packet.payload_type) == (True, 101)


@pytest.mark.parametrize(
    ("first", "before", "after"),
    [
        (0x82, bytes(8), b""),
        (0x8F, bytes(60), b""),
        (0x90, bytes.fromhex("bede 0001 00000000"), b""),
        (0x90, bytes.fromhex("bede 0000"), b""),
        (0x91, bytes(4) + bytes.fromhex("bede 0002") + bytes(8), b""),
        (0xA0, b"", b"\x01"),
        (0xA0, b"", b"\0\0\x03"),
        (0xB1, bytes(4) + bytes.fromhex("bede 0001 00000000"), b"\0\0\0\x04"),
    ],
)
def test_around_the_payload(first: int, before: bytes, after: bytes) -> None:
    """CSRCs, an extension and padding are no payload."""
    packet = read(bytes((first,)) + HEADER[1:] + before + b"sound" + after)
    assert packet is not None
    assert packet.payload == b"sound"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "short"),
        (HEADER[:11], "short"),
        (HEADER, "empty"),
        (b"\0\1" + bytes(18), "stun"),
        (b"\x16\xfe\xfd" + bytes(30), "dtls"),
        (b"\x40" + PLAIN[1:], "version"),
        (b"\xc0" + PLAIN[1:], "version"),
        (b"OPTIONS sip:", "version"),
        (b"\x81" + HEADER[1:] + bytes(3), "truncated"),
        (b"\x81" + HEADER[1:] + bytes(4), "empty"),
        (b"\x90" + HEADER[1:] + bytes(3), "truncated"),
        (b"\x90" + HEADER[1:] + bytes.fromhex("bede ffff") + bytes(100), "truncated"),
        (b"\x90" + HEADER[1:] + bytes.fromhex("bede 0001 00000000"), "empty"),
        (b"\xa0" + HEADER[1:] + b"ab\0", "padding"),
        (b"\xa0" + HEADER[1:] + b"ab\4", "padding"),
        (b"\xa0" + HEADER[1:] + b"ab\3", "empty"),
        (b"\xa0" + HEADER[1:], "padding"),
        (HEADER + bytes(LONGEST - 11), "long"),
    ],
)
def test_refused(data: bytes, reason: str) -> None:
    """What is no packet that can be heard is refused with a reason."""
    assert refusal(data) == reason
    assert read(data) is None


def test_as_long_as_may_be() -> None:
    """2048 bytes are still heard."""
    assert read(HEADER + bytes(LONGEST - 12)) is not None


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda tail: b"\xb1" + tail))
def test_any_bytes(data: bytes) -> None:
    """Whatever comes is read or refused, and a payload is never empty or beyond the packet."""
    packet = read(data)
    assert (packet is None) == bool(refusal(data))
    if packet is not None:
        assert packet.payload
        assert packet.payload in data[12:]


@given(st.integers(0, 127), st.integers(0, 65535), st.integers(0, 2**32 - 1), st.binary(min_size=1))
def test_what_is_sent_can_be_read(kind: int, sequence: int, timestamp: int, payload: bytes) -> None:
    """The reader understands the sender, wherever its numbers begin."""
    sender = Sender(kind, 0xCAFEBABE, sequence, timestamp)
    assert read(sender.next(payload, 160)) == Packet(
        kind, True, sequence, timestamp, 0xCAFEBABE, payload
    )


def test_bytes_sent() -> None:
    """The header is that of RFC 3550; both numbers wrap in mid-call."""
    sender = Sender(8, 0xCAFEBABE, 0xFFFF, 0xFFFFFF60)
    assert sender.next(b"a", 160) == bytes.fromhex("80 88 ffff ffffff60 cafebabe") + b"a"
    assert sender.next(b"b", 160) == bytes.fromhex("80 08 0000 00000000 cafebabe") + b"b"


def test_marked_after_a_pause() -> None:
    """The first packet, the first after a pause and no other carry the marker; time goes on."""
    sender = Sender(0, 1, 10, 1000)
    packets = [sender.next(b"x", 160), sender.next(b"x", 160)]
    sender.skip(480)
    packets += [sender.next(b"x", 160), sender.next(b"x", 160), sender.next(b"x", 160, True)]
    read_packets = [packet for packet in map(read, packets) if packet]
    assert [packet.marker for packet in read_packets] == [True, False, True, False, True]
    assert [packet.timestamp for packet in read_packets] == [1000, 1160, 1800, 1960, 2120]
    assert [packet.sequence for packet in read_packets] == [10, 11, 12, 13, 14]


def test_sender_counts() -> None:
    """Packets and octets of payload, for the sender report."""
    sender = Sender(0, 1, 0, 0)
    sender.next(bytes(160), 160)
    sender.event(101, bytes(4), True, 160)
    assert (sender.packets, sender.octets) == (2, 164)


def test_random_beginning() -> None:
    """No two calls begin alike, and the first sequence number leaves room before the wrap."""
    senders = [Sender.random(0) for _ in range(200)]
    assert all(0 <= one.sequence < 2**15 for one in senders)
    assert len({one.ssrc for one in senders}) > 190
    assert len({one.timestamp for one in senders}) > 190


@pytest.mark.parametrize(
    ("timestamp", "than", "apart"),
    [(160, 0, 160), (0, 160, -160), (0x50, 0xFFFFFFB0, 160), (0xFFFFFFB0, 0x50, -160)],
)
def test_later(timestamp: int, than: int, apart: int) -> None:
    """Timestamps are compared across their wrap."""
    assert later(timestamp, than) == apart


@pytest.mark.parametrize(
    ("codec", "payload", "samples"),
    [
        (Codec("PCMU", 8000, 0), bytes(80), 80),
        (Codec("PCMA", 8000, 8), bytes(480), 480),
        (Codec("G722", 8000, 9), bytes(160), 160),
        (Codec("L16", 16000, 112), bytes(640), 320),
        (Codec("L16", 16000, 112), bytes(641), 0),
        (Codec("L16", 44100, 10, 2), bytes(8), 2),
        (Codec("L16", 44100, 10, 2), bytes(6), 0),
        (Codec("opus", 48000, 111, 2), b"\xf8\xff\xfe", 960),
        (Codec("opus", 48000, 111, 2), b"\x08" + bytes(40), 960),  # SILK, 20 ms
        (Codec("opus", 48000, 111, 2), b"\x18" + bytes(40), 2880),  # SILK, 60 ms
        (Codec("opus", 48000, 111, 2), b"\x60" + bytes(40), 480),  # hybrid, 10 ms
        (Codec("opus", 48000, 111, 2), b"\x80" + bytes(40), 120),  # CELT, 2.5 ms
        (Codec("opus", 48000, 111, 2), b"\x09" + bytes(40), 1920),  # two frames
        (Codec("opus", 48000, 111, 2), b"\x0b\x03" + bytes(40), 2880),  # three, counted
        (Codec("opus", 48000, 111, 2), b"\x0b\x07" + bytes(40), 0),  # 140 ms
        (Codec("opus", 48000, 111, 2), b"\x0b", 0),
        (Codec("opus", 48000, 111, 2), bytes(1276), 0),
        (Codec("opus", 48000, 111, 2), b"", 0),
    ],
)
def test_duration(codec: Codec, payload: bytes, samples: int) -> None:
    """The payload's length, or what Opus says of itself, is its time."""
    assert duration(codec)(payload) == samples


@given(st.binary(max_size=1400))
def test_duration_of_any_opus(payload: bytes) -> None:
    """At most 120 ms, and none for what is no Opus."""
    assert 0 <= duration(Codec("opus", 48000, 111, 2))(payload) <= 5760


def test_unknown_codec() -> None:
    """A codec that is not ours is our mistake."""
    with pytest.raises(LocalProtocolError):
        duration(Codec("G729", 8000, 18))
