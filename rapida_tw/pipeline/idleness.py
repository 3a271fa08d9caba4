"""Idleness: a caller who says nothing is asked whether they are there, and given up at last."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Idleness:
    """`prompt` is called with the number of the prompt, `give_up` instead of one too many."""

    def __init__(
        self,
        clock: IReactorTime,
        timeout: float,
        prompts: int,
        prompt: Callable[[int], None],
        give_up: Callable[[], None],
    ) -> None:
        """`timeout` in seconds."""
        self._clock = clock
        self._timeout = timeout
        self._prompts = prompts
        self._prompt = prompt
        self._give_up = give_up
        self._prompted = 0
        self._timer: IDelayedCall | None = None

    def wait(self) -> None:
        """It is the caller's turn, from now on."""
        self.stop()
        self._timer = self._clock.callLater(self._timeout, self._expired)

    def stop(self) -> None:
        """Somebody speaks, or the call is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def answered(self) -> None:
        """The caller is there: prompts are counted anew."""
        self._prompted = 0

    def _expired(self) -> None:
        self._timer = None
        if self._prompted >= self._prompts:
            self._give_up()
        else:
            self._prompted += 1
            self._prompt(self._prompted)
