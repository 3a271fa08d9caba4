"""What a campaign is told: how fast, how many at once, when, and whom to call again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from rapida_tw.campaigns.hours import CALLEE, Hours, is_zone
from rapida_tw.store.reading import Reading, number, text, whole

MOST_ENTRIES = 10_000  # of one request; a campaign may be given more afterwards
MACHINE = "machine_detected"
RETRYABLE = ("busy", "no_answer", "rejected", "unreachable", "failed", "media_failed", MACHINE)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Retries:
    """At most so many attempts; the pause before the next grows by `factor`."""

    attempts: int = 1
    after: float = 900.0  # seconds
    factor: float = 2.0
    outcomes: tuple[str, ...] = ("busy", "no_answer")

    def pause(self, attempts: int, outcome: str) -> float | None:
        """Seconds until the next one; None: there is none."""
        if attempts >= self.attempts or outcome not in self.outcomes:
            return None
        return float(self.after * self.factor ** max(attempts - 1, 0))


@dataclass(frozen=True, slots=True)
class Settings:
    """`start`, `end` in seconds since the epoch, 0 = none."""

    per_second: float = 1.0
    simultaneous: int = 10
    hours: Hours | None = None
    retries: Retries = field(default_factory=Retries)
    start: float = 0.0
    end: float = 0.0

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Settings:
        """What `read` has let through and the store has kept."""
        return read(Reading(dict(kept)))


def read(reading: Reading) -> Settings:
    """Of a document's `settings`; mistakes are the reading's."""
    default = Settings()
    found = Settings(
        per_second=reading.value("callsPerSecond", number(0.01, 1_000), default.per_second, 1.0),
        simultaneous=reading.value("simultaneous", whole(1, 100_000), default.simultaneous, 10),
        hours=_hours(reading.inner("hours")),
        retries=_retries(reading.inner("retries")),
        start=reading.value("startDate", _moment, 0.0, 0.0),
        end=reading.value("endDate", _moment, 0.0, 0.0),
    )
    if found.end and found.end <= found.start:
        reading.wrong("endDate", "must be later than startDate")
    reading.close()
    return found


def _hours(reading: Reading | None) -> Hours | None:
    if reading is None:
        return None
    whole_day = time(0, 0)
    hours = Hours(
        reading.value("from", _clock, time(9, 0), time(9, 0)),
        reading.value("to", _clock, time(20, 0), time(20, 0)),
        reading.value("days", _days, frozenset(range(1, 8)), frozenset(range(1, 8))),
        reading.value("timeZone", _zone, CALLEE, CALLEE),
        reading.value("fallbackTimeZone", _own_zone, "UTC", "UTC"),
    )
    if hours.first == hours.last and hours.first != whole_day:
        reading.wrong("to", "must be another time than from")
    reading.close()
    return None if hours.first == hours.last else hours


def _retries(reading: Reading | None) -> Retries:
    default = Retries()
    if reading is None:
        return default
    retries = Retries(
        reading.value("attempts", whole(1, 10), 3, 3),
        reading.value("after", number(10, 7 * 86_400), default.after, default.after),
        reading.value("factor", number(1, 10), default.factor, default.factor),
        reading.value("outcomes", _outcomes, default.outcomes, default.outcomes),
    )
    reading.close()
    return retries


def _clock(value: Any) -> time:
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a time such as 09:00")
    return time(int(found[1]), int(found[2]))


def _days(value: Any) -> frozenset[int]:
    days = value if isinstance(value, list) else []
    if not days or not all(type(day) is int and 1 <= day <= 7 for day in days):
        raise ValueError("must be a list of days, 1 (Monday) to 7")
    return frozenset(days)


def _own_zone(value: Any) -> str:
    name = text(64, shortest=1)(value)
    if not is_zone(name):
        raise ValueError("must be the name of a time zone, such as Europe/Berlin")
    return name


def _zone(value: Any) -> str:
    return CALLEE if value == CALLEE else _own_zone(value)


def _outcomes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(one in RETRYABLE for one in value):
        raise ValueError(f"must be a list of {', '.join(RETRYABLE)}")
    return tuple(sorted(set(value)))


def _moment(value: Any) -> float:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("must be a date and time with its zone (RFC 3339)") from None
    if moment.tzinfo is None:
        raise ValueError("must be a date and time with its zone (RFC 3339)")
    return moment.timestamp()
