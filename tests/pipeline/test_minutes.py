"""Minutes: everything in its order, although words come late."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.models.base import Message
from rapida_tw.pipeline.history import KEPT
from rapida_tw.pipeline.minutes import PATIENCE, Minutes


class MinutesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.minutes = Minutes(self.clock)
        self.told: list[str] = []

    def tearDown(self) -> None:
        self.minutes.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def say(self, text: str) -> None:
        """Something that is known at once."""
        self.minutes.take().settle(Message("user", text), lambda: self.told.append(text))

    def test_at_once(self) -> None:
        """What nobody waits for is told at once."""
        self.say("a")
        self.assertEqual(self.told, ["a"])

    def test_order(self) -> None:
        """What came later waits for what came before."""
        first = self.minutes.take()
        self.say("b")
        self.assertEqual(self.told, [])
        first.settle(Message("user", "a"), lambda: self.told.append("a"))
        self.assertEqual(self.told, ["a", "b"])

    def test_nothing(self) -> None:
        """Who has said nothing holds nobody up."""
        first = self.minutes.take()
        self.say("b")
        first.settle(None)
        self.assertEqual(self.told, ["b"])
        self.assertEqual([one.text for one in self.minutes.messages()], ["b"])

    def test_patience(self) -> None:
        """Nobody waits for long; what comes then is told out of turn, and keeps its place."""
        first = self.minutes.take()
        self.say("b")
        self.clock.advance(PATIENCE)
        self.assertEqual(self.told, ["b"])
        self.say("c")
        self.assertEqual(self.told, ["b", "c"])
        first.settle(Message("user", "a"), lambda: self.told.append("a"))
        self.assertEqual(self.told, ["b", "c", "a"])
        self.assertEqual([one.text for one in self.minutes.messages()], ["a", "b", "c"])

    def test_nobody_waits_for_silence(self) -> None:
        """Where nothing is to be told no timer runs."""
        self.minutes.take()
        self.minutes.add(Message("tool", "1"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_once(self) -> None:
        """An entry is settled once."""
        place = self.minutes.take()
        for text in "ab":
            place.settle(Message("user", text), lambda text=text: self.told.append(text))
        self.assertEqual(self.told, ["a"])

    def test_unsettled_messages(self) -> None:
        """What is being said is known to the model before it is told."""
        place = self.minutes.take()
        place.message = Message("assistant", "so far")
        self.assertEqual([one.text for one in self.minutes.messages()], ["so far"])
        self.assertEqual(self.told, [])

    def test_end(self) -> None:
        """At the end of the call all that is known is told."""
        self.minutes.take()
        self.say("b")
        self.minutes.stop()
        self.assertEqual(self.told, ["b"])

    def test_bounded(self) -> None:
        """A long call does not grow without end."""
        for number in range(KEPT + 50):
            self.say(str(number))
        self.assertEqual(len(self.minutes.messages()), KEPT)
        self.assertEqual(len(self.told), KEPT + 50)
