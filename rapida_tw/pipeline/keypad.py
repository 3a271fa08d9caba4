"""Keypad: single pressed digits become entries, by count, by `#`, or by a pause."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

PAUSE = 2.0  # seconds after the last digit that complete an entry
LONGEST = 64  # digits; a stuck key must not grow an entry without end


class Keypad:
    """One caller's keys.

    Outside `collect` a completed entry is handed to `entered`; inside, to the one who collects.
    """

    def __init__(self, clock: IReactorTime, entered: Callable[[str], None]) -> None:
        self._clock = clock
        self._entered = entered
        self._digits = ""
        self._expected = 0
        self._timer: IDelayedCall | None = None
        self._collecting: Deferred[str] | None = None
        self._count = 0
        self._terminator = "#"

    @property
    def collecting(self) -> bool:
        """A tool waits for digits, so a key is an answer and not an interruption."""
        return self._collecting is not None

    def expect(self, digits: int) -> None:
        """So many digits complete an entry outside `collect`; 0 = until `#` or a pause."""
        self._expected = digits

    def pressed(self, digit: str) -> None:
        """One of 0-9 A-D * #."""
        terminator = self._terminator if self.collecting else "#"
        wanted = (self._count if self.collecting else self._expected) or LONGEST
        # Outside `collect` a terminator alone is a key like any other.
        if digit == terminator and (self._digits or self.collecting):
            self._complete()
            return
        self._digits += digit
        if len(self._digits) >= wanted:
            self._complete()
        else:
            self._wait(PAUSE)

    def collect(
        self, count: int = 0, terminator: str = "#", timeout: float = 10.0
    ) -> Deferred[str]:
        """Fires with the next entry, without its terminator.

        "" when no key was pressed for `timeout` seconds, or nothing but the terminator.

        Digits pressed before the prompt had ended count. Cancelling gives the digits up.
        """
        if self._collecting is not None:
            self._collecting.cancel()
        self._collecting = Deferred(self._give_up)
        collecting = self._collecting
        self._count, self._terminator = count, terminator
        if count and len(self._digits) >= count:
            self._complete()
        else:
            self._wait(PAUSE if self._digits else timeout)
        return collecting

    def stop(self) -> None:
        """The call is over."""
        self._cancel_timer()
        self._digits = ""
        if self._collecting is not None:
            self._collecting.cancel()

    def _give_up(self, collecting: Deferred[str]) -> None:
        self._collecting = None
        self._cancel_timer()
        self._digits = ""

    def _wait(self, seconds: float) -> None:
        self._cancel_timer()
        self._timer = self._clock.callLater(seconds, self._complete)

    def _cancel_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _complete(self) -> None:
        self._cancel_timer()
        digits, self._digits = self._digits, ""
        if self._collecting is not None:
            collecting, self._collecting = self._collecting, None
            collecting.callback(digits)
        else:
            self._entered(digits)
