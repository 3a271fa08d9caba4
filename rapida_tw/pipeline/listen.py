"""Listener: frames of the caller in; speech, words and whole turns out.

A turn begins with the detector's edge, lasts through pauses that are shorter than the endpointing
allows, and ends when the recogniser has answered `finish` (or has not, within a second: what it
answers later to a turn without words is a turn of its own). A recogniser that tells the ends of
turns itself is heeded at once, and silence is a last resort.

A recogniser may hear a voice that our detector does not notice. It is believed where that cannot be
the echo of the assistant, which vendors hear too; and for a second only, unless words or our own
detector confirm it.
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
CONFIRMED_WITHIN = 1 * TICKS_PER_SECOND  # ticks after a voice that the recogniser alone hears
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


def _never() -> bool:
    return False


class Listener:
    """Hears one call. `hear` is on the 20 ms path and never raises."""

    def __init__(
        self,
        detector: VoiceDetector,
        recognizer: Recognizer,
        endpointing: Endpointing,
        events: ListenerEvents,
        seconds: Callable[[], float],
        gate: Callable[[], SpeechGate] = SpeechGate,
        echoes: Callable[[], bool] = _never,
    ) -> None:
        """`echoes()`: whether what the caller's side sends may be the assistant's own voice."""
        self._detector = detector
        self._recognizer = recognizer
        self._endpointing = endpointing
        self._events = events
        self._seconds = seconds
        self._make_gate = gate
        self._gate = gate()
        self._echoes = echoes
        self._held: deque[Samples] | None = deque(maxlen=HELD)
        self._in_turn = False
        self._noticed = False  # the turn, by our own detector
        self._doubted = 0  # ticks left for a voice that only the recogniser hears
        self._finishing = 0  # ticks left for the recogniser's answer; 0 = not asked
        self._owed: Turn | None = None  # ended without a word, because the recogniser was late
        self._finals: list[str] = []
        self._partial = ""
        self._confidence = 1.0
        self._voiced = 0
        self._length = 0  # ticks of the turn
        self._silence = 0  # ticks of the latest pause
        self._wordless = 0  # ticks since the latest new words, or since the turn began
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

    def finish_turn(self) -> None:
        """No more is heard for a while: what was said so far is the turn."""
        if self._in_turn and not self._finishing and not self._stopped:
            self._finish()

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
            self._voice_noticed()
        if not self._in_turn:
            return
        self._length += 1
        self._wordless += 1
        # Not frame.max(): that is a function of Python's, and three times as dear.
        peak = max(frame.item(frame.argmax()), -frame.item(frame.argmin()))
        self._loudest = max(self._loudest, peak)
        self._inaudible += 1
        # Behind the voice that our detector hears, what is audible is the line's noise.
        if peak >= self._loudest * _AUDIBLE and (self._gate.speaking or not self._noticed):
            self._speech_ended = self._seconds()
            self._inaudible = 0
        if self._gate.silent_run == 0 and self._noticed:
            self._voiced += 1
            self.talked += 1
        if self._gate.silent_run > 1:
            self._silence = self._gate.silent_run
        if self._finishing:
            self._finishing -= 1
            if not self._finishing:
                self._end_turn(late=True)
        elif self._doubted == 1:
            self._doubted = 0
            self._end_turn()
        else:
            if self._doubted:
                self._doubted -= 1
            if self._length >= LONGEST_TURN or self._is_quiet():
                self._finish()

    def _is_quiet(self) -> bool:
        """For so long that the turn is over."""
        quiet = self._quiet()
        if not quiet:
            return False
        if self._ends_by_vendor():
            # Words that come late are a sign of life, too.
            return min(quiet, self._wordless) >= self._endpointing.last_resort
        if not self._noticed:  # words come by fits and starts
            return quiet >= self._endpointing.longest
        return quiet >= self._endpointing.needed(self._text())

    def _quiet(self) -> int:
        """Ticks of silence so far.

        A neural detector notices the end of speech a tenth of a second late; once it has, what was
        inaudible before counts too. On a noisy line nothing is, and the detector decides alone.
        Where it has not even noticed a voice, words must do.
        """
        if not self._noticed:
            return self._wordless
        silent = self._gate.silent_run
        return max(silent, self._inaudible) if silent >= _SURE else silent

    def _ends_by_vendor(self) -> bool:
        # Asked each time: when a vendor fails, the next one may be another kind.
        return self._endpointing.by_vendor(self._recognizer.turns)

    def _voice_noticed(self) -> None:
        """Our own detector hears a voice."""
        voiced = self._gate.voiced_run - 1  # this frame is counted with the others
        if not self._in_turn:
            self._begin_turn()
        elif self._noticed:
            self._endpointing.paused_inside(self._silence)
            voiced = 0
        if not self._noticed:
            self._noticed = True
            self._doubted = 0
            self._voiced += voiced
            self.talked += voiced
        if self._finishing:  # the turn was not over after all
            self._finishing = 0
            if self._held is None:
                self._recognizer.speech_started()

    def _begin_turn(self) -> None:
        self._in_turn = True
        self._noticed = False
        self._doubted = 0
        self._owed = None
        self._finals, self._partial, self._confidence = [], "", 1.0
        self._voiced = self._length = self._loudest = self._inaudible = self._wordless = 0
        self._speech_ended = self._endpoint = self._seconds()
        if self._held is None:
            self._recognizer.speech_started()
        self._events.speech_started()

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
            self._gate = self._make_gate()
        self._events.turn_ended(turn)

    # -- the recogniser's words -------------------------------------------------------------------

    def _heard_partial(self, text: str) -> None:
        if self._in_turn and text != self._partial:
            self._partial = text
            if text:
                self._tell_words()

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
            self._tell_words()
        if self._finishing:
            self._end_turn()

    def _tell_words(self) -> None:
        self._wordless = self._doubted = 0
        self._events.words(self._text())

    def _told_of_voice(self) -> None:
        """The recogniser hears a voice where our detector has not yet."""
        if not self._in_turn and not self._stopped and not self._echoes():
            self._begin_turn()
            self._doubted = CONFIRMED_WITHIN

    def _told_of_end(self) -> None:
        """The recogniser's own model: the caller has finished."""
        if self._in_turn and self._ends_by_vendor():
            if not self._finishing:
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
