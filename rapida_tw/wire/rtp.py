"""RTP packets: reading, writing, and how long their payloads last (RFC 3550 5, RFC 3551)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from secrets import randbits
from typing import Final, NamedTuple

from rapida_tw.errors import LocalProtocolError
from rapida_tw.wire.sdp import Codec

HEADER: Final = struct.Struct("!BBHII")  # version and flags, marker and type, numbers, SSRC
HEADER_BYTES: Final = HEADER.size
# No phone packs more: 60 ms of L16 at 16 kHz are 1932 bytes.
LONGEST: Final = 2048  # bytes, header and all

SEQUENCES: Final = 1 << 16
TIMESTAMPS: Final = 1 << 32
_TIMESTAMP_BITS: Final = TIMESTAMPS - 1
_HALF: Final = TIMESTAMPS >> 1

_PLAIN: Final = 0x80  # version 2, no padding, no extension, no CSRC
_PADDED: Final = 0x20
_EXTENDED: Final = 0x10
_MARKED: Final = 0x80


class Packet(NamedTuple):
    """One packet; a tuple, because it may be made for every 20 ms of every call."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def read(packet: bytes) -> Packet | None:
    """What the datagram says, without padding, extension and CSRCs; None: `refusal` tells why."""
    return None if refusal(packet) else _read(packet)


def refusal(packet: bytes) -> str:
    """Why the datagram is no RTP packet that can be heard, as a slug for counters; "" when it is.

    short, stun, dtls, version, long, truncated (CSRCs or extension), padding, empty.
    """
    size = len(packet)
    if not size:
        return "short"
    first = packet[0]
    if first >> 6 != 2:  # RFC 7983 tells them apart by the first byte
        return "stun" if first < 4 else "dtls" if 20 <= first < 64 else "version"
    if size < HEADER_BYTES:
        return "short"
    if size > LONGEST:
        return "long"
    begin, end = _bounds(packet)
    if begin > size:
        return "truncated"
    if first & _PADDED and not 0 < packet[-1] <= size - begin:
        return "padding"
    return "" if begin < end else "empty"


def _bounds(packet: bytes) -> tuple[int, int]:
    """Where the payload begins and ends; a beginning beyond the packet when it is truncated."""
    size = len(packet)
    begin = HEADER_BYTES + 4 * (packet[0] & 0x0F)
    if packet[0] & _EXTENDED:
        if begin + 4 > size:
            return size + 1, size
        begin += 4 + 4 * int.from_bytes(packet[begin + 2 : begin + 4])
    return begin, size - packet[-1] if packet[0] & _PADDED else size


def _read(packet: bytes) -> Packet:
    _, second, sequence, timestamp, ssrc = HEADER.unpack_from(packet)
    begin, end = _bounds(packet)
    return Packet(
        second & 0x7F, second >= _MARKED, sequence, timestamp, ssrc, bytes(packet[begin:end])
    )


def later(timestamp: int, than: int) -> int:
    """How many samples `timestamp` is later, across the wrap; negative: earlier."""
    return ((timestamp - than + _HALF) & _TIMESTAMP_BITS) - _HALF


class Sender:
    """Numbers the packets of one stream: one SSRC and one numbering for a whole call.

    Codecs may change in between (`payload_type`). `packets` and `octets` are what a sender report
    counts (RFC 3550 6.4.1).
    """

    def __init__(self, payload_type: int, ssrc: int, sequence: int, timestamp: int) -> None:
        self.payload_type = payload_type
        self.ssrc = ssrc
        self.sequence = sequence  # of the next packet
        self.timestamp = timestamp  # of the next audio
        self.packets = 0
        self.octets = 0
        self._pause = True

    @classmethod
    def random(cls, payload_type: int) -> Sender:
        """Unguessable beginnings (RFC 3550 5.1).

        The sequence is below 2**15: were the first packets lost just before a wrap, an SRTP peer
        would guess the wrong roll-over counter (RFC 3711 3.3.1).
        """
        return cls(payload_type, randbits(32), randbits(15), randbits(32))

    def next(self, payload: bytes, samples: int, marker: bool = False) -> bytes:
        """A packet of audio that lasts `samples`; marked, too, after `skip` and at the start."""
        second = self.payload_type
        if marker or self._pause:
            second |= _MARKED
            self._pause = False
        sequence = self.sequence
        timestamp = self.timestamp
        self.sequence = (sequence + 1) & 0xFFFF
        self.timestamp = (timestamp + samples) & _TIMESTAMP_BITS
        self.packets += 1
        self.octets += len(payload)
        return HEADER.pack(_PLAIN, second, sequence, timestamp, self.ssrc) + payload

    def skip(self, samples: int) -> None:
        """So much time passes without audio; the next audio packet is marked."""
        self.timestamp = (self.timestamp + samples) & _TIMESTAMP_BITS
        self._pause = True

    def event(self, payload_type: int, payload: bytes, marker: bool, timestamp: int) -> bytes:
        """A packet of a telephone event that began at `timestamp`; time passes by `skip` only."""
        sequence = self.sequence
        self.sequence = (sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        second = payload_type | _MARKED if marker else payload_type
        return HEADER.pack(_PLAIN, second, sequence, timestamp, self.ssrc) + payload


def duration(codec: Codec) -> Callable[[bytes], int]:
    """A function from payload to samples of the codec's clock; 0 or less: no such payload.

    The payload's length decides, not ptime: senders of 10 to 60 ms exist, and change within a call.
    `LocalProtocolError` for a codec that is not ours.
    """
    name = codec.name.lower()
    if name in ("pcmu", "pcma", "g722"):  # G.722: 8 bits for each 125 us as well
        return len
    if name == "l16":
        return _duration_of_l16 if codec.channels == 1 else _duration_of_stereo
    if name == "opus":
        return duration_of_opus
    raise LocalProtocolError(f"how long is a packet of {codec.name}?")


def _duration_of_l16(payload: bytes) -> int:
    return 0 if len(payload) & 1 else len(payload) >> 1


def _duration_of_stereo(payload: bytes) -> int:
    return 0 if len(payload) & 3 else len(payload) >> 2


# Samples at 48 kHz of a frame, by the configuration in the first five bits (RFC 6716 table 2).
_OPUS_FRAME: Final = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
_OPUS_BYTES: Final = 1275
_OPUS_LONGEST: Final = 5760  # 120 ms


def duration_of_opus(payload: bytes) -> int:
    """Samples at 48 kHz; 0: no Opus packet (RFC 6716 3.1, 3.4)."""
    if not 0 < len(payload) <= _OPUS_BYTES:
        return 0
    frames = (1, 2, 2, 0)[payload[0] & 3]
    if not frames:
        frames = payload[1] & 0x3F if len(payload) > 1 else 0
    samples = frames * _OPUS_FRAME[payload[0] >> 3]
    return samples if samples <= _OPUS_LONGEST else 0
