"""DeadAir: when a reply is owed and nothing comes, deadlines run.

A filler after a moment, another one later, and at last the reply is given up, so that the caller
never wonders whether the line is dead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IDelayedCall, IReactorTime

FILLERS_AFTER = (1.5, 3.5)  # seconds of silence before the first filler, and before the others
GIVE_UP_AFTER = 9.0  # seconds of silence in all, without a word of the reply itself


class DeadAir:
    """Watches one reply. Checks each quarter of a second, off the 20 ms path."""

    _EVERY = 0.25

    def __init__(
        self,
        clock: IReactorTime,
        quiet: Callable[[], bool],
        fill: Callable[[str], None],
        give_up: Callable[[], None],
        fillers: Sequence[str],
    ) -> None:
        self._clock = clock
        self._quiet = quiet
        self._fill = fill
        self._give_up = give_up
        self._fillers = list(zip(FILLERS_AFTER, fillers, strict=False))
        self._silence = self._waited = 0.0
        self._timer: IDelayedCall | None = None

    def start(self) -> None:
        """A reply is owed from now on."""
        self._silence = self._waited = 0.0
        self._timer = self._clock.callLater(self._EVERY, self._check)

    def progressed(self) -> None:
        """A part of the reply itself has come."""
        self._silence = self._waited = 0.0

    def tool_answered(self) -> None:
        """The model's turn again: it is not blamed for the time that the tool took."""
        self._waited = 0.0

    def stop(self) -> None:
        """The reply is complete, or is not wanted any more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _check(self) -> None:
        self._timer = self._clock.callLater(self._EVERY, self._check)
        if not self._quiet():
            self._silence = 0.0
            return
        self._silence += self._EVERY
        self._waited += self._EVERY
        if self._waited >= GIVE_UP_AFTER:
            self._waited = 0.0
            self._give_up()
        elif self._fillers and self._silence >= self._fillers[0][0]:
            self._silence = 0.0
            _, filler = self._fillers[0]
            if len(self._fillers) > 1:  # the last one serves again and again
                del self._fillers[0]
            self._fill(filler)
