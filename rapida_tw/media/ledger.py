"""Ledger: the phrases of a playout, and which of their words were heard.

A *phrase* is a text and the frames of 20 ms that say it; phrases belong to *parts* (the model's
messages), so that history can be cut to what the caller heard.

What is spoken is not the text itself ("$5" is "five dollars"). Where the voice tells when words are
spoken, words that are in both are found again, and between them the share of the spoken letters
that was heard is the share of the text's. Where it does not, a phrase is taken to be spoken evenly.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import accumulate

from rapida_tw.audio.format import TICK, TICKS_PER_SECOND

# How long speech takes that is not synthesised yet: 15 characters a second is usual English.
_CHARACTERS_PER_SECOND = 15
_CHARACTERS_PER_FRAME = _CHARACTERS_PER_SECOND / TICKS_PER_SECOND
# Some voices tell fewer letters than we count, or more. Words that end this near to the end of the
# sound were all of them.
_NEAR = 0.5  # seconds
_EPSILON = 1e-6  # a word that ends with a frame is heard with it, whatever floats say

_UNFINISHED = re.compile(r"\S*\Z")


@dataclass(slots=True)
class _Phrase:
    text: str
    part: int
    first: int  # the number of its first frame, counted from the last clear
    spoken: str
    frames: int = 0
    complete: bool = False  # it was spoken to its end
    ends: list[float] = field(default_factory=list)  # of its words, in seconds, ascending
    upto: list[int] = field(default_factory=list)  # letters spoken by each of them

    def timed(self, word: str, end: float) -> None:
        """Its next word."""
        latest = self.ends[-1] if self.ends else 0.0
        self.ends.append(max(latest, end))
        self.upto.append((self.upto[-1] if self.upto else 0) + _letters(word))

    def heard(self, frames: int) -> str:
        """The whole words of it within the first `frames` frames."""
        of_this = frames - self.first
        if of_this <= 0:
            return ""
        if of_this >= self.frames:
            if self.complete:
                return self.text
            of_this = self.frames
        if self.upto and self.upto[-1]:
            return self._by_words(of_this * TICK)
        expected = max(self.frames, len(self.text) / _CHARACTERS_PER_FRAME)
        if self.complete:
            expected = self.frames
        said = self.text[: int(len(self.text) * of_this / expected)]
        if len(said) < len(self.text) and not self.text[len(said)].isspace():
            said = _UNFINISHED.sub("", said)  # half a word was not heard
        return said.strip()

    def _by_words(self, seconds: float) -> str:
        spoken = _letters(self.spoken)
        whole = max(self.upto[-1], spoken)
        if self.complete and self.frames * TICK - self.ends[-1] < _NEAR:
            whole = self.upto[-1]
        said = self._said(seconds, whole) * spoken // whole
        return _beginning(self.text, _of_text(said, self.spoken, self.text))

    def _said(self, seconds: float, whole: int) -> int:
        """Letters spoken in the first `seconds`, of `whole`."""
        words = bisect_right(self.ends, seconds + _EPSILON)
        said = self.upto[words - 1] if words else 0
        if words < len(self.ends):
            return said
        # Of what follows nothing is known, or not yet.
        since, rest = seconds - self.ends[-1], whole - said
        if not self.complete:
            return min(said + int(since * _CHARACTERS_PER_SECOND), whole)
        return said + int(rest * since / max(self.frames * TICK - self.ends[-1], TICK))


class Ledger:
    """What was written into a playout since its last clear."""

    def __init__(self) -> None:
        self._phrases: list[_Phrase] = []
        self.written = 0  # frames

    def begin(self, text: str, part: int, spoken: str) -> None:
        """What is written from now on says `text`, in the words of `spoken`."""
        self._phrases.append(_Phrase(text, part, self.written, spoken))

    def count(self, frames: int) -> None:
        """So many frames more of the latest phrase."""
        self.written += frames
        if self._phrases:
            self._phrases[-1].frames += frames

    def timed(self, words: Sequence[tuple[str, float, float]]) -> None:
        """When the next words of the latest phrase are spoken: (word, start, end)."""
        if self._phrases:
            for word, _, end in words:
                self._phrases[-1].timed(word, end)

    def finish(self, complete: bool) -> None:
        """No more comes of the latest phrase; unless `complete`, it has not been spoken whole."""
        if self._phrases:
            self._phrases[-1].complete = complete

    def add_words(self, part: int, words: str) -> None:
        """The latest phrase of a part says this, too."""
        for phrase in reversed(self._phrases):
            if phrase.part == part:
                phrase.text = phrase.spoken = phrase.text + words
                return

    def heard_of(self, part: int, frames: int) -> tuple[int, int]:
        """Frames of a part within the first `frames` frames, and in all."""
        phrases = [phrase for phrase in self._phrases if phrase.part == part]
        heard = sum(min(max(frames - one.first, 0), one.frames) for one in phrases)
        return heard, sum(one.frames for one in phrases)

    def heard(self, frames: int) -> dict[int, str]:
        """The words within the first `frames` frames, by part; parts without any are left out."""
        said: dict[int, str] = {}
        for phrase in self._phrases:
            words = phrase.heard(frames)
            if words:
                said[phrase.part] = f"{said[phrase.part]} {words}" if phrase.part in said else words
        return said

    def clear(self) -> None:
        """Forget all, and count from the beginning."""
        self._phrases.clear()
        self.written = 0


def _letters(text: str) -> int:
    """Letters and digits: voices tell words with marks and without."""
    return sum(map(str.isalnum, text))


def _of_text(letters: int, spoken: str, text: str) -> int:
    """How many letters of `text` the first `letters` of `spoken` say."""
    if spoken == text:
        return letters
    ours, theirs = _words(spoken), _words(text)
    before = [0, *accumulate(map(len, ours))], [0, *accumulate(map(len, theirs))]
    since = 0, 0  # the latest place that is the same in both
    for here, there, size in SequenceMatcher(None, ours, theirs, False).get_matching_blocks():
        for word in (0, size):
            place = before[0][here + word], before[1][there + word]
            if letters < place[0]:
                share = letters - since[0], place[0] - since[0]
                return since[1] + (place[1] - since[1]) * share[0] // share[1]
            since = place
    return since[1]


def _words(text: str) -> list[str]:
    return ["".join(filter(str.isalnum, word)) for word in text.lower().split()]


def _beginning(text: str, letters: int) -> str:
    """The whole words of `text` within its first `letters` letters."""
    for place, character in enumerate(text):
        if character.isalnum():
            if not letters:
                return _UNFINISHED.sub("", text[:place]).strip()
            letters -= 1
    return text
