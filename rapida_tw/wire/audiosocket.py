"""AudioSocket framing, without I/O.

One TCP connection is one call; each packet is a kind (1 byte), a length (2 bytes, big-endian) and
a payload. Samples inside audio payloads are little-endian. Written from Asterisk's documentation
("AudioSocket") and from what Asterisk 16 to 23 really send; see docs/audiosocket.rst.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple
from uuid import UUID

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError

_HEADER = struct.Struct("!BH")

HANGUP: Final = 0x00
ID: Final = 0x01
SILENCE: Final = 0x02  # in no Asterisk's source, but in published descriptions: tolerated
DIGIT: Final = 0x03
AUDIO: Final = 0x10  # signed linear 8 kHz; 0x11 to 0x18 are the wider bands
ERROR: Final = 0xFF

# Asterisk 20.17 / 22.7: one kind a rate.
RATES: Final = {
    0x10: 8_000,
    0x11: 12_000,
    0x12: 16_000,
    0x13: 24_000,
    0x14: 32_000,
    0x15: 44_100,
    0x16: 48_000,
    0x17: 96_000,
    0x18: 192_000,
}
DIGITS: Final = frozenset("0123456789ABCD*#")

# No phone packs more than 120 ms; a longer payload is not audio of a live call. The 16-bit length
# caps the widest bands earlier.
_LONGEST_AUDIO = {kind: min(rate * 2 // 2, 0xFFFE) for kind, rate in RATES.items()}  # 500 ms
_LONGEST_OTHER = 1024
_HANGUP_BYTES: Final = b"\x00\x00\x00"


class Packet(NamedTuple):
    """One packet. A tuple, because one is made for every 20 ms of every call."""

    kind: int
    payload: bytes

    @property
    def digit(self) -> str:
        return self.payload.decode("ascii")

    @property
    def uuid(self) -> str:
        """The context's id as text, lower case with dashes."""
        return str(UUID(bytes=self.payload))


class Decoder:
    """Turns received bytes into packets, keeping only the unfinished tail."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that `data` completes.

        `RemoteProtocolError` on an unknown kind or an impossible length, as soon as the header
        shows it; packets before it in the same data are lost with it, as the connection is.
        """
        if self._tail:
            data = self._tail + data
        packets = []
        position, length_of_data = 0, len(data)
        while length_of_data - position >= 3:
            kind, length = _HEADER.unpack_from(data, position)
            _check(kind, length)
            end = position + 3 + length
            if end > length_of_data:
                break
            payload = data[position + 3 : end]
            if kind == DIGIT and payload.decode("latin-1") not in DIGITS:
                raise RemoteProtocolError(f"{payload!r} is no digit")
            packets.append(Packet(kind, payload))
            position = end
        self._tail = data[position:]
        return packets


def _check(kind: int, length: int) -> None:
    if kind in RATES:
        if length & 1 or not 0 < length <= _LONGEST_AUDIO[kind]:
            raise RemoteProtocolError(f"audio (0x{kind:02x}) of {length} bytes")
    elif kind == ID:
        if length != 16:
            raise RemoteProtocolError(f"a UUID of {length} bytes")
    elif kind == DIGIT:
        if length != 1:
            raise RemoteProtocolError(f"a digit of {length} bytes")
    elif kind in (HANGUP, SILENCE, ERROR):
        if length > _LONGEST_OTHER:
            raise RemoteProtocolError(f"kind 0x{kind:02x} of {length} bytes")
    else:
        raise RemoteProtocolError(f"unknown kind 0x{kind:02x}")


def audio_header(kind: int, length: int) -> bytes:
    """The three bytes before an audio payload of `length` bytes.

    Asterisk ends the call on an empty payload and plays noise after an odd one, so neither is
    ever written.
    """
    if kind not in RATES or length & 1 or not 0 < length <= 0xFFFF:
        raise LocalProtocolError(f"audio of kind 0x{kind:02x} and {length} bytes")
    return _HEADER.pack(kind, length)


def hangup() -> bytes:
    """The packet that ends the call; the dialplan goes on from Asterisk 20.14 / 22.4 on."""
    return _HANGUP_BYTES
