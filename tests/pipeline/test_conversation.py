"""Conversation: whose turn it is, in every state and from every side."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import IDLE_TIMEOUT, MAX_DURATION, SHUTTING_DOWN, End, VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.media.playout import Playout
from rapida_tw.pipeline.barge_in import WINDOW, BargeIn
from rapida_tw.pipeline.conversation import FAILURES_IN_A_ROW, Conversation, ConversationEvents
from rapida_tw.pipeline.experience import Experience
from rapida_tw.pipeline.keypad import PAUSE, Keypad
from rapida_tw.pipeline.listen import Turn
from rapida_tw.pipeline.reply import Answer, Job, Say
from tests.pipeline.fakes import SPEECH

EXPERIENCE = Experience(greeting="Hello.", error_message="Sorry.", idle_timeout=30.0)
CLOSING = Say("We close.", "closing", False, SHUTTING_DOWN)


class _Told:
    """A ConversationEvents that writes down."""

    def __init__(self) -> None:
        self.turns: list[str] = []
        self.happenings: list[str] = []
        self.ends: list[End] = []

    def user_said(self, turn: Turn) -> None:
        self.turns.append(turn.text)

    def happened(self, name: str, detail: str = "") -> None:
        self.happenings.append(name)

    def over(self, end: End) -> None:
        self.ends.append(end)


class _Replier:
    """Replies that are held until told otherwise; `busy` while one is under way, as sound is."""

    def __init__(self, playout: Playout) -> None:
        self.jobs: list[Job] = []
        self.replies: list[Deferred[End | None]] = []
        self.cancelled: list[Job] = []
        self.answer: Deferred[End | None] | None = None  # instead of a held one
        self.waited_for = True
        self.paused = False
        self._playout = playout

    def reply(self, job: Job) -> Deferred[End | None]:
        self.jobs.append(job)
        if self.answer is not None:
            return self.answer
        self._playout.write(SPEECH)
        reply: Deferred[End | None] = Deferred(lambda _: self.cancelled.append(job))
        reply.addBoth(self._over)
        self.replies.append(reply)
        return reply

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def _over(self, result: End | None) -> End | None:
        self._playout.clear()
        return result

    @property
    def texts(self) -> list[str]:
        return [job.turn.text if isinstance(job, Answer) else job.text for job in self.jobs]

    def heard(self, end: End | None = None) -> None:
        self.replies[-1].callback(end)

    def fails(self) -> None:
        self.replies[-1].errback(VendorFailed("broken"))


class _Listener:
    def __init__(self) -> None:
        self.speaking = False
        self.expected: list[Expectation] = []

    def expect(self, expectation: Expectation) -> None:
        self.expected.append(expectation)

    def finish_turn(self) -> None:
        """Tests tell its end."""


_conforms: type[ConversationEvents] = _Told


class _Case(SynchronousTestCase):
    """A conversation that has begun, with its greeting."""

    experience = EXPERIENCE

    def setUp(self) -> None:
        self.clock = Clock()
        self.told = _Told()
        self.playout = Playout()
        self.replier = _Replier(self.playout)
        self.listener = _Listener()
        self.insists = False
        self.talk = Conversation(self.clock, self.experience, self.told)
        self.talk.keypad = Keypad(self.clock, self.talk.digits_entered)
        self.talk.listener = self.listener  # type: ignore[assignment]
        self.talk.replier = self.replier  # type: ignore[assignment]
        self.talk.barge_in = BargeIn(
            self.clock,
            self.playout,
            self.talk.interrupted,
            lambda: self.insists,
        )
        self.begin()

    def begin(self) -> None:
        self.talk.start()

    def tearDown(self) -> None:
        """A stopped conversation leaves nothing, and hears nothing."""
        self.talk.stop()
        self.talk.stop()
        said = len(self.replier.jobs)
        ends = list(self.told.ends)
        self.says("more")
        self.coughs()
        self.talk.say("more")
        self.talk.close_with(CLOSING)
        self.talk.hearing_failed(VendorFailed("gone"))
        self.assertEqual(len(self.replier.jobs), said)
        self.assertEqual(self.told.ends, ends)
        self.assertTrue(all(reply.called for reply in self.replier.replies))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    # -- the caller -------------------------------------------------------------------------------

    def starts_to_speak(self) -> None:
        self.listener.speaking = True
        self.talk.speech_started()

    def stops(self, text: str = "", voiced: int = 10) -> None:
        self.listener.speaking = False
        self.talk.turn_ended(Turn(text, voiced=voiced))

    def says(self, text: str) -> None:
        self.starts_to_speak()
        self.talk.words(text)
        self.stops(text)

    def coughs(self, voiced: int = 10) -> None:
        self.starts_to_speak()
        self.stops(voiced=voiced)


class GreetingTests(_Case):
    """The beginning."""

    def test_greets(self) -> None:
        """The greeting is the first thing said, then the caller has the word."""
        self.assertEqual(self.replier.texts, ["Hello."])
        self.assertTrue(self.talk.turn_is_ours)
        self.replier.heard()
        self.assertFalse(self.talk.turn_is_ours)

    def test_interrupted(self) -> None:
        """A word cuts it off; the turn is answered when it is over."""
        self.starts_to_speak()
        self.talk.words("hours")
        self.assertEqual(len(self.replier.cancelled), 1)
        self.assertEqual(self.told.happenings, ["turn.interrupted"])
        self.stops("hours please")
        self.assertEqual(self.replier.texts[1:], ["hours please"])
        self.assertEqual(self.told.turns, ["hours please"])

    def test_without_partial_words(self) -> None:
        """With a recogniser that only knows whole turns, the turn itself interrupts."""
        self.starts_to_speak()
        self.stops("hours please")
        self.assertEqual(self.told.happenings, ["turn.interrupted"])
        self.assertEqual(self.replier.texts[1:], ["hours please"])

    def test_expectation(self) -> None:
        """What the model expects is told to ear and keypad."""
        self.talk.expecting(Expectation(digits=1))
        self.assertEqual(self.listener.expected, [Expectation(digits=1)])
        self.replier.heard()
        self.talk.digit_received("7")
        self.assertEqual(self.told.turns, ["7"])


class BeforeTests(_Case):
    """What happens while the voice is not ready yet."""

    def begin(self) -> None:
        """Not yet."""

    def test_turns(self) -> None:
        """Nothing is spoken before the start; then the greeting, then one answer to all turns."""
        self.says("hello")
        self.says("anybody there")
        self.assertEqual(self.replier.jobs, [])
        self.talk.start()
        self.assertEqual(self.replier.texts, ["Hello."])
        self.replier.heard()
        self.assertEqual(self.replier.texts, ["Hello.", "hello anybody there"])

    def test_keys_and_operators(self) -> None:
        """Digits and operators' texts wait as well."""
        self.talk.digit_received("7")
        self.clock.advance(PAUSE)
        self.talk.say("Welcome.")
        self.assertEqual(self.replier.jobs, [])
        self.talk.start()
        self.replier.heard()
        self.replier.heard()
        self.assertEqual(self.replier.texts, ["Hello.", "7", "Welcome."])

    def test_noise(self) -> None:
        """A sound that nobody understood is not asked about, and is no idleness."""
        self.coughs(voiced=100)
        self.clock.advance(100.0)
        self.assertEqual(self.replier.jobs, [])

    def test_hearing_failed(self) -> None:
        """An assistant that cannot hear does not offer its help first."""
        self.talk.hearing_failed(VendorFailed("gone"))
        self.talk.start()
        self.assertEqual(self.replier.texts, ["Sorry."])
        self.replier.heard(self.replier.jobs[0].then)  # type: ignore[union-attr]
        self.assertEqual([end.reason for end in self.told.ends], ["provider_failed"])

    def test_closing(self) -> None:
        """A server that stops before the start says its goodbye alone."""
        self.talk.close_with(CLOSING)
        self.talk.start()
        self.assertEqual(self.replier.jobs, [CLOSING])

    def test_never_started(self) -> None:
        """A call that ends before is over without a sound."""
        self.says("hello")


