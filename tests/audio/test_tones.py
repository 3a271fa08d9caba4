from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, RATE
from rapida_tw.audio.tones import comfort_noise, digits, waiting
from tests.audio.signals import decibels, rms, tone_and_rest

KEYPAD = ("123A", "456B", "789C", "*0#D")
ROWS = (697, 770, 852, 941)
COLUMNS = (1209, 1336, 1477, 1633)
FULL_SCALE_SINE = 32767 / np.sqrt(2)


class Digits(SynchronousTestCase):
    def test_frequencies(self) -> None:
        """Each of the sixteen keys is its row's and its column's tone, equally loud."""
        for row, keys in zip(ROWS, KEYPAD, strict=True):
            for column, key in zip(COLUMNS, keys, strict=True):
                tone = digits(key)[:1600]
                for frequency in (row, column):
                    level, _ = tone_and_rest(tone, frequency, RATE)
                    self.assertApproximates(decibels(level / FULL_SCALE_SINE), -13, 0.5)

    def test_level(self) -> None:
        """The pair together is at the level asked for."""
        for level in (-10.0, -20.0):
            steady = digits("5", on=50, level=level)[: 50 * FRAME]
            self.assertApproximates(decibels(rms(steady) / FULL_SCALE_SINE), level, 0.2)

    def test_timing(self) -> None:
        """100 ms on, 100 ms off by default, always whole frames; silence is silence."""
        self.assertEqual(len(digits("12")), 20 * FRAME)
        self.assertEqual(len(digits("1", on=3, off=2)), 5 * FRAME)
        self.assertFalse(digits("1")[1600:].any())
        self.assertEqual(len(digits("")), 0)

    def test_waiting(self) -> None:
        """Two notes with a rest between, softer than speech, in whole frames."""
        sound = waiting()
        self.assertEqual(len(sound) % FRAME, 0)
        first, last = sound[:1600], sound[-1600:]
        self.assertTrue((first == last).all())
        self.assertFalse(sound[1600:-1600].any())
        level, _ = tone_and_rest(first, 440, RATE)
        self.assertApproximates(decibels(level / FULL_SCALE_SINE), -24, 0.5)
        self.assertFalse(sound.flags.writeable)

    def test_no_click(self) -> None:
        """A tone begins and ends near zero."""
        tone = digits("8")[:1600].astype(int)
        self.assertLess(max(abs(tone[0]), abs(tone[-1])), 400)

    def test_small_letters(self) -> None:
        """Letters may be small."""
        np.testing.assert_array_equal(digits("a"), digits("A"))

    def test_unknown(self) -> None:
        """What is no key is refused by name."""
        with self.assertRaisesRegex(ValueError, "'E'"):
            digits("1E")


class ComfortNoise(SynchronousTestCase):
    def test_level(self) -> None:
        """Two seconds of it are at the level asked for."""
        for level in (-65.0, -50.0):
            noise = np.concatenate([comfort_noise(tick, level) for tick in range(100)])
            self.assertApproximates(decibels(rms(noise) / FULL_SCALE_SINE), level, 0.5)

    def test_frames(self) -> None:
        """One tick long, different from its neighbour, and not to be written to."""
        frame = comfort_noise(7)
        self.assertEqual(frame.shape, (FRAME,))
        self.assertTrue((frame != comfort_noise(8)).any())
        self.assertFalse(frame.flags.writeable)
