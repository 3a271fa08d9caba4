"""Walks the tables of wire/sip_transaction.py in time: one pending call a transaction."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import NamedTuple, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.sip.base import Flow
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_transaction import TIMINGS, Action, Event, Kind, State, Stream


class Owner(Protocol):
    """Whose transaction it is."""

    def act(self, action: Action, message: Request | Response | None, flow: Flow | None) -> None:
        """Do what a step says; `message` and `flow` are what has come, if something has."""

    def ended(self) -> None:
        """TERMINATED, told before the actions of that step; nothing fires any more."""


class Home(Protocol):
    """Who keeps the transactions."""

    clock: IReactorTime
    t1: float  # seconds

    def guarded(self, call: Callable[..., None], *arguments: object) -> None:
        """Call a user, whose errors end here."""


class _Running(NamedTuple):
    due: float  # when it fires, on the clock
    event: Event
    interval: float  # seconds that led there


_due = attrgetter("due")


class Machine:
    """One transaction's state and timers.

    Of the running timers, two at most, only the earliest is on the clock. A thousand calls have
    tens of thousands of timers that never fire: they are moved rather than cancelled where that is
    the cheaper way.
    """

    __slots__ = (
        "_clock",
        "_owner",
        "_pending",
        "_stream",
        "_t1",
        "_table",
        "_timers",
        "state",
    )

    def __init__(self, kind: Kind, owner: Owner, clock: IReactorTime, t1: float, stream: bool):
        """`t1` in seconds; `stream`: over TCP or TLS."""
        self.state = kind.state
        self._table = kind.table
        self._owner: Owner | None = owner
        self._clock = clock
        self._t1 = t1
        self._stream = stream
        self._timers: list[_Running] = []
        self._pending: IDelayedCall | None = None
        self._start(kind.start, None)
        self._arrange()

    def fire(
        self,
        event: Event,
        message: Request | Response | None = None,
        flow: Flow | None = None,
        *,
        fired: _Running | None = None,
    ) -> bool:
        """Take the step that the table has for it; False when it has none."""
        owner, step = self._owner, self._table.get((self.state, event))
        if owner is None or step is None:
            return False
        if step.state is not self.state:
            self.state = step.state
            self._timers = [timer for timer in self._timers if timer.event in step.keep]
        over = self._start(step.start, fired)
        self._arrange()
        if step.state is State.TERMINATED:
            self.stop()
            owner.ended()
        for action in step.actions:
            owner.act(action, message, flow)
        for timer in over:
            self.fire(timer)
        return True

    def stop(self) -> None:
        """No timer any more, and no step. Idempotent."""
        self._owner = None
        self._timers = []
        self._arrange()

    def start(self, timer: Event) -> None:
        """Start one that no step starts."""
        self._start((timer,), None)
        self._arrange()

    def _start(self, events: tuple[Event, ...], fired: _Running | None) -> list[Event]:
        """Those that are over as soon as they are started are given back."""
        over = []
        for event in events:
            timing = TIMINGS[event]
            if self._stream and timing.over_stream is not Stream.SAME:
                if timing.over_stream is Stream.AT_ONCE:
                    over.append(event)
                continue
            now = since = self._clock.seconds()
            interval = timing.after * self._t1
            if fired is not None and fired.event is event:
                since = fired.due
                interval = min(fired.interval * 2, timing.most * self._t1)
            # What a stall of the reactor has delayed is not made up for.
            due = since + interval if since + interval > now else now + interval
            self._timers.append(_Running(due, event, interval))
        return over

    def _arrange(self) -> None:
        """The earliest timer, and no other, is on the clock."""
        pending = self._pending
        if not self._timers:
            self._pending = None
            if pending is not None:
                pending.cancel()
            return
        due = min(self._timers, key=_due).due
        delay = max(0.0, due - self._clock.seconds())
        if pending is None:
            self._pending = self._clock.callLater(delay, self._run_out)
        elif pending.getTime() < due:
            pending.reset(delay)
        elif pending.getTime() > due:
            # `reset` to an earlier time searches all calls of the reactor.
            pending.cancel()
            self._pending = self._clock.callLater(delay, self._run_out)

    def _run_out(self) -> None:
        self._pending = None
        timer = min(self._timers, key=_due)
        self._timers.remove(timer)
        try:
            self.fire(timer.event, fired=timer)
        finally:
            if self._pending is None:
                self._arrange()
