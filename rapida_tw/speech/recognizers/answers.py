"""Answers: what a vendor tells, told to the call once, and in time.

A vendor's finals come when they come: before the turn seems over, after it, in several pieces, or
never. The call wants one answer to each `finish`, and no word twice.
"""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.speech.base import RecognizerSink
from rapida_tw.speech.recognizers.wire import (
    Event,
    Final,
    Flushed,
    Partial,
    SpeechStarted,
    TurnEnded,
)

_UNSURE = 0.5  # the confidence of words that were never made final
# Seconds. A vendor finds the end of a word no sooner than that after it, so a final that came this
# soon after a loud piece may lack its words.
_NOTICED = 0.3
_LATE = 3.0  # seconds in which finals may still come that were not waited for


class Answers:
    """Of one call. `seconds` is the time; `settled`, called when what was sent so far is final."""

    def __init__(
        self, sink: RecognizerSink, seconds: Callable[[], float], settled: Callable[[], None]
    ) -> None:
        self._sink = sink
        self._seconds = seconds
        self._settled = settled
        self.finishing = False  # an answer is owed
        self._flushes = False  # the vendor says when its answer is complete
        self._pending = False  # there is a voice without words, or words that are not final
        self._partial = ""  # as it was told
        self._carried = ""  # its words of which a new connection does not hear any more
        self._held: list[Final] = []  # that are to be one answer
        self._overtaken = 0  # words that were told before they were final
        self._flush_owed = False  # the vendor has yet to say that it was done with an earlier turn
        self._until = 0.0  # when neither of these comes any more
        self._in_turn = False  # words were told since the latest end of a turn
        self._voice = float("-inf")  # when a piece was loud
        self._final = float("-inf")  # when words became final

    # -- from the call ----------------------------------------------------------------------------

    def loud(self) -> None:
        """There may be a voice in what was heard just now."""
        self._voice = self._seconds()

    def speech_started(self) -> None:
        """The detector hears a voice: words are due."""
        self._pending = True

    def finish(self, asks: bool) -> bool:
        """The turn seems over; False: its words have all been told, and so it was answered.

        `asks`: the vendor can be asked. Else it is waited for only when there is something to wait
        for: on a noisy line it would be the longest wait each time.
        """
        loud = self._voice > self._final - _NOTICED
        if self.finishing or self._pending or (asks and loud):
            self.finishing = True
            return True
        self._answer("", 1.0)
        return False

    @property
    def known(self) -> bool:
        """There are words for an answer, if not all."""
        return bool(self._held or self._partial)

    def overdue(self) -> None:
        """The vendor takes too long, or is gone: what is known must do."""
        if not self.finishing:
            return
        known = [*(final.text for final in self._held), self._partial]
        text = " ".join(part for part in known if part)
        self._overtaken = len(self._partial.split())
        self._flush_owed = self._flushes
        self._until = self._seconds() + _LATE
        if text:
            self._settled()
        self._answer(text, _UNSURE if self._partial or not text else 1.0)

    def disconnected(self, truncated: bool) -> None:
        """Another connection will hear again what was not final, or (`truncated`) its end."""
        self._carried = self._partial if truncated else ""
        self._overtaken = 0
        self._flush_owed = False

    # -- from the vendor --------------------------------------------------------------------------

    def told(self, event: Event) -> None:
        """One event; what is not of words and turns is the connection's."""
        if isinstance(event, Partial):
            self._told_partial(event)
        elif isinstance(event, Final):
            self._told_final(event)
        elif isinstance(event, Flushed):
            self._flushes = True
            owed, self._flush_owed = self._flush_owed and not self._forgotten, False
            self._overtaken = 0
            if not owed:
                self._complete()
        elif isinstance(event, SpeechStarted):
            self._overtaken = 0
            self._pending = True
            self._sink.speech_started()
        elif isinstance(event, TurnEnded):
            self._complete()
            if self._in_turn:
                self._in_turn = False
                self._sink.turn_ended()

    def _told_partial(self, event: Partial) -> None:
        text = joined(self._carried, self._fresh(event.text))
        if text == self._partial:
            return
        self._partial = text
        self._pending = self._pending or bool(text)
        self._in_turn = self._in_turn or bool(text)
        if not self._held:
            self._sink.partial(text)

    def _told_final(self, event: Final) -> None:
        fresh = self._fresh(event.text)
        # They come in pieces only from those who say when that was all.
        left = self._overtaken - len(event.text.split()) if self._flushes else 0
        self._overtaken = max(left, 0)
        if event.text and not fresh:
            return
        text = joined(self._carried, fresh)
        self._partial = self._carried = ""
        if event.text:
            self._final = self._seconds()
            self._settled()
        if self.finishing:
            if text:
                self._held.append(Final(text, event.confidence))
            if not self._flushes or not event.text:
                self._complete()
        elif text:
            self._pending = False
            self._in_turn = True
            self._sink.final(text, event.confidence)

    def _complete(self) -> None:
        """The vendor has told all that it knows."""
        self._overtaken = 0
        if not self.finishing:
            return
        self._settled()
        held = self._held or [Final(self._partial, _UNSURE if self._partial else 0.0)]
        text = " ".join(final.text for final in held)
        self._answer(text, min(final.confidence for final in held))

    def _answer(self, text: str, confidence: float) -> None:
        self.finishing = self._pending = self._in_turn = False
        self._partial = self._carried = ""
        self._held = []
        self._sink.final(text, confidence)

    def _fresh(self, text: str) -> str:
        """Without the words that were told before they were final."""
        if not self._overtaken or self._forgotten:
            return text
        return " ".join(text.split()[self._overtaken :])

    @property
    def _forgotten(self) -> bool:
        """What was not waited for does not come any more."""
        return self._seconds() > self._until


def joined(before: str, after: str) -> str:
    """Two texts of which the second may begin with the first one's end."""
    if not before or not after:
        return before or after
    first, second = before.split(), after.split()
    ends, begins = [_bare(word) for word in first], [_bare(word) for word in second]
    for count in range(min(len(first), len(second)), 0, -1):
        if ends[-count:] == begins[:count]:
            return " ".join((*first[:-count], *second))
    return f"{before} {after}"


def _bare(word: str) -> str:
    return word.strip(".,;:!?").casefold()
