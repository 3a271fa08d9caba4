"""The ledger of what was heard, by the beat and by marks, against a far side that buffers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME
from rapida_tw.media.marks import PATIENCE
from rapida_tw.media.playout import Playout
from tests.media.far_side import FarSide

KEPT = 50  # frames beyond the lead that can be said again


class Line:
    """A playout, its far side, and the beat between them; each frame is a phrase: its number."""

    def __init__(self, lead: int, far: FarSide | None = None) -> None:
        self.lead = lead
        self.far = far or FarSide()
        self.playout = Playout()
        self.playout.set_lead(lead)
        self.playout.forget = self._forget
        self.far.told = self.playout.mark_heard
        self.written = 0
        self.forgotten: list[int] = []

    def _forget(self, frames: int) -> None:
        self.forgotten.append(frames)
        self.far.clear()

    def write(self, count: int = 3) -> None:
        for _ in range(count):
            self.written += 1
            self.playout.begin(str(self.written))
            self.playout.write(np.full(FRAME, self.written, np.int16))
            self.playout.finish()

    def beat(self, plays: bool = True) -> None:
        """As the session makes it."""
        if plays:
            self.far.play()
        self.playout.played()
        while self.playout.behind(self.lead) and (frame := self.playout.take()) is not None:
            self.far.receive(int(frame[0]))
            if self.lead and (name := self.playout.mark()) is not None:
                self.far.mark(name)

    def beats(self, count: int) -> None:
        for _ in range(count):
            self.beat()


def words(said: dict[int, str]) -> list[int]:
    return [int(word) for word in said.get(0, "").split()]


class HeardTests(SynchronousTestCase):
    """What counts as heard."""

    def positions(self, late: int, count: int, lose: tuple[str, ...] = ()) -> list[int]:
        line = Line(5)
        line.far.late, line.far.lose = late, lose.__contains__
        line.write(40)
        found = []
        for _ in range(count):
            line.beat()
            found.append(line.playout.position)
        return found

    def test_in_time(self) -> None:
        """Marks that come in time change nothing: a frame a beat."""
        self.assertEqual(self.positions(0, 42), [*range(41), 40])

    def test_late(self) -> None:
        """A late mark holds the position at the frame before it; then the beat is right again."""
        found = self.positions(7, 60)
        self.assertEqual(found[:25], [*range(25)])
        self.assertEqual(found[25:32], [24] * 7)
        self.assertEqual(found[32:40], [*range(32, 40)])
        self.assertEqual(found[40:48], [39] * 7 + [40])

    def test_lost(self) -> None:
        """A lost mark is made up for by the next; the last one is given up after two seconds."""
        found = self.positions(0, 60, lose=("0.25",))
        self.assertEqual(found[25:42], [24] * 15 + [40] * 2)
        found = self.positions(0, 45 + PATIENCE, lose=("0.40",))
        self.assertEqual(found[40:41] + found[39 + PATIENCE :], [39, 39, *[40] * 5])

    def test_early(self) -> None:
        """A far side that is ahead of the beat is followed by a frame a mark, as clocks drift."""
        playout = Playout()
        playout.set_lead(5)
        playout.write(np.zeros(10 * FRAME, np.int16))
        for _ in range(5):
            playout.played()
            while playout.behind(5) and playout.take() is not None:
                name = playout.mark()
        self.assertEqual((name, playout.position), ("0.10", 4))
        playout.mark_heard("0.10")
        positions = []
        for _ in range(3):
            playout.played()
            positions.append(playout.position)
        self.assertEqual(positions, [6, 7, 8])

    def test_at_once(self) -> None:
        """One that gives marks back at once does not make us speak faster than by that."""
        playout = Playout()
        playout.set_lead(5)
        playout.write(np.zeros(500 * FRAME, np.int16))
        sent = 0
        for _ in range(200):
            playout.played()
            while playout.behind(5) and playout.take() is not None:
                sent += 1
                if (name := playout.mark()) is not None:
                    playout.mark_heard(name)
        self.assertLessEqual(sent, 200 + 6 + 200 // 25)

    def test_drained(self) -> None:
        """The end is the last mark, not the beat's guess; the beat after the mark tells it."""
        line = Line(5)
        line.far.late = 20
        line.write(10)
        waiting = line.playout.drained()
        line.beats(30)
        self.assertNoResult(waiting)
        self.assertTrue(line.playout.busy)
        line.beat()
        self.successResultOf(waiting)
        self.assertFalse(line.playout.busy)

    def test_drained_without_marks(self) -> None:
        """A far side that knows no marks delays the end by two seconds, three times."""
        line = Line(5)
        line.far.lose = lambda name: True
        lengths = []
        for _ in range(5):
            line.write(10)
            waiting = line.playout.drained()
            beats = 0
            while not waiting.called:
                line.beat()
                beats += 1
            line.playout.clear()
            lengths.append(beats)
        self.assertEqual(lengths, [11 + PATIENCE] * 3 + [11, 11])
        self.assertEqual(len(line.far.asked), 3)

    def test_forged(self) -> None:
        """Invented, repeated and old names neither raise nor move anything."""
        line = Line(5)
        line.far.late = 1000
        line.write(60)
        line.beats(30)
        line.playout.mark_heard("0.25")
        at = line.playout.position
        for name in ("0.25", "0.60", "0.9999999", "1.50", "-1.5", "nonsense", "0.", ""):
            line.playout.mark_heard(name)
            self.assertEqual(line.playout.position, at)

    def test_silent_far_side(self) -> None:
        """Words of which no mark tells were not heard: history ends before them."""
        line = Line(5)
        line.far.late = 1000
        line.write(60)
        line.beats(45)
        self.assertEqual(words(line.playout.clear()), [*range(1, 25)])


