"""Calling hours: when somebody may be called, by the clock where they are.

A number tells a country and often a region; where it may be in several time zones, it must be the
right time in all of them. Summer time is the zones' own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

CALLEE = "callee"  # instead of a zone: that of the number
_UNKNOWN = "Etc/Unknown"
_STEP = timedelta(minutes=5)
_LOOK_AHEAD = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Hours:
    """`first` until before `last`, on `days` (1 = Monday … 7); over midnight when first > last.

    `zone`: IANA's name, or CALLEE; `fallback`: of numbers that tell no zone.
    """

    first: time
    last: time
    days: frozenset[int] = frozenset(range(1, 8))
    zone: str = CALLEE
    fallback: str = "UTC"

    def opens(self, number: str, now: float) -> float:
        """Seconds since the epoch: `now` when it may be called, else when it may be next.

        Where it is never the right time in all of its zones (a free number's go around the world),
        `fallback` counts.
        """
        found = self._opens_in(tuple(self._zones(number)), now)
        if found is None:
            found = self._opens_in((self.fallback,), now)
        return now + _LOOK_AHEAD.total_seconds() if found is None else found

    def _opens_in(self, zone_names: tuple[str, ...], now: float) -> float | None:
        moment = datetime.fromtimestamp(now, UTC)
        if self._open(moment, [ZoneInfo(name) for name in zone_names]):
            return now
        # On the grid of five minutes: hours begin on it, zones are off by quarters at most.
        minutes = moment.minute - moment.minute % 5
        return _next(self, zone_names, moment.replace(minute=minutes, second=0, microsecond=0))

    def _search(self, zone_names: Sequence[str], moment: datetime) -> float | None:
        zones = [ZoneInfo(name) for name in zone_names]
        end = moment + _LOOK_AHEAD
        while moment < end:
            moment += _STEP
            if self._open(moment, zones):
                return moment.timestamp()
        return None

    def _open(self, moment: datetime, zones: Sequence[ZoneInfo]) -> bool:
        return all(self._open_in(moment.astimezone(zone)) for zone in zones)

    def _open_in(self, there: datetime) -> bool:
        clock, day = there.time(), there.isoweekday()
        if self.first < self.last:
            return self.first <= clock < self.last and day in self.days
        if clock >= self.first:
            return day in self.days
        before = 7 if day == 1 else day - 1  # the night belongs to the day on which it began
        return clock < self.last and before in self.days

    def _zones(self, number: str) -> Sequence[str]:
        if self.zone != CALLEE:
            return (self.zone,)
        return zones_of(number) or (self.fallback,)


@lru_cache(maxsize=1_000)
def _next(hours: Hours, zone_names: tuple[str, ...], moment: datetime) -> float | None:
    """Numbers of one country are looked for once in five minutes: it takes up to a week's steps."""
    return hours._search(zone_names, moment)


def openings(hours: Hours, numbers: Sequence[str], now: float) -> dict[str, float]:
    """`hours.opens` of each; for a thread, as the numbers' tables take a moment to be read."""
    return {number: hours.opens(number, now) for number in numbers}


@lru_cache(maxsize=10_000)
def zones_of(number: str) -> tuple[str, ...]:
    """The time zones that a number in E.164 may be in; none for what tells none."""
    # Its tables are large, and few servers have campaigns.
    from phonenumbers import NumberParseException, parse
    from phonenumbers.timezone import time_zones_for_number

    try:
        found = time_zones_for_number(parse(number))
    except NumberParseException:
        return ()
    return tuple(name for name in found if name != _UNKNOWN and is_zone(name))


def is_zone(name: str) -> bool:
    """Whether it is a zone's name that is known here."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
