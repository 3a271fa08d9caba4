"""Calling hours and pace, by themselves."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from twisted.internet.task import Clock

from rapida_tw.campaigns.hours import Hours, openings, zones_of
from rapida_tw.campaigns.pace import Limits, Pace

DAY = Hours(time(9), time(20))
NIGHT = Hours(time(22), time(6), frozenset({5}), "Europe/Berlin")  # of Friday
BERLIN, LONDON, ANGELES, FREE = "+4930123456", "+442079460000", "+12135550100", "+18005550100"
WIDE = "+78005550100"  # free, all over Russia


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("hours", "number", "now", "opens"),
    [
        (DAY, BERLIN, "2024-06-03T09:00+02:00", "2024-06-03T09:00+02:00"),
        (DAY, BERLIN, "2024-06-03T08:58:30+02:00", "2024-06-03T09:00+02:00"),
        (DAY, BERLIN, "2024-06-03T20:00+02:00", "2024-06-04T09:00+02:00"),
        # Over the night in which the clocks change.
        (DAY, BERLIN, "2024-03-30T21:00+01:00", "2024-03-31T09:00+02:00"),
        (DAY, LONDON, "2024-10-26T21:00+01:00", "2024-10-27T09:00+00:00"),
        # Right in Moscow and in Kamchatka.
        (Hours(time(6), time(22)), WIDE, "2024-06-03T04:00+00:00", "2024-06-03T04:00+00:00"),
        (Hours(time(6), time(22)), WIDE, "2024-06-03T11:00+00:00", "2024-06-04T03:00+00:00"),
        # Never right in all of America, Guam included: UTC.
        (DAY, FREE, "2024-06-03T08:00+00:00", "2024-06-03T09:00+00:00"),
        (DAY, FREE, "2024-06-03T12:00+00:00", "2024-06-03T12:00+00:00"),
        # A night belongs to the day on which it began.
        (NIGHT, BERLIN, "2024-06-08T05:59+02:00", "2024-06-08T05:59+02:00"),
        (NIGHT, BERLIN, "2024-06-08T06:00+02:00", "2024-06-14T22:00+02:00"),
        (NIGHT, BERLIN, "2024-06-07T05:00+02:00", "2024-06-07T22:00+02:00"),
        # What tells no zone.
        (DAY, "200", "2024-06-03T08:00+00:00", "2024-06-03T09:00+00:00"),
        (DAY, "sip:ada@example.org", "2024-06-03T08:00+00:00", "2024-06-03T09:00+00:00"),
    ],
)
def test_opens(hours: Hours, number: str, now: str, opens: str) -> None:
    """When somebody may be called, by the clock where the number is."""
    found = hours.opens(number, at(now))
    assert datetime.fromtimestamp(found, tz=datetime.fromisoformat(opens).tzinfo) == (
        datetime.fromisoformat(opens)
    )


def test_zones() -> None:
    """A region's is one, a free number's are many, and nonsense has none."""
    assert zones_of(ANGELES) == ("America/Los_Angeles",)
    assert len(zones_of(FREE)) > 10
    assert zones_of("nobody") == zones_of("") == zones_of("+" + "9" * 200) == ()


def test_many() -> None:
    """A list is looked up at once."""
    now = at("2024-06-03T10:00+02:00")
    found = openings(DAY, [BERLIN, ANGELES], now)
    assert found == {BERLIN: now, ANGELES: at("2024-06-03T09:00-07:00")}


def sent(pace: Pace, clock: Clock, seconds: float, per_second: float, number: str = "n") -> int:
    """How many go out in that time, looked at four times a second."""
    count = 0
    for _ in range(int(seconds * 4)):
        while pace.may("c", per_second, "twilio", number):
            pace.went("c", per_second, "twilio", number)
            count += 1
        clock.advance(0.25)
    return count


@pytest.mark.parametrize("rate", [0.5, 1.0, 3.0, 10.0, 200.0])
def test_rate(rate: float) -> None:
    """As many as were asked for, neither more nor fewer, after a long rest too."""
    clock = Clock()
    pace = Pace(clock.seconds)
    clock.advance(100)
    assert abs(sent(pace, clock, 20, rate) - 20 * rate) <= 1 + rate * 0.25
    clock.advance(100)
    assert sent(pace, clock, 1, rate) <= rate * 1.25 + 1


def test_limits() -> None:
    """The carrier's own stand over those of all; each number has its own."""
    clock = Clock()
    limits = Limits(simultaneous=1, by_carrier={"twilio": (0.0, 3)}, number_simultaneous=2)
    pace = Pace(clock.seconds, limits)
    assert sent(pace, clock, 1, 0, "a") == 2
    assert sent(pace, clock, 1, 0, "b") == 1
    pace.over("c", "twilio", "a")
    assert pace.may("c", 0, "twilio", "b")
    assert pace.may("c", 0, "vonage", "b")


def test_forgets() -> None:
    """Nothing is kept of what is over."""
    clock = Clock()
    pace = Pace(clock.seconds, Limits(number_per_second=1.0))
    for n in range(100):
        pace.went("c", 1.0, "twilio", str(n))
    clock.advance(200)
    for n in range(100):
        pace.over("c", "twilio", str(n))
    assert (len(pace._next), len(pace._out)) == (0, 0)
