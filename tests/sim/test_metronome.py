from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.metronome import Metronome


class MetronomeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.metronome = Metronome(self.clock)
        self.beats: list[float] = []

    def beat(self) -> None:
        self.beats.append(self.clock.seconds())

    def tearDown(self) -> None:
        self.metronome.remove(self.beat)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_every_interval(self) -> None:
        """An hour of steps that do not add up exactly has a beat for each."""
        self.metronome.add(self.beat)
        for _ in range(180_000):
            self.clock.advance(0.02)
        self.assertEqual(len(self.beats), 180_000)

    def test_absolute_deadlines(self) -> None:
        """Beats that come late do not move those after them."""
        self.metronome.add(self.beat)
        self.clock.pump([0.027] * 100)
        self.assertEqual(len(self.beats), 135)

    def test_catches_up(self) -> None:
        """After a stall all missed beats come at once, up to a second of them."""
        self.metronome.add(self.beat)
        self.clock.advance(0.2)
        self.assertEqual(self.beats, [0.2] * 10)
        self.clock.advance(30.0)
        self.assertEqual(len(self.beats), 10 + 50)

    def test_removed_within_the_beat(self) -> None:
        """A member that another one removes is not called any more, in the same beat even."""
        self.metronome.add(lambda: self.metronome.remove(self.beat))
        self.metronome.add(self.beat)
        self.clock.advance(0.02)
        self.assertEqual(self.beats, [])
        self.metronome._members.clear()

    def test_added_within_the_beat(self) -> None:
        """Who joins during a beat is called from the next one on."""

        def join() -> None:
            self.metronome.remove(join)
            self.metronome.add(self.beat)

        self.metronome.add(join)
        self.clock.advance(0.02)
        self.assertEqual(self.beats, [])
        self.clock.advance(0.02)
        self.assertEqual(len(self.beats), 1)

    def test_an_error_does_not_stop_it(self) -> None:
        """A member's error reaches the reactor; the next beat comes all the same."""

        def fail() -> None:
            raise RuntimeError("on purpose")

        self.metronome.add(fail)
        self.assertRaises(RuntimeError, self.clock.advance, 0.02)
        self.metronome.remove(fail)
        self.metronome.add(self.beat)
        self.clock.advance(0.02)
        self.assertEqual(len(self.beats), 1)
