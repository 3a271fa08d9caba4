"""Hold in the pipeline: each reply's fate, the turn under way, and a live model's replies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapida_tw.errors import SHUTTING_DOWN
from rapida_tw.pipeline.hold import Fate, on_hold
from rapida_tw.pipeline.keypad import PAUSE
from rapida_tw.pipeline.listen import FINAL_WITHIN, Turn
from rapida_tw.pipeline.reply import Answer, Job, Say
from tests.pipeline.fakes import QUIET, SPEECH
from tests.pipeline.live_case import VOICE, LiveCase
from tests.pipeline.test_listen import _Case as ListenCase

ANSWER = Answer(Turn("hours"))
NOTICE = Say("This call is recorded.", "greeting", False)
IDLE = Say("Are you there?", "idle")
CLOSING = Say("We close.", "closing", False, SHUTTING_DOWN)
LONG = "One two three four five six seven eight nine ten"


@pytest.mark.parametrize(
    ("job", "waited_for", "fate"),
    [
        (ANSWER, True, Fate.KEPT),
        (ANSWER, False, Fate.DROPPED),
        (Say("Hello."), True, Fate.KEPT),
        (Say("Hello."), False, Fate.DROPPED),
        (NOTICE, True, Fate.KEPT),
        (NOTICE, False, Fate.AGAIN),
        (IDLE, True, Fate.DROPPED),
        (IDLE, False, Fate.DROPPED),
    ],
)
def test_fate(job: Job, waited_for: bool, fate: Fate) -> None:
    """What is waited for is kept; what was begun is dropped, unless it must be heard."""
    assert on_hold(job, waited_for) is fate


class TurnTests(ListenCase):
    """A caller who presses the key while speaking."""

    def test_over(self) -> None:
        """The turn is over, and the recogniser is asked for it, without a frame more."""
        self.hear(SPEECH, 40)
        self.listener.finish_turn()
        self.assertEqual(self.recognizer.cues, ["started", "finish"])
        self.recognizer.sink.final("hours please", 1.0)
        self.assertEqual([turn.text for turn in self.told.turns], ["hours please"])

    def test_once(self) -> None:
        """Neither twice, nor when nobody speaks, nor after the end."""
        self.listener.finish_turn()
        self.hear(SPEECH, 40)
        self.listener.finish_turn()
        self.listener.finish_turn()
        self.assertEqual(self.recognizer.cues, ["started", "finish"])
        self.listener.stop()
        self.listener.finish_turn()
        self.assertEqual(self.recognizer.cues, ["started", "finish"])

    def test_without_an_answer(self) -> None:
        """Whose recogniser says nothing has said what was known, once there are frames again."""
        self.hear(SPEECH, 40)
        self.recognizer.sink.partial("hours")
        self.listener.finish_turn()
        self.hear(QUIET, FINAL_WITHIN)
        self.assertEqual([turn.text for turn in self.told.turns], ["hours"])


class LiveTests(LiveCase):
    """A model that hears and speaks by itself."""

    def test_cut(self) -> None:
        """What was being said is cut off, the model knows where, and does not go on."""
        self.greeted()
        self.caller_says("count")
        self.speaks("item", LONG, frames=100)
        self.play(1.0)
        self.asked()
        self.talk.hold_changed(True)
        self.assertEqual(self.asked(), [("cancel",), ("truncate", "item", 1000)])
        self.assertEqual(self.told.cut, [self.told.dialogue[-1][1]])
        self.clock.advance(200.0)
        self.talk.hold_changed(False)
        self.play(5.0)
        self.assertEqual(self.asked(), [])
        self.assertEqual(self.told.ends, [])

    def test_answer_that_was_not_begun(self) -> None:
        """It comes meanwhile, and is heard when the caller is back."""
        self.greeted()
        self.caller_says("hours")
        self.talk.hold_changed(True)
        self.speaks("item", "At nine.")
        self.clock.advance(60.0)
        self.assertEqual(self.told.dialogue[-1], ("user", "hours"))
        self.talk.hold_changed(False)
        self.play(1.5)
        self.assertEqual(self.told.dialogue[-1], ("assistant", "At nine."))
        self.assertEqual(self.told.cut, [])

    def test_in_doubt(self) -> None:
        """An answer that was stopped for a cough is not stopped for ever."""
        self.greeted()
        self.caller_says("hours")
        self.talk.hear(VOICE)
        self.hear(0.3, VOICE)
        self.talk.hold_changed(True)
        self.speaks("item", "At nine.")
        self.clock.advance(10.0)
        self.talk.hold_changed(False)
        self.hear(2.5)
        self.assertEqual(self.told.dialogue[-1], ("assistant", "At nine."))

    def test_nobody_is_asked(self) -> None:
        """Idleness waits, and begins anew afterwards."""
        self.greeted()
        self.talk.hold_changed(True)
        self.clock.advance(200.0)
        self.assertEqual(self.asked(), [])
        self.talk.hold_changed(False)
        self.clock.advance(29.0)
        self.assertEqual(self.asked(), [])
        self.clock.advance(2.0)
        self.assertEqual(len(self.asked()), 1)

    def test_operator_and_keys(self) -> None:
        """What an operator types, and what keys say, is asked for afterwards, in order."""
        self.greeted()
        self.talk.hold_changed(True)
        self.talk.say("The doctor is back.")
        self.talk.digit_received("1")
        self.clock.advance(PAUSE)
        self.assertEqual(self.asked(), [])
        self.talk.hold_changed(False)
        self.assertEqual(self.asked(), [("say", "The doctor is back.")])
        self.speaks("one", "The doctor is back.")
        self.play(1.5)
        self.assertEqual(self.asked(), [("text", "The caller pressed 1")])

    def test_goodbye(self) -> None:
        """Before or during it: nobody hears it, and the call ends."""
        self.greeted()
        self.talk.hold_changed(True)
        self.talk.close_with(CLOSING)
        self.assertEqual(self.told.ends, [SHUTTING_DOWN])

    def test_goodbye_under_way(self) -> None:
        """It was to be the last thing: then the hold is."""
        self.greeted()
        self.talk.close_with(CLOSING)
        self.speaks("bye", "We close.")
        self.play(0.3)
        self.talk.hold_changed(True)
        self.assertEqual(self.told.ends, [SHUTTING_DOWN])

    def test_after_the_end(self) -> None:
        """A call that is over is not put on hold."""
        self.greeted()
        self.talk.stop()
        self.talk.hold_changed(True)
        self.talk.hold_changed(False)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class LiveNoticeTests(LiveCase):
    """A greeting that must be heard."""

    experience = replace(LiveCase.experience, greeting="Recorded.", greeting_interruptible=False)

    def test_again(self) -> None:
        """It is said again from its beginning, and the caller is heard after it."""
        self.clock.advance(1.0)
        self.speaks("greeting", "Recorded.")
        self.play(0.3)
        self.asked()
        self.talk.hold_changed(True)
        self.asked()
        self.talk.hold_changed(False)
        self.assertEqual(self.asked(), [("say", "Recorded.", "first")])
        self.speaks("again", "Recorded.")
        self.play(1.5)
        self.assertEqual(self.told.dialogue[-1], ("assistant", "Recorded."))
        heard = self.model.heard
        self.hear(0.1, VOICE)
        self.assertGreater(self.model.heard, heard)


class LiveStartTests(LiveCase):
    """A call that begins on hold."""

    starts = False

    def test_greeted_afterwards(self) -> None:
        """The greeting is asked for when there is somebody to hear it."""
        self.talk.hold_changed(True)
        self.begin()
        self.assertEqual(self.asked(), [])
        self.talk.hold_changed(False)
        self.assertEqual(self.asked(), [("say", "Hello.")])

    def test_over_before(self) -> None:
        """Or at once, if that is over by then."""
        self.talk.hold_changed(True)
        self.talk.hold_changed(False)
        self.begin()
        self.assertEqual(self.asked(), [("say", "Hello.")])
