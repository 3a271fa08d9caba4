"""LiveConversation: whose turn it is, with a model that takes its own."""

from __future__ import annotations

from dataclasses import replace

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
from rapida_tw.pipeline.barge_in import WINDOW
from rapida_tw.pipeline.keypad import PAUSE
from rapida_tw.pipeline.live_speaker import OWED_WITHIN
from rapida_tw.pipeline.reply import TAIL, Say
from rapida_tw.pipeline.tools import Result
from tests.pipeline.live_case import VOICE, LiveCase

LONG = "One two three four five six seven eight nine ten"  # said in two seconds
CLOSING = Say("We close.", "closing", False, SHUTTING_DOWN)


class GreetingTests(LiveCase):
    """The model is the voice of the house, too."""

    def test_briefing(self) -> None:
        """It is told the system prompt and the tools, and what was said before."""
        self.assertEqual(self.model.briefing.instructions, "Be kind.")
        self.assertEqual(
            [tool.name for tool in self.model.briefing.tools], ["end_call", "look_up", "book"]
        )
        self.assertEqual([one.text for one in self.sink.dialogue()], ["Before."])

    def test_greeting(self) -> None:
        """It says the greeting, word for word, and then it is the caller's turn."""
        self.assertEqual(self.asked(), [("say", "Hello.")])
        self.speaks("greeting", "Hello.")
        self.play(1.5)
        self.assertEqual(self.told.dialogue, [("assistant", "Hello.")])
        self.assertEqual(self.told.kinds, ["greeting"])
        self.assertEqual(self.told.cut, [])

    def test_hello_before_the_greeting(self) -> None:
        """What was said into the silence before it is answered by the greeting itself."""
        self.greeted()
        self.assertLess(self.model.heard, 20)


class BeforeTheStartTests(LiveCase):
    starts = False

    def test_hello(self) -> None:
        """A "hello?" that is over when the model is ready is not heard by it."""
        self.hear(0.4, VOICE)
        self.hear(0.6)
        self.begin()
        self.assertEqual(self.model.heard, 15)

    def test_still_speaking(self) -> None:
        """A caller who is speaking then is heard from the beginning."""
        self.hear(0.6)
        self.hear(0.4, VOICE)
        self.begin()
        self.assertGreaterEqual(self.model.heard, 20 + 10)

    def test_closing_before_the_start(self) -> None:
        """A server that stops says so as soon as it can, and nothing else."""
        self.talk.close_with(CLOSING)
        self.begin()
        self.assertEqual(self.asked(), [("say", "We close.")])

    def test_failed_start(self) -> None:
        """A model that does not start is apologised for in the other voice; then the call ends."""
        self.model.starting.errback(VendorFailed("no such model"))
        self.assertEqual(self.active, 0)
        self.assertEqual([job.text for job in self.apologies], ["Sorry."])
        assert self.apology is not None
        self.apology.callback(None)
        self.assertEqual(self.told.ends, [PROVIDER_FAILED.because("no such model")])


class NoGreetingTests(LiveCase):
    experience = replace(LiveCase.experience, greeting="")
    starts = False

    def test_waits_for_the_caller(self) -> None:
        """Without a greeting all that was said is heard, and nothing is said."""
        self.hear(0.4, VOICE)
        self.hear(0.6)
        self.begin()
        self.assertEqual(self.asked(), [])
        self.assertGreaterEqual(self.model.heard, 50)