class ProtectedTests(_Case):
    """A greeting that may not be interrupted."""

    experience = Experience(greeting="Hello.", greeting_interruptible=False)

    def test_turn_waits(self) -> None:
        """It is not even paused; the turn is answered afterwards."""
        self.starts_to_speak()
        self.talk.words("hours")
        self.assertFalse(self.playout.paused)
        self.stops("hours")
        self.assertEqual(self.replier.cancelled, [])
        self.replier.heard()
        self.assertEqual(self.replier.texts, ["Hello.", "hours"])

    def test_two_turns(self) -> None:
        """Both are heard of, and the model gets both in one."""
        self.says("a table")
        self.says("for four")
        self.assertEqual(self.told.turns, ["a table", "for four"])
        self.replier.heard()
        self.assertEqual(self.replier.texts, ["Hello.", "a table for four"])
        self.replier.heard()
        self.assertFalse(self.talk.turn_is_ours)

    def test_digit(self) -> None:
        """A key waits too."""
        self.talk.digit_received("7")
        self.clock.advance(PAUSE)
        self.assertEqual(self.replier.cancelled, [])
        self.replier.heard()
        self.assertEqual(self.replier.texts, ["Hello.", "7"])

    def test_failing(self) -> None:
        """The turn is answered even if the greeting fails; the apology comes first."""
        self.says("hours")
        self.replier.fails()
        self.assertIsInstance(self.replier.jobs[1], Say)
        self.replier.heard()
        self.assertEqual(self.replier.texts[2:], ["hours"])

    def test_old_doubt(self) -> None:
        """A doubt about the reply before does not reach a protected one."""
        self.replier.heard()
        self.talk.say("By the way.")
        self.starts_to_speak()
        self.insists = True
        self.talk.close_with(CLOSING)
        self.clock.advance(WINDOW)
        self.assertEqual(self.replier.jobs[-1], CLOSING)
        self.assertNotIn(CLOSING, self.replier.cancelled)


