"""LiveConversation: keys, operators, tools, failures, ends."""

from __future__ import annotations

import numpy as np

from rapida_tw.errors import (
    IDLE_TIMEOUT,
    MAX_DURATION,
    PROVIDER_FAILED,
    SHUTTING_DOWN,
    TOOL_ENDED,
    VendorFailed,
)
from rapida_tw.models.base import ToolCall
from rapida_tw.pipeline.keypad import PAUSE
from rapida_tw.pipeline.live_speaker import OWED_WITHIN
from rapida_tw.pipeline.reply import TAIL, Say
from rapida_tw.pipeline.tools import Result
from tests.pipeline.live_case import VOICE, LiveCase

LONG = "One two three four five six seven eight nine ten"  # said in two seconds
CLOSING = Say("We close.", "closing", False, SHUTTING_DOWN)


class KeyTests(LiveCase):
    """Digits are told as text."""

    def setUp(self) -> None:
        super().setUp()
        self.greeted()

    def test_digits(self) -> None:
        """An entry is told to the model, in words, and to the journal, in digits."""
        self.talk.digit_received("1")
        self.talk.digit_received("2")
        self.play(PAUSE + 0.1)
        self.assertEqual(self.asked(), [("text", "The caller pressed 1 2")])
        self.speaks("answer", "Thanks.")
        self.play(1.5)
        self.assertEqual(self.told.dialogue[1:], [("user", "12"), ("assistant", "Thanks.")])
        self.assertEqual(self.told.times[-1].latency(), {})

    def test_key_beside_a_tool(self) -> None:
        """A key that is pressed while a tool runs does not wait for it."""
        self.sink.reply_began()
        self.sink.tools_wanted([ToolCall("x", "look_up")])
        self.sink.reply_over()
        self.talk.digit_received("1")
        self.play(PAUSE + 0.1)
        self.assertEqual(self.asked()[-1], ("text", "The caller pressed 1"))

    def test_key_interrupts(self) -> None:
        """A key cuts off what is being said."""
        self.speaks("long", LONG, frames=100)
        self.play(0.5)
        self.talk.digit_received("1")
        self.assertFalse(self.playout.busy)
        self.assertEqual(self.asked()[0], ("cancel",))

    def test_collected(self) -> None:
        """A tool that waits for keys gets them, and nothing is interrupted."""
        collecting = self.keypads[0].collect(1)
        self.talk.digit_received("7")
        self.assertEqual(self.successResultOf(collecting), "7")
        self.assertEqual(self.asked(), [])


class OperatorTests(LiveCase):
    """What others want said."""

    def test_after_the_greeting(self) -> None:
        """An operator's text waits for its turn."""
        self.asked()
        self.talk.say("By the way.")
        self.assertEqual(self.asked(), [])
        self.speaks("greeting", "Hello.")
        self.play(1.5)
        self.assertEqual(self.asked(), [("say", "By the way.")])

    def test_closing(self) -> None:
        """The closing comes at once, is not interrupted, and ends the call when it was heard."""
        self.speaks("greeting", "Hello.", frames=100)
        self.play(0.5)
        self.asked()
        self.talk.close_with(CLOSING)
        self.assertEqual(self.asked()[-1], ("say", "We close.", "first"))
        self.speaks("closing", "We close.", frames=50)
        heard = self.model.heard
        self.hear(0.5, VOICE)
        self.assertEqual(self.model.heard, heard)
        self.assertEqual(self.told.ends, [])
        self.play(0.6 + TAIL)
        self.assertEqual(self.told.ends, [SHUTTING_DOWN])
        self.assertEqual(self.told.dialogue[-1], ("assistant", "We close."))

    def test_closing_that_never_comes(self) -> None:
        """A model that does not say it does not keep the call."""
        self.talk.close_with(CLOSING)
        self.play(OWED_WITHIN + 0.1)
        self.assertEqual(self.told.ends, [SHUTTING_DOWN])


class IdleTests(LiveCase):
    def setUp(self) -> None:
        super().setUp()
        self.greeted()

    def prompted(self) -> None:
        self.play(30.1)
        self.assertEqual(self.asked(), [("say", "Are you there?")])
        self.speaks("idle", "Are you there?")
        self.play(1.5)

    def test_prompts(self) -> None:
        """A silent caller is asked some times, then the call ends."""
        self.prompted()
        self.prompted()
        self.play(30.1)
        self.assertEqual(self.told.ends, [IDLE_TIMEOUT])

    def test_answered(self) -> None:
        """A caller who answers is asked anew."""
        self.prompted()
        self.prompted()
        self.caller_says("yes")
        self.speaks("answer", "Good.")
        self.play(1.5)
        self.prompted()
        self.assertEqual(self.told.ends, [])

    def test_voice(self) -> None:
        """A caller who speaks is not idle."""
        self.play(20.0)
        self.hear(0.5, VOICE)
        self.hear(20.0)
        self.assertEqual(self.asked(), [])

    def test_longest(self) -> None:
        """No call lasts for ever."""
        self.clock.advance(self.experience.max_duration)
        self.assertEqual(self.told.ends, [MAX_DURATION])


