"""Ids: unique, in the order of time, and fit for a database."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import BadRequest
from rapida_tw.ids import LARGEST, Ids, parse_id

NOW = 1_800_000_000.0


class IdsTests(SynchronousTestCase):
    def test_unique_within_a_millisecond(self) -> None:
        """Any number of ids made at the same moment differ and rise."""
        ids = Ids(lambda: NOW)
        made = [ids.new() for _ in range(5000)]
        self.assertEqual(made, sorted(set(made)))

    def test_order_of_time(self) -> None:
        """What is made a millisecond later is larger, whatever the random part was."""
        clock = Clock()
        clock.advance(NOW)
        largest_first = iter([2**21 - 1, 0])
        ids = Ids(clock.seconds, lambda bound: next(largest_first))
        before = ids.new()
        clock.advance(0.0011)
        self.assertGreater(ids.new(), before)

    def test_clock_set_back(self) -> None:
        """A clock that is set back does not bring an id again."""
        times = iter([NOW, NOW - 3600])
        ids = Ids(lambda: next(times))
        self.assertLess(ids.new(), ids.new())

    def test_two_nodes(self) -> None:
        """Nodes that know nothing of each other do not meet in the same millisecond."""
        one, other = Ids(lambda: NOW), Ids(lambda: NOW)
        self.assertNotEqual(one.new(), other.new())

    @given(st.floats(0, 3_800_000_000))
    def test_fits(self, now: float) -> None:
        """Positive and within 63 bits until the year 2090, even with a clock before 2024."""
        self.assertTrue(0 < Ids(lambda: now, lambda bound: bound - 1).new() <= LARGEST)


class ParseTests(SynchronousTestCase):
    def test_round_trip(self) -> None:
        """The largest id is read as it is written."""
        self.assertEqual(parse_id(str(LARGEST)), LARGEST)

    def test_refused(self) -> None:
        """Whatever is not a positive decimal of 63 bits is refused, and named."""
        for text in ("", "0", "-1", "1.0", "abc", str(LARGEST + 1), "9" * 5000, "٣", " 1"):
            with self.assertRaisesRegex(BadRequest, "assistantId must be"):
                parse_id(text, "assistantId")
