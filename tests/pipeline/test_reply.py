"""Replier: one reply, and what is left of it when it is cut off, late or broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import TICK
from rapida_tw.errors import PROVIDER_FAILED, TOOL_ENDED, VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.media.playout import Playout
from rapida_tw.models.base import Completion, Tool, ToolCall
from rapida_tw.pipeline.history import History
from rapida_tw.pipeline.listen import Turn
from rapida_tw.pipeline.normalise import Normaliser
from rapida_tw.pipeline.reply import (
    PHRASE_WITHIN,
    ROUNDS,
    TAIL,
    Answer,
    Job,
    Replier,
    ReplyEvents,
    Say,
)
from rapida_tw.pipeline.times import Times
from rapida_tw.pipeline.tools import EndCall, Result, ToolBox
from tests.pipeline.fakes import HeldModel, HeldVoice
from tests.pipeline.test_history import check

QUESTION = Answer(Turn("what are your hours", speech_ended=1.0, endpoint=1.5, recognized=1.75))
LOOK, END = ToolCall("1", "look"), ToolCall("2", "end_call")


class _Told:
    """A ReplyEvents that writes down."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bool]] = []
        self.times: list[Times] = []
        self.tools: list[str] = []
        self.expected: list[Expectation] = []
        self.fillers: list[str] = []

    def assistant_said(self, text: str, job: Job, interrupted: bool, played: float) -> None:
        self.said.append((text, interrupted))

    def reply_over(self, times: Times) -> None:
        self.times.append(times)

    def expecting(self, expectation: Expectation) -> None:
        self.expected.append(expectation)

    def tool_used(self, name: str, result: str) -> None:
        self.tools.append(name)

    def filled(self, text: str) -> None:
        self.fillers.append(text)


class _HeldTool:
    tool = Tool("look", "Look it up.")

    def __init__(self) -> None:
        self.using: list[Deferred[Result]] = []

    def use(self, arguments: Mapping[str, Any]) -> Deferred[Result]:
        self.using.append(Deferred())
        return self.using[-1]


_conforms: type[ReplyEvents] = _Told


class _Case(SynchronousTestCase):
    """A replier whose vendors do as told; `beat` plays a frame."""

    fillers: tuple[str, ...] = ("One moment.",)

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(2.0)
        self.history = History()
        self.model, self.voice, self.tool = HeldModel(), HeldVoice(), _HeldTool()
        self.told = _Told()
        self.playout = Playout()
        self.sounded: Callable[[], None] | None = None
        self.replier = Replier(
            self.clock,
            self.history,
            self.model,
            ToolBox([self.tool, EndCall()]),
            self.voice,
            Normaliser(),
            self.playout,
            self._next_sound,
            self.told,
            self.fillers,
        )

    def _next_sound(self, sounded: Callable[[], None] | None) -> None:
        self.sounded = sounded

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertFalse(self.playout.busy)
        self.assertIsNone(self.sounded)
        check(self, self.history.dialogue)

    def beat(self, frames: int = 1) -> None:
        for _ in range(frames):
            self.playout.played()
            if self.playout.take() is not None and self.sounded is not None:
                sounded, self.sounded = self.sounded, None
                sounded()
            self.clock.advance(0.02)
        if not self.playout.queued:
            self.playout.played()

    def wait(self, seconds: float) -> None:
        """Whatever is there to be heard is heard meanwhile."""
        for _ in range(round(seconds / 0.25)):
            self.clock.advance(0.25)
            for _ in range(round(0.25 / TICK)):
                self.playout.played()
                self.playout.take()
            self.playout.played()

    def roles(self) -> list[str]:
        return [message.role for message in self.history.dialogue]


