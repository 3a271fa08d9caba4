"""The beat: on time, even, and unmoved by whatever one of its sessions does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import TICK
from rapida_tw.media.clock import CATCH_UP, PHASES, MediaClock


class Session:
    """Notes its ticks; `act` is what it does in each, `at_end` what it does when it failed."""

    def __init__(
        self,
        clock: Clock,
        act: Callable[[], object] | None = None,
        at_end: Callable[[], object] | None = None,
    ) -> None:
        self._clock = clock
        self._act = act
        self._at_end = at_end
        self.ticks: list[int] = []
        self.times: list[float] = []
        self.failures = 0

    def tick(self, now: int) -> None:
        self.ticks.append(now)
        self.times.append(round(self._clock.seconds(), 6))
        if self._act is not None:
            self._act()

    def failed(self) -> None:
        self.failures += 1
        if self._at_end is not None:
            self._at_end()


def broken() -> None:
    raise RuntimeError("a session's bug")


class BeatTests(SynchronousTestCase):
    """A clock of beats on a clock that we advance."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000.123)  # where floats are coarse
        self.beat = MediaClock(self.clock)

    def session(
        self,
        act: Callable[[], object] | None = None,
        at_end: Callable[[], object] | None = None,
    ) -> Session:
        session = Session(self.clock, act, at_end)
        self.beat.add(session)
        return session

    def run_for(self, seconds: float, step: float = 0.001) -> None:
        self.clock.pump([step] * round(seconds / step))

    def consecutive(self, ticks: list[int]) -> None:
        self.assertEqual(ticks, list(range(ticks[0], ticks[0] + len(ticks))))


class RegularTests(BeatTests):
    """When nothing is wrong."""

    def test_fifty_a_second(self) -> None:
        """A session is called every 20 ms, with ticks that count up by one."""
        session = self.session()
        self.run_for(10.0)
        self.assertIn(len(session.ticks), (499, 500))
        self.consecutive(session.ticks)

    def test_no_drift(self) -> None:
        """A timer that always comes late does not make the beats later and later."""
        session = self.session()
        self.run_for(7.0, step=0.007)
        self.assertIn(len(session.ticks), (349, 350))
        self.assertEqual(self.beat.jumped, 0)

    def test_now(self) -> None:
        """`now` is the tick of the moment, whether anything beats or not."""
        self.assertEqual(self.beat.now, 0)
        self.clock.advance(1.0)
        self.assertEqual(self.beat.now, 50)
        session = self.session()
        self.run_for(0.5)
        self.assertEqual(session.ticks[-1], self.beat.now)

    def test_spread(self) -> None:
        """Sessions are spread evenly over the sub-beats, so that their sends are no burst."""
        sessions = [self.session() for _ in range(10)]
        self.run_for(0.1)
        moments = Counter(round(session.times[1] % TICK, 3) for session in sessions)
        self.assertEqual(len(moments), PHASES)
        self.assertEqual(sorted(moments.values()), [2, 2, 3, 3])

    def test_gap_is_filled(self) -> None:
        """Where sessions have left, new ones take their place in the beat."""
        sessions = [self.session() for _ in range(8)]
        for session in (sessions[1], sessions[5]):
            self.beat.remove(session)
        self.session()
        self.session()
        self.assertEqual([len(phase) for phase in self.beat._phases], [2, 2, 2, 2])

    def test_added_while_running(self) -> None:
        """A session that comes later is called within two ticks, then every 20 ms."""
        self.session()
        for offset in range(20):
            self.run_for(0.101)
            with self.subTest(offset):
                began = self.clock.seconds()
                session = self.session()
                self.run_for(1.0)
                self.assertLessEqual(session.times[0] - began, 2 * TICK)
                self.consecutive(session.ticks)
                self.assertIn(len(session.ticks), (48, 49, 50))

    def test_timer_only_while_needed(self) -> None:
        """There is one timer, and none without sessions; it comes back with the next one."""
        self.assertEqual(self.clock.getDelayedCalls(), [])
        first, second = self.session(), self.session()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.beat.remove(first)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.beat.remove(second)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.advance(3600.0)
        third = self.session()
        self.run_for(0.1)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.assertEqual(self.beat.jumped, 0)  # an idle hour is no stall
        self.consecutive(third.ticks)

    def test_remove_stranger(self) -> None:
        """Removing what is not there, or no longer there, changes nothing."""
        session = self.session()
        self.beat.remove(Session(self.clock))
        self.assertEqual(len(self.beat), 1)
        self.beat.remove(session)
        self.beat.remove(session)
        self.assertEqual(len(self.beat), 0)


