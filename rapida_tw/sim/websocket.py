"""A WebSocket client without I/O (RFC 6455): frames out, and a strict reader of frames in.

Written for the farm, apart from the library that the server uses: a mistake that both shared would
be found by nobody. What is sent is not checked, so that wrong frames can be made too; what comes
from the server is checked as strictly as the RFC allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import getrandbits
from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_OPCODES = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))

NORMAL, GOING_AWAY = 1000, 1001
PROTOCOL_ERROR, UNSUPPORTED, INVALID, TOO_BIG = 1002, 1003, 1007, 1009
NO_CODE = 1005  # a close frame without a code; never on the wire
# What a close frame may carry: section 7.4.1, and IANA's registry for 1012 to 1014.
_CODES = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))

_LONGEST_CONTROL = 125  # bytes, section 5.5


# -- frames out (section 5.2) -----------------------------------------------------------------


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    mask: int | None = None,
    masked: bool = True,
    fin: bool = True,
    rsv: int = 0,
    length: int | None = None,
) -> bytes:
    """One frame, masked as a client's must be, with a random key unless `mask` is given.

    Mask 0 costs nothing and is as valid as another. For wrong frames: `masked` False, `rsv` 1 to 7,
    any `opcode`, and a `length` that is not the payload's.
    """
    size = len(payload) if length is None else length
    head = bytearray(((0x80 if fin else 0) | rsv << 4 | opcode & 0x0F,))
    flag = 0x80 if masked else 0
    if size < 126:
        head.append(flag | size)
    elif size < 65_536:
        head.append(flag | 126)
        head += size.to_bytes(2, "big")
    else:
        head.append(flag | 127)
        head += size.to_bytes(8, "big")
    if masked:
        key = getrandbits(32) if mask is None else mask
        head += key.to_bytes(4, "big")
        if key:
            payload = xor(payload, key)
    return bytes(head) + payload


def xor(payload: bytes, key: int) -> bytes:
    """Masked, or unmasked again (section 5.3): as one large number, without a loop over bytes."""
    size = len(payload)
    mask = key.to_bytes(4, "big") * (size // 4 + 1)
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(mask[:size], "big")
    return mixed.to_bytes(size, "big")


def fragments(opcode: int, payload: bytes, size: int) -> Iterator[bytes]:
    """One message in frames of at most `size` bytes each."""
    pieces = [payload[start : start + size] for start in range(0, len(payload), size)] or [b""]
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        yield frame(CONTINUATION if number else opcode, piece, fin=last)


def close(code: int = NORMAL, reason: str = "") -> bytes:
    """A close frame; with `NO_CODE` an empty one."""
    payload = b"" if code == NO_CODE else code.to_bytes(2, "big") + reason.encode()
    return frame(CLOSE, payload)


# -- frames in --------------------------------------------------------------------------------


class BadFrame(Exception):
    """The server broke RFC 6455; `code` is what the connection is closed with."""

    def __init__(self, why: str, code: int = PROTOCOL_ERROR) -> None:
        super().__init__(why)
        self.code = code


class Message(NamedTuple):
    """A whole message, or a control frame. The payload of text is UTF-8."""

    opcode: int  # TEXT, BINARY, CLOSE, PING or PONG
    payload: bytes


def closing(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close frame that a `Reader` let through."""
    if not payload:
        return NO_CODE, ""
    return int.from_bytes(payload[:2], "big"), payload[2:].decode()


class Reader:
    """Turns the server's bytes into messages, keeping only what is unfinished.

    `fragmented` False is a carrier that cannot put fragments together. `longest`: bytes of a
    message.
    """

    def __init__(self, *, fragmented: bool = True, longest: int = 2**20) -> None:
        self._fragmented = fragmented
        self._longest = longest
        self._rest = b""
        self._opcode = CONTINUATION  # of the message whose first fragments have come
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield each message that `data` completes; `BadFrame`, behind what came before it.

        Go through all of it before the next call; after a `BadFrame` feed nothing more.
        """
        if self._rest:
            data = self._rest + data
        start, size = 0, len(data)
        self._rest = b""
        while size - start >= 2:
            first, length = data[start], data[start + 1]
            begin = start + 2
            if length >= 126:
                if length >= 128:
                    raise BadFrame("a masked frame")
                begin += 2 if length == 126 else 8
                if begin > size:
                    break
                wide = length == 127
                length = int.from_bytes(data[start + 2 : begin], "big")
                if length < (65_536 if wide else 126):
                    raise BadFrame(f"a length of {length} in more bytes than it needs")
            self._check(first, length)
            end = begin + length
            if end > size:
                break
            payload = data[begin:end]
            start = end
            if first in (0x81, 0x82):  # as good as always: a whole message in one frame
                yield self._whole(first & 0x0F, payload)
            elif first & 0x08:
                yield self._control(first & 0x0F, payload)
            else:
                message = self._joined(first, payload)
                if message is not None:
                    yield message
        self._rest = data[start:]

    def _check(self, first: int, length: int) -> None:
        """What the head alone says, before the payload has come."""
        opcode = first & 0x0F
        if first & 0x70:
            raise BadFrame(f"reserved bits {first >> 4 & 7}")
        if opcode not in _OPCODES:
            raise BadFrame(f"opcode {opcode}")
        if opcode & 0x08:
            if not first & 0x80:
                raise BadFrame("a control frame in fragments")
            if length > _LONGEST_CONTROL:
                raise BadFrame(f"a control frame of {length} bytes")
            return
        if self._opcode and opcode:
            raise BadFrame("a new message within a fragmented one")
        if not self._opcode and not opcode:
            raise BadFrame("a continuation of nothing")
        if not self._fragmented and first not in (0x81, 0x82):
            raise BadFrame("a fragment")
        if sum(map(len, self._pieces)) + length > self._longest:
            raise BadFrame(f"a message of more than {self._longest} bytes", TOO_BIG)

    def _joined(self, first: int, payload: bytes) -> Message | None:
        self._pieces.append(payload)
        self._opcode = self._opcode or first & 0x0F
        if not first & 0x80:
            return None
        opcode, pieces = self._opcode, self._pieces
        self._opcode, self._pieces = CONTINUATION, []
        return self._whole(opcode, b"".join(pieces))

    @staticmethod
    def _whole(opcode: int, payload: bytes) -> Message:
        if opcode == TEXT:
            _check_text(payload)
        return Message(opcode, payload)

    @staticmethod
    def _control(opcode: int, payload: bytes) -> Message:
        if opcode == CLOSE and payload:
            code = int.from_bytes(payload[:2], "big")
            if len(payload) == 1 or code not in _CODES:
                raise BadFrame(f"a close with the code {payload[:2].hex()}")
            _check_text(payload[2:])
        return Message(opcode, payload)


def _check_text(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise BadFrame(f"text that is no UTF-8: {error.reason}", INVALID) from None
