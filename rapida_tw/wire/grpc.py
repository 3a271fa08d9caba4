"""gRPC on HTTP/2, without I/O: frames of messages, statuses, deadlines, metadata.

The document is "gRPC over HTTP2" (PROTOCOL-HTTP2.md). HTTP/2 itself is the h2 library's.
"""

from __future__ import annotations

import re
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from enum import IntEnum
from urllib.parse import unquote_to_bytes

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError, VendorFailed

CONTENT_TYPE = "application/grpc"
LARGEST = 10_485_760  # bytes of a message

_PREFIX = struct.Struct("!BI")  # compressed?, length
_WINDOW_BITS = {"gzip": 31, "deflate": 15}
ENCODINGS = ("identity", *_WINDOW_BITS)  # of messages that are understood


class Status(IntEnum):
    """The outcome of a call (statuscodes.md)."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


# Another connection, or another moment, may do.
_PASSING = {
    *(Status.CANCELLED, Status.UNKNOWN, Status.DEADLINE_EXCEEDED, Status.RESOURCE_EXHAUSTED),
    *(Status.ABORTED, Status.INTERNAL, Status.UNAVAILABLE, Status.DATA_LOSS),
}
# What an HTTP status means that came without a gRPC one (http-grpc-status-mapping.md).
_OF_HTTP = {
    400: Status.INTERNAL,
    401: Status.UNAUTHENTICATED,
    403: Status.PERMISSION_DENIED,
    404: Status.UNIMPLEMENTED,
    **dict.fromkeys((429, 502, 503, 504), Status.UNAVAILABLE),
}
# What VendorFailed wants to be told: the HTTP status that Google's APIs have for each, but for
# OUT_OF_RANGE, which has one of its own here.
_HTTP_OF = {
    Status.OK: 200,
    Status.CANCELLED: 499,
    Status.INVALID_ARGUMENT: 400,
    Status.DEADLINE_EXCEEDED: 504,
    Status.NOT_FOUND: 404,
    Status.ALREADY_EXISTS: 409,
    Status.PERMISSION_DENIED: 403,
    Status.RESOURCE_EXHAUSTED: 429,
    Status.FAILED_PRECONDITION: 400,
    Status.ABORTED: 409,
    Status.OUT_OF_RANGE: 416,
    Status.UNIMPLEMENTED: 501,
    Status.UNAVAILABLE: 503,
    Status.UNAUTHENTICATED: 401,
}


def frame(message: bytes) -> bytes:
    """A message as it is sent, uncompressed."""
    return _PREFIX.pack(0, len(message)) + message


class Deframer:
    """Turns received bytes into messages, keeping only the unfinished one.

    `encoding`: what the peer's grpc-encoding says; `largest`: bytes of a message, also unpacked.
    """

    def __init__(self, encoding: str = "identity", largest: int = LARGEST) -> None:
        self._tail = bytearray()
        self._encoding = encoding
        self._largest = largest

    @property
    def held(self) -> int:
        """Bytes of the unfinished message."""
        return len(self._tail)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield each message that `data` completes; `TooLarge`, or another RemoteProtocolError."""
        self._tail += data
        while len(self._tail) >= _PREFIX.size:
            compressed, length = _PREFIX.unpack_from(self._tail)
            if compressed > 1:
                raise RemoteProtocolError(f"a message with the flags {compressed}")
            if length > self._largest:
                raise TooLarge(f"a message of {length} bytes")
            end = _PREFIX.size + length
            if len(self._tail) < end:
                return
            message = bytes(self._tail[_PREFIX.size : end])
            del self._tail[:end]
            yield self._decompressed(message) if compressed else message

    def finish(self) -> None:
        """The stream is over: RemoteProtocolError where it ends within a message."""
        if self._tail:
            raise RemoteProtocolError("the stream ends within a message")

    def _decompressed(self, message: bytes) -> bytes:
        bits = _WINDOW_BITS.get(self._encoding)
        if bits is None:
            raise RemoteProtocolError(f"a compressed message, and {self._encoding!r} encoding")
        inflating = zlib.decompressobj(bits)
        try:
            whole = inflating.decompress(message, self._largest + 1)
        except zlib.error as error:
            raise RemoteProtocolError(f"a message that is no {self._encoding}: {error}") from None
        if len(whole) > self._largest:
            raise TooLarge("a message that is too large when it is decompressed")
        if not inflating.eof:
            raise RemoteProtocolError(f"a message that is no whole {self._encoding}")
        return whole


