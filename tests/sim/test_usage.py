from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.usage import usage


class UsageTests(SynchronousTestCase):
    def test_fields(self) -> None:
        """CPU is user and system time together, whatever the process is called."""
        proc = Path(self.mktemp())
        (proc / "7").mkdir(parents=True)
        (proc / "7" / "stat").write_text("7 (a) b (c) S 1 1 1 0 -1 0 0 0 0 0 250 50 9 9 20 0 1")
        (proc / "7" / "statm").write_text("9000 300 10 1 0 1 0\n")
        used = usage(7, proc)
        self.assertEqual(used.cpu, 300 / os.sysconf("SC_CLK_TCK"))
        self.assertEqual(used.memory, 300 * os.sysconf("SC_PAGE_SIZE"))

    def test_ourselves(self) -> None:
        """A living process has used some of each."""
        used = usage(os.getpid())
        self.assertGreater(used.cpu, 0)
        self.assertGreater(used.memory, 1_000_000)

    def test_gone(self) -> None:
        """A process that is not there is an error."""
        self.assertRaises(OSError, usage, 0, Path(self.mktemp()))
