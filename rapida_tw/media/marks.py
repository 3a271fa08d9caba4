"""Marks: what a far side that buffers is asked to tell, and what it has told.

A mark follows a frame and comes back when that frame has been played. Its name is the generation
(a new one begins whenever the far side is emptied or frames are counted anew) and the number of
frames sent, e.g. "2.175". Some carriers give back every waiting mark when they are told to clear,
others drop them: either way what comes is of a generation that is over, and nobody waits for it.
"""

from __future__ import annotations

from collections import deque
from sys import maxsize
from typing import NamedTuple

from rapida_tw.audio.format import TICKS_PER_SECOND

EVERY = TICKS_PER_SECOND // 2  # frames: a mark follows at least each of so many
PATIENCE = 2 * TICKS_PER_SECOND  # beats: a mark that is later than this does not come
UNKNOWN = 3  # marks given up without one that came: the far side knows none (Asterisk < 22.8)
_GENERATIONS = 10_000  # then they begin anew: with 55 hours of frames a name has 12 characters


class _Mark(NamedTuple):
    name: str
    frames: int  # sent before it
    due: int  # the beat in which it is given up


class Marks:
    """The marks of one call's playout. The far side is not trusted: what it says cannot harm."""

    def __init__(self) -> None:
        self.every = EVERY  # frames
        self._awaited: deque[_Mark] = deque()  # oldest first
        self._generation = 0
        self._asked = 0  # frames sent before the latest mark
        self._beats = 0  # in which marks were awaited
        self._given_up = 0
        self._came = False  # one mark, at least
        self._useless = False

    def between_chunks(self, chunk: int) -> None:
        """Frames travel in chunks of so many: let no mark but the last cut one short."""
        self.every = -(-EVERY // chunk) * chunk

    @property
    def awaited(self) -> bool:
        """The far side still owes a mark."""
        return bool(self._awaited)

    @property
    def limit(self) -> int:
        """By the marks, no more frames than this have been played for certain."""
        return self._awaited[0].frames - 1 if self._awaited else maxsize

    def ask(self, sent: int, ahead: int, dry: bool) -> str | None:
        """The name of the mark that must follow what was sent now; None when none is due.

        `sent` and `ahead` count frames, sent in all and not played yet by the beat's account;
        `dry`: no more is there to be sent.
        """
        unmarked = sent - self._asked
        if self._useless or not unmarked or (unmarked < self.every and not dry):
            return None
        name = f"{self._generation}.{sent}"
        self._asked = sent
        self._awaited.append(_Mark(name, sent, self._beats + ahead + PATIENCE))
        return name

    def heard(self, name: str) -> int:
        """A mark came: so many frames have been played. 0 for a name that says nothing."""
        for place, mark in enumerate(self._awaited):
            if mark.name == name:
                # Frames are played in order: older marks that have not come were lost.
                for _ in range(place + 1):
                    self._awaited.popleft()
                self._came = True
                return mark.frames
        return 0

    def beat(self) -> None:
        """Another beat has passed: give up what has not come for too long."""
        awaited = self._awaited
        if not awaited:
            return
        self._beats += 1
        while awaited and awaited[0].due <= self._beats:
            awaited.popleft()
            self._given_up += 1
            if self._given_up >= UNKNOWN and not self._came:
                self._useless = True
                awaited.clear()

    def restart(self, sent: int) -> None:
        """A new generation, which begins after `sent` frames; no older mark counts any more."""
        self._generation = (self._generation + 1) % _GENERATIONS
        self._asked = sent
        self._awaited.clear()
