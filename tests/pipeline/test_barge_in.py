"""BargeIn: a doubt silences at once, and ends in time, one way or the other."""

from __future__ import annotations

import numpy as np
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.media.playout import Playout
from rapida_tw.pipeline.barge_in import WINDOW, BargeIn, agrees, meaningful
from tests.pipeline.fakes import SPEECH


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.playout = Playout()
        self.playout.begin("a reply")
        self.playout.write(np.tile(SPEECH, 100))
        self.interrupted = 0
        self.insists = False
        self.barge_in = BargeIn(self.clock, self.playout, self._interrupted, lambda: self.insists)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def _interrupted(self) -> None:
        self.interrupted += 1


class DoubtTests(_Case):
    """From the first sound to the decision."""

    def setUp(self) -> None:
        super().setUp()
        self.barge_in.speech_started()

    def test_silent_at_once(self) -> None:
        """The next beat has nothing to send."""
        self.assertIsNone(self.playout.take())
        self.assertEqual(self.interrupted, 0)
        self.barge_in.stop()

    def test_word(self) -> None:
        """The first word that means something decides."""
        self.barge_in.words("uh")
        self.assertEqual(self.interrupted, 0)
        self.barge_in.words("uh wait")
        self.assertEqual(self.interrupted, 1)
        self.assertFalse(self.barge_in.in_doubt)

    def test_cough(self) -> None:
        """A sound that is over without words lets the reply go on."""
        self.barge_in.turn_ended()
        self.assertFalse(self.playout.paused)
        self.assertEqual(self.interrupted, 0)

    def test_end_of_the_window(self) -> None:
        """Half a second without a word lets the reply go on, and not a moment sooner."""
        self.clock.advance(WINDOW - 0.01)
        self.assertTrue(self.playout.paused)
        self.clock.advance(0.02)
        self.assertFalse(self.playout.paused)
        self.assertEqual(self.interrupted, 0)

    def test_insistent(self) -> None:
        """A voice that goes on for the whole window needs no word."""
        self.insists = True
        self.clock.advance(WINDOW)
        self.assertEqual(self.interrupted, 1)

    def test_word_after_the_doubt(self) -> None:
        """A word that comes after the doubt was dismissed interrupts all the same."""
        self.clock.advance(WINDOW)
        self.barge_in.words("wait")
        self.assertEqual(self.interrupted, 1)

    def test_again(self) -> None:
        """A sound inside the window does not make it longer; one after it doubts anew."""
        self.clock.advance(0.3)
        self.barge_in.speech_started()
        self.clock.advance(0.2)
        self.assertFalse(self.playout.paused)
        self.barge_in.speech_started()
        self.assertTrue(self.playout.paused)
        self.barge_in.stop()

    def test_stop(self) -> None:
        """Nothing is decided afterwards."""
        self.insists = True
        self.barge_in.stop()
        self.barge_in.stop()
        self.clock.advance(1.0)
        self.assertEqual(self.interrupted, 0)


class WordsOnlyTests(_Case):
    """Where only words may interrupt."""

    def setUp(self) -> None:
        super().setUp()
        self.insists = True
        self.barge_in = BargeIn(
            self.clock, self.playout, self._interrupted, lambda: self.insists, by_sound=False
        )

    def test_sound(self) -> None:
        """A sound, however long, does not even pause the reply."""
        self.barge_in.speech_started()
        self.assertIsNotNone(self.playout.take())
        self.clock.advance(WINDOW)
        self.barge_in.words("mhm")
        self.barge_in.turn_ended()
        self.assertEqual((self.interrupted, self.playout.paused), (0, False))

    def test_word(self) -> None:
        """The first word that means something interrupts."""
        self.barge_in.speech_started()
        self.barge_in.words("wait")
        self.assertEqual(self.interrupted, 1)


class FarSideTests(_Case):
    """What a far side that buffers is told."""

    def setUp(self) -> None:
        super().setUp()
        self.forgotten: list[int] = []
        self.playout.forget = self.forgotten.append
        self.playout.set_lead(5)
        for _ in range(6):
            self.playout.take()
        self.barge_in.speech_started()

    def test_doubt(self) -> None:
        """A doubt empties it, but for the frame that is being played."""
        self.assertEqual(self.forgotten, [5])
        self.barge_in.stop()

    def test_decision(self) -> None:
        """It is emptied once a doubt: a word that confirms it has nothing left to empty."""
        self.barge_in.words("wait")
        self.playout.clear()
        self.assertEqual(self.forgotten, [5])

    def test_dismissed(self) -> None:
        """What it was made to forget is sent again."""
        queued = self.playout.queued
        self.barge_in.turn_ended()
        self.assertIsNotNone(self.playout.take())
        self.assertEqual((queued, self.playout.queued), (99, 98))


class NoDoubtTests(_Case):
    """When a sound is not an interruption."""

    def test_protected(self) -> None:
        """What may not be interrupted is not, by sound nor word."""
        self.barge_in.allowed = False
        self.barge_in.speech_started()
        self.barge_in.words("wait")
        self.barge_in.turn_ended()
        self.assertFalse(self.playout.paused)
        self.assertEqual(self.interrupted, 0)

    def test_still_thinking(self) -> None:
        """A reply that has not begun does not begin into the caller's voice, but is not dropped."""
        self.playout.clear()
        self.insists = True
        self.barge_in.speech_started()
        self.playout.write(SPEECH)
        self.assertIsNone(self.playout.take())
        self.clock.advance(WINDOW)
        self.assertEqual(self.interrupted, 0)
        self.assertIsNotNone(self.playout.take())

    def test_late_end(self) -> None:
        """The end of a sound whose doubt is over changes nothing."""
        self.playout.pause()
        self.barge_in.turn_ended()
        self.assertTrue(self.playout.paused)


class WordsTests(SynchronousTestCase):
    """What counts as a word."""

    def test_meaningful(self) -> None:
        """Anything but the sounds of attention."""
        for text in ("wait", "uh wait", "No.", "mhm yes", "5", "h", "Äh", "не", "uh-oh"):
            self.assertTrue(meaningful(text), text)
        for text in ("", " ", "mhm", "Uh, um...", "uh-huh", "Hmm?", "?!", "mm-hmm mhm"):
            self.assertFalse(meaningful(text), text)

    def test_agrees(self) -> None:
        """Some of these sounds answer a question; a mere hesitation does not."""
        for text in ("mhm", "Uh-huh.", "um, mhm"):
            self.assertTrue(agrees(text), text)
        for text in ("", "um", "uh", "hmm", "huh"):
            self.assertFalse(agrees(text), text)