class ForgetTests(SynchronousTestCase):
    """When the far side is told to forget."""

    def test_when(self) -> None:
        """Exactly when it has something that was not heard, by its number."""
        line = Line(5)
        line.playout.pause()
        line.playout.resume()
        line.playout.clear()
        self.assertEqual(line.forgotten, [])
        line.write(20)
        line.beats(3)  # 8 sent, 2 played, the third is being played
        line.playout.pause()
        self.assertEqual(line.forgotten, [5])
        line.playout.pause()
        line.playout.clear()
        self.assertEqual(line.forgotten, [5])
        line.write(20)
        line.beats(3)
        line.playout.clear()
        self.assertEqual(line.forgotten, [5, 5])

    def test_late_far_side(self) -> None:
        """A far side that is up to a second late is sent again all that it has not confirmed."""
        line = Line(5)
        line.far.late = 1000
        line.write(90)
        line.beats(70)
        line.playout.pause()
        line.playout.resume()
        line.far.heard.clear()
        line.beats(70)
        self.assertEqual(line.forgotten, [KEPT + 1])
        self.assertEqual(line.far.heard[:3], [70, 25, 26])

    def test_last_frame(self) -> None:
        """Not for the frame that is being played, nor when all has been heard."""
        for beats in (3, 4):
            line = Line(5)
            line.write(3)
            line.beats(beats)
            line.playout.pause()
            self.assertEqual(words(line.playout.clear()), [1, 2, 3])
            self.assertEqual(line.forgotten, [])

    def test_unconfirmed(self) -> None:
        """For what the beat takes for played, but no mark has confirmed: it may be yet to come."""
        line = Line(5)
        line.far.late = 30
        line.write(3)
        line.beats(8)
        self.assertEqual(words(line.playout.clear()), [1, 2])
        self.assertEqual(line.forgotten, [1])

    def test_no_lead(self) -> None:
        """Never where nothing is sent ahead."""
        line = Line(0)
        line.write(10)
        line.beats(3)
        line.playout.pause()
        line.playout.resume()
        line.beats(2)
        line.playout.clear()
        self.assertEqual((line.forgotten, line.far.asked), ([], []))

    def test_lead_is_gone(self) -> None:
        """Marks are not awaited on a leg that has lost its buffer."""
        line = Line(5)
        line.far.late = 1000
        line.write(3)
        line.beats(2)
        line.playout.set_lead(0)
        line.lead = 0
        line.beats(2)
        self.assertFalse(line.playout.busy)
        line = Line(5)
        line.write(9)
        line.beats(2)
        line.playout.set_lead(0)
        line.playout.clear()
        self.assertEqual(line.forgotten, [])

    def test_given_back_at_once(self) -> None:
        """A carrier that gives back all marks at a clear has not played them."""
        line = Line(5)
        line.far.echoes = True
        line.write(6)
        line.beat()
        line.playout.pause()
        line.far.deliver()
        self.assertEqual(line.playout.position, 1)
        line.playout.resume()
        line.beats(8)
        self.assertEqual(line.far.heard, [1, 2, 3, 4, 5, 6])
        self.assertFalse(line.playout.busy)


