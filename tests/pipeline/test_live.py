"""LiveConversation: whose turn it is, with a model that takes its own."""

from __future__ import annotations

from dataclasses import replace

from rapida_tw.errors import (
    PROVIDER_FAILED,
    SHUTTING_DOWN,
    VendorFailed,
)
from rapida_tw.pipeline.barge_in import WINDOW
from rapida_tw.pipeline.reply import Say
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
        self.assertEqual(self.asked(), [("say", "We close.", "first")])

    def test_failed_start(self) -> None:
        """A model that does not start is apologised for in the other voice; then the call ends."""
        self.model.starting.errback(VendorFailed("no such model"))
        self.assertEqual(self.active, 0)
        self.assertEqual([job.text for job in self.apologies], ["Sorry."])
        self.apologised()
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

    def test_first_item_heard(self) -> None:
        """An item that was heard whole is left as it is."""
        self.sink.speech_started()
        self.speaks("one", "First.", frames=20, over=False)
        self.speaks("two", "Second.", frames=50)
        self.play(1.0)
        self.asked()
        self.sink.speech_started()
        (truncated,) = (asked for asked in self.asked() if asked[0] == "truncate")
        self.assertEqual(truncated[1], "two")
        self.assertLess(abs(truncated[2] - 600), 40)

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


class IdleAfterNoiseTests(LiveCase):
    """A vendor that heard a voice where there was none."""

    tells_speech = False

    def test_prompted(self) -> None:
        """After an interruption that nobody meant the caller is asked, as after any silence."""
        self.greeted()
        self.speaks("long", LONG, frames=100)
        self.play(0.5)
        self.sink.interrupted()
        self.asked()
        self.play(30.1)
        self.assertEqual(self.asked(), [("say", "Are you there?")])


class ByWordsAloneTests(LiveCase):
    """Who wants no sound to interrupt leaves it all to the vendor."""

    by_sound = False

    def test_no_pause(self) -> None:
        """Our own ear pauses nothing; the vendor's does."""
        self.greeted()
        self.caller_says("count")
        self.speaks("long", LONG, frames=100)
        self.hear(0.3, VOICE)
        self.assertFalse(self.playout.paused)
        self.sink.speech_started()
        self.assertFalse(self.playout.busy)


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
        began = self.told.times[-1].played
        self.assertLess(abs(began - self.told.turns[-1].speech_ended - 0.6), 0.06)

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

    def test_before_the_start(self) -> None:
        """What was said before it is not heard before it either."""
        self.assertEqual(self.model.heard, 0)

    def test_voice_on_its_way(self) -> None:
        """A voice that the vendor had heard before is not believed: it is said again, once."""
        self.speaks("greeting", "Hello.", frames=100)
        self.play(0.4)
        self.asked()
        self.sink.speech_started()
        self.assertEqual(self.asked()[-1], ("say", "Hello.", "first"))
        self.speaks("again", "Hello.")
        self.play(1.5)
        self.assertEqual(self.told.dialogue[-1], ("assistant", "Hello."))
