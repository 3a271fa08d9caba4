"""Hold in the pipeline: each reply's fate, the turn under way, and a live model's replies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from twisted.internet.defer import succeed

from rapida_tw.errors import SHUTTING_DOWN
from rapida_tw.models.base import ToolCall
from rapida_tw.pipeline.hold import Fate, on_hold
from rapida_tw.pipeline.keypad import PAUSE
from rapida_tw.pipeline.listen import FINAL_WITHIN, Turn
from rapida_tw.pipeline.reply import Answer, Job, Say
from tests.pipeline.fakes import QUIET, SPEECH
from tests.pipeline.live_case import VOICE, LiveCase
from tests.pipeline.test_conversation import _Case as TalkCase
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


class ConversationTests(TalkCase):
    """A conversation, by what it tells its parts."""

    def hold(self, waited_for: bool = False) -> None:
        self.replier.waited_for = waited_for
        self.talk.hold_changed(True)

    def test_late_voice(self) -> None:
        """A voice that the recogniser tells late puts nothing in doubt."""
        self.hold(waited_for=True)
        self.talk.speech_started()
        self.assertFalse(self.playout.paused)
        self.clock.advance(2.0)
        self.assertTrue(self.replier.paused)
        self.assertEqual(self.replier.cancelled, [])

    def test_late_voice_at_a_beginning(self) -> None:
        """Nor when a reply is begun meanwhile."""
        self.hold()
        self.listener.speaking = True
        self.talk.say("More.")
        self.assertFalse(self.playout.paused)
        self.assertTrue(self.replier.paused)

    def test_sound_without_words(self) -> None:
        """Nobody is asked to say again what they did not say to us."""
        self.replier.heard()
        self.hold()
        self.talk.turn_ended(Turn("", voiced=50))
        self.talk.hold_changed(False)
        self.assertEqual(self.replier.texts, ["Hello."])

    def test_cut_is_no_voice(self) -> None:
        """After a reply that the hold cut off, a cough is a cough."""
        self.hold()
        self.assertEqual(len(self.replier.cancelled), 1)
        self.talk.hold_changed(False)
        self.coughs()
        self.assertEqual(self.replier.texts, ["Hello."])

    def test_what_waits(self) -> None:
        """What was to come after the reply is made next, and kept."""
        self.talk.say("More.")
        self.hold()
        self.assertEqual(self.replier.texts, ["Hello.", "More."])
        self.assertTrue(self.replier.paused)
        self.talk.hold_changed(False)
        self.assertFalse(self.replier.paused)
        self.assertEqual(self.replier.texts, ["Hello.", "More."])

    def test_reply_that_is_over_at_once(self) -> None:
        """It does not leave the playout standing."""
        self.hold()
        self.replier.answer = succeed(None)
        self.talk.say("")
        self.talk.hold_changed(False)
        self.assertFalse(self.replier.paused)

    def test_nobody_is_asked(self) -> None:
        """Also when there was a reply to be cut off."""
        self.hold()
        self.clock.advance(100.0)
        self.assertEqual(self.replier.texts, ["Hello."])
        self.talk.hold_changed(False)
        self.clock.advance(31.0)
        self.assertEqual(len(self.replier.texts), 2)

    def test_nothing_is_told(self) -> None:
        """A hold is no interruption by the caller's voice."""
        self.hold()
        self.assertEqual(self.told.happenings, [])


