from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import Samples
from rapida_tw.sim.ear import LOUD, Ear, first_loud, last_loud
from rapida_tw.sim.voices import hum

QUIET = bytes(320)
SOUND = np.full(160, 4_000, "<i2").tobytes()


def hear(ear: Ear, packets: list[bytes], start: float = 0.0) -> None:
    for n, packet in enumerate(packets):
        ear.hear(packet, 8_000, start + n * 0.02)


class EarTests(SynchronousTestCase):
    def test_silence(self) -> None:
        """Silence is heard, and is no sound."""
        ear = Ear()
        hear(ear, [QUIET] * 50)
        self.assertEqual((ear.intervals, ear.heard_until, len(ear.arrivals)), ([], 0.0, 50))

    def test_hiss(self) -> None:
        """A line's hiss is no sound."""
        ear = Ear()
        hear(ear, [np.full(160, LOUD, "<i2").tobytes()])
        self.assertEqual(ear.intervals, [])

    def test_interval(self) -> None:
        """Sound begins and ends with its packets."""
        ear = Ear()
        hear(ear, [QUIET] * 10 + [SOUND] * 5 + [QUIET] * 20)
        (interval,) = ear.intervals
        self.assertAlmostEqual(interval.start, 0.2)
        self.assertAlmostEqual(interval.end, 0.3)
        self.assertAlmostEqual(interval.lasting, 0.1)

    def test_onset_inside_a_packet(self) -> None:
        """The beginning is known to the sample."""
        ear = Ear()
        ear.hear(QUIET[:160] + SOUND[160:], 8_000, 1.0)
        self.assertAlmostEqual(ear.intervals[0].start, 1.01)

    def test_negative_samples(self) -> None:
        """Sound below zero is sound."""
        ear = Ear()
        self.assertTrue(ear.hear(np.full(160, -4_000, "<i2").tobytes(), 8_000, 0.0))

    def test_pauses(self) -> None:
        """A short pause belongs to the sentence, a longer one parts two."""
        ear = Ear()
        hear(ear, [SOUND] + [QUIET] * 10 + [SOUND] + [QUIET] * 20 + [SOUND])
        self.assertEqual(len(ear.intervals), 2)

    def test_tells_onsets_only(self) -> None:
        """`hear` is True for the first packet of each interval."""
        ear = Ear()
        told = [ear.hear(packet, 8_000, 0.0) for packet in (QUIET, SOUND, SOUND)]
        self.assertEqual(told, [False, True, False])

    def test_gap_in_arrivals(self) -> None:
        """Where nothing came, a phone plays silence."""
        ear = Ear()
        hear(ear, [SOUND] * 2)
        hear(ear, [SOUND], start=1.0)
        samples = ear.samples(8_000)
        self.assertEqual(len(samples), 8_160)
        self.assertEqual(np.count_nonzero(samples), 480)

    def test_jitter(self) -> None:
        """Packets that are a little late still follow each other."""
        ear = Ear()
        for n, late in enumerate((0.0, 0.03, 0.0, 0.05)):
            ear.hear(SOUND, 8_000, n * 0.02 + late)
        self.assertEqual(len(ear.samples(8_000)), 4 * 160)

    def test_other_rate(self) -> None:
        """Wideband packets keep their duration."""
        ear = Ear()
        ear.hear(SOUND * 2, 16_000, 0.0)
        self.assertEqual(len(ear.samples(8_000)), 160)

    def test_forgets(self) -> None:
        """Told not to keep audio, it still knows the intervals."""
        ear = Ear(keep=False)
        hear(ear, [SOUND])
        self.assertEqual((len(ear.intervals), len(ear.samples(8_000))), (1, 0))

    def test_save(self) -> None:
        """What was heard can be written to a file."""
        ear = Ear()
        hear(ear, [SOUND] * 3)
        path = Path(self.mktemp())
        ear.save(path)
        with wave.open(str(path)) as file:
            self.assertEqual((file.getframerate(), file.readframes(1_000)), (8_000, SOUND * 3))


class LoudnessTests(SynchronousTestCase):
    def test_edges(self) -> None:
        """The first and the last sample that can be heard."""
        samples: Samples = np.array([0, 10, 900, 0, -900, 5], np.int16)
        self.assertEqual((first_loud(samples), last_loud(samples)), (2, 5))

    def test_nothing(self) -> None:
        """Silence begins at its end and ends at its beginning."""
        samples: Samples = np.zeros(7, np.int16)
        self.assertEqual((first_loud(samples), last_loud(samples)), (7, 0))

    def test_hum_is_loud_throughout(self) -> None:
        """What callers hum can be timed: it has no silence as long as a packet."""
        loud = np.abs(hum(1.0).reshape(-1, 320).astype(int)).max(axis=1)
        self.assertGreater(loud.min(), 4 * LOUD)
