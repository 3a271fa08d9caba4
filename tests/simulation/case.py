"""The base of stories: a simulation that must leave nothing behind."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.simulation import Simulation


class Stories(SynchronousTestCase):
    """`story(...)` makes a Simulation; when the test is over, its call is too, without a trace."""

    def story(self, **options: Any) -> Simulation:
        sim = Simulation(**options)
        self.addCleanup(self._check, sim)
        return sim

    def _check(self, sim: Simulation) -> None:
        now = sim.clock.seconds()
        if sim.caller.ending is None:
            sim.asterisk.hang_up()
        sim.clock.run(now + 2.0)
        if not sim.contexts_waiting:
            self.assertEqual(sim.server.leftovers(), [])
