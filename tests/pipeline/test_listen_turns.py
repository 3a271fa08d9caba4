"""Listener: recognisers that hear voices and ends of turns themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, Samples
from rapida_tw.audio.vad import SpeechGate
from rapida_tw.pipeline.endpointing import Endpointing, EndpointingOptions
from rapida_tw.pipeline.listen import CONFIRMED_WITHIN, FINAL_WITHIN, Listener, Turn
from tests.pipeline.fakes import QUIET, SPEECH, LevelDetector, RecordingRecognizer

_TICK = 0.02
_PAUSE, _EXTENDED, _LAST_RESORT = 30, 60, 135  # ticks of silence that end a turn
FAINT: Samples = np.full(FRAME, 100, np.int16)  # too low for the detector


class _Loud(LevelDetector):
    def hear(self, frame: Samples) -> float:
        return float(abs(frame.item(0)) > 500)


class _Case(SynchronousTestCase):
    """`log` is what the listener told, word by word."""

    turns = True
    provider = ""

    def setUp(self) -> None:
        self.now = 0.0
        self.log: list[str] = []
        self.ended: list[Turn] = []
        self.echoes = False
        self.recognizer = RecordingRecognizer()
        self.recognizer.turns = self.turns
        self.listener = Listener(
            _Loud(),
            self.recognizer,
            Endpointing(EndpointingOptions(provider=self.provider)),
            self,
            lambda: self.now,
            SpeechGate,
            lambda: self.echoes,
        )
        self.listener.start()
        self.recognizer.starting.callback(None)
        self.sink = self.recognizer.sink

    def speech_started(self) -> None:
        self.log.append("started")

    def words(self, text: str) -> None:
        self.log.append(text)

    def turn_ended(self, turn: Turn) -> None:
        self.log.append("ended")
        self.ended.append(turn)

    def hearing_failed(self, error: Exception) -> None:
        self.log.append("failed")

    def hear(self, frame: Samples, ticks: int, until: Callable[[], bool] = lambda: False) -> int:
        """So many frames, or until something is so; how many it were."""
        for number in range(ticks):
            if until():
                return number
            self.now += _TICK
            self.listener.hear(frame)
        return ticks


class EndsTests(_Case):
    """A recogniser that tells the ends of turns."""

    def test_at_once(self) -> None:
        """A turn ends when the recogniser says so, with the finals until then and honest times."""
        self.hear(QUIET, 20)
        self.hear(SPEECH, 40)
        self.sink.partial("what are")
        self.hear(QUIET, 12)
        self.sink.final("what are your hours", 0.75)
        self.assertTrue(self.listener.speaking)
        self.sink.turn_ended()
        self.assertEqual(self.log, ["started", "what are", "what are your hours", "ended"])
        (turn,) = self.ended
        self.assertEqual(
            (turn.text, turn.confidence, turn.voiced), ("what are your hours", 0.75, 40)
        )
        self.assertAlmostEqual(turn.speech_ended, 60 * _TICK)
        self.assertAlmostEqual(turn.endpoint, 72 * _TICK)
        self.assertAlmostEqual(turn.recognized, 72 * _TICK)
        self.assertEqual(self.recognizer.cues, ["started"])

    def test_silence_ends_nothing(self) -> None:
        """However complete the words sound, a pause is left to the recogniser."""
        self.hear(SPEECH, 40)
        self.sink.final("yes.", 1.0)
        self.hear(QUIET, _LAST_RESORT - 1)
        self.hear(SPEECH, 10)
        self.assertEqual((self.recognizer.cues, self.ended), (["started"], []))
        self.sink.final("please", 1.0)
        self.sink.turn_ended()
        self.assertEqual([turn.text for turn in self.ended], ["yes. please"])

    def test_last_resort(self) -> None:
        """A recogniser that never says so is asked at last, and its answer ends the turn."""
        self.hear(SPEECH, 40)
        self.hear(QUIET, _LAST_RESORT)
        self.assertEqual(self.recognizer.cues, ["started", "finish"])
        asked = self.now
        self.hear(QUIET, 5)
        self.sink.final("yes", 1.0)
        self.assertEqual([turn.text for turn in self.ended], ["yes"])
        self.assertAlmostEqual(self.ended[0].endpoint, asked)
        self.sink.turn_ended()  # of what has been answered
        self.assertEqual(len(self.ended), 1)

    def test_last_resort_refused(self) -> None:
        """One that says so while it is asked has answered; one that says nothing has not."""
        self.hear(SPEECH, 40)
        self.hear(QUIET, _LAST_RESORT + 5)
        self.sink.turn_ended()
        self.assertEqual([turn.text for turn in self.ended], [""])
        self.assertAlmostEqual(self.ended[0].endpoint, (40 + _LAST_RESORT) * _TICK)
        self.hear(SPEECH, 40)
        self.sink.partial("nine")
        self.hear(QUIET, _LAST_RESORT + FINAL_WITHIN)
        self.assertEqual([turn.text for turn in self.ended], ["", "nine"])

    def test_late_words(self) -> None:
        """Words that come late put the last resort off."""
        self.hear(SPEECH, 40)
        self.hear(QUIET, 100)
        self.sink.partial("two")
        self.hear(QUIET, _LAST_RESORT - 1)
        self.assertEqual(self.recognizer.cues, ["started"])
        self.hear(QUIET, 1)
        self.assertEqual(self.recognizer.cues, ["started", "finish"])

    def test_no_words(self) -> None:
        """An end without any words is an unclear turn, like one after a silence."""
        self.hear(SPEECH, 40)
        self.hear(QUIET, 10)
        self.sink.turn_ended()
        self.assertEqual([(turn.text, turn.voiced) for turn in self.ended], [("", 40)])

    def test_goes_on(self) -> None:
        """Who is still speaking when the turn is said to be over begins the next one."""
        self.hear(SPEECH, 40)
        self.sink.final("one", 1.0)
        self.sink.turn_ended()
        self.hear(SPEECH, 10)
        self.assertEqual(self.log, ["started", "one", "ended", "started"])
        self.sink.partial("two")
        self.sink.turn_ended()
        self.assertEqual([turn.text for turn in self.ended], ["one", "two"])

    def test_soon_again(self) -> None:
        """A voice right behind the end of a turn is noticed, though the gate has not closed."""
        self.hear(SPEECH, 40)
        self.hear(QUIET, 5)
        self.sink.final("one", 1.0)
        self.sink.turn_ended()
        self.hear(SPEECH, 3)
        self.assertEqual(self.log[-1], "started")

    def test_noise_behind_it(self) -> None:
        """The end of speech is the detector's where the line is never silent."""
        noise = np.full(FRAME, 200, np.int16)
        self.hear(SPEECH, 40)
        self.sink.final("yes", 1.0)
        self.hear(noise, 60)
        self.sink.turn_ended()
        self.assertLessEqual(self.ended[0].speech_ended, 50 * _TICK)

    def test_outside(self) -> None:
        """An end where there is no turn, or after the call, is none."""
        self.sink.turn_ended()
        self.hear(SPEECH, 40)
        self.listener.stop()
        self.sink.turn_ended()
        self.assertEqual(self.ended, [])

    def test_another_kind(self) -> None:
        """When a recogniser gives over to one that tells nothing, silence counts again."""
        self.hear(SPEECH, 40)
        self.recognizer.turns = False
        self.hear(QUIET, _PAUSE)
        self.assertEqual(self.recognizer.cues, ["started", "finish"])


