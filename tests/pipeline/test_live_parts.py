"""The parts of a live conversation: its ear, its items, its tools, its patience."""

from __future__ import annotations

from typing import Any

import numpy as np
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, TICK, Samples
from rapida_tw.errors import VendorFailed
from rapida_tw.media.playout import Playout
from rapida_tw.models.base import ToolCall
from rapida_tw.pipeline.apology import Apology
from rapida_tw.pipeline.idleness import Idleness
from rapida_tw.pipeline.live_ear import BEFORE, HELD, LiveEar
from rapida_tw.pipeline.live_items import MOST, LiveItems
from rapida_tw.pipeline.normalise import Normaliser
from rapida_tw.pipeline.reply import Job, Say
from rapida_tw.pipeline.tool_runs import ToolRuns
from rapida_tw.pipeline.tools import CollectDigits, EndCall, Result, ToolBox
from tests.pipeline.fakes import HeldVoice
from tests.pipeline.live_case import QUIET, SOUND, VOICE, HeldTool


class EarTests(SynchronousTestCase):
    """What our own ear tells, and what the model hears."""

    def setUp(self) -> None:
        self.now = 0.0
        self.passed: list[Samples] = []
        self.told: list[str] = []
        self.ear = LiveEar(self.passed.append, self, lambda: self.now)

    def voice_started(self) -> None:
        self.told.append("started")

    def voice_stopped(self) -> None:
        self.told.append("stopped")

    def hear(self, frame: Samples, ticks: int) -> None:
        for _ in range(ticks):
            self.ear.hear(frame)
            self.now += TICK

    def test_voice(self) -> None:
        """A voice begins and ends; when it ended, and how long it was, is known."""
        self.hear(QUIET, 20)
        self.hear(VOICE, 50)
        self.assertTrue(self.ear.speaking)
        self.assertTrue(self.ear.insists())
        self.hear(QUIET, 20)
        self.assertEqual(self.told, ["started", "stopped"])
        self.assertFalse(self.ear.speaking)
        self.assertLess(abs(self.ear.ended - 1.38), 0.03)
        self.assertLess(abs(self.ear.talked - 50), 5)

    def test_click(self) -> None:
        """A click is none."""
        self.hear(QUIET, 20)
        self.hear(VOICE, 1)
        self.hear(QUIET, 20)
        self.assertEqual(self.told, [])

    def test_released(self) -> None:
        """The model hears all that it is given, in order."""
        self.ear.release()
        for number in range(5):
            self.ear.hear(np.full(FRAME, number, np.int16))
        self.assertEqual([frame[0] for frame in self.passed], [0, 1, 2, 3, 4])

    def test_held(self) -> None:
        """What is held is heard from the first voice on, and a little before it."""
        self.hear(QUIET, 100)
        self.hear(VOICE, 50)
        self.hear(QUIET, 100)
        self.assertEqual(self.passed, [])
        self.ear.release()
        self.assertLess(abs(len(self.passed) - 150 - BEFORE), 5)

    def test_held_in_vain(self) -> None:
        """Of silence only the last moment is heard."""
        self.hear(QUIET, 100)
        self.ear.release()
        self.assertEqual(len(self.passed), BEFORE)

    def test_bounded(self) -> None:
        """What is held is bounded."""
        self.hear(VOICE, HELD + 100)
        self.ear.release()
        self.assertEqual(len(self.passed), HELD)

    def test_held_twice(self) -> None:
        """To hold what is held changes nothing; each release begins anew."""
        self.ear.release()
        self.hear(VOICE, 10)
        self.ear.hold()
        self.ear.hold()
        self.hear(QUIET, 50)
        self.passed.clear()
        self.ear.release()
        self.assertEqual(len(self.passed), BEFORE)

    def test_stopped(self) -> None:
        """After the end nobody hears anything."""
        self.hear(VOICE, 10)
        self.ear.stop()
        self.hear(VOICE, 10)
        self.ear.release()
        self.assertEqual(self.passed, [])


