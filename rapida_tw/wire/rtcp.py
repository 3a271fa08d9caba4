"""RTCP packets: reading and writing reports, descriptions and farewells (RFC 3550 6, RFC 3611 4.7).

A datagram is one packet or several, in any order (RFC 5506). What is of no use to a call is passed
over: application packets, feedback, other extended reports.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError

SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
DESCRIPTION: Final = 202
BYE: Final = 203
EXTENDED_REPORT: Final = 207

_HEADER: Final = struct.Struct("!BBH")
_SSRC: Final = struct.Struct("!I")
_SENDER: Final = struct.Struct("!QIII")  # NTP time, RTP timestamp, packets, octets
_BLOCK: Final = struct.Struct("!IIIIII")  # fraction and lost share a word
_VOIP: Final = struct.Struct("!IBBBBHHHHbbBBBBBBBxHHH")
_VOIP_METRICS: Final = 7  # block type
_CNAME: Final = 1
_NTP_1970: Final = 2_208_988_800  # seconds from NTP's origin to that of Unix time
# What a phone sends is far below; a flood of what is above would cost every call.
_LONGEST: Final = 2048  # bytes of a datagram
_MOST_PACKETS: Final = 16
_LONGEST_ROUND_TRIP: Final = 60 << 16  # 1/65536 s
_NO_LEVEL: Final = 127  # RFC 3611 4.7.5: unavailable, of ratios, levels and scores


class Block(NamedTuple):
    """What a receiver says of one stream (RFC 3550 6.4.1)."""

    ssrc: int  # whose stream
    fraction: int  # lost since the last report, of 256
    lost: int  # packets since the beginning; duplicates make it negative
    highest: int  # sequence number, extended by its cycles
    jitter: int  # samples of the stream's clock
    last_sr: int  # the middle of NTP time of the sender's last report; 0: there was none
    delay: int  # since that report came, in 1/65536 s


class SenderReport(NamedTuple):
    """From who sends: its two clocks at one moment, and what it has sent."""

    ssrc: int
    ntp: int  # 64 bits, in 2**-32 s since 1900
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[Block, ...] = ()


class ReceiverReport(NamedTuple):
    """From who sends nothing."""

    ssrc: int
    blocks: tuple[Block, ...] = ()


class Description(NamedTuple):
    """Who a stream is of; other items than the canonical name are passed over."""

    ssrc: int
    cname: str


class Bye(NamedTuple):
    """These streams have ended."""

    ssrcs: tuple[int, ...]
    reason: str = ""


class VoipMetrics(NamedTuple):
    """How they hear us, as they judge it (RFC 3611 4.7); None: they do not know."""

    ssrc: int  # whose stream
    loss_rate: float  # percent
    discard_rate: float
    round_trip_ms: int
    end_system_ms: int  # their delay beside the network's
    r_factor: int | None
    mos_listening: float | None
    mos_conversational: float | None
    jitter_buffer_ms: int  # at present


Report = SenderReport | ReceiverReport | Description | Bye | VoipMetrics


def is_rtcp(packet: bytes) -> bool:
    """Tells it from RTP on a port of both (RFC 5761 4)."""
    return len(packet) >= 8 and 192 <= packet[1] <= 223 and packet[0] >> 6 == 2


def parse(data: bytes) -> list[Report]:
    """What the datagram reports; `RemoteProtocolError` when any part of it is malformed."""
    if len(data) > _LONGEST:
        raise RemoteProtocolError(f"RTCP: {len(data)} bytes")
    reports: list[Report] = []
    position = packets = 0
    while position < len(data):
        packets += 1
        if packets > _MOST_PACKETS:
            raise RemoteProtocolError(f"RTCP: more than {_MOST_PACKETS} packets in one datagram")
        if len(data) - position < 4:
            raise RemoteProtocolError("RTCP: half a header")
        first, kind, words = _HEADER.unpack_from(data, position)
        if first >> 6 != 2:
            raise RemoteProtocolError(f"RTCP of version {first >> 6}")
        end = position + 4 + 4 * words
        if end > len(data):
            raise RemoteProtocolError(f"RTCP: type {kind} of {words} words is cut off")
        body = data[position + 4 : end]
        if first & 0x20:
            body = _without_padding(body, end == len(data))
        read = _READERS.get(kind)
        if read is not None:
            try:
                reports += read(first & 0x1F, body)
            except (struct.error, IndexError):
                raise RemoteProtocolError(f"RTCP: type {kind} is too short") from None
        position = end
    return reports


def _without_padding(body: bytes, last: bool) -> bytes:
    if not last or not body or not 0 < body[-1] <= len(body):
        raise RemoteProtocolError("RTCP: wrong padding")
    return body[: -body[-1]]


def _sender_report(count: int, body: bytes) -> Iterable[Report]:
    (ssrc,) = _SSRC.unpack_from(body)
    ntp, timestamp, packets, octets = _SENDER.unpack_from(body, 4)
    yield SenderReport(ssrc, ntp, timestamp, packets, octets, _blocks(count, body, 24))


def _receiver_report(count: int, body: bytes) -> Iterable[Report]:
    (ssrc,) = _SSRC.unpack_from(body)
    yield ReceiverReport(ssrc, _blocks(count, body, 4))


def _blocks(count: int, body: bytes, position: int) -> tuple[Block, ...]:
    return tuple(_block(body, position + at * _BLOCK.size) for at in range(count))


def _block(body: bytes, position: int) -> Block:
    ssrc, lost, *rest = _BLOCK.unpack_from(body, position)
    fraction, lost = lost >> 24, lost & 0xFFFFFF
    return Block(ssrc, fraction, lost - (1 << 24) if lost >> 23 else lost, *rest)


def _description(count: int, body: bytes) -> Iterable[Report]:
    position = 0
    for _ in range(count):
        (ssrc,) = _SSRC.unpack_from(body, position)
        position += 4
        while item := body[position]:
            length = body[position + 1]
            text = body[position + 2 : position + 2 + length]
            if item == _CNAME:
                yield Description(ssrc, text.decode("utf-8", "replace"))
            position += 2 + length
        position = (position & ~3) + 4  # at least one null, up to the next word


def _bye(count: int, body: bytes) -> Iterable[Report]:
    ssrcs = struct.unpack_from(f"!{count}I", body)
    text = body[4 * count :]
    yield Bye(ssrcs, text[1 : 1 + text[0]].decode("utf-8", "replace") if text else "")


def _extended_report(count: int, body: bytes) -> Iterable[Report]:
    position = 4
    while position < len(body):
        kind, _, words = _HEADER.unpack_from(body, position)
        if kind == _VOIP_METRICS and words == 8:
            yield _voip_metrics(_VOIP.unpack_from(body, position + 4))
        position += 4 + 4 * words


def _voip_metrics(fields: tuple[int, ...]) -> VoipMetrics:
    ssrc, loss, discard, _, _, _, _, round_trip, end_system = fields[:9]
    r_factor, _, listening, conversational = fields[13:17]
    return VoipMetrics(
        ssrc,
        loss * 100 / 256,
        discard * 100 / 256,
        round_trip,
        end_system,
        None if r_factor >= _NO_LEVEL else r_factor,
        None if listening >= _NO_LEVEL else listening / 10,
        None if conversational >= _NO_LEVEL else conversational / 10,
        fields[18],
    )


_READERS: Final = {
    SENDER_REPORT: _sender_report,
    RECEIVER_REPORT: _receiver_report,
    DESCRIPTION: _description,
    BYE: _bye,
    EXTENDED_REPORT: _extended_report,
}


# -- writing: one packet each; a compound is their concatenation, a report first ------------------


def sender_report(
    ssrc: int, ntp: int, timestamp: int, packets: int, octets: int, blocks: Sequence[Block] = ()
) -> bytes:
    sender = _SENDER.pack(ntp, timestamp, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    return _packet(SENDER_REPORT, len(blocks), _SSRC.pack(ssrc) + sender + _written(blocks))


def receiver_report(ssrc: int, blocks: Sequence[Block] = ()) -> bytes:
    return _packet(RECEIVER_REPORT, len(blocks), _SSRC.pack(ssrc) + _written(blocks))


def description(ssrc: int, cname: str) -> bytes:
    """`cname`: random, one for the whole call (RFC 7022); at most 255 bytes."""
    text = _counted(cname)
    chunk = _SSRC.pack(ssrc) + bytes((_CNAME,)) + text
    return _packet(DESCRIPTION, 1, chunk + bytes(4 - len(chunk) % 4))


def bye(ssrc: int, reason: str = "") -> bytes:
    body = _SSRC.pack(ssrc)
    if reason:
        body += _counted(reason)
    return _packet(BYE, 1, body + bytes(-len(body) % 4))


def _written(blocks: Sequence[Block]) -> bytes:
    return b"".join(
        _BLOCK.pack(one.ssrc, one.fraction << 24 | one.lost & 0xFFFFFF, *one[3:]) for one in blocks
    )


def _counted(text: str) -> bytes:
    data = text.encode("utf-8")
    if len(data) > 255:
        raise LocalProtocolError(f"RTCP: a text of {len(data)} bytes")
    return bytes((len(data),)) + data


def _packet(kind: int, count: int, body: bytes) -> bytes:
    if count > 31:
        raise LocalProtocolError(f"RTCP: {count} blocks in one packet")
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body


# -- time -----------------------------------------------------------------------------------------


def ntp_time(unix_time: float) -> int:
    """64 bits of NTP time, in 2**-32 s, from seconds since 1970."""
    seconds = int(unix_time // 1)
    fraction = int((unix_time - seconds) * (1 << 32))
    return ((seconds + _NTP_1970) << 32 | fraction) & 0xFFFFFFFFFFFFFFFF


def middle(ntp: int) -> int:
    """The 32 bits in its middle, in 1/65536 s, as reports give them back."""
    return ntp >> 16 & 0xFFFFFFFF


def round_trip(block: Block, ntp: int) -> float | None:
    """Seconds from our sender report to this block and back, now that it is `ntp`.

    None when they have had no report yet, or when their numbers cannot be: below 0, above 60 s.
    """
    if not block.last_sr:
        return None
    units = ((middle(ntp) - block.last_sr) & 0xFFFFFFFF) - block.delay
    return units / 65536 if 0 <= units <= _LONGEST_ROUND_TRIP else None