class SilenceTests(_Case):
    """The deployment wants silence to end turns, whatever the recogniser can."""

    provider = "silence"

    def test_silence(self) -> None:
        """The recogniser's ends are not heeded."""
        self.hear(SPEECH, 40)
        self.sink.final("yes", 1.0)
        self.sink.turn_ended()
        self.assertEqual(self.ended, [])
        self.hear(QUIET, _PAUSE)
        self.assertEqual(self.recognizer.cues, ["started", "finish"])


class VoicesTests(_Case):
    """A voice that the recogniser hears and our detector does not."""

    def test_words(self) -> None:
        """It begins a turn at once, words confirm it, the recogniser's end ends it."""
        self.hear(QUIET, 20)
        self.sink.speech_started()
        self.assertEqual((self.log, self.recognizer.cues), (["started"], ["started"]))
        self.hear(FAINT, 30)
        self.sink.partial("hello")
        self.hear(QUIET, CONFIRMED_WITHIN)
        self.sink.final("hello", 0.9)
        self.sink.turn_ended()
        (turn,) = self.ended
        self.assertEqual((turn.text, turn.voiced, self.listener.talked), ("hello", 0, 0))
        self.assertAlmostEqual(turn.speech_ended, 50 * _TICK)
        self.assertAlmostEqual(turn.endpoint, (50 + CONFIRMED_WITHIN) * _TICK)

    def test_dismissed(self) -> None:
        """Without words or our detector it is over after a second, and was nothing."""
        self.sink.speech_started()
        ticks = self.hear(FAINT, 100, lambda: not self.listener.speaking)
        self.assertEqual(ticks, CONFIRMED_WITHIN)
        self.assertEqual([(turn.text, turn.voiced) for turn in self.ended], [("", 0)])
        self.assertEqual(self.recognizer.cues, ["started"])
        self.sink.final("the", 1.0)  # what comes now is nobody's
        self.assertEqual(self.log, ["started", "ended"])

    def test_agreed(self) -> None:
        """When our detector notices it too, it is one turn like any other."""
        self.sink.speech_started()
        self.hear(QUIET, 10)
        self.hear(SPEECH, 20)
        self.hear(QUIET, CONFIRMED_WITHIN)
        self.assertEqual(self.log, ["started"])
        self.sink.final("yes", 1.0)
        self.sink.turn_ended()
        self.assertEqual([turn.voiced for turn in self.ended], [20])
        self.assertEqual(self.listener.talked, 20)
        self.assertAlmostEqual(self.ended[0].speech_ended, 30 * _TICK)

    def test_known(self) -> None:
        """A voice that our detector has noticed already is no news."""
        self.hear(SPEECH, 5)
        self.sink.speech_started()
        self.hear(SPEECH, 100)
        self.assertEqual(self.log, ["started"])

    def test_echo(self) -> None:
        """While the assistant can be heard only our own detector begins a turn."""
        self.echoes = True
        self.sink.speech_started()
        self.sink.partial("hello how can")
        self.sink.final("hello how can i help you", 1.0)
        self.sink.turn_ended()
        self.hear(FAINT, 100)
        self.assertEqual((self.log, self.ended), ([], []))
        self.hear(SPEECH, 5)
        self.sink.partial("wait")
        self.assertEqual(self.log, ["started", "wait"])

    def test_all_at_once(self) -> None:
        """What comes in one message, before any frame, has the times of the moment."""
        self.hear(SPEECH, 20)
        self.sink.turn_ended()
        self.hear(QUIET, 50)
        self.sink.speech_started()
        self.sink.final("yes", 1.0)
        self.sink.turn_ended()
        turn = self.ended[1]
        self.assertEqual((turn.speech_ended, turn.endpoint), (self.now, self.now))

    def test_after_the_call(self) -> None:
        """Nothing begins when the call is over."""
        self.listener.stop()
        self.sink.speech_started()
        self.assertEqual(self.log, [])

    def test_pauses_are_not_learnt(self) -> None:
        """The time until our detector notices a voice is no pause of the caller's."""
        self.hear(SPEECH, 20)
        self.hear(QUIET, 25)
        self.sink.turn_ended()
        self.recognizer.turns = False
        self.sink.speech_started()
        self.hear(SPEECH, 20)
        self.hear(QUIET, _PAUSE)
        self.assertEqual(self.recognizer.cues[-1], "finish")


class WithoutEndsTests(_Case):
    """A recogniser that hears voices, but not the ends of turns."""

    turns = False

    def test_words_end_it(self) -> None:
        """Where our detector hears nothing, the turn is over when no new words come for long."""
        self.sink.speech_started()
        self.hear(FAINT, 40)
        self.sink.partial("two")
        self.hear(FAINT, _EXTENDED - 1)
        self.sink.partial("two please")
        self.hear(FAINT, _EXTENDED - 1)
        self.assertEqual(self.recognizer.cues, ["started"])
        self.hear(FAINT, 1)
        self.assertEqual(self.recognizer.cues, ["started", "finish"])
        self.sink.final("two please", 1.0)
        self.assertEqual([turn.text for turn in self.ended], ["two please"])

    def test_ends_are_not_told(self) -> None:
        """What such a recogniser says of ends is a mistake."""
        self.hear(SPEECH, 20)
        self.sink.turn_ended()
        self.assertEqual(self.ended, [])