class DoubtTests(_Case):
    """Sounds that may be an interruption."""

    def test_cough(self) -> None:
        """The same reply goes on."""
        self.starts_to_speak()
        self.assertTrue(self.playout.paused)
        self.stops()
        self.assertFalse(self.playout.paused)
        self.assertEqual((self.replier.cancelled, self.told.happenings), ([], []))

    def test_word_after_the_window(self) -> None:
        """A word that comes after the doubt was dismissed interrupts."""
        self.starts_to_speak()
        self.clock.advance(WINDOW)
        self.assertFalse(self.playout.paused)
        self.talk.words("hours")
        self.assertEqual(len(self.replier.cancelled), 1)

    def test_insistent(self) -> None:
        """Who insists without a word is let speak, and asked when nothing was understood."""
        self.insists = True
        self.starts_to_speak()
        self.clock.advance(WINDOW)
        self.assertEqual(len(self.replier.cancelled), 1)
        self.stops()
        self.assertEqual(self.replier.texts[1:], [EXPERIENCE.unclear_message])

    def test_asked_twice(self) -> None:
        """Nobody is asked three times in a row; a turn that is understood allows it again."""
        self.replier.heard()
        for _ in range(2):
            self.coughs(voiced=50)
            self.assertEqual(self.replier.texts[-1], EXPERIENCE.unclear_message)
            self.replier.heard()
        self.coughs(voiced=50)
        self.assertEqual(len(self.replier.jobs), 3)
        self.says("hours")
        self.replier.heard()
        self.coughs(voiced=50)
        self.assertEqual(self.replier.texts[-1], EXPERIENCE.unclear_message)

    def test_short_noise(self) -> None:
        """A cough in the silence is not worth a question."""
        self.replier.heard()
        self.coughs()
        self.assertEqual(len(self.replier.jobs), 1)

    def test_speaking_when_a_reply_begins(self) -> None:
        """A text of an operator's does not begin into the caller's words."""
        self.replier.heard()
        self.starts_to_speak()
        self.talk.say("Your table is ready.")
        self.assertTrue(self.playout.paused)
        self.talk.words("and")
        self.assertEqual(len(self.replier.cancelled), 1)

    def test_doubt_of_the_reply_before(self) -> None:
        """A doubt ends with the reply that it was about: the next one has not been heard yet."""
        self.talk.say("One.")
        self.insists = True
        self.starts_to_speak()
        self.replier.heard()
        self.clock.advance(WINDOW)
        self.assertEqual(self.replier.texts[-1], "One.")
        self.assertEqual(self.replier.cancelled, [])

    def test_silence_is_not_doubted(self) -> None:
        """A sound while nobody is being answered leaves no timer."""
        self.replier.heard()
        self.starts_to_speak()
        self.assertFalse(self.talk.barge_in.in_doubt)
        self.assertFalse(self.playout.paused)

    def test_mhm(self) -> None:
        """It answers a question, but is no interruption."""
        self.says("mhm")
        self.assertEqual(self.replier.cancelled, [])
        self.replier.heard()
        self.says("mhm")
        self.assertEqual(self.replier.texts[1:], ["mhm"])


