"""One timer for all simulated callers: a phone's packetisation clock, on absolute deadlines."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.audio.format import TICK

# A phone whose machine stalled sends all it owes; after a second it has lost the call anyway.
_MOST_AT_ONCE = 50  # beats
# Seconds that a beat may come early: sums of 0.02 fall a little short of their multiples.
_EPSILON = 1e-6


class Metronome:
    """Calls every member once each `interval` seconds (0.01, 0.02 or 0.03), while there are any.

    A timer a caller would cost more than the callers: `task.Clock` sorts its list at every
    `callLater`. An error of a member goes to the reactor, after which the beat goes on.
    """

    def __init__(self, clock: IReactorTime, interval: float = TICK) -> None:
        self.interval = interval
        self._clock = clock
        self._members: dict[Callable[[], None], None] = {}  # in the order they came
        self._origin = 0.0
        self._beats = 0  # since the origin
        self._timer: IDelayedCall | None = None

    def seconds(self) -> float:
        """The time on the clock below."""
        return self._clock.seconds()

    def add(self, member: Callable[[], None]) -> None:
        """Call `member` from the next beat on."""
        self._members[member] = None
        if self._timer is None:
            self._origin = self._clock.seconds()
            self._beats = 0
            self._wait()

    def remove(self, member: Callable[[], None]) -> None:
        """Call it no more; not even in the beat that is running."""
        self._members.pop(member, None)
        if not self._members and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        due = self._origin + (self._beats + 1) * self.interval
        delay = due - self._clock.seconds() - _EPSILON
        self._timer = self._clock.callLater(max(0.0, delay), self._beat)

    def _beat(self) -> None:
        passed = self._clock.seconds() - self._origin + 2 * _EPSILON
        owed = int(passed / self.interval) - self._beats
        self._beats += owed
        self._wait()
        for _ in range(min(owed, _MOST_AT_ONCE)):
            self._call_all()

    def _call_all(self) -> None:
        for member in tuple(self._members):
            if member in self._members:
                member()
