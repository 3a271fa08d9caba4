"""Listener: turns out of frames, whatever the recogniser makes of them."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, Samples
from rapida_tw.errors import VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.pipeline.endpointing import Endpointing
from rapida_tw.pipeline.listen import (
    FINAL_WITHIN,
    HELD,
    INSISTENT,
    LONGEST_TURN,
    Listener,
    ListenerEvents,
    Turn,
)
from tests.pipeline.fakes import QUIET, SPEECH, LevelDetector, RecordingRecognizer

_TICK = 0.02
_PAUSE = 30  # ticks: the usual end of a turn


class _Told:
    """A ListenerEvents that writes down."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.turns: list[Turn] = []

    def speech_started(self) -> None:
        self.log.append("started")

    def words(self, text: str) -> None:
        self.log.append(text)

    def turn_ended(self, turn: Turn) -> None:
        self.log.append("ended")
        self.turns.append(turn)

    def hearing_failed(self, error: Exception) -> None:
        self.log.append(f"failed: {error}")


_conforms: type[ListenerEvents] = _Told


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 0.0
        self.recognizer = RecordingRecognizer()
        self.told = _Told()
        self.listener = Listener(
            LevelDetector(), self.recognizer, Endpointing(), self.told, lambda: self.now
        )
        self.starting = self.listener.start()
        self.prepare()

    def prepare(self) -> None:
        self.recognizer.starting.callback(None)

    def hear(self, frame: Samples, ticks: int) -> None:
        for _ in range(ticks):
            self.now += _TICK
            self.listener.hear(frame)


