"""A recording as a file to download."""

from __future__ import annotations

import wave
from io import BytesIO
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.wav import StereoWav
from rapida_tw.errors import NotFound
from rapida_tw.web.tracks import TRACKS, open_track

LEFT = np.arange(1000, dtype=np.int16)
RIGHT = -LEFT


def recording(path: Path) -> StereoWav:
    file = StereoWav(path)
    file.append(LEFT, RIGHT)
    return file


def samples(data: bytes) -> NDArray[np.int16]:
    """int16[n, channels] as the standard library reads the file."""
    with wave.open(BytesIO(data)) as file:
        assert (file.getsampwidth(), file.getframerate()) == (2, 16_000)
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return frames.reshape(-1, file.getnchannels())


class TrackTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        recording(self.path).close()

    def read(self, track: str) -> bytes:
        file = open_track(self.path, track)
        return file.read(0, file.size)

    def test_stereo(self) -> None:
        """Both, as on disk to the byte."""
        self.assertEqual(self.read("stereo"), self.path.read_bytes())

    def test_single(self) -> None:
        """Left is the user, right the assistant; a file of one channel."""
        for track, wanted in (("user", LEFT), ("assistant", RIGHT)):
            np.testing.assert_array_equal(samples(self.read(track)), wanted[:, None])

    @given(st.sampled_from(TRACKS), st.integers(0, 4100), st.integers(0, 4100))
    def test_any_part(self, track: str, start: int, length: int) -> None:
        """Where a part begins and ends makes no difference, inside a sample or behind the end."""
        file = open_track(self.path, track)
        whole = file.read(0, file.size)
        self.assertEqual(len(whole), file.size)
        end = min(start + length, file.size)
        self.assertEqual(file.read(start, end), whole[start:end])

    def test_growing(self) -> None:
        """A call that goes on is served as long as it was; the header says the same."""
        growing = recording(self.path)
        opened = {track: open_track(self.path, track) for track in TRACKS}
        growing.append(LEFT, RIGHT)
        growing.close()
        for track, file in opened.items():
            data = file.read(0, file.size)
            self.assertEqual(len(data), file.size)
            self.assertEqual(len(samples(data)), len(LEFT), track)

    def test_half_a_frame(self) -> None:
        """What a killed process left behind the last whole frame is not served."""
        with self.path.open("ab") as file:
            file.write(b"\1\2\3")
        self.assertEqual(len(samples(self.read("stereo"))), len(LEFT))

    def test_shrunk(self) -> None:
        """A file that has become shorter gives what is left of it."""
        file = open_track(self.path, "user")
        self.path.write_bytes(self.path.read_bytes()[: 44 + 100 * 4 + 1])
        self.assertEqual(len(file.read(0, file.size)), 44 + 100 * 2)

    def test_stamp(self) -> None:
        """Another state of the file, another track: another stamp."""
        first = open_track(self.path, "user").stamp
        self.assertEqual(open_track(self.path, "user").stamp, first)
        self.assertNotEqual(open_track(self.path, "stereo").stamp, first)
        growing = recording(self.path)
        growing.append(LEFT, RIGHT)
        growing.close()
        self.assertNotEqual(open_track(self.path, "user").stamp, first)

    def test_not_there(self) -> None:
        """No file, no WAV, or none of ours."""
        self.assertRaises(NotFound, open_track, self.path.with_name("nothing"), "stereo")
        for content in (b"", b"RIFF", b"x" * 100):
            self.path.write_bytes(content)
            self.assertRaises(NotFound, open_track, self.path, "stereo")
