from __future__ import annotations

import os
import signal
import wave
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.wav import StereoWav
from tests.audio.signals import noise


def read(path: Path) -> tuple[int, int, np.ndarray[tuple[int, ...], np.dtype[np.int16]]]:
    """Rate, channels and int16[n, channels], as Python's own reader sees the file."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return file.getframerate(), file.getnchannels(), samples.reshape(-1, file.getnchannels())


class Writing(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "call.wav"

    def test_left_and_right(self) -> None:
        """Left is the first channel, right the second, in the order of the appends."""
        file = StereoWav(self.path)
        left, right = noise(500, seed=1), noise(500, seed=2)
        file.append(left[:200], right[:200])
        file.append(left[200:], right[200:])
        file.close()
        rate, channels, samples = read(self.path)
        self.assertEqual((rate, channels), (16_000, 2))
        np.testing.assert_array_equal(samples[:, 0], left)
        np.testing.assert_array_equal(samples[:, 1], right)

    def test_readable_at_any_time(self) -> None:
        """After each append, and before the first, the open file is whole."""
        file = StereoWav(self.path)
        self.addCleanup(file.close)
        for count in range(4):
            self.assertEqual(len(read(self.path)[2]), count * 320)
            self.assertEqual(file.seconds, count * 0.02)
            file.append(noise(320), noise(320))

    def test_killed(self) -> None:
        """A writer that is killed leaves all that it appended."""
        child = os.fork()
        if child == 0:
            file = StereoWav(self.path)
            file.append(noise(16_000), noise(16_000))
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        self.assertEqual(len(read(self.path)[2]), 16_000)

    def test_overwrites(self) -> None:
        """What was in the file before is gone."""
        self.path.write_bytes(b"x" * 100_000)
        StereoWav(self.path).close()
        self.assertEqual(self.path.stat().st_size, 44)

    def test_not_for_all(self) -> None:
        """Callers' voices are readable by the server's own user only."""
        StereoWav(self.path).close()
        self.assertEqual(self.path.stat().st_mode & 0o077, 0)

    def test_errors(self) -> None:
        """A full disk and a missing folder are OSErrors; closing twice is none."""
        self.assertRaises(OSError, StereoWav, self.path / "missing" / "call.wav")
        if os.path.exists("/dev/full"):
            self.assertRaises(OSError, StereoWav, Path("/dev/full"))
        file = StereoWav(self.path)
        file.close()
        file.close()
        self.assertRaises(OSError, file.append, noise(1), noise(1))