class StartTests(TalkCase):
    """A hold before the voice is ready."""

    def begin(self) -> None:
        """Not yet."""

    def test_over_before(self) -> None:
        """Then the call begins as any other."""
        self.talk.hold_changed(True)
        self.talk.hold_changed(False)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.talk.start()
        self.assertEqual(self.replier.texts, ["Hello."])

    def test_still_held(self) -> None:
        """Then the greeting is made, and kept."""
        self.talk.hold_changed(True)
        self.talk.start()
        self.assertEqual(self.replier.texts, ["Hello."])
        self.assertTrue(self.replier.paused)


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

    def test_operator(self) -> None:
        """What an operator types is made meanwhile, and heard afterwards."""
        self.greeted()
        self.talk.hold_changed(True)
        self.talk.say("The doctor is back.")
        self.assertEqual(self.asked(), [("say", "The doctor is back.")])
        self.speaks("one", "The doctor is back.")
        self.clock.advance(60.0)
        self.talk.hold_changed(False)
        self.play(1.5)
        self.assertEqual(self.told.dialogue[-1], ("assistant", "The doctor is back."))

    def test_keys(self) -> None:
        """Keys are a turn, as ever."""
        self.greeted()
        self.talk.hold_changed(True)
        self.talk.digit_received("1")
        self.clock.advance(PAUSE)
        self.assertEqual(self.asked(), [("text", "The caller pressed 1")])

    def test_counted_anew(self) -> None:
        """Who was asked before the hold has answered by coming back."""
        self.greeted()
        for _ in range(self.experience.idle_retries + 1):
            self.clock.advance(31.0)
            self.assertEqual(len(self.asked()), 1)
            self.speaks("idle", "Are you there?")
            self.play(1.5)
            self.asked()
            self.talk.hold_changed(True)
            self.talk.hold_changed(False)
        self.assertEqual(self.told.ends, [])

    def test_goodbye_of_the_model(self) -> None:
        """Who comes back from hold wants to talk: what was to end the call does not any more."""
        self.greeted()
        self.caller_says("bye")
        self.speaks("bye", "Goodbye.", over=False)
        self.sink.tools_wanted([ToolCall("1", "end_call")])
        self.sink.reply_over()
        self.play(0.3)
        self.talk.hold_changed(True)
        self.talk.hold_changed(False)
        self.clock.advance(31.0)
        self.speaks("idle", "Are you there?")
        self.play(3.0)
        self.assertEqual(self.told.dialogue[-1], ("assistant", "Are you there?"))
        self.assertEqual(self.told.ends, [])

    def test_latency(self) -> None:
        """The time on hold was no waiting: of such an answer no latency is told."""
        for held in (False, True):
            self.caller_says("hours")
            if held:
                self.talk.hold_changed(True)
            self.speaks("item", "At nine.")
            self.talk.hold_changed(False)
            self.play(1.5)
            self.assertEqual(self.told.times[-1].latency() == {}, held)

    def test_latency_of_a_late_end(self) -> None:
        """So it is when the vendor tells the end of the turn only then."""
        self.sink.speech_started()
        self.hear(1.0, VOICE)
        self.talk.hold_changed(True)
        self.sink.speech_stopped()
        self.speaks("item", "At nine.")
        self.talk.hold_changed(False)
        self.play(1.5)
        self.assertEqual(self.told.times[-1].latency(), {})
        self.assertTrue(self.told.times[-1].played)

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


class LiveSilentVendorTests(LiveCase):
    """With a model that does not tell when the caller speaks, our own ear decides."""

    tells_speech = False

    def test_voice_before_the_hold(self) -> None:
        """A voice that the hold has cut off interrupts nothing that comes during it."""
        self.greeted()
        self.hear(0.6, VOICE)
        self.talk.hold_changed(True)
        self.speaks("item", "At nine.")
        self.clock.advance(10.0)
        self.talk.hold_changed(False)
        self.play(1.5)
        self.assertEqual(self.told.dialogue[-1], ("assistant", "At nine."))
        self.assertEqual(self.told.cut, [])


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
        self.assertEqual(self.asked()[-1], ("say", "Recorded.", "first"))
        self.speaks("again", "Recorded.")
        self.talk.hold_changed(False)
        self.play(1.5)
        self.assertEqual(self.told.dialogue[-1], ("assistant", "Recorded."))
        heard = self.model.heard
        self.hear(0.1, VOICE)
        self.assertGreater(self.model.heard, heard)


class LiveStartTests(LiveCase):
    """A call that begins on hold."""

    starts = False

    def test_greeted_afterwards(self) -> None:
        """The greeting is ready when there is somebody to hear it."""
        self.talk.hold_changed(True)
        self.begin()
        self.assertEqual(self.asked(), [("say", "Hello.")])
        self.speaks("greeting", "Hello.")
        self.clock.advance(60.0)
        self.talk.hold_changed(False)
        self.play(1.5)
        self.assertEqual(self.told.dialogue, [("assistant", "Hello.")])

    def test_over_before(self) -> None:
        """Or at once, if that is over by then."""
        self.talk.hold_changed(True)
        self.talk.hold_changed(False)
        self.begin()
        self.assertEqual(self.asked(), [("say", "Hello.")])