class TurnTests(LiveCase):
    """Questions, answers, and who is heard."""

    def setUp(self) -> None:
        super().setUp()
        self.greeted()

    def test_answer(self) -> None:
        """The caller's words and the answer are written down in their order, with the latency."""
        self.caller_says("hours")
        self.play(0.3)
        self.speaks("answer", "At nine.")
        self.play(1.5)
        self.assertEqual(self.told.dialogue[1:], [("user", "hours"), ("assistant", "At nine.")])
        latency = self.told.times[-1].latency()
        self.assertLess(abs(latency["endpointing"] - 0.5), 0.05)
        self.assertLess(abs(latency["model"] - 0.3), 0.03)
        self.assertLess(abs(latency["total"] - 0.8), 0.08)

    def test_late_words(self) -> None:
        """Words of the caller that come behind the answer stand before it."""
        self.sink.speech_started()
        self.sink.speech_stopped()
        self.sink.turn_taken("turn")
        self.speaks("answer", "At nine.")
        self.play(1.5)
        self.assertEqual(len(self.told.dialogue), 1)
        self.sink.turn_heard("turn", "hours")
        self.assertEqual(self.told.dialogue[1:], [("user", "hours"), ("assistant", "At nine.")])

    def test_words_that_never_come(self) -> None:
        """A turn nobody knows the words of holds nothing back for long."""
        self.sink.turn_taken("turn")
        self.speaks("answer", "At nine.")
        self.play(6.0)
        self.assertEqual(self.told.dialogue[1:], [("assistant", "At nine.")])

    def test_dialogue(self) -> None:
        """Another connection is told what was said, as it was heard."""
        self.caller_says("hours")
        self.speaks("answer", LONG, frames=100)
        self.play(1.0)
        self.sink.speech_started()
        said = [(one.role, one.text) for one in self.sink.dialogue()]
        self.assertEqual(
            said[:3], [("user", "Before."), ("assistant", "Hello."), ("user", "hours")]
        )
        role, text = said[3]
        self.assertEqual(role, "assistant")
        self.assertTrue(LONG.startswith(text) and 10 < len(text) < 30, text)

    def test_unasked(self) -> None:
        """A reply that nobody has asked for is heard, too."""
        self.speaks("more", "And by the way.")
        self.play(1.5)
        self.assertEqual(self.told.dialogue[-1], ("assistant", "And by the way."))
        self.assertEqual(self.told.times[-1].latency(), {})


class InterruptionTests(LiveCase):
    """The caller's voice, as the vendor hears it, and as we do."""

    def setUp(self) -> None:
        super().setUp()
        self.greeted()
        self.caller_says("count")
        self.speaks("long", LONG, frames=100)
        self.play(1.0)
        self.asked()

    def test_cut_off(self) -> None:
        """The playout is empty at once, and model and journal know how far it was heard."""
        self.sink.speech_started()
        self.assertFalse(self.playout.busy)
        cancel, (verb, item, milliseconds) = self.asked()
        self.assertEqual((cancel, verb, item), (("cancel",), "truncate", "long"))
        self.assertLess(abs(milliseconds - 1000), 40)
        role, text = self.told.dialogue[-1]
        self.assertEqual(role, "assistant")
        self.assertEqual(self.told.cut, [text])
        self.assertTrue(LONG.startswith(text) and 15 < len(text) < 30, text)
        self.assertIn("turn.interrupted", self.told.happenings)

    def test_broken_off(self) -> None:
        """A vendor that only says that it broke off is believed as well."""
        self.sink.interrupted()
        self.assertFalse(self.playout.busy)
        self.assertEqual(self.asked()[0], ("cancel",))

    def test_late_sound(self) -> None:
        """Sound of a reply that was cut off is not heard."""
        self.sink.speech_started()
        self.sink.audio("long", VOICE)
        self.assertFalse(self.playout.busy)

    def test_second_item_unheard(self) -> None:
        """Of an item that nobody heard, nothing was: the model is told so."""
        self.sink.speech_started()
        self.speaks("one", "First.", frames=50, over=False)
        self.speaks("two", "Second.", frames=50)
        self.play(0.4)
        self.asked()
        self.sink.speech_started()
        truncated = [asked for asked in self.asked() if asked[0] == "truncate"]
        self.assertEqual([asked[1] for asked in truncated], ["one", "two"])
        self.assertEqual(truncated[1][2], 0)

    def test_heard_to_the_end(self) -> None:
        """What was heard whole is not truncated."""
        self.play(1.5)
        self.sink.speech_started()
        self.assertEqual([asked for asked in self.asked() if asked[0] == "truncate"], [])
        self.assertEqual(self.told.cut, [])

    def test_own_ear_is_faster(self) -> None:
        """At the first sound the playout pauses; when the vendor hears it too, it is cut."""
        self.hear(0.1, VOICE)
        self.assertTrue(self.playout.paused)
        self.assertTrue(self.playout.busy)
        self.sink.speech_started()
        self.assertFalse(self.playout.busy)
        self.assertFalse(self.playout.paused)

    def test_cough(self) -> None:
        """A sound that the vendor does not take for a voice lets the reply go on."""
        self.hear(0.1, VOICE)
        self.hear(WINDOW + 0.1)
        self.assertFalse(self.playout.paused)
        self.assertTrue(self.playout.busy)
        self.play(2.0)
        self.assertEqual(self.told.dialogue[-1], ("assistant", LONG))

    def test_the_vendor_decides(self) -> None:
        """A noise that goes on is no interruption where the vendor tells voices from noises."""
        self.hear(0.8, VOICE)
        self.assertNotIn("turn.interrupted", self.told.happenings)

    def test_next_answer(self) -> None:
        """After an interruption the next answer is heard."""
        self.caller_says("hours", "second")
        self.speaks("next", "At nine.")
        self.play(1.5)
        self.assertEqual(self.told.dialogue[-2:], [("user", "hours"), ("assistant", "At nine.")])


