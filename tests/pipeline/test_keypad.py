"""Keypad: entries out of single keys."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.pipeline.keypad import LONGEST, PAUSE, Keypad


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.entries: list[str] = []
        self.keypad = Keypad(self.clock, self.entries.append)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def press(self, digits: str) -> None:
        for digit in digits:
            self.keypad.pressed(digit)


class EntryTests(_Case):
    """Keys that nobody waits for."""

    def test_pause(self) -> None:
        """A pause completes an entry, counted from its last key."""
        self.press("1")
        self.clock.advance(PAUSE - 0.1)
        self.press("2")
        self.clock.advance(PAUSE - 0.1)
        self.assertEqual(self.entries, [])
        self.clock.advance(0.2)
        self.assertEqual(self.entries, ["12"])

    def test_terminator(self) -> None:
        """`#` completes it at once and is no part of it."""
        self.press("12#")
        self.assertEqual(self.entries, ["12"])

    def test_terminator_alone(self) -> None:
        """`#` alone is a key like any other."""
        self.press("#")
        self.clock.advance(PAUSE)
        self.assertEqual(self.entries, ["#"])

    def test_count(self) -> None:
        """The expected number of digits completes it; the next entry begins behind it."""
        self.keypad.expect(2)
        self.press("123")
        self.assertEqual(self.entries, ["12"])
        self.keypad.expect(0)
        self.clock.advance(PAUSE)
        self.assertEqual(self.entries, ["12", "3"])

    def test_stuck_key(self) -> None:
        """A key that never stops makes entries of bounded length."""
        self.press("5" * (LONGEST + 1))
        self.assertEqual(self.entries, ["5" * LONGEST])
        self.keypad.stop()

    def test_stop(self) -> None:
        """Nothing is entered after the call."""
        self.press("12")
        self.keypad.stop()
        self.clock.advance(10.0)
        self.assertEqual(self.entries, [])


class CollectTests(_Case):
    """Keys that a tool waits for."""

    def test_count(self) -> None:
        """So many digits fire it, and are nobody else's entry."""
        collecting = self.keypad.collect(4)
        self.assertTrue(self.keypad.collecting)
        self.press("123")
        self.assertNoResult(collecting)
        self.press("4")
        self.assertEqual(self.successResultOf(collecting), "1234")
        self.assertFalse(self.keypad.collecting)
        self.assertEqual(self.entries, [])

    def test_own_terminator(self) -> None:
        """Another terminator makes `#` an ordinary key."""
        collecting = self.keypad.collect(terminator="*")
        self.press("1#2*")
        self.assertEqual(self.successResultOf(collecting), "1#2")

    def test_terminator_alone(self) -> None:
        """Who presses only the terminator has entered nothing."""
        collecting = self.keypad.collect(4)
        self.press("#")
        self.assertEqual(self.successResultOf(collecting), "")

    def test_pause(self) -> None:
        """After the first key the usual pause completes it."""
        collecting = self.keypad.collect(timeout=30.0)
        self.clock.advance(20.0)
        self.press("12")
        self.clock.advance(PAUSE)
        self.assertEqual(self.successResultOf(collecting), "12")

    def test_timeout(self) -> None:
        """No key: fires with nothing."""
        collecting = self.keypad.collect(timeout=5.0)
        self.clock.advance(4.9)
        self.assertNoResult(collecting)
        self.clock.advance(0.2)
        self.assertEqual(self.successResultOf(collecting), "")

    def test_typed_ahead(self) -> None:
        """Keys pressed during the prompt count, and their pause goes on."""
        self.press("12")
        collecting = self.keypad.collect(4, timeout=30.0)
        self.clock.advance(PAUSE)
        self.assertEqual(self.successResultOf(collecting), "12")

    def test_all_typed_ahead(self) -> None:
        """All keys were pressed during the prompt: fires at once."""
        self.press("1234")
        self.assertEqual(self.successResultOf(self.keypad.collect(4)), "1234")
        self.assertFalse(self.keypad.collecting)

    def test_cancelled(self) -> None:
        """Cancelling gives the digits up and leaves no timer."""
        collecting = self.keypad.collect(4)
        self.press("12")
        collecting.cancel()
        self.failureResultOf(collecting, CancelledError)
        self.clock.advance(10.0)
        self.press("7#")
        self.assertEqual(self.entries, ["7"])

    def test_collected_twice(self) -> None:
        """A second collector takes the place of the first."""
        first = self.keypad.collect(4)
        second = self.keypad.collect(1)
        self.failureResultOf(first, CancelledError)
        self.press("7")
        self.assertEqual(self.successResultOf(second), "7")

    def test_stop(self) -> None:
        """The end of the call ends the waiting."""
        collecting = self.keypad.collect(4)
        self.keypad.stop()
        self.failureResultOf(collecting, CancelledError)