class SayTests(_Case):
    """Texts of the house."""

    def test_heard(self) -> None:
        """A text is over when it has been heard, and belongs to the dialogue."""
        saying = self.replier.reply(Say("Hello."))
        self.voice.done(3)
        self.beat(2)
        self.assertNoResult(saying)
        self.beat(1)
        self.assertIsNone(self.successResultOf(saying))
        self.assertEqual(self.told.said, [("Hello.", False)])
        self.assertEqual(self.roles(), ["assistant"])

    def test_then(self) -> None:
        """A last word takes its way to the caller's ear before the call ends."""
        saying = self.replier.reply(Say("Goodbye.", then=PROVIDER_FAILED))
        self.voice.done(1)
        self.beat(1)
        self.clock.advance(TAIL - 0.05)
        self.assertNoResult(saying)
        self.clock.advance(0.05)
        self.assertEqual(self.successResultOf(saying), PROVIDER_FAILED)

    def test_nothing_to_speak(self) -> None:
        """A text without anything to pronounce is over at once."""
        self.successResultOf(self.replier.reply(Say("**")))
        self.assertEqual(self.voice.said, [])

    def test_slow_voice(self) -> None:
        """A voice that does not answer is a failed vendor, and is told to stop."""
        saying = self.replier.reply(Say("Hello."))
        self.clock.advance(PHRASE_WITHIN)
        self.failureResultOf(saying, VendorFailed)
        self.assertEqual(self.voice.cancelled, ["Hello."])

    def test_failing_voice(self) -> None:
        """Nothing was said then."""
        saying = self.replier.reply(Say("Hello."))
        self.voice.saying[-1].errback(VendorFailed("no voice"))
        self.failureResultOf(saying, VendorFailed)
        self.assertEqual((self.told.said, self.roles()), ([], []))


