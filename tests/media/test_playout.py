"""Playout: every frame once, and in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME
from rapida_tw.media.playout import Playout
from tests.media.frames import beat, frames


class WritingTests(SynchronousTestCase):
    """From a voice's pieces to frames."""

    @given(st.lists(st.integers(0, 3 * FRAME), max_size=12))
    def test_any_pieces(self, sizes: list[int]) -> None:
        """However a voice cuts its audio, the same samples are sent, then silence to the frame."""
        samples = np.arange(1, sum(sizes) + 1, dtype=np.int16)
        playout = Playout()
        at = 0
        for size in sizes:
            playout.write(samples[at : at + size])
            at += size
        playout.finish()
        sent = []
        while (frame := playout.take()) is not None:
            self.assertEqual((frame.dtype, frame.shape), (np.dtype(np.int16), (FRAME,)))
            sent.append(frame)
        padded = np.concatenate((samples, np.zeros(-len(samples) % FRAME, np.int16)))
        np.testing.assert_array_equal(np.concatenate((*sent, np.zeros(0, np.int16))), padded)

    def test_rest_waits(self) -> None:
        """Less than a frame is not sent before the phrase is complete."""
        playout = Playout()
        playout.write(np.ones(FRAME - 1, np.int16))
        self.assertEqual((playout.queued, playout.take()), (0, None))
        playout.finish()
        self.assertEqual(playout.queued, 1)

    def test_counts(self) -> None:
        """`queued` and `spoken` count frames before and after they are taken."""
        playout = Playout()
        playout.write(frames(3))
        beat(playout)
        self.assertEqual((playout.queued, playout.spoken), (2, 1))


class PauseTests(SynchronousTestCase):
    """Falling silent, and going on."""

    def test_nothing_while_paused(self) -> None:
        """A paused playout sends nothing; what is written meanwhile waits."""
        playout = Playout()
        playout.write(frames(2))
        playout.pause()
        playout.write(frames(1, first=3))
        self.assertEqual([beat(playout) for _ in range(3)], [[], [], []])
        playout.resume()
        self.assertEqual([beat(playout) for _ in range(4)], [[1], [2], [3], []])

    def test_lead_is_taken_back(self) -> None:
        """What the far side had buffered, and forgets, is sent again."""
        playout = Playout()
        playout.set_lead(5)
        playout.write(frames(20))
        self.assertEqual(beat(playout, 5), [1, 2, 3, 4, 5, 6])
        self.assertEqual(beat(playout, 5), [7])
        playout.pause()  # 1 was played, 2 is being played
        playout.resume()
        self.assertEqual(beat(playout, 5), [3, 4, 5, 6, 7, 8])

    def test_lead_that_has_been_played(self) -> None:
        """Frames that were played out are not said again after a pause."""
        playout = Playout()
        playout.set_lead(5)
        playout.write(frames(3))
        beat(playout, 5)
        for _ in range(4):
            beat(playout, 5)
        playout.pause()
        playout.resume()
        self.assertEqual(beat(playout, 5), [])

    def test_pausing_twice(self) -> None:
        """A second pause takes nothing more back."""
        playout = Playout()
        playout.set_lead(5)
        playout.write(frames(9))
        beat(playout, 5)
        playout.pause()
        queued = playout.queued
        playout.pause()
        self.assertEqual(playout.queued, queued)

    def test_clear(self) -> None:
        """After a clear nothing is left, and the next reply starts from the beginning."""
        playout = Playout()
        playout.set_lead(5)
        playout.begin("Gone.")
        playout.write(frames(9)[:-7])
        beat(playout, 5)
        playout.pause()
        playout.clear()
        self.assertEqual((playout.queued, playout.spoken), (0, 0))
        self.assertFalse(playout.busy)
        self.assertFalse(playout.paused)
        playout.write(frames(1, first=50))
        self.assertEqual(beat(playout, 5), [50])
        self.assertEqual(playout.heard(), {})

    def test_lead_may_change(self) -> None:
        """A call that changes to a leg without a buffer goes on with the next frame."""
        playout = Playout()
        playout.set_lead(5)
        playout.write(frames(20))
        beat(playout, 5)
        playout.set_lead(0)
        playout.pause()
        playout.resume()
        self.assertEqual(beat(playout), [7])


@dataclass
class FarSide:
    """A carrier that buffers what it is sent and plays a frame a beat."""

    buffer: list[int] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)  # whole frames
    playing: int | None = None

    def receive(self, sent: list[int]) -> None:
        self.buffer += sent
        if self.playing is None and self.buffer:
            self.playing = self.buffer.pop(0)

    def play(self) -> None:
        """20 ms have passed."""
        if self.playing is not None:
            self.heard.append(self.playing)
        self.playing = self.buffer.pop(0) if self.buffer else None

    def clear(self) -> None:
        """Forgets what it buffered; the frame that is being played is heard to its end."""
        self.buffer.clear()


_OPERATIONS = st.lists(
    st.sampled_from(["beat"] * 6 + ["write", "write", "pause", "resume", "clear"]), max_size=80
)


class AnyOrderTests(SynchronousTestCase):
    """Whatever happens in whatever order."""

    @given(st.sampled_from((0, 1, 5)), _OPERATIONS)
    def test_nothing_lost(self, lead: int, operations: list[str]) -> None:
        """The caller hears each frame, in order; a pause repeats at most one of them.

        And the ledger agrees with the caller's ear to a frame.
        """
        playout = Playout()
        playout.set_lead(lead)
        far = FarSide()
        written = 0
        pauses = 0
        for operation in [*operations, "resume", *["beat"] * 300]:
            if operation == "beat":
                far.play()
                far.receive(beat(playout, lead))
                self.assertLessEqual(len(far.buffer), lead)
            elif operation == "write":
                playout.write(frames(3, first=written + 1))
                written += 3
            elif operation == "pause":
                pauses += not playout.paused
                playout.pause()
                far.clear() if lead else None
            elif operation == "resume":
                playout.resume()
            else:
                said = playout.spoken - playout._ahead
                self.assertLessEqual(abs(said - len(set(far.heard))), 1 + pauses)
                playout.clear()
                far = FarSide()
                playout.write(frames(3))
                written, pauses = 3, 0
        self.assertEqual(sorted(set(far.heard)), list(range(1, written + 1)))
        repeated = len(far.heard) - len(set(far.heard))
        self.assertLessEqual(repeated, pauses)
        steps = {after - before for before, after in pairwise(far.heard)}
        self.assertLessEqual(steps, {0, 1})  # nothing skipped, nothing but one frame again
        self.assertFalse(playout.busy)