class TurnTests(_Case):
    """Turns, one after another and too early."""

    def test_second_turn_while_thinking(self) -> None:
        """Who goes on speaking is answered once, to the newer turn; the model knows both."""
        self.replier.heard()
        self.says("a table")
        self.says("for four")
        self.assertEqual(self.replier.texts[1:], ["a table", "for four"])
        self.assertEqual([job.turn.text for job in self.replier.cancelled], ["a table"])  # type: ignore[union-attr]

    def test_digit_interrupts(self) -> None:
        """A key silences at once; its turn comes when the entry is complete."""
        self.talk.digit_received("1")
        self.assertEqual(len(self.replier.cancelled), 1)
        self.talk.digit_received("2")
        self.assertEqual(self.told.turns, [])
        self.clock.advance(PAUSE)
        self.assertEqual(self.replier.texts[1:], ["12"])

    def test_cough_between_keys(self) -> None:
        """A cough while keys are pressed is no reason to ask anything."""
        self.talk.digit_received("1")
        self.coughs()
        self.talk.digit_received("2")
        self.clock.advance(PAUSE)
        self.assertEqual(self.replier.texts, ["Hello.", "12"])

    def test_digit_for_a_tool(self) -> None:
        """A key that a tool waits for interrupts nothing."""
        collecting = self.talk.keypad.collect(1)
        self.talk.digit_received("7")
        self.assertEqual(self.successResultOf(collecting), "7")
        self.assertEqual((self.replier.cancelled, self.told.turns), ([], []))

    def test_operator_waits(self) -> None:
        """An operator's text is said after what is being said, in order."""
        self.talk.say("One.")
        self.talk.say("Two.")
        self.replier.heard()
        self.replier.heard()
        self.assertEqual(self.replier.texts, ["Hello.", "One.", "Two."])

    def test_operator_is_not_forgotten(self) -> None:
        """It is said although the reply before it was cut off by a sound without words."""
        self.insists = True
        self.talk.say("One.")
        for _ in range(3):
            self.starts_to_speak()
            self.clock.advance(WINDOW)
            self.stops()
        unclear = EXPERIENCE.unclear_message
        self.assertEqual(self.replier.texts, ["Hello.", unclear, unclear, "One."])