OPERATIONS = st.lists(
    st.sampled_from(["beat"] * 8 + ["write", "write", "pause", "resume", "clear"]), max_size=80
)
NAMES = st.sampled_from(["0.25", "1.3", "2.6", "3.", "x", "0.6", "1.6"]) | st.integers(0, 9)


class AnyOrderTests(SynchronousTestCase):
    """Whatever happens in whatever order."""

    def run_(self, line: Line, operations: list[str | int]) -> tuple[set[int], int, int]:
        """Do all, then play to the end: frames that were told as heard, clears' first, pauses."""
        playout, far = line.playout, line.far
        said: set[int] = set()
        pauses = first = at = 0
        for operation in operations:
            if operation == "clear":
                said.update(words(playout.clear()))
                first, at = line.written, 0
            elif operation == "pause":
                pauses += not playout.paused
                playout.pause()
            elif operation == "resume":
                playout.resume()
            elif operation == "write":
                line.write()
            elif operation == "beat":
                line.beat()
            elif operation == "stall":
                line.beat(plays=False)
            elif isinstance(operation, int):  # any mark that was ever asked for
                playout.mark_heard(far.asked[operation % len(far.asked)] if far.asked else "")
            else:
                playout.mark_heard(operation)
            self.assertLessEqual(at, playout.position)
            at = playout.position
            self.assertLessEqual(at, playout.spoken)
            self.assertLessEqual(playout.spoken, line.written - first)
        playout.resume()
        waiting = playout.drained()
        line.beats(playout.queued + line.lead + PATIENCE + KEPT)
        self.successResultOf(waiting)
        self.assertFalse(playout.busy)
        told = words(playout.heard())
        self.assertEqual(told, [*range(first + 1, line.written + 1)])
        return said.union(told), first, pauses

    @given(st.sampled_from((0, 1, 5)), st.booleans(), OPERATIONS)
    def test_marks_in_time(self, lead: int, echoes: bool, operations: list[str | int]) -> None:
        """The caller hears each frame, in order, a pause repeats none; the ledger knows exactly."""
        line = Line(lead)
        line.far.echoes = echoes
        said, _, _ = self.run_(line, operations)
        self.assertEqual(line.far.heard, sorted(said))
        self.assertLessEqual(line.far.deepest, lead + 1)

    @given(
        st.sampled_from((1, 5)),
        st.booleans(),
        st.sampled_from((0, 4, 40, PATIENCE + 20)),
        st.lists(st.booleans(), min_size=1, max_size=9),
        OPERATIONS,
    )
    @example(5, False, 0, [True], ["write"] * 30 + ["beat"] * 60 + ["pause", "resume", "clear"])
    def test_marks_lost(
        self, lead: int, echoes: bool, late: int, lost: list[bool], operations: list[str | int]
    ) -> None:
        """With marks lost or late no frame is lost, none is counted that was not heard.

        What is repeated is no more than is kept for it.
        """
        line = Line(lead)
        line.far.echoes, line.far.late = echoes, late
        line.far.lose = lambda name: lost[len(line.far.asked) % len(lost)]
        said, first, pauses = self.run_(line, operations)
        heard = line.far.heard
        self.assertLessEqual(said, set(heard))
        self.assertLessEqual({*range(first + 1, line.written + 1)}, set(heard))
        self.assertLessEqual(len(heard) - len(set(heard)), pauses * (lead + KEPT))
        if "clear" not in operations:
            self.assertLessEqual(max((b - a for a, b in pairwise(heard)), default=1), 1)

    @given(
        st.sampled_from((0, 1, 5)),
        st.lists(st.sampled_from(("beat", "beat", "beat", "stall", "write")) | NAMES, max_size=40),
        st.lists(
            st.sampled_from(("beat", "beat", "stall", "write", "pause", "resume", "clear")) | NAMES,
            max_size=60,
        ),
    )
    def test_rogue(self, lead: int, begin: list[str | int], then: list[str | int]) -> None:
        """A far side that stands still and says anything: all is sent, and the end comes."""
        line = Line(lead)
        line.write(40)
        self.run_(line, [*begin, *then])
