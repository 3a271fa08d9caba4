"""BargeIn: doubt, confirm or dismiss an interruption.

At the first sound of the caller the assistant falls silent, at once. Then it has half a second to
find out: a word drops the reply, a cough or "mhm" lets it go on from the first unheard frame. Where
only words may interrupt (a noisy room, a loudspeaker), sounds change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.media.playout import Playout

WINDOW = 0.5  # seconds from doubt to decision
# Sounds of attention, not of a wish to speak (PRODUCT e.2: what counts as no meaningful word).
_NOT_MEANT = frozenset(
    "uh um hmm hm mm mhm mmm ah oh er erm huh uh-huh mm-hmm mmhmm uhhuh eh aha".split()
)
_AGREEMENT = frozenset("mhm uh-huh mm-hmm mmhmm uhhuh aha".split())
_WORDS = re.compile(r"[\w'-]+")


def meaningful(text: str) -> bool:
    """Whether the words say more than "I am listening"."""
    return any(word not in _NOT_MEANT for word in _WORDS.findall(text.lower()))


def agrees(text: str) -> bool:
    """A "mhm" is no interruption, but after a question it is an answer."""
    return any(word in _AGREEMENT for word in _WORDS.findall(text.lower()))


class BargeIn:
    """One policy for all transports.

    `allowed` says whether the current reply may be interrupted. `enough()` is asked when the
    window closes without words: does the voice itself insist? `by_sound` False: only words count.
    """

    def __init__(
        self,
        clock: IReactorTime,
        playout: Playout,
        interrupted: Callable[[], None],
        enough: Callable[[], bool],
        by_sound: bool = True,
    ) -> None:
        self._clock = clock
        self._playout = playout
        self._interrupted = interrupted
        self._enough = enough
        self._by_sound = by_sound
        self._window: IDelayedCall | None = None
        self._cut_in = False  # the doubt is about something that was being heard
        self.allowed = True

    @property
    def in_doubt(self) -> bool:
        return self._window is not None

    def speech_started(self) -> None:
        """A sound: pause and doubt. What has not begun yet does not begin meanwhile."""
        if self.allowed and self._by_sound and not self.in_doubt:
            self._cut_in = self._playout.busy
            self._playout.pause()
            self._window = self._clock.callLater(WINDOW, self._decide)

    def words(self, text: str) -> None:
        """Words of the caller so far: the first that means something confirms."""
        if self.allowed and meaningful(text):
            self.stop()
            self._interrupted()

    def turn_ended(self) -> None:
        """The sound is over, and no word of it meant anything."""
        if self.in_doubt:
            self._dismiss()

    def stop(self) -> None:
        """No decision is wanted any more; the playout stays as it is."""
        if self._window is not None:
            self._window.cancel()
            self._window = None

    def _decide(self) -> None:
        self._window = None
        # A reply that is still being thought of is only dropped for words: it is owed.
        if self._cut_in and self._enough():
            self._interrupted()
        else:
            self._dismiss()

    def _dismiss(self) -> None:
        self.stop()
        self._playout.resume()
