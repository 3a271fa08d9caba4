"""Ids of everything that is kept: positive, 63 bits, in the order of time.

The upper bits are milliseconds since 2024, the lower 22 start at random in each millisecond, so
that nodes need not know each other: two that make an id in the same millisecond meet with a
chance of one in two million.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from rapida_tw.errors import BadRequest

LARGEST = 2**63 - 1  # what a signed BIGINT holds
_EPOCH = 1_704_067_200  # 2024-01-01 00:00 UTC, in seconds; 41 bits of milliseconds reach 2093
_LOW_BITS = 22


class Ids:
    """Gives ids; each is larger than the one before, even when the clock is set back.

    For one thread: the reactor's.
    """

    def __init__(
        self, now: Callable[[], float], below: Callable[[int], int] = secrets.randbelow
    ) -> None:
        """`now`: seconds since the epoch; `below(n)`: a random int of 0..n-1."""
        self._now = now
        self._below = below
        self._last = 0

    def new(self) -> int:
        elapsed = max(0, int((self._now() - _EPOCH) * 1000))
        # The top low bit stays free: room for two million successors in the same millisecond.
        start = elapsed << _LOW_BITS | self._below(1 << (_LOW_BITS - 1))
        self._last = max(self._last + 1, start)
        return self._last


def parse_id(text: str, what: str = "id") -> int:
    """The id that `text` spells in decimal digits; `BadRequest` names `what` otherwise."""
    if text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= LARGEST:
        return int(text)
    raise BadRequest(f"{what} must be a positive number of at most 63 bits")
