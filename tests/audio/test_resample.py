from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, RATE, Samples
from rapida_tw.audio.resample import Chorus, Resampler, _kernel, resample_all
from tests.audio.signals import decibels, noise, rms, sine, tone_and_rest

RATES = (8_000, 12_000, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000)
PAIRS = [(rate, RATE) for rate in RATES] + [(RATE, rate) for rate in RATES]
TELEPHONE_BAND = (300.0, 440.0, 1000.0, 2000.0, 3000.0, 3400.0)


def in_frames(samples: Samples, source: int, target: int) -> Samples:
    """The stream, converted 20 ms by 20 ms."""
    resampler = Resampler(source, target)
    frame = source // 50
    pieces = [resampler(samples[at : at + frame]) for at in range(0, len(samples), frame)]
    return np.concatenate(pieces)


class Lengths(SynchronousTestCase):
    def test_frames(self) -> None:
        """Twenty milliseconds in, twenty milliseconds out, from the first frame on."""
        for source, target in PAIRS:
            resampler = Resampler(source, target)
            for _ in range(3):
                self.assertEqual(len(resampler(noise(source // 50))), target // 50)

    def test_same_rate(self) -> None:
        """Equal rates: the very same array."""
        frame = noise(FRAME)
        self.assertIs(Resampler(RATE, RATE)(frame), frame)
        self.assertIs(resample_all(frame, RATE, RATE), frame)

    def test_empty(self) -> None:
        """Nothing in, nothing out, and the stream goes on unharmed."""
        resampler = Resampler(8_000, RATE)
        self.assertEqual(len(resampler(noise(0))), 0)
        self.assertEqual(len(resampler(noise(160))), 320)

    def test_whole_sentence(self) -> None:
        """A one-shot has the length of its input in time, to the nearest sample."""
        for source, target in PAIRS:
            length = source // 3 + 7
            self.assertEqual(
                len(resample_all(noise(length), source, target)), round(length * target / source)
            )

    def test_impossible_rates(self) -> None:
        """Rates of no small ratio are refused, before memory is."""
        for source, target in ((0, RATE), (RATE, -8_000), (0, 0), (RATE, 15_999)):
            self.assertRaises(ValueError, Resampler, source, target)


class Chunks(SynchronousTestCase):
    @settings(deadline=None, max_examples=60)
    @given(st.sampled_from(PAIRS), st.lists(st.integers(0, 700), max_size=12))
    def test_any_split(self, pair: tuple[int, int], cuts: list[int]) -> None:
        """Where the stream is cut does not change one bit of what comes out."""
        source, target = pair
        stream = noise(2000, amplitude=12_000)
        whole = Resampler(source, target)(stream)
        ends = sorted({*(cut for cut in cuts if cut < 2000), 2000})
        resampler = Resampler(source, target)
        pieces = [resampler(stream[a:b]) for a, b in itertools.pairwise([0, *ends])]
        np.testing.assert_array_equal(np.concatenate(pieces), whole)

    def test_exact_sums(self) -> None:
        """Why that is so: no sum of taps and samples needs more bits than float64 has."""
        for pair in PAIRS:
            taps = _kernel(*pair).taps * 2**20
            np.testing.assert_array_equal(taps, np.rint(taps))
            self.assertLess(float(abs(taps).sum(axis=0).max()) * 2**15, 2**53)

    def test_long_then_short(self) -> None:
        """A chunk of seconds between frames leaves no trace in what follows."""
        stream = noise(40_000)
        resampler = Resampler(8_000, RATE)
        pieces = [resampler(stream[a:b]) for a, b in ((0, 160), (160, 39_840), (39_840, 40_000))]
        np.testing.assert_array_equal(np.concatenate(pieces), Resampler(8_000, RATE)(stream))

    def test_clipped_in_any_split(self) -> None:
        """What is out of range is clipped in chunks of any size, however few samples are."""
        square = np.where(np.arange(800) // 40 % 2, 32767, -32768).astype(np.int16)
        for pair, size in itertools.product(((8_000, RATE), (RATE, 8_000)), (1, 2, 160)):
            resampler = Resampler(*pair)
            pieces = [resampler(square[at : at + size]) for at in range(0, 800, size)]
            np.testing.assert_array_equal(np.concatenate(pieces), Resampler(*pair)(square))

    def test_reset(self) -> None:
        """After a reset nothing of the stream before is heard, whatever was held of it."""
        for source, target in PAIRS:
            resampler = Resampler(source, target)
            resampler(noise(source // 50 + 7))
            resampler.reset()
            stream = noise(source // 10, seed=5)
            np.testing.assert_array_equal(resampler(stream), Resampler(source, target)(stream))

    def test_memory(self) -> None:
        """Working memory for minutes is not kept by a stream that lasts."""
        resampler = Resampler(8_000, RATE)
        resampler(noise(160_000))
        self.assertLess(resampler._scratch.input.nbytes, 10_000)

    def test_own_result(self) -> None:
        """What was handed out is not changed by the next chunk."""
        resampler = Resampler(8_000, RATE)
        first = resampler(noise(160))
        kept = first.copy()
        resampler(noise(160, seed=3))
        np.testing.assert_array_equal(first, kept)

    def test_independent(self) -> None:
        """Two streams of the same rates do not hear each other."""
        one, other = Resampler(8_000, RATE), Resampler(8_000, RATE)
        stream = noise(480)
        mixed = []
        for at in range(0, 480, 160):
            mixed.append(one(stream[at : at + 160]))
            other(noise(160, seed=at + 2))
        np.testing.assert_array_equal(np.concatenate(mixed), Resampler(8_000, RATE)(stream))


class Quality(SynchronousTestCase):
    def test_telephone_band(self) -> None:
        """Every tone of a telephone passes at its level, all else 50 dB below it."""
        for (source, target), frequency in itertools.product(PAIRS, TELEPHONE_BAND):
            out = in_frames(sine(frequency, source, 0.4), source, target)[target // 50 :]
            tone, rest = tone_and_rest(out, frequency, target)
            where = f"{frequency} Hz, {source} -> {target}"
            self.assertLess(abs(decibels(tone / rms(sine(frequency, source, 0.4)))), 0.3, where)
            self.assertLess(decibels(rest / tone), -50, where)

    def test_images(self) -> None:
        """8 -> 16 kHz: what mirrors the telephone band above 4 kHz is 55 dB down."""
        for frequency in TELEPHONE_BAND:
            out = in_frames(sine(frequency, 8_000, 0.4), 8_000, RATE)[FRAME:]
            tone, _ = tone_and_rest(out, frequency, RATE)
            image, _ = tone_and_rest(out, 8_000 - frequency, RATE)
            self.assertLess(decibels(image / tone), -55)

    def test_aliases(self) -> None:
        """On the way down, what cannot be said at the lower rate is gone, not folded."""
        for source, target, frequency in (
            (RATE, 8_000, 4_700.0),
            (RATE, 8_000, 7_000.0),
            (48_000, RATE, 9_500.0),
            (48_000, RATE, 15_900.0),
            (44_100, RATE, 12_000.0),
            (192_000, RATE, 60_000.0),
        ):
            tone = sine(frequency, source, 0.4)
            out = in_frames(tone, source, target)[target // 50 :]
            self.assertLess(decibels(rms(out) / rms(tone)), -50, f"{frequency} from {source}")

    def test_there_and_back(self) -> None:
        """8 -> 16 -> 8 kHz of a voice-like signal: only the delay remains, 40 dB clean."""
        voice = sum(sine(f, 8_000, 0.5, 2500).astype(int) for f in (310, 620, 1240, 2480))
        signal = np.asarray(voice, np.int16)
        back = in_frames(in_frames(signal, 8_000, RATE), RATE, 8_000)
        delay = 28  # samples: 14 each way
        error = back[delay + 80 :].astype(int) - signal[80:-delay].astype(int)
        self.assertLess(decibels(rms(error.astype(float)) / rms(signal)), -40)

    def test_delay(self) -> None:
        """A click comes out when `delay` says: within 2 ms where 8 kHz is involved."""
        for source, target in PAIRS:
            click = np.zeros(source // 25, np.int16)
            click[source // 100] = 20_000
            resampler = Resampler(source, target)
            peak = int(np.argmax(resampler(click))) / target
            self.assertApproximates(peak - 0.01, resampler.delay, 1.01 / min(source, target))
            self.assertLess(resampler.delay, 0.002)

    def test_one_shot_in_place(self) -> None:
        """A one-shot has no delay: a click stays where it was, at the very end too."""
        for source, target in PAIRS:
            for at in (0.0, 0.01, 0.0395):
                click = np.zeros(source // 25, np.int16)
                click[round(source * at)] = 20_000
                peak = int(np.argmax(resample_all(click, source, target))) / target
                self.assertApproximates(peak, at, 1.01 / min(source, target))

    def test_no_level_lost(self) -> None:
        """A constant stays that constant: each phase has a gain of one."""
        for source, target in PAIRS:
            out = Resampler(source, target)(np.full(source // 10, 12_345, np.int16))
            self.assertEqual(set(out[target // 50 :].tolist()), {12_345})

    def test_overshoot(self) -> None:
        """A full-scale square overshoots the range, and is clipped instead of wrapped."""
        square = np.where(np.arange(800) // 40 % 2, 32767, -32768).astype(np.int16)
        out = Resampler(8_000, RATE)(square)[200:]
        high = (np.arange(1600) - 28) // 80 % 2 == 1
        middle = np.abs((np.arange(1600) - 28) % 80 - 40) < 20
        self.assertGreater(int(out[(high & middle)[200:]].min()), 25_000)
        self.assertEqual(int(out.max()), 32767)


class Choruses(SynchronousTestCase):
    """Many streams at once."""

    def test_same_bits(self) -> None:
        """Each stream comes out as by itself, clipped where it must be, also after odd pieces."""
        random = np.random.default_rng(5)
        for source, size in ((8_000, 160), (12_000, 240), (24_000, 480), (44_100, 882)):
            for count in (1, 3, 40):
                chorus = Chorus(source, RATE, size)
                together = [Resampler(source, RATE) for _ in range(count)]
                alone = [Resampler(source, RATE) for _ in range(count)]
                for turn in range(5):
                    frames = random.integers(-32768, 32768, (count, size)).astype(np.int16)
                    expected = [one(frame) for one, frame in zip(alone, frames, strict=True)]
                    if turn == 2:
                        for one, frame in zip(together, frames, strict=True):
                            one(frame[:77])
                            one(frame[77:])
                        continue
                    np.testing.assert_array_equal(chorus(together, frames), expected)

    def test_aligned(self) -> None:
        """A stream with an unfinished block says so."""
        resampler = Resampler(24_000, RATE)
        self.assertTrue(resampler.aligned)
        resampler(np.zeros(481, np.int16))
        self.assertFalse(resampler.aligned)
        resampler(np.zeros(479, np.int16))
        self.assertTrue(resampler.aligned)

    def test_refused(self) -> None:
        """Rates that need none, and frames that are no whole number of rows."""
        for source, size in ((RATE, 320), (8_000, 161), (44_100, 880)):
            with self.assertRaises(ValueError):
                Chorus(source, RATE, size)
