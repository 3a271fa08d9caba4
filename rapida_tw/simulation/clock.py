"""VirtualClock: time for whole servers, event by event."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer


@implementer(IReactorTime)
class VirtualClock:
    """Time that passes only when asked to; a heap, because thousands of timers wait in it."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = count()
        self._heap: list[tuple[float, int, DelayedCall]] = []

    def seconds(self) -> float:
        return self._now

    def callLater(
        self, delay: float, callable: Callable[..., Any], *args: object, **kwargs: object
    ) -> IDelayedCall:
        call = DelayedCall(
            self._now + delay, callable, args, kwargs, _nothing, self._push, self.seconds
        )
        self._push(call)
        return call

    def _push(self, call: DelayedCall) -> None:
        heapq.heappush(self._heap, (call.getTime(), next(self._order), call))

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        # A call that was brought forward is in the heap twice.
        return list(dict.fromkeys(call for _, _, call in self._heap if call.active()))

    def run(self, until: float) -> None:
        """Let time pass, event by event, up to `until`."""
        while self._heap and self._heap[0][0] <= until:
            due, _, call = heapq.heappop(self._heap)
            if not call.active():
                continue
            if call.getTime() > due:  # it was put off meanwhile
                call.activate_delay()  # else bringing it forward again would not be told
                self._push(call)
                continue
            self._now = max(self._now, due)
            call.called = 1
            call.func(*call.args, **call.kw)
        self._now = max(self._now, until)


def _nothing(call: DelayedCall) -> None:
    """A cancelled call stays in the heap until its time has come."""
