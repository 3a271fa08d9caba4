"""DeadAir: the deadlines of a reply that does not come."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.pipeline.dead_air import DeadAir


class _Case(SynchronousTestCase):
    fillers: tuple[str, ...] = ("one", "two")

    def setUp(self) -> None:
        self.clock = Clock()
        self.quiet = True
        self.log: list[tuple[float, str]] = []
        self.dead_air = DeadAir(
            self.clock,
            lambda: self.quiet,
            lambda text: self.log.append((self.clock.seconds(), text)),
            lambda: self.log.append((self.clock.seconds(), "given up")),
            self.fillers,
        )
        self.dead_air.start()

    def wait(self, seconds: float) -> None:
        self.clock.pump([0.25] * round(seconds * 4))

    def tearDown(self) -> None:
        self.dead_air.stop()
        self.dead_air.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class SilenceTests(_Case):
    """Silence in one piece and in several."""

    def test_deadlines(self) -> None:
        """A filler after a moment, another one later, then the reply is given up."""
        self.wait(9.0)
        self.assertEqual(self.log, [(1.5, "one"), (5.0, "two"), (8.5, "two"), (9.0, "given up")])

    def test_sound_starts_anew(self) -> None:
        """A sound (a filler, say) puts the next filler off, but is no part of the reply."""
        self.wait(1.5)
        self.quiet = False
        self.wait(2.0)
        self.quiet = True
        self.wait(3.25)
        self.assertEqual(len(self.log), 1)
        self.wait(0.25)
        self.assertEqual(self.log[1:], [(7.0, "two")])
        self.wait(4.0)
        self.assertEqual(self.log[-1], (11.0, "given up"))

    def test_progress(self) -> None:
        """A part of the reply starts everything anew."""
        self.wait(8.0)
        self.dead_air.progressed()
        self.wait(8.75)
        self.assertNotIn("given up", [what for _, what in self.log])

    def test_tool(self) -> None:
        """A tool's time is not the model's, but the caller's silence goes on."""
        self.wait(1.25)
        self.dead_air.tool_answered()
        self.wait(0.25)
        self.assertEqual(self.log, [(1.5, "one")])
        self.wait(8.5)
        self.assertNotIn("given up", [what for _, what in self.log])
        self.wait(0.25)
        self.assertEqual(self.log[-1], (10.25, "given up"))


class NoFillerTests(_Case):
    """A deployment without fillers."""

    fillers = ()

    def test_given_up(self) -> None:
        """It is silent, and gives up all the same."""
        self.wait(9.0)
        self.assertEqual(self.log, [(9.0, "given up")])
