"""What an announced call's vendors are told before its media is there."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls.call import Script
from rapida_tw.calls.parts import Parts
from rapida_tw.calls.warm import KEPT, Prepared, Warm
from rapida_tw.pipeline.endpointing import Endpointing
from rapida_tw.pipeline.experience import Experience
from rapida_tw.pipeline.normalise import Normaliser
from tests.calls.case import CallsCase
from tests.pipeline.fakes import HeldModel, HeldVoice, LevelDetector, RecordingRecognizer


def prepared() -> tuple[Prepared, RecordingRecognizer]:
    recognizer = RecordingRecognizer()
    parts = Parts(
        LevelDetector(), recognizer, HeldVoice(), HeldModel(), Endpointing(), Normaliser()
    )
    return Prepared(Script(Experience(greeting="Hello."), (), ()), parts), recognizer


class WarmTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.warm = Warm(self.clock, most=2)
        self.one, self.recognizer = prepared()

    def test_taken(self) -> None:
        """Its vendors connect at once, and whoever takes it has them as they are."""
        self.warm.keep("a", self.one)
        self.assertEqual(self.recognizer.cues, ["prepare"])
        self.assertIs(self.warm.take("a"), self.one)
        self.assertIsNone(self.warm.take("a"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nobody_came(self) -> None:
        """They are let go before they would close by themselves."""
        self.warm.keep("a", self.one)
        self.clock.advance(KEPT)
        self.assertEqual(self.recognizer.cues, ["prepare", "stop"])
        self.assertIsNone(self.warm.take("a"))

    def test_dropped(self) -> None:
        """A call that will not come needs nothing."""
        self.warm.keep("a", self.one)
        self.warm.drop("a")
        self.warm.drop("a")
        self.assertEqual(self.recognizer.cues, ["prepare", "stop"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_flood(self) -> None:
        """Of many announced calls only some hold sockets."""
        for name in ("a", "b"):
            self.warm.keep(name, prepared()[0])
        self.warm.keep("c", self.one)
        self.assertEqual(self.recognizer.cues, ["stop"])
        self.assertIsNone(self.warm.take("c"))
        self.warm.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_mistake_of_a_plug_in(self) -> None:
        """What cannot be prepared is logged, and the call may still come."""
        self.recognizer.prepare = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
        self.warm.keep("a", self.one)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertIs(self.warm.take("a"), self.one)


class WarmCallTests(CallsCase):
    """In the life of a call."""

    def test_made_once(self) -> None:
        """The parts that were opened at the webhook are those of the call."""
        claimed = self.claim()
        voices = len(self.server.voices.opened)
        self.attach(claimed)
        self.assertEqual(len(self.server.voices.opened), voices)

    def test_cold(self) -> None:
        """A call that comes late is made anew."""
        claimed = self.claim()
        voices = len(self.server.voices.opened)
        self.wait(KEPT)
        self.attach(claimed)
        self.assertEqual(len(self.server.voices.opened), voices + 1)
