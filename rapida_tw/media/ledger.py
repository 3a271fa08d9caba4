"""Ledger: the phrases of a playout, and which of their words were heard.

Everything is counted in frames of 20 ms. A *phrase* is a text and the frames that say it; phrases
belong to *parts* (the model's messages), so that history can be cut to what the caller heard.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapida_tw.audio.format import TICKS_PER_SECOND

# How long speech takes that is not synthesised yet: 15 characters a second is usual English.
_CHARACTERS_PER_FRAME = 15 / TICKS_PER_SECOND

_UNFINISHED = re.compile(r"\S*\Z")


@dataclass(slots=True)
class _Phrase:
    text: str
    part: int
    first: int  # the number of its first frame, counted from the last clear
    frames: int = 0
    complete: bool = False

    def heard(self, frames: int) -> str:
        """The whole words of it within the first `frames` frames."""
        of_this = frames - self.first
        if of_this <= 0:
            return ""
        if self.complete and of_this >= self.frames:
            return self.text
        expected = max(self.frames, len(self.text) / _CHARACTERS_PER_FRAME)
        if self.complete:
            expected = max(self.frames, 1)
        said = self.text[: int(len(self.text) * of_this / expected)]
        if len(said) < len(self.text) and not self.text[len(said)].isspace():
            said = _UNFINISHED.sub("", said)  # half a word was not heard
        return said.strip()


class Ledger:
    """What was written into a playout since its last clear."""

    def __init__(self) -> None:
        self._phrases: list[_Phrase] = []
        self.written = 0  # frames

    def begin(self, text: str, part: int) -> None:
        """What is written from now on says `text`."""
        self._phrases.append(_Phrase(text, part, self.written))

    def count(self, frames: int) -> None:
        """So many frames more of the latest phrase."""
        self.written += frames
        if self._phrases:
            self._phrases[-1].frames += frames

    def finish(self) -> None:
        """The latest phrase is complete."""
        if self._phrases:
            self._phrases[-1].complete = True

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
