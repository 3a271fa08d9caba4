"""Playout: every frame once and in order, and a true account of what was heard."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, Samples
from rapida_tw.media.playout import HIGH_WATER, LOW_WATER, Playout


def frames(count: int, first: int = 1) -> Samples:
    """So many frames, each filled with its own number."""
    return np.repeat(np.arange(first, first + count, dtype=np.int16), FRAME)


def number(frame: Samples | None) -> int | None:
    return None if frame is None else int(frame[0])


def beat(playout: Playout, lead: int = 0) -> list[int]:
    """One beat as the session makes it: the numbers of the frames sent in it."""
    playout.played()
    sent = []
    while playout.behind(lead) and (frame := playout.take()) is not None:
        sent.append(int(frame[0]))
    return sent


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


class HeardTests(SynchronousTestCase):
    """The words that the caller has heard."""

    def playout(self, text: str, count: int, lead: int = 0) -> Playout:
        playout = Playout()
        playout.set_lead(lead)
        playout.begin(text, 7)
        playout.write(frames(count))
        playout.finish()
        return playout

    def test_all(self) -> None:
        """A phrase is heard when its last frame has been played, not when it was sent."""
        playout = self.playout("One two.", 10)
        for _ in range(10):
            beat(playout)
        self.assertEqual(playout.heard(), {7: "One"})
        playout.played()
        self.assertEqual(playout.heard(), {7: "One two."})

    def test_any_cut(self) -> None:
        """At each cut the words are a beginning of the text, whole words, and never fewer."""
        text = "Twenty-five  people, in\nfour rooms: yes.\tAll of them!"
        words = text.split()
        before = 0
        for cut in range(1, 101):
            playout = self.playout(text, 100)
            for _ in range(cut):
                beat(playout)
            said = playout.clear().get(7, "")
            count = len(said.split())
            self.assertTrue(text.startswith(said), said)
            self.assertEqual(said.split(), words[:count])
            self.assertLessEqual(before, count)
            before = count
        self.assertEqual(before, len(words))

    def test_lines(self) -> None:
        """Words are parted by any white space, not by blanks alone."""
        playout = self.playout("one\ntwo\nthree", 13)
        for _ in range(10):
            beat(playout)
        self.assertEqual(playout.clear(), {7: "one\ntwo"})

    def test_still_being_made(self) -> None:
        """While the voice is writing, what a text takes to say is estimated: not all is heard."""
        playout = Playout()
        playout.begin("one two three four five six seven eight nine ten", 7)
        playout.write(frames(30))
        for _ in range(30):
            beat(playout)
        heard = playout.clear()[7]
        self.assertTrue(heard.startswith("one"))
        self.assertNotIn("seven", heard)

    def test_failed_voice(self) -> None:
        """A phrase of which no sample came was not heard."""
        playout = self.playout("Never said.", 0)
        self.assertEqual(playout.clear(), {})

    def test_parts(self) -> None:
        """Phrases of one message are joined, messages are told apart, the unheard is left out."""
        playout = self.playout("One.", 5)
        for text, part in (("Two.", 7), ("Three.", 8), ("Four.", 9)):
            playout.begin(text, part)
            playout.write(frames(5))
            playout.finish()
        for _ in range(15):
            beat(playout)
        self.assertEqual(playout.clear(), {7: "One. Two.", 8: "Three."})

    def test_lead_is_not_heard(self) -> None:
        """What waits in the far side's buffer has not been heard; a clear drops it."""
        playout = self.playout("One two three four five.", 6, lead=5)
        self.assertEqual(len(beat(playout, 5)), 6)
        self.assertEqual(playout.heard(), {})
        self.assertNotIn("five", playout.clear().get(7, ""))

    def test_paused(self) -> None:
        """A pause alone does not change what was heard by more than the frame being played."""
        playout = self.playout("One two three four five.", 24)
        for _ in range(12):
            beat(playout)
        playout.pause()
        self.assertEqual(playout.heard(), {7: "One two"})
        playout.resume()
        for _ in range(13):
            beat(playout)
        self.assertEqual(playout.heard(), {7: "One two three four five."})