class FarSideTests(InterruptionTests):
    """The same with a far side that buffers: what it has not played was not heard."""

    lead = 5


class SilentVendorTests(LiveCase):
    """A vendor that tells of no voice, only of replies it has broken off."""

    tells_speech = False

    def setUp(self) -> None:
        super().setUp()
        self.greeted()
        self.hear(1.0, VOICE)
        self.hear(0.6)
        self.sink.turn_taken("turn")

    def test_latency(self) -> None:
        """Our own ear measures from when the caller fell silent."""
        self.speaks("answer", "At nine.")
        self.sink.turn_heard("turn", "hours")
        self.play(1.5)
        self.assertEqual(self.told.dialogue[1:], [("user", "hours"), ("assistant", "At nine.")])
        self.assertLess(abs(self.told.times[-1].latency()["total"] - 0.6), 0.06)

    def test_talked_over(self) -> None:
        """When the vendor has nothing to break off any more, a voice that insists interrupts."""
        self.speaks("answer", LONG, frames=100)
        self.play(0.5)
        self.hear(0.8, VOICE)
        self.assertFalse(self.playout.busy)
        self.assertIn("turn.interrupted", self.told.happenings)

    def test_vendor_is_not_done(self) -> None:
        """While it could break off, it decides."""
        self.speaks("answer", LONG, frames=100, over=False)
        self.play(0.5)
        self.hear(0.8, VOICE)
        self.assertTrue(self.playout.busy)


class ProtectedTests(LiveCase):
    """A greeting that must not be interrupted."""

    experience = replace(LiveCase.experience, greeting_interruptible=False)

    def test_heard_afterwards(self) -> None:
        """The model hears what was said meanwhile when the greeting is over."""
        self.speaks("greeting", "Hello.", frames=100)
        before = self.model.heard
        self.hear(0.5)
        self.hear(1.0, VOICE)
        self.assertEqual(self.model.heard, before)
        self.hear(1.0)
        self.assertGreaterEqual(self.model.heard - before, 50 + 15)
        self.assertEqual(self.told.dialogue, [("assistant", "Hello.")])
        self.assertEqual(self.told.cut, [])

    def test_silent_caller(self) -> None:
        """A caller who said nothing costs the model no audio."""
        self.speaks("greeting", "Hello.", frames=100)
        before = self.model.heard
        self.hear(2.0)
        self.assertLess(self.model.heard - before, 20)

    def test_voice_on_its_way(self) -> None:
        """A voice that the vendor had heard before is not believed: it is said again, once."""
        self.speaks("greeting", "Hello.", frames=100)
        self.play(0.4)
        self.asked()
        self.sink.speech_started()
        self.assertEqual(self.asked()[-1], ("say", "Hello."))
        self.speaks("again", "Hello.")
        self.play(1.5)
        self.assertEqual(self.told.dialogue[-1], ("assistant", "Hello."))


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
        self.assertEqual(self.asked()[-1], ("say", "We close."))
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

    def test_goodbye_is_interrupted(self) -> None:
        """A caller who interrupts the goodbye keeps the call; the model is told."""
        self.want("end_call")
        self.play(0.3)
        self.sink.speech_started()
        self.assertIn("interrupted by the caller", str(self.asked()[-1]))
        self.play(5.0)
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
        self.assertIn("too many tools", str(self.asked()[-1]))


class FailureTests(LiveCase):
    def setUp(self) -> None:
        super().setUp()
        self.greeted()
        self.caller_says("hours")

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
        assert self.apology is not None
        self.apology.callback(None)
        self.assertEqual(self.told.ends, [PROVIDER_FAILED.because("gone")])

    def test_no_voice_either(self) -> None:
        """When the other voice fails, too, the call ends all the same."""
        self.sink.failed(VendorFailed("gone"))
        assert self.apology is not None
        self.apology.errback(VendorFailed("no voice"))
        self.assertEqual(self.told.ends, [PROVIDER_FAILED.because("gone")])

    def test_hangs_up_meanwhile(self) -> None:
        """A caller who hangs up in the apology ends it."""
        self.sink.failed(VendorFailed("gone"))
        self.talk.stop()
        assert self.apology is not None
        self.assertTrue(self.apology.called)


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
        """What has come of an answer is heard, and told to the next connection; the rest is owed."""
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
