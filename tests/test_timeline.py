from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.wav import StereoWav
from rapida_tw.sim.voices import hum
from rapida_tw.store.records import Conversation, Entry
from rapida_tw.timeline import render, row_seconds

BLUE, GREEN, RED = (37, 99, 201), (13, 138, 106), (197, 48, 48)


def near(
    picture: Image.Image, colour: tuple[int, int, int], within: int = 24
) -> list[tuple[int, int]]:
    """The places (x, y) whose colour is about that one."""
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    rows, columns = np.nonzero(np.abs(pixels - colour).max(axis=2) < within)
    return list(zip(columns.tolist(), rows.tolist(), strict=True))


class TimelineTests(SynchronousTestCase):
    def picture(self, seconds: float, *turns: tuple[Entry, float, float]) -> Image.Image:
        """A call with a sound in the place of each turn."""
        path = Path(self.mktemp())
        wav = StereoWav(path)
        tracks = np.zeros((2, round(seconds * 16_000)), np.int16)
        for entry, start, end in turns:
            track = tracks["user assistant".split().index(entry.name)]
            track[round(start * 16_000) : round(end * 16_000)] = hum(end - start)
        wav.append(*tracks)
        wav.close()
        entries = tuple(entry for entry, _, _ in turns)
        conversation = Conversation(7, 1, 1, "+1555", created=100.0, entries=entries)
        return Image.open(BytesIO(render(path, conversation)))

    def turn(
        self, role: str, text: str, start: float, end: float, **more: object
    ) -> tuple[Entry, float, float]:
        data = {"ended" if role == "user" else "began": end if role == "user" else start, **more}
        return Entry(7, "message", role, text, data, 100 + end), start, end

    def test_png(self) -> None:
        """It is a PNG, 1600 pixels wide, one row for a short call."""
        picture = self.picture(10.0)
        self.assertEqual((picture.format, picture.width), ("PNG", 1600))
        self.assertLess(picture.height, 420)

    def test_waveform_is_where_the_sound_is(self) -> None:
        """The caller's sound stands above, at its time: 1 to 2 s of a row of 10 s."""
        picture = self.picture(10.0, self.turn("user", "Hello", 1.0, 2.0))
        places = [x for x, _ in near(picture, BLUE) if x > 120]
        tall = [x for x in set(places) if places.count(x) > 8]
        left, width = 108, 1600 - 24 - 108
        self.assertAlmostEqual((min(tall) - left) / width, 0.1, places=2)
        self.assertAlmostEqual((max(tall) - left) / width, 0.2, places=2)

    def test_bands(self) -> None:
        """A turn is a shaded band."""
        plain = self.picture(10.0)
        banded = self.picture(10.0, self.turn("assistant", "Hello", 4.0, 6.0))
        band = (227, 245, 238)
        self.assertEqual(near(plain, band, 3), [])
        self.assertGreater(len(near(banded, band, 3)), 15_000)

    def test_latency(self) -> None:
        """An arrow leads to the answer: green when quick, red when slow."""
        question = self.turn("user", "Hello", 1.0, 2.0)
        for start, colour, other in ((2.5, GREEN, RED), (4.5, RED, GREEN)):
            picture = self.picture(10.0, question, self.turn("assistant", "Hi", start, 6.0))
            between = picture.crop((120, 76 + 118, 1600, 76 + 144))
            self.assertTrue(near(between, colour))
            self.assertFalse(near(between, other))

    def test_interrupted(self) -> None:
        """A red edge ends what was interrupted."""
        for interrupted in (False, True):
            turn = self.turn("assistant", "Hello", 4.0, 6.0, interrupted=interrupted)
            self.assertEqual(bool(near(self.picture(10.0, turn), RED)), interrupted)

    def test_texts(self) -> None:
        """Any text is drawn: none, long, without blanks, of other scripts."""
        for text in ("", "word " * 300, "x" * 500, "über naïve – 日本語 \n\t …"):
            self.picture(5.0, self.turn("user", text, 1.0, 1.3))

    def test_rows(self) -> None:
        """A longer call has rows; a turn over a row's edge is drawn in both."""
        picture = self.picture(100.0, self.turn("user", "Hello", 35.0, 45.0))
        self.assertGreater(picture.height, 3 * 296)

    def test_degenerate(self) -> None:
        """A call without a second of sound has a picture too."""
        for seconds in (0.0, 0.02):
            self.assertGreater(self.picture(seconds).height, 100)

    def test_not_a_recording(self) -> None:
        """What is no recording is refused with a reason."""
        path = Path(self.mktemp())
        path.write_bytes(b"RIFF and nothing more")
        with self.assertRaisesRegex(ValueError, "not a WAV file"):
            render(path, Conversation(1, 1, 1, ""))
        self.assertRaises(OSError, render, Path("no-such.wav"), Conversation(1, 1, 1, ""))


class RowTests(SynchronousTestCase):
    def test_short_calls_fill_one_row(self) -> None:
        """Up to 40 s a call is one row of about its length."""
        self.assertEqual([row_seconds(d) for d in (0.0, 1.5, 12.0, 40.0)], [2, 2, 20, 40])

    def test_long_calls_have_at_most_24_rows(self) -> None:
        """Beyond it the rows get more, and then longer."""
        self.assertEqual([row_seconds(d) for d in (41, 900, 3_600)], [40, 40, 150])
        for duration in (41, 950, 1_000, 3_600, 20_000, 100_000):
            self.assertLessEqual(duration / row_seconds(duration), 24)
