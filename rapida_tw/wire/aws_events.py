"""Messages of AWS's event streams, without I/O (its documentation, "Event stream encoding").

Total length, length of the headers and a CRC of both; the headers; the payload; a CRC of all.
"""

from __future__ import annotations

import struct
from binascii import crc32
from collections.abc import Mapping
from dataclasses import dataclass, field

from rapida_tw.errors import RemoteProtocolError

_PRELUDE = struct.Struct("!II")
_CHECK = struct.Struct("!I")
_TEXT = struct.Struct("!BH")  # type 7, length
_TEXT_TYPE = 7
_SHORTEST = _PRELUDE.size + 2 * _CHECK.size
_LONGEST = 2**24
# Lengths of values of the other types; None: it stands before the value, in two bytes.
_LENGTHS: Mapping[int, int | None] = {
    **{0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 6: None, _TEXT_TYPE: None, 8: 8, 9: 16}
}


@dataclass(frozen=True, slots=True)
class Message:
    """`headers` are those whose value is a text; nobody here needs another kind."""

    headers: Mapping[str, str] = field(default_factory=dict)
    payload: bytes = b""

    def encode(self) -> bytes:
        headers = b"".join(_header(name, value) for name, value in self.headers.items())
        total = _SHORTEST + len(headers) + len(self.payload)
        prelude = _PRELUDE.pack(total, len(headers))
        whole = prelude + _CHECK.pack(crc32(prelude)) + headers + self.payload
        return whole + _CHECK.pack(crc32(whole))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return bytes((len(name),)) + name.encode("ascii") + _TEXT.pack(_TEXT_TYPE, len(text)) + text


def decode(data: bytes) -> Message:
    """The one message that `data` is; `RemoteProtocolError` when it is not."""
    if not _SHORTEST <= len(data) <= _LONGEST:
        raise RemoteProtocolError("no event: its length")
    total, length = _PRELUDE.unpack_from(data)
    (check,) = _CHECK.unpack_from(data, _PRELUDE.size)
    if total != len(data) or length > len(data) - _SHORTEST:
        raise RemoteProtocolError("an event of another length than it says")
    if check != crc32(data[: _PRELUDE.size]):
        raise RemoteProtocolError("the checksum of an event's lengths is wrong")
    if _CHECK.unpack_from(data, total - _CHECK.size)[0] != crc32(data[: -_CHECK.size]):
        raise RemoteProtocolError("the checksum of an event is wrong")
    begin = _PRELUDE.size + _CHECK.size
    headers = _headers(data[begin : begin + length])
    return Message(headers, data[begin + length : -_CHECK.size])


def _headers(data: bytes) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    place = 0
    try:
        while place < len(data):
            end = place + 1 + data[place]
            name, kind = data[place + 1 : end].decode("ascii"), data[end]
            length, place = _LENGTHS[kind], end + 1
            if length is None:
                length = int.from_bytes(data[place : place + 2], "big")
                place += 2
            if place + length > len(data):
                raise RemoteProtocolError("an event's header is cut off")
            if kind == _TEXT_TYPE:
                headers[name] = data[place : place + length].decode()
            place += length
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise RemoteProtocolError(f"an event's headers: {type(error).__name__}") from None
    return headers
