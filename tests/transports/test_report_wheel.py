"""When reports are due."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.transports.report_wheel import ReportWheel


class Member:
    """Notes when it reports; `act` is done at each."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.times: list[float] = []
        self.act: Callable[[], None] = lambda: None

    def report(self) -> None:
        self.times.append(self._clock.seconds())
        self.act()


class ReportWheelTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000.03)
        self.wheel = ReportWheel(self.clock, Random(3))

    def member(self) -> Member:
        member = Member(self.clock)
        self.wheel.add(member)
        return member

    def run_for(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            self.clock.advance(0.1)

    def test_intervals(self) -> None:
        """2.5 to 7.5 s apart, 5 s on average, and not all at one time."""
        members = [self.member() for _ in range(50)]
        self.run_for(300)
        gaps = [b - a for member in members for a, b in pairwise(member.times)]
        self.assertTrue(all(2.49 < gap < 7.71 for gap in gaps), (min(gaps), max(gaps)))
        self.assertTrue(4.9 < sum(gaps) / len(gaps) < 5.2)
        self.assertGreater(len({member.times[0] for member in members}), 20)

    def test_first(self) -> None:
        """The first report is there in half of the time."""
        members = [self.member() for _ in range(50)]
        self.run_for(8)
        first = [member.times[0] - 1000.03 for member in members]
        self.assertTrue(all(1.24 < gap < 3.96 for gap in first), (min(first), max(first)))

    def test_one_timer(self) -> None:
        """However many there are; and none when there are none."""
        self.assertEqual(self.clock.getDelayedCalls(), [])
        members = [self.member() for _ in range(100)]
        self.run_for(10)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        for member in members:
            self.wheel.remove(member)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual((len(self.wheel), self.wheel._coming), (0, []))

    def test_removed(self) -> None:
        """It reports no more; removing it again, or a stranger, does nothing."""
        member, other = self.member(), self.member()
        self.wheel.remove(member)
        self.wheel.remove(member)
        self.wheel.remove(Member(self.clock))
        self.run_for(10)
        self.assertEqual(member.times, [])
        self.assertTrue(other.times)

    def test_added_twice(self) -> None:
        """It has one place."""
        member = self.member()
        self.wheel.add(member)
        self.run_for(50)
        self.assertLess(len(member.times), 20)
        self.assertTrue(all(b - a > 2 for a, b in pairwise(member.times)))

    def test_removed_by_its_report(self) -> None:
        """Also the last one, and one that another removes."""
        first, second = self.member(), self.member()
        first.act = lambda: (self.wheel.remove(first), self.wheel.remove(second))[0]
        second.act = first.act
        self.run_for(20)
        self.assertEqual(len(first.times) + len(second.times), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_added_by_a_report(self) -> None:
        """A new one has its turn, also when the wheel had just become empty."""
        first, second = self.member(), Member(self.clock)

        def hand_over() -> None:
            self.wheel.remove(first)
            self.wheel.add(second)

        first.act = hand_over
        self.run_for(30)
        self.assertEqual(len(first.times), 1)
        self.assertTrue(second.times)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_error(self) -> None:
        """A report that fails does not stop the others, nor the next one."""
        bad, good = self.member(), self.member()
        bad.act = lambda: [][0]
        self.run_for(20)
        self.assertGreater(len(bad.times), 1)
        self.assertGreater(len(good.times), 1)
        self.assertEqual(len(self.flushLoggedErrors(IndexError)), len(bad.times))

    def test_stall(self) -> None:
        """After a stall each reports once, not once for each that was missed."""
        members = [self.member() for _ in range(20)]
        self.clock.advance(60)
        self.assertEqual({len(member.times) for member in members}, {1})