class TurnTests(_Case):
    """A turn from its first sound to its end."""

    def test_whole(self) -> None:
        """Speech, words, silence, the recogniser's answer: one turn with its text and times."""
        self.hear(QUIET, 50)
        self.hear(SPEECH, 40)
        self.recognizer.sink.partial("what are")
        self.hear(QUIET, _PAUSE)
        self.assertEqual(self.recognizer.cues, ["started", "finish"])
        self.now += 0.1
        self.recognizer.sink.final("what are your hours", 0.75)
        self.assertEqual(self.told.log, ["started", "what are", "what are your hours", "ended"])
        turn = self.told.turns[0]
        self.assertEqual(
            (turn.text, turn.confidence, turn.voiced), ("what are your hours", 0.75, 40)
        )
        self.assertAlmostEqual(turn.speech_ended, 90 * _TICK)
        self.assertAlmostEqual(turn.endpoint, 120 * _TICK)
        self.assertAlmostEqual(turn.recognized, 120 * _TICK + 0.1)
        self.assertFalse(self.listener.speaking)

    def test_click(self) -> None:
        """A sound that is too short for a voice begins nothing."""
        self.hear(SPEECH, 2)
        self.hear(QUIET, 100)
        self.assertEqual(self.told.log, [])

    def test_pause_inside(self) -> None:
        """A pause that is shorter than the endpointing allows belongs to the turn."""
        self.hear(SPEECH, 20)
        self.hear(QUIET, _PAUSE - 1)
        self.hear(SPEECH, 20)
        self.assertEqual(self.recognizer.cues, ["started"])
        self.assertEqual(self.told.log, ["started"])

    def test_not_over_after_all(self) -> None:
        """Who goes on while the recogniser finishes is still in the same turn."""
        self.hear(SPEECH, 20)
        self.hear(QUIET, _PAUSE)
        self.hear(SPEECH, 20)
        self.recognizer.sink.final("i would like", 1.0)
        self.assertEqual(self.told.turns, [])
        self.hear(QUIET, 80)
        self.recognizer.sink.final("a table", 0.5)
        self.assertEqual(self.recognizer.cues, ["started", "finish", "started", "finish"])
        self.assertEqual([turn.text for turn in self.told.turns], ["i would like a table"])
        self.assertEqual(self.told.turns[0].confidence, 0.5)

    def test_final_before_the_end(self) -> None:
        """Finals of a recogniser that cuts by itself are gathered until the turn ends."""
        self.hear(SPEECH, 20)
        self.recognizer.sink.final("one", 1.0)
        self.recognizer.sink.partial("two")
        self.assertEqual(self.told.log, ["started", "one", "one two"])
        self.assertEqual(self.told.turns, [])

    def test_same_partial(self) -> None:
        """The same words twice are told once, and none at all are no words."""
        self.hear(SPEECH, 20)
        for text in ("yes", "yes", ""):
            self.recognizer.sink.partial(text)
        self.assertEqual(self.told.log, ["started", "yes"])

    def test_words_outside(self) -> None:
        """What a recogniser says while nobody speaks is not believed."""
        self.recognizer.sink.partial("the the")
        self.recognizer.sink.final("the", 1.0)
        self.assertEqual(self.told.log, [])

    def test_nothing_of_the_turn_before(self) -> None:
        """Each turn begins without words."""
        for _ in range(2):
            self.hear(SPEECH, 20)
            self.hear(QUIET, _PAUSE)
            self.recognizer.sink.final("yes", 1.0)
        self.assertEqual([turn.text for turn in self.told.turns], ["yes", "yes"])

    def test_noise(self) -> None:
        """A noise that never stops is cut off after half a minute, and does not begin anew."""
        self.hear(SPEECH, LONGEST_TURN + FINAL_WITHIN + 100)
        self.assertEqual(self.told.log, ["started", "ended"])

    def test_speech_without_end(self) -> None:
        """A monologue is cut into turns; what comes after the cut is heard."""
        self.hear(SPEECH, LONGEST_TURN + 2)
        self.recognizer.sink.final("and so on", 1.0)
        self.hear(SPEECH, 20)
        self.recognizer.sink.partial("and on")
        self.assertEqual(self.told.log[-3:], ["ended", "started", "and on"])

    def test_quiet_end_is_no_speech(self) -> None:
        """The end of speech is the last audible frame, though the detector holds on longer."""
        self.hear(SPEECH, 20)
        self.hear(np.full(FRAME, 10, np.int16), 10)  # still a voice for this detector
        self.hear(QUIET, _PAUSE)
        self.recognizer.sink.final("yes", 1.0)
        self.assertAlmostEqual(self.told.turns[0].speech_ended, 20 * _TICK)

    def test_loudest_sample(self) -> None:
        """The lowest of all samples is a loud one, not an overflow."""
        self.hear(np.full(FRAME, -32768, np.int16), 20)
        self.assertEqual(self.told.log, ["started"])

    def test_either_sign(self) -> None:
        """The waveform's lower half is as loud as the upper."""
        for sign in (1, -1):
            self.hear(np.full(FRAME, sign * 3000, np.int16), 20)
            self.hear(np.full(FRAME, sign, np.int16), 5)
            self.hear(QUIET, 80)
        ended = [turn.speech_ended for turn in self.told.turns]
        self.assertEqual([round(one / _TICK) for one in ended], [20, 125])

    def test_talked(self) -> None:
        """The voice of the whole call is counted in ticks."""
        for _ in range(2):
            self.hear(SPEECH, 20)
            self.hear(QUIET, _PAUSE)
            self.recognizer.sink.final("", 0.0)
        self.assertEqual(self.listener.talked, 40)

    def test_insists(self) -> None:
        """Most of half a second of voice without a word insists; with words, they decide."""
        self.hear(SPEECH, INSISTENT - 1)
        self.assertFalse(self.listener.insists())
        self.hear(SPEECH, 1)
        self.assertTrue(self.listener.insists())
        self.recognizer.sink.partial("mhm")
        self.assertFalse(self.listener.insists())

    def test_expectation(self) -> None:
        """What may be said is told to the recogniser."""
        self.listener.expect(Expectation(digits=4))
        self.assertEqual(self.recognizer.expected, [Expectation(digits=4)])


