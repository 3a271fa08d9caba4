"""MediaClock: the beat of every call in the process.

One timer on an absolute schedule; each session is called once every 20 ms. Sessions are spread
over sub-beats of 5 ms, so that many calls' sends are not one burst. The timer runs only while
there are sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rapida_tw.audio.format import TICK
from rapida_tw.media.gathering import Gathering

PHASES = 4  # sub-beats a tick: measured best of 1, 4, 10 and 20
CATCH_UP = 5  # ticks: after a longer stall the beat jumps, because late audio is worthless
# A beat that is due within a microsecond is due: callLater's arithmetic is floating point.
_EPSILON = 1e-6
# A single stall (a library that loads) must not make the node look full: it counts for no more
# than what is caught up, and that for a hundredth.
_SMOOTHING = 0.01
_LATEST = CATCH_UP * TICK  # seconds


class Ticking(Protocol):
    """What the clock knows of a session."""

    def tick(self, now: int) -> None:
        """20 ms of media time have passed; `now` counts ticks and may jump after a stall."""

    def failed(self) -> None:
        """`tick` raised; the session is off the clock already."""


class MediaClock:
    """Calls `tick` of each session, isolated from every other session's errors."""

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.origin = clock.seconds()  # when tick 0 was
        self._step = 0  # sub-beats since the origin, up to which all work is done
        # Dicts for their order and for removing at once, also while a beat goes through them.
        self._phases: tuple[dict[Ticking, None], ...] = tuple({} for _ in range(PHASES))
        self._timer: IDelayedCall | None = None
        self._beating = False
        self._read: Callable[[], None] | None = None
        self.gathering = Gathering()  # of what `_read` reads
        self.behind = 0  # whole ticks by which the running beat is late
        self.jumped = 0  # ticks left out after stalls, since the start
        self.lateness = 0.0  # seconds: moving average of how late beats come

    @property
    def now(self) -> int:
        """The current tick."""
        return self._current_step() // PHASES

    def seconds(self) -> float:
        """The time on the clock that the beat runs on."""
        return self._clock.seconds()

    def add(self, session: Ticking) -> None:
        """Call `session.tick` from its next beat on."""
        idle = self._timer is None and not self._beating
        if idle:
            self._step = self._current_step()
            self.lateness = 0.0  # of a load that is over
        min(self._phases, key=len)[session] = None
        if idle:
            self._schedule()

    def remove(self, session: Ticking) -> None:
        """Call it no more, not even in the beat that is running. Unknown ones are ignored."""
        for phase in self._phases:
            phase.pop(session, None)
        if self._timer is not None and not len(self):
            self._timer.cancel()
            self._timer = None

    def read_with(self, read: Callable[[], None] | None) -> None:
        """Call `read` on every sub-beat, before the sessions; None: nobody any more.

        It runs only while there are sessions.
        """
        self._read = read
        if self._timer is not None:  # which may sleep over sub-beats without sessions
            self._timer.cancel()
            self._step = min(self._step, self._current_step())
            self._schedule()

    def __len__(self) -> int:
        return sum(map(len, self._phases))

    def _current_step(self) -> int:
        return int((self._clock.seconds() - self.origin + _EPSILON) / TICK * PHASES)

    def _beat(self) -> None:
        self._timer = None
        self._beating = True
        try:
            self._catch_up()
        finally:
            self._beating = False
            if len(self):
                self._schedule()

    def _catch_up(self) -> None:
        due = self.origin + (self._step + 1) * TICK / PHASES
        late = min(self._clock.seconds() - due, _LATEST)
        self.lateness += (late - self.lateness) * _SMOOTHING
        current = self._current_step()
        behind = current - self._step
        if behind > CATCH_UP * PHASES:
            left_out = behind - CATCH_UP * PHASES
            self.jumped += left_out // PHASES
            self._step += left_out
            self._log.warn("the beat stalled: {ticks} ticks left out", ticks=left_out // PHASES)
        while self._step < current:
            self._step += 1
            if self._read is not None and self._step == current:  # what has come is all there
                self._read_now(self._read)
            self.behind = (current - self._step) // PHASES
            tick, phase = divmod(self._step, PHASES)
            sessions = self._phases[phase]
            # A copy: sessions come and go inside the beat.
            for session in tuple(sessions):
                if session in sessions:
                    try:
                        session.tick(tick)
                    except Exception:
                        # An error that escaped would cost every other call this beat.
                        self._failed(session, tick)

    def _read_now(self, read: Callable[[], None]) -> None:
        gathering = self.gathering
        gathering.open = True
        try:
            read()
        except Exception:
            self._log.failure("reading on the beat failed")
        finally:
            gathering.open = False
        try:
            gathering.flush()
        except Exception:
            self._log.failure("hearing on the beat failed")

    def _failed(self, session: Ticking, tick: int) -> None:
        self._log.failure("{session} failed in tick {tick}", session=session, tick=tick)
        self.remove(session)
        try:
            session.failed()
        except Exception:
            self._log.failure("{session} failed in its end", session=session)

    def _schedule(self) -> None:
        """Sleep until the next sub-beat that has sessions, counted from the origin."""
        step = self._step + 1
        while not self._phases[step % PHASES] and self._read is None:
            step += 1
        self._step = step - 1
        due = self.origin + step * TICK / PHASES
        self._timer = self._clock.callLater(max(0.0, due - self._clock.seconds()), self._beat)
