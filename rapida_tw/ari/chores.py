"""What one call has under way: requests that nobody waits for, and timers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure


class Chores:
    """`name` is the call's, for the log."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, name: str) -> None:
        self._clock = clock
        self._name = name
        self._running: set[Deferred[None]] = set()
        self._timers: list[IDelayedCall] = []

    def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin it; what it raises is logged."""
        running = Deferred.fromCoroutine(work())
        self._running.add(running)
        running.addErrback(self._broke)
        running.addBoth(lambda _: self._running.discard(running))

    def _broke(self, failure: Failure) -> None:
        if failure.check(CancelledError) is None:
            self._log.failure("{name}", failure, name=self._name)

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """After so many seconds, unless the call is over by then."""
        self._timers = [timer for timer in self._timers if timer.active()]
        self._timers.append(self._clock.callLater(seconds, work))

    def stop_timers(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()

    async def finish(self) -> None:
        """Until all that was begun has come to its end; every request has a time-out."""
        for running in tuple(self._running):
            waiting: Deferred[None] = Deferred()
            running.chainDeferred(waiting)
            await waiting