class ToolTests(LiveCase):
    """Tools run while the model listens; their results come when it may speak."""

    def setUp(self) -> None:
        super().setUp()
        self.greeted()
        self.caller_says("look it up")
        self.speaks("before", "One moment.", over=False)
        self.asked()

    def want(self, *names: str) -> None:
        self.sink.tools_wanted([ToolCall(f"id-{name}", name) for name in names])
        self.sink.reply_over()

    def test_answered(self) -> None:
        """A result is answered, and what the model says to it belongs to the same reply."""
        self.want("look_up")
        self.play(2.0)
        self.held.using[0].callback(Result('{"a": 1}'))
        self.assertEqual(self.asked(), [("answer", 'id-look_up: {"a": 1}', True)])
        self.speaks("after", "It is one.")
        self.play(1.5)
        self.assertEqual(
            self.told.dialogue[2:], [("assistant", "One moment."), ("assistant", "It is one.")]
        )
        self.assertEqual(self.told.tools, [("look_up", '{"a": 1}')])

    def test_parallel(self) -> None:
        """Several run side by side and are answered together, in the order of their calls."""
        self.want("look_up", "book")
        self.other.using[0].callback(Result("2"))
        self.assertEqual(self.asked(), [])
        self.held.using[0].callback(Result("1"))
        self.assertEqual(self.asked(), [("answer", "id-look_up: 1", "id-book: 2", True)])

    def test_caller_speaks(self) -> None:
        """Nobody is talked over: a result that comes meanwhile waits for the next reply."""
        self.want("look_up")
        self.play(1.5)
        self.sink.speech_started()
        self.held.using[0].callback(Result("1"))
        self.assertEqual(self.asked()[-1], ("answer", "id-look_up: 1", False))

    def test_withdrawn(self) -> None:
        """A call that is not wanted any more is cancelled, and not answered."""
        self.want("look_up")
        self.sink.tools_withdrawn(["id-look_up"])
        self.assertEqual(self.held.cancelled, 1)
        self.assertEqual(self.asked(), [])

    def test_unknown(self) -> None:
        """A tool that there is not is an error for the model."""
        self.want("fly")
        self.assertIn("there is no tool fly", self.asked()[0][1])

    def test_idle_waits(self) -> None:
        """While a tool runs nobody is idle."""
        self.want("look_up")
        self.play(35.0)
        self.assertEqual(self.asked(), [])

    def test_end_call(self) -> None:
        """The call ends when the goodbye that came with it was heard."""
        self.want("end_call")
        self.assertEqual(self.asked(), [])
        self.play(0.6)
        self.assertEqual(self.told.ends, [])
        self.play(0.6 + TAIL)
        self.assertEqual(self.told.ends, [TOOL_ENDED])

    def test_other_results_are_told(self) -> None:
        """What else was found out before an interrupted goodbye is not lost."""
        self.want("look_up", "end_call")
        self.held.using[0].callback(Result("found"))
        self.sink.speech_started()
        _, found, end, _ = self.asked()[-1]
        self.assertEqual(found, "id-look_up: found")
        self.assertIn("interrupted by the caller", end)

    def test_goodbye_is_interrupted(self) -> None:
        """A caller who interrupts the goodbye keeps the call; the model is told."""
        self.want("end_call")
        self.play(0.3)
        self.sink.speech_started()
        self.assertIn("interrupted by the caller", str(self.asked()[-1]))
        self.play(5.0)
        self.assertEqual(self.told.ends, [])

    def test_interrupted_before_it_is_ready(self) -> None:
        """What was to end the call when the caller interrupted ends it no more."""
        self.want("look_up")
        self.play(0.3)
        self.sink.speech_started()
        self.held.using[0].callback(Result('{"success": true}', TOOL_ENDED))
        self.assertIn("interrupted by the caller", str(self.asked()[-1]))
        self.sink.speech_stopped()
        self.speaks("on", "Go on.")
        self.play(2.0)
        self.assertEqual(self.told.ends, [])

    def test_without_a_goodbye(self) -> None:
        """A model that ends the call without a word is let say one first."""
        self.play(1.5)
        self.caller_says("bye")
        self.sink.reply_began()
        self.want("end_call")
        self.assertEqual(self.asked()[-1][0], "answer")
        self.assertTrue(self.asked is not None)
        self.assertEqual(self.told.ends, [])
        self.speaks("bye", "Goodbye.")
        self.play(1.5 + TAIL)
        self.assertEqual(self.told.ends, [TOOL_ENDED])

    def test_circles(self) -> None:
        """A model that runs in circles is told to stop."""
        for _ in range(10):
            self.want("fly")
        answers = self.asked()
        self.assertIn("too many tools", str(answers[-1]))
        self.assertEqual([answer[-1] for answer in answers], [True] * 7 + [False] * 3)


