"""Recollection: the latest of a call, for a recogniser that takes over in the middle of it.

Moments are numbers of frames since the beginning of the call.
"""

from __future__ import annotations

from collections import deque
from itertools import islice

from rapida_tw.audio.format import TICKS_PER_SECOND, Samples
from rapida_tw.expect import Expectation
from rapida_tw.speech.ear import Ear

REPLAYED = 2 * TICKS_PER_SECOND  # frames that whoever takes over is given
HELD = 5 * TICKS_PER_SECOND  # frames kept while nobody is ready; the oldest go first
# Final words come when others may have begun: these are heard by whoever takes over, too.
_LATENCY = 15  # frames
# Who has not answered `finish` by then does so no more, or for a turn that is over.
ANSWERED_WITHIN = TICKS_PER_SECOND  # frames
_NEVER = -1


class Recollection:
    """What was heard and asked lately, and what was understood of the turn."""

    def __init__(self) -> None:
        self.heard = 0  # frames of the whole call
        self.expectation: Expectation | None = None
        self.told: list[str] = []  # final words of the turn
        self.partial = ""  # what was told after them
        self._recent: deque[Samples] = deque()
        self._keep = REPLAYED
        self._began = _NEVER  # the turn
        self._finished = _NEVER  # `finish` was asked, and was not answered
        self._final = 0  # the latest final words came

    def hear(self, frame: Samples, ready: bool) -> None:
        """`ready`: somebody hears it now."""
        # A view would keep alive what all calls have sent in the same moment.
        self._recent.append(frame if frame.base is None else frame.copy())
        self.heard += 1
        self._keep = REPLAYED if ready else min(self._keep + 1, HELD)
        while len(self._recent) > self._keep:
            self._recent.popleft()

    def clear(self) -> None:
        self._recent.clear()

    # -- the turn ---------------------------------------------------------------------------------

    @property
    def in_turn(self) -> bool:
        return self._began != _NEVER

    @property
    def asked(self) -> bool:
        """An answer to `finish` is owed."""
        return self._finished != _NEVER

    @property
    def unanswered(self) -> bool:
        """It is owed for so long that the turn is over without it."""
        return self.asked and self.heard - self._finished > ANSWERED_WITHIN

    @property
    def had_words(self) -> bool:
        return bool(self.told or self.partial)

    @property
    def length(self) -> int:
        """Frames of the turn when `finish` was asked; 0 when there was none."""
        return self._finished - self._began if self.in_turn else 0

    def turn_began(self) -> None:
        self._began = self.heard
        self.told.clear()
        self.partial = ""

    def went_on(self) -> None:
        """There is a voice: nothing is to be answered."""
        self._finished = _NEVER

    def finish(self) -> None:
        self._finished = self.heard

    def final_words(self, text: str) -> None:
        if text:
            self.told.append(text)
        self._final = self.heard
        self.partial = ""

    def turn_over(self) -> None:
        self._began = self._finished = _NEVER

    # -- whoever takes over -----------------------------------------------------------------------

    def replay(self, ear: Ear) -> None:
        """Let it hear what it has missed, with the cues where they were."""
        recognizer = ear.recognizer
        if self.expectation is not None:
            recognizer.expect(self.expectation)
        oldest = self.heard - len(self._recent)
        first = max(oldest, self._final - _LATENCY)
        since = max(self._final, self._began - _LATENCY)
        ear.joined = len(self.told)
        ear.missed = max(first - since, 0) / max(self.heard - since, 1)
        if 0 <= self._began < first:
            recognizer.speech_started()
        for number, frame in enumerate(islice(self._recent, first - oldest, None), first):
            if ear.over:
                return
            if number == self._began:
                recognizer.speech_started()
            recognizer.hear(frame)
        if self._began == self.heard:
            recognizer.speech_started()
        if self.asked:
            ear.owes = True
            recognizer.finish()
