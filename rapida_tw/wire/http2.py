"""HTTP/2 frames, without I/O: GOAWAY taken out of a connection's bytes (RFC 9113).

The h2 library takes and sends nothing any more behind a GOAWAY. But the streams that run then go on
to their ends (section 6.8), and servers that renew their connections now and then rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rapida_tw.errors import RemoteProtocolError

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # what a client begins with (section 3.4)
LONGEST_FRAME = 16_384  # bytes: what we allow, and the least that may be allowed

_HEAD = 9  # bytes, of a frame (section 4.1)
_GOAWAY = 7
_STREAM_ID = 0x7FFF_FFFF


@dataclass(frozen=True, slots=True)
class GoAway:
    """No new streams. Those up to `last` go on; `reason` is the peer's, for people."""

    last: int
    code: int
    reason: str


class Frames:
    """Cuts received bytes into frames, keeping only the unfinished one."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> Iterator[bytes | GoAway]:
        """Yield each frame that `data` completes, as bytes; RemoteProtocolError for a long one."""
        data = self._tail + data
        start = 0
        while len(data) - start >= _HEAD:
            size = int.from_bytes(data[start : start + 3], "big")
            if size > LONGEST_FRAME:
                raise RemoteProtocolError(f"a frame of {size} bytes")
            end = start + _HEAD + size
            if end > len(data):
                break
            frame = data[start:end]
            yield _go_away(frame[_HEAD:]) if frame[3] == _GOAWAY else frame
            start = end
        self._tail = data[start:]


def go_away(last: int, code: int = 0, reason: str = "") -> bytes:
    """A GOAWAY frame to send: of h2's own, nothing could be answered behind it."""
    payload = last.to_bytes(4, "big") + code.to_bytes(4, "big") + reason.encode()
    return len(payload).to_bytes(3, "big") + bytes((_GOAWAY, 0)) + bytes(4) + payload


def _go_away(payload: bytes) -> GoAway:
    last = int.from_bytes(payload[:4], "big") & _STREAM_ID
    return GoAway(
        last, int.from_bytes(payload[4:8], "big"), payload[8:200].decode("utf-8", "replace")
    )