class FailureTests(LiveCase):
    def setUp(self) -> None:
        super().setUp()
        self.greeted()
        self.caller_says("hours")

    def test_failed_out_of_turn(self) -> None:
        """So is one that fails when nothing was asked for."""
        self.speaks("answer", "At nine.")
        self.play(1.5)
        self.asked()
        self.sink.reply_over("it is overloaded")
        self.assertEqual(self.asked(), [("say", "Sorry.")])

    def test_no_answer(self) -> None:
        """A reply that does not come is apologised for by the model, as long as it can."""
        self.play(OWED_WITHIN + 0.1)
        self.assertEqual(self.asked(), [("cancel",), ("say", "Sorry.")])
        self.assertIn("reply.failed", self.told.happenings)

    def test_failed_reply(self) -> None:
        """A reply that fails is apologised for."""
        self.sink.reply_over("it is overloaded")
        self.assertEqual(self.asked(), [("say", "Sorry.")])

    def test_failed_apology(self) -> None:
        """A model that cannot even apologise ends the call."""
        self.sink.reply_over("it is overloaded")
        self.sink.reply_over("it is overloaded")
        self.assertEqual(self.told.ends, [PROVIDER_FAILED.because("it is overloaded")])

    def test_model_lost(self) -> None:
        """When the model is lost the other voice apologises, and the call ends."""
        self.speaks("answer", LONG, frames=100)
        self.play(0.5)
        self.sink.failed(VendorFailed("gone"))
        self.assertFalse(self.playout.busy)
        self.assertEqual([job.text for job in self.apologies], ["Sorry."])
        self.assertEqual(self.told.ends, [])
        self.apologised()
        self.assertEqual(self.told.ends, [PROVIDER_FAILED.because("gone")])

    def test_once(self) -> None:
        """It is lost once."""
        self.sink.failed(VendorFailed("gone"))
        self.sink.failed(VendorFailed("gone again"))
        self.assertEqual(len(self.apologies), 1)

    def test_hangs_up_meanwhile(self) -> None:
        """A caller who hangs up in the apology ends it."""
        self.sink.failed(VendorFailed("gone"))
        self.talk.stop()
        self.assertEqual(self.apology_stopped, 1)


class OneVoiceTests(LiveCase):
    def has_voice(self) -> bool:
        return False

    def test_hangs_up(self) -> None:
        """Without another voice a lost model ends the call at once."""
        self.sink.failed(VendorFailed("gone"))
        self.assertEqual(self.told.ends, [PROVIDER_FAILED.because("gone")])


class LostLineTests(LiveCase):
    """A connection that is replaced in mid-call."""

    def setUp(self) -> None:
        super().setUp()
        self.greeted()

    def test_owed(self) -> None:
        """An answer that was owed is asked for again."""
        self.caller_says("hours")
        self.sink.line_lost()
        self.assertEqual(self.asked(), [])
        self.sink.line_back()
        self.assertEqual(self.asked(), [("go on",)])

    def test_half_an_answer(self) -> None:
        """What has come of an answer is heard; the next connection knows it, and owes the rest."""
        self.caller_says("count")
        self.sink.reply_began()
        self.sink.words("long", "One two three")
        self.sink.audio("long", np.tile(VOICE, 50))
        self.sink.line_lost()
        self.assertEqual(self.sink.dialogue()[-1].text, "One two three")
        self.sink.line_back()
        self.assertEqual(self.asked(), [("go on",)])
        self.speaks("rest", "four five.")
        self.play(2.5)
        self.assertEqual(
            self.told.dialogue[-2:], [("assistant", "One two three"), ("assistant", "four five.")]
        )

    def test_prompt(self) -> None:
        """A text of the house that was not begun is said by the next connection."""
        self.talk.say("By the way.")
        self.asked()
        self.sink.line_lost()
        self.sink.line_back()
        self.assertEqual(self.asked(), [("say", "By the way.")])

    def test_quiet(self) -> None:
        """When nothing was going on, nothing is asked for."""
        self.sink.line_lost()
        self.sink.line_back()
        self.assertEqual(self.asked(), [])
