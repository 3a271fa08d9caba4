"""LiveTurns: the caller's turns, as a live model tells them: their ends, and later their words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rapida_tw.models.base import Message
from rapida_tw.pipeline.listen import Turn
from rapida_tw.pipeline.live_ear import LiveEar
from rapida_tw.pipeline.minutes import Minutes, Place


class LiveTurns:
    """`speaking`: the caller is in a turn, as the vendor says. `heard` is told each with its words.

    `tells_speech`: the vendor tells when turns begin and end; else our own ear has to do.
    """

    def __init__(
        self,
        minutes: Minutes,
        ear: LiveEar,
        seconds: Callable[[], float],
        tells_speech: bool,
        heard: Callable[[Turn], None],
    ) -> None:
        self.speaking = False
        self._minutes = minutes
        self._ear = ear
        self._seconds = seconds
        self._tells_speech = tells_speech
        self._heard = heard
        self._latest = Turn("")
        self._new = False  # the latest has not been answered
        self._waiting: dict[str, tuple[Place, Turn]] = {}  # those whose words are to come

    def pressed(self, digits: str, told: str) -> Turn:
        """A turn of keys, which is told to the model as `told`."""
        now = self._seconds()
        turn = Turn(digits, speech_ended=now, recognized=now, by_keys=True)
        self._minutes.take().settle(Message("user", told), lambda: self._heard(turn))
        return turn

    def ended(self) -> None:
        """The vendor takes the turn for complete."""
        now = self._seconds()
        self.speaking, self._new = False, True
        self._latest = Turn("", speech_ended=self._ear.ended or now, endpoint=now, recognized=now)

    def answered(self) -> Turn | None:
        """The turn that is answered by the reply that begins now; None: the reply is none."""
        ended = self._ear.ended
        if not self._tells_speech and ended > self._latest.speech_ended:
            self._latest = Turn("", speech_ended=ended, endpoint=ended, recognized=ended)
            self._new = True
        new, self._new = self._new, False
        return self._latest if new else None

    def taken(self, turn: str) -> None:
        """A turn has its place in the dialogue."""
        self._waiting[turn] = self._minutes.take(), self._latest

    def words(self, turn: str, text: str) -> None:
        """What was said in it; "": nobody knows."""
        if turn not in self._waiting:
            return
        place, taken = self._waiting.pop(turn)
        if not text:
            place.settle(None)
            return
        times = taken if self._tells_speech else self._latest
        heard = replace(times, text=text, recognized=self._seconds())
        place.settle(Message("user", text), lambda: self._heard(heard))


def pressed(digits: str) -> str:
    """Keys, as a model understands them that knows voices only."""
    return f"The caller pressed {' '.join(digits)}"
