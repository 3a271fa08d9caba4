"""Garbage: when Python's collector of reference cycles may stop all calls for a moment.

A full collection looks at every object of every call: 25 ms with 400 of them, which is a late
frame for each. Left to itself it comes whenever enough objects were made. So it comes here: when
nobody is on the phone, or when what ended calls have left behind is worth a pause.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

EVERY = 30.0  # seconds between looks
WORTH_IT = 2_000  # ended calls, some 20 kB each
LONGEST = 40  # looks: other garbage gathers too, slowly

# Young cycles (every HTTP request makes some) are collected at once, a millisecond's worth at a
# time; what has lived longer waits for `Garbage.look`.
_THRESHOLDS = (700, 5, 1_000_000)


def freeze() -> None:
    """What start-up made stays for good: leave it out of every collection from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


class Garbage:
    """Looks from time to time, and collects when it hurts least."""

    def __init__(self, running: Callable[[], int], ended: Callable[[], int]) -> None:
        """`running`: calls on the phone; `ended`: calls that have ended since the start."""
        self._running = running
        self._ended = ended
        self._seen = 0
        self._looks = 0
        self.collections = 0

    def look(self) -> None:
        self._looks += 1
        left = self._ended() - self._seen
        if self._running() == 0 or left >= WORTH_IT or self._looks >= LONGEST:
            self._seen += left
            self._looks = 0
            self.collections += 1
            gc.collect()
