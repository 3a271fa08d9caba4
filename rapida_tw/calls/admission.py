"""Admission: is there room for another call? Those on the phone come first."""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.calls.journal import Journal
from rapida_tw.media.clock import MediaClock

# Beats that come this late on average leave no room for another call.
FULL_AT = 0.008  # seconds
RESERVE = 0.2  # the share of all room that is not given to calls that we place
# Announced calls cost memory and a row each, and nobody may ever come for them. Three in a minute
# for each call that has room is more than any caller's patience makes.
WAITING_A_CALL = 20  # announced calls that wait, for each of `max_calls`
MOST_WAITING = 5000  # where that is not known


class Admission:
    """Says no, with the reason, when another call would hurt those that are there."""

    def __init__(
        self, beat: MediaClock, journal: Journal, calls: Callable[[], int], max_calls: int
    ) -> None:
        """`calls` counts those that take room; `max_calls` 0 = as many as the beat allows."""
        self._beat = beat
        self._journal = journal
        self._calls = calls
        self._max_calls = max_calls
        self.most_waiting = WAITING_A_CALL * max_calls or MOST_WAITING
        self.draining = False
        self.reserve = RESERVE

    @property
    def ready(self) -> str:
        """Why no new call is taken; "" when one is."""
        return self.full or self._journal.trouble

    @property
    def room_to_dial(self) -> str:
        """Why no call may be placed now; "" when one may. Those that come in have a reserve."""
        why = self.ready
        calls = self._calls()
        if not why and self._max_calls and calls >= self._max_calls * (1 - self.reserve):
            return f"{calls} calls: the rest is kept for those that come in"
        if not why and calls and self._beat.lateness > FULL_AT * (1 - self.reserve):
            return f"the beat is {self._beat.lateness * 1000:.0f} ms late"
        return why

    @property
    def full(self) -> str:
        """Why no call gets in, not even one that was told to come; "" when one does."""
        if self.draining:
            return "draining"
        calls = self._calls()
        if self._max_calls and calls >= self._max_calls:
            return f"full: {calls} calls"
        if calls and self._beat.lateness > FULL_AT:
            return f"full: the beat is {self._beat.lateness * 1000:.0f} ms late"
        return ""
