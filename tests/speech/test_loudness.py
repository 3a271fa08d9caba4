"""All voices have one level, and none is clipped."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, RATE
from rapida_tw.speech.loudness import at_telephone_level, from_its_first_sound
from tests.audio.signals import decibels, noise, rms, sine


class LoudnessTests(SynchronousTestCase):
    def test_level(self) -> None:
        """Quiet and loud alike come out at -20 dBFS."""
        for amplitude in (300, 3000, 30_000):
            samples = at_telephone_level(sine(440, RATE, 1, amplitude))
            self.assertApproximates(decibels(rms(samples) / 32768), -20, 0.2)

    def test_pauses(self) -> None:
        """Pauses between words do not make the words louder."""
        word = noise(RATE // 2)
        talk = np.concatenate((word, np.zeros(2 * RATE, np.int16), word))
        loud = at_telephone_level(talk)
        self.assertApproximates(decibels(rms(loud[: len(word)]) / 32768), -20, 0.2)

    def test_peaks(self) -> None:
        """A peak far above the rest is bent below full scale, with its sign."""
        talk = noise(RATE, amplitude=200)
        talk[5000], talk[6000] = 30_000, -30_000
        loud = at_telephone_level(talk)
        self.assertGreater(loud[5000], 25_000)
        self.assertLess(loud[6000], -25_000)

    def test_silence(self) -> None:
        """Silence, however short, stays silence."""
        for length in (0, 10, RATE):
            silence = np.zeros(length, np.int16)
            np.testing.assert_array_equal(at_telephone_level(silence), silence)


class FirstSoundTests(SynchronousTestCase):
    def test_silence_before(self) -> None:
        """What comes before the first sound is cut to one frame; what comes after it stays."""
        word, silence = noise(RATE // 2), np.zeros(RATE // 5, np.int16)
        cut = from_its_first_sound(np.concatenate((silence, word, silence)))
        self.assertApproximates(len(cut), FRAME + len(word) + len(silence), FRAME // 4)

    def test_nothing_but_silence(self) -> None:
        """A silence that is wanted stays as long as it is."""
        self.assertEqual(len(from_its_first_sound(np.zeros(1000, np.int16))), 1000)
