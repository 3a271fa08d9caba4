from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.waveform import Waveform, read_waveform


class WaveformTests(SynchronousTestCase):
    def read(self, samples: list[int] | np.ndarray, channels: int = 2, rate: int = 100) -> Waveform:
        path = Path(self.mktemp())
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(np.asarray(samples, "<i2").tobytes())
        return read_waveform(path)

    def test_tracks(self) -> None:
        """Left is the caller, right the assistant."""
        waveform = self.read([1, 5, -2, 6])
        self.assertEqual(waveform.high.tolist(), [[1, -2], [5, 6]])
        self.assertEqual(waveform.duration, 0.02)

    def test_mono(self) -> None:
        """A single track is the caller's."""
        self.assertEqual(self.read([1, 2, 3], 1).high.tolist(), [[1, 2, 3], [0, 0, 0]])

    def test_long_files_have_bins(self) -> None:
        """A long file is reduced; no peak of it is lost."""
        samples = np.zeros(500_001, np.int16)
        samples[123_456], samples[-1] = 9_000, -9_000
        waveform = self.read(samples, 1, 8_000)
        self.assertLess(waveform.low.shape[1], 200_001)
        ((start, end), (late, _)) = waveform.sounds(0)
        self.assertLessEqual(start, 123_456 / 8_000)
        self.assertGreaterEqual(end, 123_456 / 8_000)
        self.assertAlmostEqual(late, 500_000 / 8_000, places=2)

    def test_columns(self) -> None:
        """Each column has the extremes of its piece; behind the end is silence."""
        waveform = self.read([1, 2, -3, 4, 5, 6, 7, 8], 1)
        low, high = waveform.columns(0.0, 0.16, 4)
        self.assertEqual(high[0].tolist(), [4, 8, 0, 0])
        self.assertEqual(low[0].tolist(), [-3, 5, 0, 0])

    def test_more_columns_than_samples(self) -> None:
        """A short file may be stretched."""
        _, high = self.read([1, 2], 1).columns(0.0, 0.02, 6)
        self.assertEqual(high[0].tolist(), [1, 1, 1, 2, 2, 2])

    def test_columns_in_the_middle(self) -> None:
        """A piece from the middle ends where it ends."""
        _, high = self.read([1, 2, 9, 4, 50], 1).columns(0.01, 0.04, 1)
        self.assertEqual(high[0].tolist(), [9])

    def test_sounds(self) -> None:
        """Utterances are parted by more than half a second."""
        samples = [0] * 400
        for place in (100, 140, 250):
            samples[place] = -4_000
        (first, second) = self.read(samples, 1).sounds(0)
        self.assertEqual([round(edge, 2) for edge in (*first, *second)], [1.0, 1.41, 2.5, 2.51])

    def test_no_sound(self) -> None:
        """Silence has no utterances."""
        self.assertEqual(self.read([0] * 100).sounds(1), [])

    def test_bytes_are_refused(self) -> None:
        """Eight-bit samples are refused with a reason."""
        path = Path(self.mktemp())
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(1)
            file.setframerate(8_000)
            file.writeframes(b"abc")
        with self.assertRaisesRegex(ValueError, "8-bit"):
            read_waveform(path)