class FailureTests(_Case):
    """Vendors that break."""

    def test_apology(self) -> None:
        """A failed reply is apologised for, and the call goes on."""
        self.replier.fails()
        self.assertEqual(self.replier.texts, ["Hello.", "Sorry."])
        self.replier.heard()
        self.says("again")
        self.assertEqual(self.replier.texts[-1], "again")

    def test_failing_apology(self) -> None:
        """A voice that cannot even apologise ends the call."""
        self.replier.fails()
        self.replier.fails()
        self.assertEqual([end.reason for end in self.told.ends], ["provider_failed"])

    def test_in_a_row(self) -> None:
        """Several failures in a row end the call; one success in between forgives them."""
        for _ in range(FAILURES_IN_A_ROW - 1):
            self.replier.fails()
            self.replier.heard()
            self.says("again")
        self.replier.heard()
        self.says("again")
        for _ in range(FAILURES_IN_A_ROW - 1):
            self.replier.fails()
            self.replier.heard()
            self.says("again")
        self.assertEqual(self.told.ends, [])
        self.replier.fails()
        self.assertEqual([end.status for end in self.told.ends], ["failed"])

    def test_bug(self) -> None:
        """A bug is logged and apologised for, like a vendor's failure."""
        self.replier.replies[-1].errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.replier.texts, ["Hello.", "Sorry."])

    def test_cancelled_by_others(self) -> None:
        """A reply that was cancelled by nobody here has failed: no silence follows."""
        self.replier.replies[-1].cancel()
        self.assertEqual(self.replier.texts, ["Hello.", "Sorry."])
        self.flushLoggedErrors()

    def test_reply_that_comes_back(self) -> None:
        """The late outcome of an interrupted reply is not taken for the next one's."""
        stubborn: Deferred[End | None] = Deferred(lambda _: None)
        held: Deferred[None] = Deferred()
        stubborn.addErrback(lambda _: held.addCallback(lambda _: SHUTTING_DOWN))
        self.replier.answer = stubborn
        self.replier.heard()
        self.says("one")
        self.replier.answer = None
        self.says("two")
        held.callback(None)
        self.assertEqual(self.told.ends, [])
        self.assertTrue(self.talk.turn_is_ours)

    def test_all_at_once(self) -> None:
        """Replies that have failed before they are waited for end the call, once."""
        self.replier.answer = fail(VendorFailed("broken"))
        self.replier.heard()
        self.says("hours")
        self.assertEqual(self.told.ends, [])
        self.replier.answer = None
        self.assertTrue(self.talk.turn_is_ours or self.replier.jobs)

    def test_heard_at_once(self) -> None:
        """Replies that are over before they are waited for leave the caller the word."""
        self.replier.answer = succeed(None)
        self.talk.say("One.")
        self.replier.heard()
        self.says("hours")
        self.assertEqual(self.replier.texts, ["Hello.", "One.", "hours"])
        self.assertFalse(self.talk.turn_is_ours)

    def test_ended_at_once(self) -> None:
        """So does a reply that ends the call."""
        self.replier.answer = succeed(SHUTTING_DOWN)
        self.talk.say("One.")
        self.replier.heard()
        self.assertEqual(self.told.ends, [SHUTTING_DOWN])


class HearingFailedTests(_Case):
    """A recogniser that gives up, in each state."""

    def check(self) -> None:
        """The apology, which nothing interrupts, and the end with it."""
        self.assertEqual(self.told.happenings.count("stt.error"), 1)
        job = self.replier.jobs[-1]
        assert isinstance(job, Say)
        self.assertEqual((job.text, job.interruptible), ("Sorry.", False))
        self.says("hello")
        self.talk.digit_received("7")
        self.clock.advance(PAUSE)
        self.talk.say("One.")
        self.assertEqual(self.replier.jobs[-1], job)
        self.replier.heard(job.then)
        self.assertEqual([end.reason for end in self.told.ends], ["provider_failed"])
        self.assertEqual(self.replier.jobs[-1], job)

    def test_replying(self) -> None:
        """While something is being said."""
        self.talk.hearing_failed(VendorFailed("gone"))
        self.assertEqual(len(self.replier.cancelled), 1)
        self.check()

    def test_listening(self) -> None:
        """While nothing is."""
        self.replier.heard()
        self.talk.hearing_failed(VendorFailed("gone"))
        self.check()

    def test_in_doubt(self) -> None:
        """While a sound is being doubted."""
        self.starts_to_speak()
        self.talk.hearing_failed(VendorFailed("gone"))
        self.assertFalse(self.playout.paused)
        self.check()

    def test_with_things_waiting(self) -> None:
        """What was to be said later is not said any more."""
        self.talk.say("One.")
        self.talk.hearing_failed(VendorFailed("gone"))
        self.check()

    def test_again_and_again(self) -> None:
        """A recogniser that fails with each frame does not keep the apology from its end."""
        for _ in range(50):
            self.talk.hearing_failed(VendorFailed("gone"))
        self.check()

    def test_while_closing(self) -> None:
        """A goodbye is not interrupted by it."""
        self.talk.close_with(CLOSING)
        self.talk.hearing_failed(VendorFailed("gone"))
        self.assertEqual(self.replier.jobs[-1], CLOSING)


