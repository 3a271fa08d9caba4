"""Pace: how fast calls go out, by campaign, carrier and number, and how many are out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

CARRIED = 0.25  # seconds from one look to the next: what may go out meanwhile goes out then


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls a second and at once; 0 = unbounded. `by_carrier` stands over what holds for all."""

    per_second: float = 0.0
    simultaneous: int = 0
    by_carrier: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    number_per_second: float = 0.0
    number_simultaneous: int = 0

    def of_carrier(self, carrier: str) -> tuple[float, int]:
        return self.by_carrier.get(carrier, (self.per_second, self.simultaneous))


class Pace:
    """Of this node. `seconds` never goes back."""

    def __init__(self, seconds: Callable[[], float], limits: Limits | None = None) -> None:
        self._seconds = seconds
        self._limits = limits or Limits()
        self._next: dict[Hashable, float] = {}  # when the next call may go out
        self._out: Counter[Hashable] = Counter()

    def may(self, campaign: Hashable, per_second: float, carrier: str, number: str) -> bool:
        """Whether a call may go out now."""
        now = self._seconds()
        checks = self._checks(campaign, per_second, carrier, number)
        return all(
            (not most or self._out[key] < most) and (not rate or self._next.get(key, now) <= now)
            for key, rate, most in checks
        )

    def went(self, campaign: Hashable, per_second: float, carrier: str, number: str) -> None:
        """One goes out. A longer pause before it gives no more back."""
        now = self._seconds()
        for key, rate, _ in self._checks(campaign, per_second, carrier, number):
            self._out[key] += 1
            if rate:
                self._next[key] = max(self._next.get(key, 0.0), now - CARRIED) + 1.0 / rate

    def over(self, campaign: Hashable, carrier: str, number: str) -> None:
        """One is over."""
        for key, _, _ in self._checks(campaign, 0, carrier, number):
            self._out[key] -= 1
            if self._out[key] <= 0:
                del self._out[key]
        now = self._seconds()
        for key in [key for key, when in self._next.items() if when <= now - CARRIED]:
            del self._next[key]

    def _checks(
        self, campaign: Hashable, per_second: float, carrier: str, number: str
    ) -> tuple[tuple[Hashable, float, int], ...]:
        limits = self._limits
        rate, most = limits.of_carrier(carrier)
        return (
            (("campaign", campaign), per_second, 0),
            (("carrier", carrier), rate, most),
            (
                ("number", carrier, number),
                limits.number_per_second,
                limits.number_simultaneous,
            ),
        )
