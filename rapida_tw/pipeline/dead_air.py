"""DeadAir: when a reply is owed and nothing comes, deadlines run.

A filler after a moment, another one later, and at last the reply is given up, so that the caller
never wonders whether the line is dead. A filler is made by the voice, which may be what is slow:
a tone needs nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IDelayedCall, IReactorTime

FILLERS_AFTER = (1.5, 2.75)  # seconds of silence before the first filler, and before the others
# Seconds of silence before a tone: nobody hears four, a voice's own pauses at both ends included.
TONE_AFTER = 3.5
GIVE_UP_AFTER = 9.0  # seconds of silence in all, without a word of the reply itself
_TO_SPEAK = 0.75  # seconds that a voice may take for a filler, so that no tone comes before it
_MOST_BEFORE = 2.0  # seconds of silence before the reply was owed that count
_AT_ONCE = 0.3  # seconds between two replies that the caller takes for one


class DeadAir:
    """Watches one call's replies. Checks each quarter of a second, off the 20 ms path."""

    _EVERY = 0.25

    def __init__(
        self,
        clock: IReactorTime,
        quiet: Callable[[], bool],
        fill: Callable[[str], None],
        tone: Callable[[], None],
        give_up: Callable[[], None],
        fillers: Sequence[str],
    ) -> None:
        self._clock = clock
        self._quiet = quiet
        self._fill = fill
        self._tone = tone
        self._give_up = give_up
        self._texts = tuple(fillers)
        self._fillers: list[tuple[float, str]] = []
        # Seconds of silence since there was a sound, or a filler was asked for; since the latest
        # progress; since there was something to hear.
        self._silence = self._waited = self._deaf = 0.0
        self._checked = 0.0
        self._over = float("-inf")
        self._timer: IDelayedCall | None = None

    def start(self, before: float = 0.0, answer: bool = True) -> None:
        """A reply is owed from now on; for `before` seconds the caller has heard nothing already.

        Unless it is an `answer` to a turn, it is a text that is only to be spoken: no fillers, and
        when it follows a reply at once (as an apology does) it is in the same silence.
        """
        self.stop()  # watching for somebody who was yet to come
        now = self._clock.seconds()
        before = min(before, _MOST_BEFORE)
        if now - self._over > _AT_ONCE:
            self._deaf = before
        elif answer:
            self._deaf = min(self._deaf, before)
        self._fillers = list(zip(FILLERS_AFTER, self._texts, strict=False)) if answer else []
        self._silence = max(before - (TONE_AFTER - _TO_SPEAK - FILLERS_AFTER[0]), 0.0)
        self._waited = 0.0
        self._wait()

    def progressed(self) -> None:
        """A part of the reply itself has come."""
        self._silence = self._waited = 0.0

    def handed_on(self) -> None:
        """From a tool to the model, or from the model to the voice: each has its own time."""
        self._waited = 0.0

    def stop(self) -> None:
        """The reply is complete, or is not wanted any more."""
        if self._timer is not None:
            self._over = self._clock.seconds()
            self._deaf += min(self._over - self._checked, self._EVERY)
            if self._timer.active():
                self._timer.cancel()
        self._timer = None

    def _wait(self) -> None:
        self._checked = self._clock.seconds()
        self._timer = self._clock.callLater(self._EVERY, self._check)

    def _check(self) -> None:
        self._wait()
        if not self._quiet():
            self._silence = self._deaf = 0.0
            return
        self._silence += self._EVERY
        self._waited += self._EVERY
        self._deaf += self._EVERY
        if self._waited >= GIVE_UP_AFTER:
            self._waited = 0.0
            self._give_up()
            return
        if self._fillers and self._silence >= self._fillers[0][0]:
            self._silence = 0.0
            _, filler = self._fillers[0]
            if len(self._fillers) > 1:  # the last one serves again and again
                del self._fillers[0]
            self._fill(filler)
        if self._deaf >= TONE_AFTER and self._quiet():
            self._deaf = 0.0
            self._tone()
