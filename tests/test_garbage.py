"""When a full collection comes, and when it does not."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.garbage import LONGEST, WORTH_IT, Garbage


class GarbageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.running, self.ended = 400, 0
        self.garbage = Garbage(lambda: self.running, lambda: self.ended)

    def test_busy(self) -> None:
        """With calls on the phone, little garbage waits."""
        self.ended = WORTH_IT - 1
        self.garbage.look()
        self.assertEqual(self.garbage.collections, 0)

    def test_idle(self) -> None:
        """When nobody is on the phone, nobody minds."""
        self.running = 0
        self.garbage.look()
        self.assertEqual(self.garbage.collections, 1)

    def test_worth_it(self) -> None:
        """Much garbage does not wait, and is counted afresh afterwards."""
        self.ended = WORTH_IT
        self.garbage.look()
        self.garbage.look()
        self.assertEqual(self.garbage.collections, 1)

    def test_at_last(self) -> None:
        """Some day it comes anyway."""
        for _ in range(LONGEST):
            self.garbage.look()
        self.assertEqual(self.garbage.collections, 1)
