"""Ear: one recogniser of a chain, and what it has understood that nobody has been told."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import Deferred

from rapida_tw.roster import Member
from rapida_tw.speech.base import Recognizer, RecognizerSink
from rapida_tw.speech.overlap import beyond, joined


class Owner(Protocol):
    """The chain: hears only from the ear that counts, but for `lost`."""

    @property
    def heard(self) -> int:
        """Frames of the call so far."""

    def partial_words(self, ear: Ear, text: str) -> None: ...
    def final_words(self, ear: Ear, text: str, confidence: float) -> None: ...
    def voice_heard(self) -> None: ...
    def turn_ended(self) -> None: ...
    def lost(self, ear: Ear, error: BaseException) -> None: ...


class Ear:
    """The sink of one recogniser. Until it counts, its words of the turn are kept."""

    def __init__(
        self, owner: Owner, member: Member[Recognizer], recognizer: Recognizer, opened: float
    ) -> None:
        self._owner = owner
        self.member = member
        self.recognizer = recognizer
        self.opened = opened  # seconds on the clock
        self.starting: Deferred[None] | None = None
        self.up = False  # takes frames
        self.over = False  # is told nothing and tells nothing any more
        self.counts = False
        self.owes = False  # the answer to `finish`
        self.joined = 0  # texts of the turn that were told before it heard of it
        self.missed = 0.0  # 0..1: how much of the turn so far it has not heard
        self.confidence = 1.0
        self._late_until = 0  # frames of the call: words until then are of the turn before
        self._finals: list[str] = []
        self._partial = ""
        self._told = ""
        self._inherited = ""

    # -- by the chain -----------------------------------------------------------------------------

    def turn_began(self) -> None:
        """What it has understood so far is of no interest any more."""
        self.on_its_own()
        self.joined = 0
        self.missed = 0.0

    def turn_over(self, until: int) -> None:
        """Without it. What it still has to say of the turn is expected `until` then."""
        self._late_until = until if self.owes or not self._finals else 0

    def inherit(self, partial: str) -> None:
        """Words of the turn that another one has understood, and has not finished."""
        self._inherited = partial

    def skip(self, told: str) -> None:
        """Words that another one has finished, and this one has heard as well."""
        self._told = told

    def rendered(self, text: str) -> str:
        """What is to be told, when it says `text`."""
        text = " ".join((*self._finals, text)).strip()
        if self._told:
            text = beyond(self._told, text)
        if self.missed and self._inherited:
            return joined(self._inherited, text, self.missed)
        return text or self._inherited

    @property
    def understood(self) -> str:
        """All that it has said of the turn, to nobody."""
        return self.rendered(self._partial)

    def last_final(self) -> str:
        """Its final words so far but for the earlier ones, which `rendered` puts before them."""
        return self._finals.pop() if self._finals else ""

    def on_its_own(self) -> None:
        """From now on its words are the turn's, as they are."""
        self._finals.clear()
        self._partial = self._told = self._inherited = ""

    # -- RecognizerSink ---------------------------------------------------------------------------

    def partial(self, text: str) -> None:
        if self.over or self._is_late():
            return
        if self.counts:
            self._owner.partial_words(self, text)
        else:
            self._partial = text

    def final(self, text: str, confidence: float) -> None:
        if self.over:
            return
        self.owes = False
        if self._is_late():
            self._late_until = 0
        elif self.counts:
            self._owner.final_words(self, text, confidence)
        else:
            self._partial = ""
            self.confidence = confidence
            if text:
                self._finals.append(text)

    def speech_started(self) -> None:
        if self.counts and not self.over:
            self._owner.voice_heard()

    def turn_ended(self) -> None:
        if self.counts and not self.over:
            self._owner.turn_ended()

    def failed(self, error: Exception) -> None:
        if not self.over:
            self._owner.lost(self, error)

    def _is_late(self) -> bool:
        return self._owner.heard < self._late_until


_conforms: type[RecognizerSink] = Ear
