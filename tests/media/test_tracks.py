from __future__ import annotations

import wave
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, Samples
from rapida_tw.audio.wav import StereoWav
from rapida_tw.media.tracks import AHEAD, Batch, CallerTrack, TrackWriter

# Quarters of a tick between two arrivals: steady, in bursts, and pauses of up to 3 s.
STEPS = st.integers(0, 9) | st.sampled_from((0, 0, 0, 0, 4, 4, 4, 4, 40, 120, 600))


def frame(value: int) -> Samples:
    """A frame that can be told from others by its samples."""
    return np.full(FRAME, value, np.int16)


def placed(arrivals: list[int], first_tick: int = 0, every: int = 50) -> list[tuple[int, int]]:
    """(place, frame's number) of frames that arrive in these ticks, asked once a second."""
    track = CallerTrack(first_tick)
    found: list[tuple[int, Samples]] = []
    given = 0
    for now in range(first_tick + every, arrivals[-1] + every, every):
        upto = bisect_right(arrivals, now)
        batch = [(arrivals[i], np.array([i // 30_000, i % 30_000])) for i in range(given, upto)]
        found += track.place(now, batch, last=upto == len(arrivals))
        given = upto
    return [(tick, int(name[0]) * 30_000 + int(name[1])) for tick, name in found]


class Places(SynchronousTestCase):
    def test_steady(self) -> None:
        """Frames on time are where they arrived."""
        self.assertEqual(placed([*range(7, 200)]), [(7 + i, i) for i in range(193)])

    def test_stall(self) -> None:
        """What waits 400 ms in the network and comes in a burst lands where it was said."""
        arrivals = [*range(100), *[120] * 21, *range(121, 300)]
        self.assertEqual(placed(arrivals), [(i, i) for i in range(300)])

    def test_stall_at_the_end(self) -> None:
        """A burst as the last thing of the call as well."""
        arrivals = [*range(100), *[120] * 21]
        self.assertEqual(placed(arrivals), [(i, i) for i in range(121)])

    def test_suppressed_silence(self) -> None:
        """Not sending for four seconds is four seconds of silence."""
        arrivals = [*range(100), *range(300, 400)]
        self.assertEqual(placed(arrivals), [(tick, i) for i, tick in enumerate(arrivals)])

    def test_jitter(self) -> None:
        """Frames that are up to three ticks late, in any pattern, are in a row."""
        random = np.random.default_rng(3)
        late = np.maximum.accumulate(np.arange(500) + random.integers(0, 4, 500))
        places = [tick for tick, _ in placed([*late.tolist()])]
        self.assertEqual(places[5:450], [*range(5, 450)])

    def test_drift(self) -> None:
        """An hour of a clock that is 200 ppm off stays within one frame, and loses but 36."""
        for drift in (200e-6, -200e-6):
            count = 180_000
            said = np.arange(count) * (1 + drift)  # in ticks, when each frame begins
            found = np.array(placed(np.floor(said + 1).astype(int).tolist()))
            error = found[:, 0] - said[found[:, 1]]
            self.assertLess(float(error.max() - error.min()), 2.05)
            self.assertLess(float(abs(error - 0.5).max()), 1.55)
            self.assertLess(count - len(found), 40)

    def test_order(self) -> None:
        """No two frames share a place, none goes back, none is before the call."""

        @given(st.lists(STEPS, min_size=1, max_size=300), st.integers(1, 80))
        def check(steps: list[int], every: int) -> None:
            arrivals = (np.cumsum(steps) // 4).tolist()
            places = [tick for tick, _ in placed(arrivals, every=every)]
            self.assertEqual(places, sorted(set(places)))
            self.assertTrue(all(0 <= place <= arrivals[-1] for place in places))

        check()

    def test_early_decisions(self) -> None:
        """What was decided with a second of knowledge is what all knowledge would decide."""

        @given(st.lists(STEPS, min_size=1, max_size=300), st.integers(1, 80))
        def check(steps: list[int], every: int) -> None:
            arrivals = (np.cumsum(steps) // 4).tolist()
            self.assertEqual(placed(arrivals, every=every), placed(arrivals, every=10**6))

        check()

    def test_settled(self) -> None:
        """What is called settled is never placed into later, and is at most 2 s old."""

        @given(st.lists(STEPS, min_size=1, max_size=300))
        def check(steps: list[int]) -> None:
            arrivals = (np.cumsum(steps) // 4).tolist()
            track = CallerTrack(0)
            for now in range(0, arrivals[-1] + 60, 10):
                settled = track.settled
                batch = [(tick, frame(1)) for tick in arrivals if now - 10 < tick <= now]
                for place, _ in track.place(now, batch, last=False):
                    self.assertGreaterEqual(place, settled)
                self.assertGreaterEqual(track.settled, now - 2 * AHEAD)

        check()


class Files(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "call.wav"

    def ticks(self) -> NDArray[np.int16]:
        """The first sample of each tick, left and right: int16[n, 2]."""
        with wave.open(str(self.path)) as file:
            data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return data.reshape(-1, FRAME, 2)[:, 0]

    def write(self, batches: Iterable[Batch], first_tick: int = 0) -> None:
        writer = TrackWriter(StereoWav(self.path), first_tick)
        self.addCleanup(writer.close)
        for batch in batches:
            writer.write(batch)

    def test_both_sides(self) -> None:
        """Caller left, assistant right, each at its tick, counted from the first."""
        caller = [(tick, frame(tick)) for tick in range(1000, 1010)]
        assistant = [(tick, frame(-tick)) for tick in range(1004, 1007)]
        self.write([Batch(1010, caller, assistant, last=True)], first_tick=1000)
        ticks = self.ticks()
        self.assertEqual(ticks[:, 0].tolist(), [*range(1000, 1010)])
        self.assertEqual(ticks[:, 1].tolist(), [0] * 4 + [-1004, -1005, -1006] + [0] * 3)

    def test_skipped_beats(self) -> None:
        """A beat that was skipped is a gap on the assistant's side, nothing moves."""
        said = [tick for tick in range(120) if tick not in (30, 31, 32, 77)]
        self.write([Batch(120, [], [(tick, frame(tick)) for tick in said], last=True)])
        right = self.ticks()[:, 1]
        self.assertEqual([at for at in range(1, 120) if right[at] == 0], [30, 31, 32, 77])
        self.assertEqual([int(right[at]) for at in said], said)

    def test_lead(self) -> None:
        """Several frames in one tick are heard one after another."""
        frames = [(5, frame(1)), (5, frame(2)), (5, frame(3)), (6, frame(4)), (20, frame(5))]
        self.write([Batch(25, [], frames, last=True)])
        self.assertEqual(self.ticks()[5:9, 1].tolist(), [1, 2, 3, 4])
        self.assertEqual(int(self.ticks()[20, 1]), 5)

    def test_cut(self) -> None:
        """What was sent ahead and cleared is not there; what is sent afterwards is in its place."""
        sent = [(5, frame(one)) for one in range(1, 7)]
        again = [(9, frame(one)) for one in range(7, 10)]
        self.write([Batch(25, [], [*sent, (7, None), *again], last=True)])
        self.assertEqual(self.ticks()[4:13, 1].tolist(), [0, 1, 2, 0, 0, 7, 8, 9, 0])

    def test_cut_goes_on(self) -> None:
        """What comes in the very tick of the cut has that place."""
        sent = [(5, frame(one)) for one in range(1, 7)]
        self.write([Batch(25, [], [*sent, (7, None), (6, frame(9)), (6, frame(8))], last=True)])
        self.assertEqual(self.ticks()[4:10, 1].tolist(), [0, 1, 2, 9, 8, 0])

    def test_cut_across_batches(self) -> None:
        """A cut reaches frames that an earlier batch brought, but not what is written."""
        sent = [(49, frame(one)) for one in range(1, 7)]
        for settled in (False, True):
            caller = [(tick, frame(1)) for tick in range(50)]
            batches = [Batch(50, [], sent), Batch(60, caller, [(51, None), (58, frame(9))])]
            if settled:
                batches = [Batch(49, [], []), Batch(53 + AHEAD, [], sent), batches[1]]
            self.write([*batches, Batch(70, [], [], last=True)])
            kept = [1, 2, 3, 4, 0] if settled else [1, 2, 0, 0, 0]
            self.assertEqual(self.ticks()[49:54, 1].tolist(), kept)
            self.assertEqual(int(self.ticks()[58, 1]), 9)

    def test_cut_later(self) -> None:
        """A cut behind all that was sent changes nothing."""
        sent = [(5, frame(1)), (5, frame(2))]
        self.write([Batch(25, [], [*sent, (20, None), (6, frame(3))], last=True)])
        self.assertEqual(self.ticks()[5:9, 1].tolist(), [1, 2, 3, 0])

    def test_trails(self) -> None:
        """The file is a second or two behind the call, and complete after the last batch."""
        batches = [
            Batch(end, [(tick, frame(tick)) for tick in range(end - 50, end)], [])
            for end in range(50, 301, 50)
        ]
        self.write(batches)
        self.assertTrue(200 <= len(self.ticks()) <= 251)
        self.write([*batches, Batch(310, [], [], last=True)])
        self.assertEqual(self.ticks()[:, 0].tolist(), [*range(300), *[0] * 10])

    def test_long_hold(self) -> None:
        """Half an hour in which nobody sent anything is that much silence."""
        self.write([Batch(90_000, [(89_999, frame(7))], [], last=True)])
        self.assertEqual(len(self.ticks()), 90_000)
        self.assertEqual(int(self.ticks()[89_999, 0]), 7)