class EndTests(_Case):
    """Idleness, time, closing."""

    def test_idle(self) -> None:
        """A silent caller is asked as often as the deployment says, then the call ends."""
        self.replier.heard()
        for _ in range(EXPERIENCE.idle_retries):
            self.clock.advance(29.9)
            self.assertFalse(self.talk.turn_is_ours)
            self.clock.advance(0.2)
            self.assertEqual(self.replier.texts[-1], EXPERIENCE.idle_message)
            self.replier.heard()
        self.clock.advance(30.0)
        self.assertEqual(self.told.ends, [IDLE_TIMEOUT])

    def test_idle_prompt_interrupted(self) -> None:
        """An answer into the prompt is a turn, and the counting begins anew."""
        self.replier.heard()
        self.clock.advance(30.0)
        self.says("yes")
        self.replier.heard()
        for _ in range(EXPERIENCE.idle_retries):
            self.clock.advance(30.0)
            self.replier.heard()
        self.assertEqual(self.told.ends, [])

    def test_coughs_are_no_answer(self) -> None:
        """A noise puts the prompt off, but not the end of a call in which nobody speaks."""
        self.replier.heard()
        for _ in range(EXPERIENCE.idle_retries):
            self.clock.advance(29.0)
            self.coughs()
            self.clock.advance(29.9)
            self.assertFalse(self.talk.turn_is_ours)
            self.clock.advance(0.1)
            self.replier.heard()
        self.clock.advance(30.0)
        self.assertEqual(self.told.ends, [IDLE_TIMEOUT])

    def test_not_idle_while_speaking(self) -> None:
        """Who speaks when a reply ends is not idle, however long it takes."""
        self.starts_to_speak()
        self.clock.advance(WINDOW)
        self.replier.heard()
        self.clock.advance(60.0)
        self.assertEqual(len(self.replier.jobs), 1)

    def test_longest(self) -> None:
        """The longest call ends, whatever is being said, once."""
        self.talk.close_with(CLOSING)
        self.clock.advance(EXPERIENCE.max_duration)
        self.assertEqual(self.told.ends, [MAX_DURATION])
        self.assertEqual(self.replier.cancelled[-1], CLOSING)

    def test_closing(self) -> None:
        """A closing message interrupts, is the last thing said, and ends the call."""
        self.talk.say("One.")
        self.talk.close_with(CLOSING)
        self.talk.close_with(Say("Again.", "closing", False, MAX_DURATION))
        self.says("wait")
        self.assertEqual(self.replier.texts, ["Hello.", "We close."])
        self.assertEqual(self.told.turns, ["wait"])
        self.replier.heard(SHUTTING_DOWN)
        self.assertEqual(self.told.ends, [SHUTTING_DOWN])
        self.assertEqual(self.replier.texts, ["Hello.", "We close."])

    def test_closing_fails(self) -> None:
        """A closing message that cannot be said ends the call all the same, without apology."""
        self.talk.close_with(CLOSING)
        self.replier.fails()
        self.assertEqual(self.told.ends, [SHUTTING_DOWN])
        self.assertEqual(len(self.replier.jobs), 2)

    def test_stop_in_doubt(self) -> None:
        """A call that ends in the middle of a doubt decides nothing any more."""
        self.insists = True
        self.starts_to_speak()
        self.talk.stop()
        self.clock.advance(WINDOW)
        self.assertEqual(self.told.happenings, [])

    def test_started_after_the_end(self) -> None:
        """A call that is over does not begin."""
        self.talk.stop()
        self.replier.jobs.clear()
        self.talk.start()
        self.assertEqual(self.replier.jobs, [])


class EndInsideTests(_Case):
    """A call that ends from inside what it is told."""

    def test_any_event(self) -> None:
        """Whichever event makes the call end, nothing follows."""
        for event in ("user_said", "happened", "over"):
            self.setUp()
            setattr(self.told, event, lambda *_: self.talk.stop())
            self.starts_to_speak()
            self.talk.words("hours")
            self.stops("hours")
            self.replier.heard() if not self.replier.replies[-1].called else None
            self.clock.advance(1000.0)
            self.tearDown()
