"""What gRPC's clients may take of us: seconds, bytes, streams, and frames that cost them nothing.

RFC 9113 section 10.5 has the list; CVE-2023-44487 is the reset that follows its request at once.
"""

from __future__ import annotations

from rapida_tw.metrics import Counter

PREFACE_WITHIN = 60.0  # seconds for the first bytes of a connection, as HTTP/1.1's first request
MOST_CONNECTIONS = 2_000
MOST_STREAMS = 100  # that run at once on one connection
LARGEST_HEAD = 32_768  # bytes of a request's headers, unpacked
IDLE_SECONDS = 120.0  # that a connection without calls is kept: the library never closes its own
PING_EVERY = 60.0  # seconds, while calls run
ANSWERED_WITHIN = 20.0  # seconds, for the answer to our ping
CLOSED_WITHIN = 5.0  # seconds, behind our last word
STALLED_WITHIN = 60.0  # seconds that a client may leave what it asked for unread
DRAINED_WITHIN = 5.0  # seconds for running calls, at the server's stop
UNARY_WITHIN = 60.0  # seconds for a call of one answer; a shorter grpc-timeout counts

STREAM_WINDOW = 65_535  # bytes that a client may send ahead on a stream
CONNECTION_WINDOW = 1_048_576  # bytes, on all of them
MOST_HELD = 16_777_216  # bytes of unfinished messages, on one connection
MOST_HELD_BY_ALL = 134_217_728
FULL_BYTES = 65_536  # unsent, from which on whoever sends is told

refused = Counter(
    "rapida_grpc_refused_total", "gRPC connections and streams that were cut off.", ("reason",)
)
requests = Counter("rapida_grpc_requests_total", "gRPC calls answered.", ("method", "status"))


class Bucket:
    """So many at once, and so many a second after that."""

    def __init__(self, size: float, per_second: float) -> None:
        self._size = self._left = size
        self._per_second = per_second
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Whether there is one more; `now`: seconds of a clock that only goes forward."""
        grown = self._left + (now - self._at) * self._per_second
        self._left = min(self._size, grown)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def resets() -> Bucket:
    """Streams that are over before they were answered: a client's patience may end, a flood not."""
    return Bucket(200, 20)


def trifles() -> Bucket:
    """Frames that ask for nothing and are answered all the same: pings, settings, empty data."""
    return Bucket(2_000, 500)


class Budget:
    """Bytes that may be held at once, by all who share it."""

    def __init__(self, size: int) -> None:
        self._left = size

    def take(self, size: int) -> bool:
        """False, and nothing is taken, where there is not so much left."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give(self, size: int) -> None:
        self._left += size
