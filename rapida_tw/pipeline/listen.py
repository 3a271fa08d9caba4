"""Listener: frames of the caller in; speech, words and whole turns out.

A turn begins with the detector's edge, lasts through pauses that are shorter than the endpointing
allows, and ends when the recogniser has answered `finish` (or has not, within a second: what it
answers later to a turn without words is a turn of its own).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from twisted.internet.defer import Deferred

from rapida_tw.audio.format import TICKS_PER_SECOND, Samples
from rapida_tw.audio.vad import Edge, SpeechGate
from rapida_tw.expect import Expectation
from rapida_tw.pipeline.endpointing import Endpointing
from rapida_tw.speech.base import Recognizer, RecognizerSink, VoiceDetector

FINAL_WITHIN = 1 * TICKS_PER_SECOND  # ticks for the answer to `finish`; then the partial counts
HELD = 2 * TICKS_PER_SECOND  # frames kept while the recogniser is starting; the oldest go first
INSISTENT = 22  # voiced ticks: longer than a cough
LONGEST_TURN = 30 * TICKS_PER_SECOND  # a caller in a noisy street never falls silent
# The end of speech as a recording shows it: the last frame at least this loud against the turn's
# loudest. The detector itself lags, by design.
_AUDIBLE = 1 / 16
_SURE = 3  # silent ticks after which the detector means it


@dataclass(frozen=True, slots=True)
class Turn:
    """What the caller said, and when; times are seconds on the call's clock."""

    text: str
    confidence: float = 1.0
    voiced: int = 0  # ticks of voice in it
    speech_ended: float = 0.0  # the last audible sound
    endpoint: float = 0.0  # the silence had lasted long enough
    recognized: float = 0.0  # the recogniser had answered
    by_keys: bool = False  # digits, not speech


class ListenerEvents(Protocol):
    """What a Listener tells. Plain calls inside the reactor turn of the frame or word."""

    def speech_started(self) -> None:
        """A voice; perhaps only a cough."""

    def words(self, text: str) -> None:
        """The turn's words so far, from its beginning."""

    def turn_ended(self, turn: Turn) -> None:
        """The caller has finished. `text` is "" when nothing was understood."""

    def hearing_failed(self, error: Exception) -> None:
        """The recogniser is of no use any more."""