class WaitingTests(SynchronousTestCase):
    """Who waits for room, and who for the end."""

    def full(self) -> Playout:
        playout = Playout()
        playout.write(frames(HIGH_WATER))
        return playout

    def play(self, playout: Playout, count: int) -> None:
        for _ in range(count):
            beat(playout)

    def test_room_at_once(self) -> None:
        """Below the high water mark there is room."""
        playout = Playout()
        playout.write(frames(HIGH_WATER - 1))
        self.assertIsNone(self.successResultOf(playout.room()))

    def test_room_later(self) -> None:
        """A voice that is too far ahead waits until little is left; both of two do."""
        playout = self.full()
        waiting = [playout.room(), playout.room()]
        self.play(playout, HIGH_WATER - LOW_WATER)
        for one in waiting:
            self.assertNoResult(one)
        self.play(playout, 1)
        for one in waiting:
            self.assertIsNone(self.successResultOf(one))

    def test_room_cancelled(self) -> None:
        """Who gives up waiting is not called; who still waits is."""
        playout = self.full()
        first, second = playout.room(), playout.room()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.play(playout, HIGH_WATER)
        self.assertIsNone(self.successResultOf(second))

    def test_room_after_clear(self) -> None:
        """A clear makes room."""
        playout = self.full()
        waiting = playout.room()
        playout.clear()
        self.assertIsNone(self.successResultOf(waiting))

    def test_drained_at_once(self) -> None:
        """Nothing to say is said."""
        self.assertIsNone(self.successResultOf(Playout().drained()))

    def test_drained_when_played(self) -> None:
        """Said is what was played, a beat after it was sent; all who wait are told."""
        playout = Playout()
        playout.write(frames(2))
        waiting = [playout.drained(), playout.drained()]
        self.play(playout, 2)
        self.assertNoResult(waiting[0])
        self.play(playout, 1)
        for one in waiting:
            self.assertIsNone(self.successResultOf(one))

    def test_drained_with_lead(self) -> None:
        """With a buffer at the far side that is as many beats as frames, however early sent."""
        playout = Playout()
        playout.set_lead(5)
        playout.write(frames(4))
        waiting = playout.drained()
        for _ in range(4):
            beat(playout, 5)
        self.assertNoResult(waiting)
        beat(playout, 5)
        self.assertIsNone(self.successResultOf(waiting))

    def test_drained_waits_for_pause(self) -> None:
        """A paused playout is not drained, however long the pause."""
        playout = Playout()
        playout.write(frames(2))
        waiting = playout.drained()
        playout.pause()
        self.play(playout, 100)
        self.assertNoResult(waiting)
        playout.clear()
        self.assertIsNone(self.successResultOf(waiting))

    def test_drained_cancelled(self) -> None:
        """Who gives up waiting is not called."""
        playout = Playout()
        playout.write(frames(1))
        first, second = playout.drained(), playout.drained()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.play(playout, 2)
        self.assertIsNone(self.successResultOf(second))

    def test_cancelling_each_other(self) -> None:
        """One of two who wait may cancel the other when it is called: one is called, no error."""
        playout = Playout()
        playout.write(frames(1))
        first, second = playout.drained(), playout.drained()
        first.addCallback(lambda _: second.cancel())
        self.play(playout, 2)
        self.successResultOf(first)
        self.failureResultOf(second, CancelledError)

    def test_waiting_anew(self) -> None:
        """Who says something more when all was said, waits for that too."""
        playout = Playout()
        playout.write(frames(1))
        again: list[Deferred[None]] = []

        def go_on(_: None) -> None:
            playout.write(frames(1))
            again.append(playout.drained())

        playout.drained().addCallback(go_on)
        self.play(playout, 2)
        self.assertNoResult(again[0])
        self.play(playout, 1)
        self.successResultOf(again[0])