class StallTests(BeatTests):
    """When the process stood still."""

    def stalled(self, ticks: int) -> list[int]:
        """The ticks that a session gets in the first beat after so many ticks' stall."""
        session = self.session()
        self.run_for(0.1)
        before = len(session.ticks)
        self.clock.advance(ticks * TICK)
        self.run_for(0.1)
        self.assertEqual(session.ticks, sorted(set(session.ticks)))  # never twice, never back
        self.assertEqual(session.ticks[-1], self.beat.now)
        return session.ticks[before - 1 :]

    def test_one_tick(self) -> None:
        """A beat that was missed is made up for."""
        self.consecutive(self.stalled(1))
        self.assertEqual(self.beat.jumped, 0)

    def test_catch_up(self) -> None:
        """As many ticks as are worth it are made up for, none is left out."""
        self.consecutive(self.stalled(CATCH_UP))
        self.assertEqual(self.beat.jumped, 0)

    def test_jump(self) -> None:
        """A longer stall is jumped over but for the last ticks; that is counted and logged."""
        ticks = self.stalled(50)
        jumps = [after - before for before, after in pairwise(ticks)]
        self.assertEqual(jumps[0], 50 - CATCH_UP + 1)
        self.assertEqual(set(jumps[1:]), {1})
        self.assertEqual(self.beat.jumped, 50 - CATCH_UP)

    def test_everybody_alike(self) -> None:
        """After a stall each session gets the same ticks, whatever its sub-beat."""
        sessions = [self.session() for _ in range(PHASES)]
        self.run_for(0.1)
        self.clock.advance(1.0)
        self.run_for(0.1)
        left_out = [set(range(1, self.beat.now)) - set(session.ticks) for session in sessions]
        self.assertEqual([len(ticks) for ticks in left_out], [50 - CATCH_UP] * PHASES)

    def test_clock_put_back(self) -> None:
        """When the wall clock is put back, no tick comes a second time."""
        session = self.session()
        self.run_for(0.2)
        self.clock.rightNow -= 0.1
        self.run_for(0.4)
        self.consecutive(session.ticks)

    def test_lateness(self) -> None:
        """Beats that always come late show; they are the measure of a full node."""
        self.session()
        self.run_for(20.0, step=0.03)
        self.assertGreater(self.beat.lateness, 0.004)

    def test_lateness_is_forgotten(self) -> None:
        """When all calls of an overload have ended, the next one finds an empty node."""
        late = self.session()
        self.run_for(20.0, step=0.03)
        self.beat.remove(late)
        self.session()
        self.assertEqual(self.beat.lateness, 0.0)

    def test_one_stall_is_not_full(self) -> None:
        """One stall, however long, does not make the node look full (8 ms late on average)."""
        self.session()
        self.run_for(0.1)
        self.clock.advance(60.0)
        self.assertLess(self.beat.lateness, 0.002)


class IsolationTests(BeatTests):
    """What one session does inside its beat harms no other."""

    def setUp(self) -> None:
        super().setUp()
        self.first = self.session()

    def unharmed(self, *neighbours: Session) -> None:
        """Half a second on, each neighbour had each tick of it, once."""
        self.run_for(0.5)
        for neighbour in (self.first, *neighbours):
            self.consecutive(neighbour.ticks)
            self.assertIn(len(neighbour.ticks), (24, 25))

    def same_phase(self, act: Callable[[], object], at_end: Callable[[], object]) -> Session:
        """A session that shares the sub-beat of `first`, and acts once, before `self.last`."""
        for _ in range(PHASES - 1):
            self.session()
        done: list[bool] = []

        def once() -> None:
            if not done:
                done.append(True)
                act()

        middle = self.session(once, at_end)
        for _ in range(PHASES - 1):
            self.session()
        self.last = self.session()
        return middle

    def test_tick_raises(self) -> None:
        """A session whose tick raises is taken off, told so once, and logged."""
        bad = self.same_phase(broken, lambda: None)
        self.unharmed(self.last)
        self.assertEqual((len(bad.ticks), bad.failures), (1, 1))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_failed_raises(self) -> None:
        """A session that fails even in its end stops no beat."""
        bad = self.same_phase(broken, broken)
        self.unharmed(self.last)
        self.assertEqual((len(bad.ticks), bad.failures), (1, 1))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)

    def test_exits(self) -> None:
        """Even what is not meant to be caught, `sys.exit` in a plug-in, leaves the beat alive."""

        def leave() -> None:
            raise SystemExit(1)

        self.same_phase(leave, lambda: None)
        self.assertRaises(SystemExit, self.run_for, 0.1)
        before = len(self.first.ticks)
        self.run_for(0.1)
        self.assertEqual(len(self.first.ticks), before + 5)

    def test_removes_itself(self) -> None:
        """A call that ends in its own tick is called no more."""
        bad = self.same_phase(lambda: self.beat.remove(bad), lambda: None)
        self.unharmed(self.last)
        self.assertEqual((len(bad.ticks), bad.failures), (1, 0))

    def test_removes_neighbour(self) -> None:
        """A session that was taken off in a beat is not called in what is left of it."""
        self.same_phase(lambda: self.beat.remove(self.last), lambda: None)
        self.unharmed()
        self.assertEqual(self.last.ticks, [])

    def test_removes_everybody(self) -> None:
        """The beat ends, without a timer, when its last sessions leave inside it."""

        def clear() -> None:
            for phase in self.beat._phases:
                for session in tuple(phase):
                    self.beat.remove(session)

        self.same_phase(clear, lambda: None)
        self.run_for(0.1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_adds_inside(self) -> None:
        """A session that joins in a beat, late or in time, costs the others no tick."""
        joined: list[Session] = []
        self.same_phase(lambda: joined.append(self.session()), lambda: None)
        self.clock.advance(3 * TICK)
        self.assertEqual(self.first.ticks, [1, 2, 3])
        self.unharmed_after(3)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.assertGreaterEqual(len(joined[0].ticks), 24)

    def unharmed_after(self, ticks: int) -> None:
        self.run_for(0.5)
        for session in (self.first, self.last):
            self.consecutive(session.ticks)
            self.assertIn(len(session.ticks), (24 + ticks, 25 + ticks))

    def test_replaces_itself(self) -> None:
        """The last session leaves and another joins, in one beat: there is one timer."""
        self.beat.remove(self.first)
        joined: list[Session] = []

        def swap() -> None:
            if not joined:
                self.beat.remove(only)
                joined.append(self.session())

        only = self.session(swap)
        self.run_for(0.5)
        self.assertEqual(len(only.ticks), 1)
        self.assertGreaterEqual(len(joined[0].ticks), 23)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
