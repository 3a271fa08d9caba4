from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.jitter import Pacing, pacing

MS = 1_000_000
START, END = 5_000 * MS, 6_000 * MS  # 50 ticks
STEADY = [START + 7 * MS + n * 20 * MS for n in range(50)]


def moved(place: int, by_ms: float) -> list[int]:
    arrivals = list(STEADY)
    arrivals[place] += round(by_ms * MS)
    return arrivals


class PacingTests(SynchronousTestCase):
    def test_steady(self) -> None:
        """A perfect stream has no jitter, whatever its phase."""
        self.assertEqual(pacing([STEADY], START, END), Pacing(50, 0.0, 0.0, 0.0, 0, 0))

    def test_one_packet(self) -> None:
        """One packet that is off is the maximum, early or late, and moves nothing else."""
        for by in (-6.0, 6.0):
            self.assertEqual(pacing([moved(20, by)], START, END).max_ms, 6.0)
            self.assertEqual(pacing([moved(20, by)], START, END).p50_ms, 0.0)

    def test_late(self) -> None:
        """A packet is late from 20 ms on."""
        self.assertEqual(pacing([moved(20, 19.9)], START, END).late, 0)
        self.assertEqual(pacing([moved(20, 20.0)], START, END).late, 1)

    def test_lost_between(self) -> None:
        """A packet that never came leaves a hole."""
        self.assertEqual(pacing([STEADY[:20] + STEADY[21:]], START, END).lost, 1)

    def test_lost_at_the_edges(self) -> None:
        """Streams that begin late or end early have lost the rest."""
        self.assertEqual(pacing([STEADY[10:]], START, END).lost, 9)
        self.assertEqual(pacing([STEADY[:-10]], START, END).lost, 9)

    def test_nothing_came(self) -> None:
        """A call without any packet has lost all of them."""
        self.assertEqual(pacing([[]], START, END), Pacing(0, 0.0, 0.0, 0.0, 0, 50))

    def test_only_the_measurement_counts(self) -> None:
        """What came before and after it is not looked at."""
        outside = [START - 3 * MS, *STEADY, END + 3 * MS]
        self.assertEqual(pacing([outside], START, END).packets, 50)

    def test_all_calls(self) -> None:
        """Losses add up over the calls; one bad call in a hundred shows in the maximum."""
        result = pacing([STEADY] * 99 + [moved(3, 9.0)[:-10]], START, END)
        self.assertEqual((result.lost, result.max_ms, result.p99_ms), (9, 9.0, 0.0))