class Listener:
    """Hears one call. `hear` is on the 20 ms path and never raises."""

    def __init__(
        self,
        detector: VoiceDetector,
        recognizer: Recognizer,
        endpointing: Endpointing,
        events: ListenerEvents,
        seconds: Callable[[], float],
    ) -> None:
        self._detector = detector
        self._recognizer = recognizer
        self._endpointing = endpointing
        self._events = events
        self._seconds = seconds
        self._gate = SpeechGate()
        self._held: deque[Samples] | None = deque(maxlen=HELD)
        self._in_turn = False
        self._finishing = 0  # ticks left for the recogniser's answer; 0 = not asked
        self._owed: Turn | None = None  # ended without a word, because the recogniser was late
        self._finals: list[str] = []
        self._partial = ""
        self._confidence = 1.0
        self._voiced = 0
        self._length = 0  # ticks of the turn
        self._silence = 0  # ticks of the latest pause
        self._loudest = 0
        self._inaudible = 0  # ticks since the last audible frame
        self._speech_ended = self._endpoint = 0.0
        self.talked = 0  # ticks of the caller's voice in the whole call
        self._stopped = False

    def start(self) -> Deferred[None]:
        """Get the recogniser ready; what is said meanwhile is kept."""
        starting = self._recognizer.start(_Sink(self))
        return starting.addCallback(self._started)

    def _started(self, _: None) -> None:
        held, self._held = self._held or (), None
        began = max(len(held) - self._length, 0) if self._in_turn else -1
        for number, frame in enumerate(held):
            self._recognizer.hear(frame)
            if number == began:
                self._recognizer.speech_started()
        if self._in_turn and self._finishing:
            self._recognizer.finish()

    def stop(self) -> None:
        """The call is over: nothing is told any more. The recogniser is stopped by its owner."""
        self._stopped = True
        self._in_turn = False
        self._owed = None
        self._held = deque(maxlen=0)

    def expect(self, expectation: Expectation) -> None:
        """What may be said in answer to the latest reply."""
        self._recognizer.expect(expectation)

    @property
    def speaking(self) -> bool:
        """The caller is in a turn."""
        return self._in_turn

    def insists(self) -> bool:
        """The caller has spoken for most of half a second and goes on, and it is no "mhm"."""
        return self._in_turn and self._voiced >= INSISTENT and not self._text()

    # -- frames -----------------------------------------------------------------------------------

    def hear(self, frame: Samples) -> None:
        """int16[320] of the caller, in order."""
        if self._stopped:
            return
        edge = self._gate.hear(self._detector.hear(frame))
        if self._held is not None:
            self._held.append(frame)
        else:
            self._recognizer.hear(frame)
        if edge is Edge.STARTED:
            self._voice_started()
        if not self._in_turn:
            return
        self._length += 1
        # Not frame.max(): that is a function of Python's, and three times as dear.
        peak = max(frame.item(frame.argmax()), -frame.item(frame.argmin()))
        self._loudest = max(self._loudest, peak)
        self._inaudible += 1
        if peak >= self._loudest * _AUDIBLE:
            self._speech_ended = self._seconds()
            self._inaudible = 0
        if self._gate.silent_run == 0:
            self._voiced += 1
            self.talked += 1
        if self._gate.silent_run > 1:
            self._silence = self._gate.silent_run
        if self._finishing:
            self._finishing -= 1
            if not self._finishing:
                self._end_turn(late=True)
        elif self._length >= LONGEST_TURN or (
            (quiet := self._quiet()) and quiet >= self._endpointing.needed(self._text())
        ):
            self._finish()

    def _quiet(self) -> int:
        """Ticks of silence so far.

        A neural detector notices the end of speech a tenth of a second late; once it has, what was
        inaudible before counts too. On a noisy line nothing is, and the detector decides alone.
        """
        silent = self._gate.silent_run
        return max(silent, self._inaudible) if silent >= _SURE else silent

    def _voice_started(self) -> None:
        if not self._in_turn:
            self._in_turn = True
            self._owed = None
            self._finals, self._partial, self._confidence = [], "", 1.0
            self._voiced = self._gate.voiced_run - 1  # this frame is counted with the others
            self.talked += self._voiced
            self._length, self._loudest = 0, 0
            if self._held is None:
                self._recognizer.speech_started()
            self._events.speech_started()
        else:
            self._endpointing.paused_inside(self._silence)
            if self._finishing:  # the turn was not over after all
                self._finishing = 0
                if self._held is None:
                    self._recognizer.speech_started()

    def _finish(self) -> None:
        self._endpoint = self._seconds()
        self._finishing = FINAL_WITHIN
        if self._held is None:
            self._recognizer.finish()

    def _text(self) -> str:
        return " ".join((*self._finals, self._partial)).strip()

    def _end_turn(self, late: bool = False) -> None:
        self._in_turn = False
        self._finishing = 0
        turn = Turn(
            self._text(),
            self._confidence,
            self._voiced,
            self._speech_ended,
            self._endpoint,
            self._seconds(),
        )
        self._owed = turn if late and not turn.text else None
        if turn.text and self._gate.speaking:
            # A voice that goes on begins a new turn; a noise, which has no words, does not.
            self._gate = SpeechGate()
        self._events.turn_ended(turn)

    # -- the recogniser's words -------------------------------------------------------------------

    def _heard_partial(self, text: str) -> None:
        if self._in_turn and text != self._partial:
            self._partial = text
            if text:
                self._events.words(self._text())

    def _heard_final(self, text: str, confidence: float) -> None:
        if not self._in_turn:
            owed, self._owed = self._owed, None
            if owed is not None and text:
                now = self._seconds()
                self._events.turn_ended(
                    replace(owed, text=text, confidence=confidence, recognized=now)
                )
            return
        self._partial = ""
        if text:
            self._finals.append(text)
            self._confidence = min(self._confidence, confidence)
            self._events.words(self._text())
        if self._finishing:
            self._end_turn()

    def _told_of_voice(self) -> None:
        """The recogniser hears a voice where our detector has not yet."""
        if not self._in_turn and not self._stopped:
            self._voice_started()

    def _told_of_end(self) -> None:
        """The recogniser's own model: the caller has finished."""
        if self._in_turn:
            self._endpoint = self._seconds()
            self._end_turn()

    def _failed(self, error: Exception) -> None:
        if not self._stopped:
            self._events.hearing_failed(error)


class _Sink:
    """The recogniser's view of a Listener."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def partial(self, text: str) -> None:
        self._listener._heard_partial(text)

    def final(self, text: str, confidence: float) -> None:
        self._listener._heard_final(text, confidence)

    def speech_started(self) -> None:
        self._listener._told_of_voice()

    def turn_ended(self) -> None:
        self._listener._told_of_end()

    def failed(self, error: Exception) -> None:
        self._listener._failed(error)


_conforms: type[RecognizerSink] = _Sink
