"""Recent: records that were read a moment ago, so that a burst of calls reads them once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

R = TypeVar("R")

TRUST = 1.0  # seconds: shorter than it takes a person to change something and to try it
_MOST = 1_000  # records; at the bound the one longest known is forgotten


class Recent(Generic[R]):
    """By the record's id. Whoever changes one calls `forget` when that is done."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kept: dict[int, tuple[R, float]] = {}  # until when it is believed
        self._changes = 0

    def get(self, number: int) -> R | None:
        """What is believed of it; None: it must be read."""
        kept = self._kept.get(number)
        return kept[0] if kept is not None and self._now() < kept[1] else None

    def keep(self, number: int) -> Callable[[R], R]:
        """For a reading that begins now: takes its result, and gives it on.

        A reading that began before a change may have read what was there before.
        """
        before = self._changes

        def read(record: R) -> R:
            if before == self._changes:
                self._kept.pop(number, None)
                if len(self._kept) >= _MOST:
                    del self._kept[next(iter(self._kept))]
                self._kept[number] = record, self._now() + TRUST
            return record

        return read

    def forget(self) -> None:
        """Something has changed."""
        self._changes += 1
        self._kept.clear()