class LateTests(_Case):
    """A recogniser that answers late, or never."""

    def setUp(self) -> None:
        super().setUp()
        self.hear(SPEECH, 20)

    def test_never(self) -> None:
        """Without an answer the turn ends with the words known so far."""
        self.recognizer.sink.partial("nine")
        self.hear(QUIET, _PAUSE + FINAL_WITHIN)
        self.assertEqual([turn.text for turn in self.told.turns], ["nine"])

    def test_late(self) -> None:
        """The answer to a turn that ended without a word is still a turn: it is owed a reply."""
        self.hear(QUIET, _PAUSE + FINAL_WITHIN)
        self.now += 0.5
        self.recognizer.sink.final("yes", 0.9)
        self.assertEqual([turn.text for turn in self.told.turns], ["", "yes"])
        self.assertEqual(self.told.turns[1].confidence, 0.9)
        self.assertAlmostEqual(self.told.turns[1].speech_ended, 20 * _TICK)
        self.assertAlmostEqual(self.told.turns[1].recognized, self.now)

    def test_late_once(self) -> None:
        """Only one answer is owed."""
        self.hear(QUIET, _PAUSE + FINAL_WITHIN)
        self.recognizer.sink.final("", 0.0)
        self.recognizer.sink.final("yes", 0.9)
        self.assertEqual([turn.text for turn in self.told.turns], [""])

    def test_late_and_known(self) -> None:
        """A turn that ended with its partial words is not told twice."""
        self.recognizer.sink.partial("nine")
        self.hear(QUIET, _PAUSE + FINAL_WITHIN)
        self.recognizer.sink.final("nine", 0.9)
        self.assertEqual([turn.text for turn in self.told.turns], ["nine"])

    def test_late_after_a_good_one(self) -> None:
        """A final that follows an answered turn is nobody's."""
        self.hear(QUIET, _PAUSE)
        self.recognizer.sink.final("", 0.0)
        self.recognizer.sink.final("the", 0.1)
        self.assertEqual([turn.text for turn in self.told.turns], [""])


class StartTests(_Case):
    """What is said before the recogniser is ready."""

    def prepare(self) -> None:
        """Not yet."""

    def numbered(self, count: int) -> None:
        for number in range(1, count + 1):
            self.listener.hear(np.full(FRAME, number, np.int16))

    def test_kept(self) -> None:
        """Frames are kept, and given in order; the cue stands where the voice began."""
        self.hear(QUIET, 2)
        self.numbered(5)
        self.recognizer.starting.callback(None)
        self.assertEqual(self.recognizer.noted, ["0", "0", "1", "2", "3", "started", "4", "5"])

    def test_only_the_newest(self) -> None:
        """A recogniser that is very late gets the last two seconds, cue first."""
        self.numbered(HELD + 50)
        self.recognizer.starting.callback(None)
        self.assertEqual(self.recognizer.noted[:3], ["51", "started", "52"])
        self.assertEqual(self.recognizer.noted[-1], str(HELD + 50))

    def test_finished_meanwhile(self) -> None:
        """A turn that waits for its answer is asked for as soon as there is somebody to ask."""
        self.hear(SPEECH, 20)
        self.hear(QUIET, _PAUSE)
        self.recognizer.starting.callback(None)
        self.assertEqual(self.recognizer.cues, ["started", "finish"])
        self.recognizer.sink.final("hello", 1.0)
        self.assertEqual([turn.text for turn in self.told.turns], ["hello"])

    def test_resumed_meanwhile(self) -> None:
        """No cue is given to a recogniser that has not started."""
        self.hear(SPEECH, 20)
        self.hear(QUIET, _PAUSE)
        self.hear(SPEECH, 20)
        self.assertEqual(self.recognizer.noted, [])

    def test_over_meanwhile(self) -> None:
        """A turn that ended before the start is over: no cue for it."""
        self.hear(SPEECH, 20)
        self.hear(QUIET, _PAUSE + FINAL_WITHIN)
        self.recognizer.starting.callback(None)
        self.assertEqual(self.recognizer.cues, [])
        self.assertEqual([turn.text for turn in self.told.turns], [""])

    def test_failing_start(self) -> None:
        """A recogniser that does not start is its owner's to deal with."""
        self.recognizer.starting.errback(VendorFailed("no licence"))
        self.failureResultOf(self.starting, VendorFailed)
        self.assertEqual(self.told.log, [])


class EndTests(_Case):
    """Failing and stopping."""

    def test_failure(self) -> None:
        """A recogniser that gives up is told of, also in the middle of a turn."""
        self.hear(SPEECH, 20)
        self.recognizer.sink.failed(VendorFailed("gone"))
        self.assertEqual(self.told.log, ["started", "failed: gone"])

    def test_silent_afterwards(self) -> None:
        """Nothing is told after `stop`, whatever still arrives."""
        self.hear(SPEECH, 20)
        self.listener.stop()
        self.hear(SPEECH, 20)
        self.recognizer.sink.partial("late")
        self.recognizer.sink.final("late", 1.0)
        self.recognizer.sink.failed(VendorFailed("late"))
        self.assertEqual(self.told.log, ["started"])

    def test_recognizer_is_not_ours_to_stop(self) -> None:
        """Whoever opened the recogniser stops it: it is stopped once."""
        self.listener.stop()
        self.assertEqual(self.recognizer.cues, [])