class TooLarge(RemoteProtocolError):
    """A message beyond the limit: RESOURCE_EXHAUSTED."""


# -- headers --------------------------------------------------------------------------------------


def percent_encoded(text: str) -> str:
    """`text` as grpc-message has it."""
    return "".join(
        chr(byte) if 0x20 <= byte <= 0x7E and byte != 0x25 else f"%{byte:02X}"
        for byte in text.encode("utf-8", "replace")
    )


def percent_decoded(text: str) -> str:
    """The text of a grpc-message; what is no UTF-8 is replaced."""
    return unquote_to_bytes(text).decode("utf-8", "replace")


def status_of(text: str | None, http: int = 200) -> Status:
    """The status that `grpc-status` names; else what the HTTP status means."""
    if text is not None:
        known = text.isascii() and text.isdigit() and int(text[:3]) in Status._value2member_map_
        return Status(int(text[:3])) if known else Status.UNKNOWN
    return Status.UNKNOWN if http == 200 else _OF_HTTP.get(http, Status.UNKNOWN)


_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")


def timeout(seconds: float) -> str:
    """A deadline as grpc-timeout has it: at most eight digits, and never 0."""
    milliseconds = max(1, round(seconds * 1000))
    if milliseconds < 100_000_000:
        return f"{milliseconds}m"
    return f"{min(round(seconds), 99_999_999)}S"


def seconds_of(text: str) -> float:
    """What a grpc-timeout says; RemoteProtocolError when it is none."""
    found = _TIMEOUT.fullmatch(text)
    if found is None:
        raise RemoteProtocolError(f"grpc-timeout {text[:20]!r}")
    return int(found[1]) * _UNITS[found[2]]


_KEY = re.compile(r"[0-9a-z_.-]+")


def metadata_pair(key: str, value: str | bytes) -> tuple[str, str]:
    """A header of metadata: bytes are for keys that end in "-bin"; LocalProtocolError."""
    key = key.lower()
    if not _KEY.fullmatch(key) or key.startswith("grpc-"):
        raise LocalProtocolError(f"metadata cannot have the key {key!r}")
    if key.endswith("-bin") != isinstance(value, bytes):
        raise LocalProtocolError(f"the metadata {key} has a value of the wrong kind")
    if isinstance(value, bytes):
        return key, b64encode(value).decode().rstrip("=")
    if not value.isascii() or not value.isprintable():
        raise LocalProtocolError(f"the metadata {key} has characters that no header can have")
    return key, value


def metadata_value(key: str, value: str) -> str | bytes:
    """The value of a received header; RemoteProtocolError when it should be base64 and is not."""
    if not key.endswith("-bin"):
        return value
    try:
        return b64decode(value + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        raise RemoteProtocolError(f"the metadata {key} is no base64") from None


def http_of(status: int) -> int:
    """The HTTP status that means the same; 500 for what is unknown."""
    return _HTTP_OF.get(_known(status), 500)


def _known(status: int) -> Status:
    return Status(status) if status in Status._value2member_map_ else Status.UNKNOWN


def failed(who: str, status: int, message: str) -> VendorFailed:
    """What a vendor that answers with another status than OK means."""
    known = _known(status)
    name = known.name.lower().replace("_", " ")
    sentence = f"{who}: {message} ({name})" if message else f"{who}: {name}"
    return VendorFailed(sentence, http_of(status), known in _PASSING)