class AnswerTests(_Case):
    """The model's answers."""

    def test_times(self) -> None:
        """Each part of the wait is the time between two things that happened."""
        answering = self.replier.reply(QUESTION)
        self.clock.advance(0.25)
        self.model.answers("Hi.")
        self.clock.advance(0.5)
        self.voice.done(1)
        self.clock.advance(0.125)
        self.beat()
        self.successResultOf(answering)
        latency = self.told.times[0].latency()
        self.assertEqual(
            latency,
            {
                "total": 1.875,
                "endpointing": 0.5,
                "recognizer": 0.25,
                "model": 0.5,
                "voice": 0.5,
                "playout": 0.125,
            },
        )
        self.assertEqual(sum(latency.values()), 2 * latency["total"])

    def test_no_latency(self) -> None:
        """There is none for keys, for the house's own texts, and for what was never heard."""
        keys = Times(Turn("7", by_keys=True), played=9.0)
        for times in (keys, Times(None, played=9.0), Times(QUESTION.turn)):
            self.assertEqual(times.latency(), {})

    def test_streamed(self) -> None:
        """The first phrase is at the voice while the model writes the second."""
        answering = self.replier.reply(QUESTION)
        self.model.say("We open at nine. And ")
        self.assertEqual(self.voice.said, ["We open at nine."])
        self.model.say("we close at ten.")
        self.voice.done(1)
        self.model.asked[-1].callback(Completion("We open at nine. And we close at ten."))
        self.voice.done(1)
        self.beat(2)
        self.successResultOf(answering)
        self.assertEqual(len(self.voice.said), 2)

    def test_model_fails_before(self) -> None:
        """Before its first word: the failure is the reply's, and nothing was said."""
        answering = self.replier.reply(QUESTION)
        self.model.asked[-1].errback(VendorFailed("overloaded"))
        self.failureResultOf(answering, VendorFailed)
        self.assertEqual(self.roles(), ["user"])

    def test_model_fails_after(self) -> None:
        """After a phrase: that one is still given to the voice, then the failure is the reply's."""
        answering = self.replier.reply(QUESTION)
        self.model.say("We open at nine. And ")
        self.model.asked[-1].errback(VendorFailed("overloaded"))
        self.assertNoResult(answering)
        self.voice.done(50)
        self.failureResultOf(answering, VendorFailed)
        self.assertEqual(self.voice.said, ["We open at nine."])

    def test_voice_fails_later(self) -> None:
        """The voice fails in the second phrase: of the first stays what was heard."""
        answering = self.replier.reply(QUESTION)
        self.model.say("We open at nine. And we close at ten. ")
        self.voice.done(50)
        self.beat(51)
        self.voice.saying[-1].errback(VendorFailed("no voice"))
        self.failureResultOf(answering, VendorFailed)
        self.assertEqual(self.told.said, [("We open at nine.", True)])
        self.assertEqual(self.model.cancelled, 1)

    def test_nothing(self) -> None:
        """A model that answers nothing has failed: a reply is owed."""
        for text in ("", "  \n"):
            answering = self.replier.reply(QUESTION)
            self.model.answers(text)
            self.failureResultOf(answering, VendorFailed)

    def test_bug(self) -> None:
        """A model that raises is a failed reply like any other."""
        self.model.reply = lambda *_: 1 / 0  # type: ignore[assignment, method-assign]
        self.failureResultOf(self.replier.reply(QUESTION), ZeroDivisionError)

    def test_expectation(self) -> None:
        """What may be said next is told when the model has said it."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("Your number?", expecting=Expectation(digits=4))
        self.assertEqual(self.told.expected, [Expectation(digits=4)])
        answering.cancel()
        self.failureResultOf(answering, CancelledError)


class ToolTests(_Case):
    """Runs with tools."""

    def test_second_run(self) -> None:
        """The model sees the tool's result, and speaks on in the same reply."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("One moment.", tool_calls=(LOOK,))
        self.voice.done(1)
        self.tool.using[-1].callback(Result('"at nine"'))
        self.assertEqual([m.role for m in self.model.seen[1]], ["user", "assistant", "tool"])
        self.model.answers("At nine.")
        self.voice.done(1)
        self.beat(2)
        self.successResultOf(answering)
        self.assertEqual(self.told.said, [("One moment.", False), ("At nine.", False)])
        self.assertEqual(self.told.tools, ["look"])

    def test_said_before(self) -> None:
        """A model that has spoken need not do so again after its tool."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("I note it.", tool_calls=(LOOK,))
        self.voice.done(1)
        self.tool.using[-1].callback(Result("{}"))
        self.model.answers("")
        self.beat(1)
        self.assertIsNone(self.successResultOf(answering))

    def test_silent_end(self) -> None:
        """Ending the call needs no words."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("", tool_calls=(END,))
        self.clock.advance(TAIL)
        self.assertEqual(self.successResultOf(answering), TOOL_ENDED)

    def test_circles(self) -> None:
        """A model that only uses tools is stopped."""
        answering = self.replier.reply(QUESTION)
        for _ in range(ROUNDS):
            self.model.answers("", tool_calls=(LOOK,))
            self.tool.using[-1].callback(Result("{}"))
        self.failureResultOf(answering, VendorFailed)
        self.assertEqual(len(self.model.asked), ROUNDS)

    def test_slow_tool(self) -> None:
        """A tool may take long, with fillers; the model has its own time afterwards."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("", tool_calls=(LOOK,))
        self.wait(1.5)
        self.voice.done(0)
        self.assertEqual(self.told.fillers, ["One moment."])
        self.wait(7.25)
        self.tool.using[-1].callback(Result("{}"))
        self.wait(1.0)
        self.assertNoResult(answering)
        self.model.answers("At nine.")
        answering.cancel()
        self.failureResultOf(answering, CancelledError)


class InterruptionTests(_Case):
    """Cut off at every moment."""

    def _moments(self) -> list[Callable[[], object]]:
        """A reply with everything in it: filler, phrases, a tool, a second run, the end's tail."""
        return [
            lambda: self.wait(1.5),  # the filler is being made
            lambda: self.voice.piece(2),
            lambda: self.model.say("One moment please. "),  # waits for the filler
            lambda: self.voice.done(1),
            lambda: self.beat(1),
            lambda: self.beat(2),  # the filler is over
            lambda: self.voice.piece(10),
            lambda: self.beat(5),
            lambda: self.model.say("I look it up. "),
            lambda: self.voice.done(),
            lambda: self.voice.done(10),
            lambda: self.model.asked[-1].callback(
                Completion("One moment please. I look it up.", (LOOK, END))
            ),
            lambda: self.beat(5),
            lambda: self.tool.using[-1].callback(Result("{}")),
            lambda: self.beat(5),
            lambda: self.beat(5),  # all is heard
            lambda: self.clock.advance(TAIL / 2),
        ]

    def test_every_moment(self) -> None:
        """Nothing is left, history is well-formed, and the next reply is made as if alone."""
        for count in range(len(self._moments()) + 1):
            self.setUp()
            answering = self.replier.reply(QUESTION)
            for moment in self._moments()[:count]:
                moment()
                self.assertNoResult(answering)
            before = len(self.model.asked), len(self.voice.said)
            answering.cancel()
            self.failureResultOf(answering, CancelledError)
            self.tearDown()
            self.assertEqual((len(self.model.asked), len(self.voice.said)), before, count)
            self.assertTrue(all(saying.called for saying in self.voice.saying), count)
            self.assertEqual(len(self.told.times), 1)

            following = self.replier.reply(QUESTION)
            self.model.answers("At nine.")
            self.voice.done(1)
            self.beat(1)
            self.successResultOf(following)
            self.assertEqual(self.told.said[-1], ("At nine.", False), count)
            self.tearDown()

    def test_not_interrupted(self) -> None:
        """The same reply, left alone, is whole: the moments above are all there are."""
        answering = self.replier.reply(QUESTION)
        for moment in self._moments():
            moment()
        self.clock.advance(TAIL)
        self.assertEqual(self.successResultOf(answering), TOOL_ENDED)
        self.assertEqual(self.told.said, [("One moment please. I look it up.", False)])

    def test_only_what_was_heard(self) -> None:
        """History and events agree on what the caller heard."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("We open at nine. And we close at ten in the evening.")
        self.voice.done(50)
        self.voice.done(50)
        self.beat(51)
        answering.cancel()
        self.failureResultOf(answering, CancelledError)
        self.assertEqual(self.told.said, [("We open at nine.", True)])
        self.assertEqual(self.history.dialogue[-1].text, "We open at nine.")

    def test_still_being_spoken(self) -> None:
        """Of a phrase that the voice was still giving, no more counts than its sound could say."""
        answering = self.replier.reply(QUESTION)
        self.model.answers("We open at nine and we close at ten in the evening.")
        self.voice.piece(50)
        self.beat(51)
        answering.cancel()
        self.failureResultOf(answering, CancelledError)
        self.assertEqual(self.told.said, [("We open at nine", True)])

    def test_stubborn_tool(self) -> None:
        """A tool that answers its cancellation with a result does not bring the reply back."""
        late: Deferred[Result] = Deferred(lambda d: d.callback(Result(json.dumps("too late"))))
        self.tool.use = lambda arguments: late  # type: ignore[method-assign]
        answering = self.replier.reply(QUESTION)
        self.model.answers("", tool_calls=(LOOK,))
        answering.cancel()
        self.failureResultOf(answering, CancelledError)
        self.assertEqual(len(self.model.asked), 1)

    def test_stubborn_voice(self) -> None:
        """Nor does such a voice."""
        self.voice.say = lambda *_: Deferred(lambda d: d.callback(None))  # type: ignore[method-assign]
        answering = self.replier.reply(QUESTION)
        self.model.answers("One. Two.")
        answering.cancel()
        self.failureResultOf(answering, CancelledError)

    def test_everything_at_once(self) -> None:
        """Vendors whose Deferreds have fired already make a reply like any other."""
        self.voice.say = lambda phrase, write: succeed(None)  # type: ignore[method-assign]

        def reply(messages: object, tools: object, say: Callable[[str], None]) -> Any:
            say("At nine.")
            return succeed(Completion("At nine."))

        self.model.reply = reply  # type: ignore[method-assign]
        self.assertIsNone(self.successResultOf(self.replier.reply(QUESTION)))
        self.assertEqual(self.told.said, [("At nine.", False)])
