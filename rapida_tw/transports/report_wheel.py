"""ReportWheel: when each stream sends its next RTCP report, by one timer for all of them."""

from __future__ import annotations

import heapq
from itertools import count
from random import Random
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

INTERVAL = 5.0  # seconds, from half of it to one and a half (RFC 3550 6.2)
SLOT = 0.1  # seconds: what is due within it is sent by one timer


class Reporting(Protocol):
    """A stream, as the wheel knows it."""

    def report(self) -> None:
        """Send a report now."""


class _Place:
    """A member's turn; without a member it was given up."""

    __slots__ = ("member",)

    def __init__(self, member: Reporting) -> None:
        self.member: Reporting | None = member


class ReportWheel:
    """Calls `report` of each member every 5 s times 0.5 to 1.5, drawn anew each time.

    The first comes in half of that (RFC 3550 6.2): a short call too has its round trip measured.

    The timer runs only while there are members.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._places: dict[Reporting, _Place] = {}
        self._coming: list[tuple[float, int, _Place]] = []  # a heap, by when they are due
        self._order = count()
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._places)

    def add(self, member: Reporting) -> None:
        """From now on."""
        if member not in self._places:
            place = self._places[member] = _Place(member)
            self._put(place, INTERVAL / 2)
        if self._timer is None:
            self._timer = self._clock.callLater(SLOT, self._turn)

    def remove(self, member: Reporting) -> None:
        """No more. Unknown ones are ignored."""
        place = self._places.pop(member, None)
        if place is not None:
            place.member = None
        if not self._places:
            self._coming.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _put(self, place: _Place, interval: float = INTERVAL) -> None:
        due = self._clock.seconds() + interval * (0.5 + self._random.random())
        heapq.heappush(self._coming, (due, next(self._order), place))

    def _turn(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        while self._coming and self._coming[0][0] <= now:
            _, _, place = heapq.heappop(self._coming)
            if place.member is None:
                continue
            try:
                place.member.report()
            except Exception:
                self._log.failure("{member} failed to report", member=place.member)
            if place.member is not None:
                self._put(place)
        if self._places and self._timer is None:
            self._timer = self._clock.callLater(SLOT, self._turn)