class ItemsTests(SynchronousTestCase):
    """What was heard of each item, in words and in milliseconds."""

    def setUp(self) -> None:
        self.playout = Playout()
        self.items = LiveItems(self.playout)

    def play(self, ticks: int) -> None:
        for _ in range(ticks):
            self.playout.played()
            self.playout.take()

    def test_whole(self) -> None:
        """An item that was heard is heard whole."""
        self.items.words("a", "One two")
        self.items.audio("a", np.tile(SOUND, 50))
        self.items.words("a", " three.")
        self.items.spoken("a")
        self.assertTrue(self.items)
        self.assertEqual(self.items.text(), "One two three.")
        self.play(51)
        (heard,) = self.items.take()
        self.assertEqual((heard.item, heard.text, heard.ms), ("a", "One two three.", 1000))
        self.assertTrue(heard.whole)
        self.assertFalse(self.items)

    def test_half(self) -> None:
        """Half of it is half of its words; late words count as well."""
        self.items.audio("a", np.tile(SOUND, 50))
        self.items.spoken("a")
        self.items.words("a", "One two three four")
        self.play(25)
        (heard,) = self.items.take()
        self.assertEqual(heard.text, "One two")
        self.assertLess(abs(heard.ms - 500), 40)
        self.assertFalse(heard.whole)

    def test_not_complete(self) -> None:
        """All there is of an item that is still being made is not all of it."""
        self.items.words("a", "One two three four five six")
        self.items.audio("a", np.tile(SOUND, 20))
        self.play(30)
        (heard,) = self.items.take()
        self.assertFalse(heard.whole)
        self.assertEqual(heard.ms, 400)
        self.assertTrue("One two three four".startswith(heard.text))

    def test_two(self) -> None:
        """Each item has its own account."""
        self.items.words("a", "One.")
        self.items.audio("a", np.tile(SOUND, 20))
        self.items.words("b", "Two.")
        self.items.audio("b", np.tile(SOUND, 20))
        self.items.finish()
        self.play(21)
        first, second = self.items.take()
        self.assertTrue(first.whole)
        self.assertEqual((second.text, second.whole), ("", False))
        self.assertLessEqual(second.ms, 20)

    def test_too_late(self) -> None:
        """Sound of an item that was complete is not heard behind another's."""
        self.items.audio("a", SOUND)
        self.items.audio("b", SOUND)
        self.items.audio("a", np.tile(SOUND, 10))
        self.assertEqual(self.playout.queued, 2)

    def test_bounded(self) -> None:
        """A model that never stops talking does not fill the memory."""
        for _ in range(MOST // 100 + 10):
            self.items.audio("a", np.tile(SOUND, 100))
        self.assertLess(self.playout.queued, MOST + 100)

    def test_words_without_sound(self) -> None:
        """What has no sound was not heard."""
        self.items.words("a", "One.")
        self.assertEqual(self.items.take(), [])


class HeldDigits(CollectDigits):
    """Waits for the test."""

    def __init__(self) -> None:
        self.using: list[Deferred[Result]] = []

    def use(self, arguments: Any) -> Deferred[Result]:
        self.using.append(Deferred())
        return self.using[-1]


class RunsTests(SynchronousTestCase):
    """Tools side by side, or one after the other."""

    def setUp(self) -> None:
        self.first, self.second = HeldTool("first"), HeldTool("second")
        self.answers: list[list[tuple[str, str]]] = []
        self.collect = HeldDigits()
        box = ToolBox([EndCall(), self.first, self.second, self.collect])
        self.runs = ToolRuns(box, self._answered)

    def _answered(self, results: Any) -> None:
        self.answers.append([(call.id, result.text) for call, result in results])

    def run_all(self, *names: str) -> None:
        self.runs.run([ToolCall(str(number), name) for number, name in enumerate(names)])

    def test_side_by_side(self) -> None:
        """Both run at once, and are answered together in their order."""
        self.run_all("first", "second")
        self.second.using[0].callback(Result("2"))
        self.assertEqual(self.answers, [])
        self.assertTrue(self.runs.running)
        self.first.using[0].callback(Result("1"))
        self.assertEqual(self.answers, [[("0", "1"), ("1", "2")]])
        self.assertFalse(self.runs.running)

    def test_in_order(self) -> None:
        """What waits for the caller comes before what ends the call; the others do not wait."""
        self.run_all("collect_digits", "end_call", "first")
        self.first.using[0].callback(Result("1"))
        self.assertEqual(self.answers, [])
        self.collect.using[0].callback(Result("42"))
        self.assertEqual(self.answers, [[("0", "42"), ("1", '{"success": true}'), ("2", "1")]])

    def test_withdrawn_in_order(self) -> None:
        """When one is withdrawn the next one's turn has come."""
        self.run_all("collect_digits", "end_call")
        self.runs.withdraw(["0"])
        self.assertEqual(self.answers, [[("1", '{"success": true}')]])

    def test_at_once(self) -> None:
        """Tools that answer at once are answered once."""
        self.run_all("end_call", "nothing")
        self.assertEqual(len(self.answers), 1)

    def test_batches(self) -> None:
        """What was wanted later is answered by itself."""
        self.run_all("first")
        self.runs.run([ToolCall("x", "second")])
        self.second.using[0].callback(Result("2"))
        self.assertEqual(self.answers, [[("x", "2")]])

    def test_withdrawn(self) -> None:
        """One that is withdrawn is cancelled; the others are answered without it."""
        self.run_all("first", "second")
        self.runs.withdraw(["0"])
        self.assertEqual(self.first.cancelled, 1)
        self.second.using[0].callback(Result("2"))
        self.assertEqual(self.answers, [[("1", "2")]])

    def test_all_withdrawn(self) -> None:
        """When none is left nobody is answered."""
        self.run_all("first")
        self.runs.withdraw(["0", "unknown"])
        self.assertEqual(self.answers, [])
        self.assertFalse(self.runs.running)

    def test_stopped(self) -> None:
        """At the end of the call all are cancelled, and nobody is answered."""
        self.run_all("first", "second")
        self.runs.stop()
        self.assertEqual((self.first.cancelled, self.second.cancelled), (1, 1))
        self.assertEqual(self.answers, [])


class IdlenessTests(SynchronousTestCase):
    """Prompts, and the end of patience."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.prompts: list[int] = []
        self.given_up = 0
        self.idleness = Idleness(self.clock, 5.0, 2, self.prompts.append, self._give_up)

    def _give_up(self) -> None:
        self.given_up += 1

    def test_prompts(self) -> None:
        """Two prompts, then it is over."""
        for _ in range(3):
            self.idleness.wait()
            self.clock.advance(5.0)
        self.assertEqual((self.prompts, self.given_up), ([1, 2], 1))

    def test_answered(self) -> None:
        """Who answers is prompted anew."""
        for _ in range(4):
            self.idleness.wait()
            self.clock.advance(5.0)
            self.idleness.answered()
        self.assertEqual((self.prompts, self.given_up), ([1, 1, 1, 1], 0))

    def test_stopped(self) -> None:
        """While somebody speaks nobody is idle."""
        self.idleness.wait()
        self.idleness.stop()
        self.idleness.stop()
        self.clock.advance(50.0)
        self.assertEqual(self.prompts, [])


class ApologyTests(SynchronousTestCase):
    """The last word in another voice."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.voice = HeldVoice()
        self.playout = Playout()
        self.told: list[tuple[str, bool]] = []
        self.over = 0
        self.apology = Apology(self.clock, self.voice, Normaliser(), self.playout, self)

    def tearDown(self) -> None:
        self.apology.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def assistant_said(self, text: str, job: Job, interrupted: bool, played: float) -> None:
        self.told.append((text, interrupted))

    def say(self, text: str) -> None:
        self.apology.say(Say(text), self._over)

    def _over(self) -> None:
        self.over += 1

    def play(self, ticks: int) -> None:
        for _ in range(ticks):
            self.playout.played()
            self.playout.take()
            self.clock.advance(TICK)

    def test_heard(self) -> None:
        """It is over when it was heard."""
        self.say("Sorry.")
        self.assertEqual(self.voice.said, ["Sorry."])
        self.voice.done(20)
        self.play(15)
        self.assertEqual(self.over, 0)
        self.play(30)
        self.assertEqual(self.over, 1)
        self.assertEqual(self.told, [("Sorry.", False)])

    def test_stopped(self) -> None:
        """Who stops it falls silent, and knows what was heard."""
        self.say("Sorry, all of you.")
        self.voice.done(100)
        self.play(50)
        self.apology.stop()
        self.assertFalse(self.playout.busy)
        self.assertEqual(self.over, 0)
        ((text, interrupted),) = self.told
        self.assertTrue("Sorry, all of you.".startswith(text))
        self.assertTrue(interrupted)

    def test_no_start(self) -> None:
        """A voice that does not start ends it, in time."""
        self.voice.starting = Deferred()
        self.say("Sorry.")
        self.clock.advance(10.0)
        self.assertEqual((self.over, self.told), (1, []))

    def test_no_words(self) -> None:
        """So does one that does not speak."""
        self.say("Sorry.")
        self.voice.saying[0].errback(VendorFailed("no"))
        self.assertEqual((self.over, self.told), (1, []))
