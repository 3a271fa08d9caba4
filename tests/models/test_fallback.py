"""ModelChain: a model fails, and the caller's question is answered all the same."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.models.base import Completion, Message, Model, Tool, ToolCall
from rapida_tw.models.fallback import FIRST_WITHIN, ModelChain
from rapida_tw.roster import Member, fallbacks
from rapida_tw.sickness import Sickness
from tests.pipeline.fakes import HeldModel

QUESTION = (Message("user", "when do you open?"),)
LOOK = Tool("look", "Look it up.")
GONE = VendorFailed("overloaded", 529)


class _Model(HeldModel):
    """Knows what it was asked with, and that it was stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared = self.stopped = 0
        self.offered: list[tuple[Tool, ...]] = []

    def prepare(self) -> None:
        self.prepared += 1

    def opening(self) -> Expectation | None:
        return Expectation(digits=4)

    def reply(self, messages, tools, say):  # type: ignore[no-untyped-def]
        self.offered.append(tuple(tools))
        return super().reply(messages, tools, say)

    def stop(self) -> Deferred[None]:
        self.stopped += 1
        return super().stop()


class ModelChainTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.sickness = Sickness(self.clock.seconds)
        self.opened: dict[str, list[_Model]] = {"a": [], "b": [], "c": []}
        self.said: list[str] = []
        self.chain = self.another()

    def another(self, *names: str) -> ModelChain:
        members = [Member(name, self.opener(name)) for name in names or ("a", "b", "c")]
        return ModelChain(members, self.sickness, self.clock)

    def opener(self, name: str) -> Callable[[], Model]:
        def opened() -> Model:
            self.opened[name].append(_Model())
            return self.opened[name][-1]

        return opened

    def tearDown(self) -> None:
        self.successResultOf(self.chain.stop())
        self.successResultOf(self.chain.stop())
        for opened in self.opened.values():
            self.assertTrue(all(one.stopped for one in opened))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def ask(self, *messages: Message) -> Deferred[Completion]:
        return self.chain.reply((*QUESTION, *messages), (LOOK,), self.said.append)

    def the(self, name: str) -> _Model:
        return self.opened[name][-1]

    def fails(self, name: str, error: Exception = GONE) -> None:
        self.the(name).asked[-1].errback(error)

    def test_nothing_fails(self) -> None:
        """The first is asked as we were, and its completion is handed on as it is."""
        asking = self.ask()
        self.the("a").say("At ")
        self.clock.advance(10 * FIRST_WITHIN)
        self.the("a").say("nine.")
        whole = Completion("At nine.", (), Expectation(digits=1), {"input": 7, "output": 2})
        self.the("a").asked[-1].callback(whole)
        self.assertIs(self.successResultOf(asking), whole)
        self.assertEqual(self.said, ["At ", "nine."])
        self.assertEqual((self.the("a").seen, self.the("a").offered), ([QUESTION], [(LOOK,)]))
        self.assertEqual(self.opened["b"], [])

    def test_before_its_first_word(self) -> None:
        """The next one is asked the same, and stays."""
        before = fallbacks.value("llm", "a", "b")
        asking = self.ask()
        self.fails("a")
        self.the("b").answers("At nine.")
        self.assertEqual(self.successResultOf(asking).text, "At nine.")
        self.clock.advance(3600)
        asking = self.ask()
        self.the("b").answers("At nine.")
        self.successResultOf(asking)
        self.assertEqual(self.the("b").seen, [QUESTION, QUESTION])
        self.assertEqual((len(self.opened["a"]), self.the("a").stopped), (1, 1))
        self.assertEqual(fallbacks.value("llm", "a", "b"), before + 1)

    def test_white_space(self) -> None:
        """White space is no word."""
        asking = self.ask()
        self.the("a").say("\n ")
        self.fails("a")
        self.the("b").answers("At nine.")
        self.successResultOf(asking)

    def test_after_its_first_word(self) -> None:
        """What was said cannot be taken back: the reply fails, and the next is another's."""
        asking = self.ask()
        self.the("a").say("At")
        self.fails("a")
        self.failureResultOf(asking, VendorFailed)
        self.assertEqual(self.opened["b"], [])
        asking = self.ask()
        self.the("b").answers("At nine.")
        self.successResultOf(asking)

    def test_late_words(self) -> None:
        """What the former writes after its failure is not spoken."""
        asking = self.ask()
        say = self.the("a").say
        self.fails("a")
        say("too late")
        self.the("b").answers("At nine.")
        self.successResultOf(asking)
        self.assertEqual(self.said, ["At nine."])

    def test_wrong_key(self) -> None:
        """A key that is refused: for five minutes calls begin with the second, then one tries."""
        asking = self.ask()
        self.fails("a", VendorFailed("the key is wrong", 401, retryable=False))
        self.the("b").answers("At nine.")
        self.successResultOf(asking)
        self.clock.advance(299)
        other = self.another()
        other.prepare()
        self.assertEqual(self.the("b").prepared, 1)
        self.clock.advance(1)
        third = self.another()
        third.prepare()
        self.assertEqual(self.the("a").prepared, 1)
        fourth = self.another()
        fourth.prepare()
        self.assertEqual(len(self.opened["a"]), 2)
        replying = third.reply(QUESTION, (), self.said.append)
        self.the("a").answers("At nine.")
        self.successResultOf(replying)
        fifth = self.another()
        fifth.prepare()
        self.assertEqual(len(self.opened["a"]), 3)
        for call in (other, third, fourth, fifth):
            call.stop()

    def test_all_fail(self) -> None:
        """The reply fails with all reasons; the next one asks all again."""
        for _ in range(2):
            asking = self.ask()
            for name in "abc":
                self.fails(name, VendorFailed(f"{name} is down"))
            failure = self.failureResultOf(asking, VendorFailed)
            self.assertEqual(
                failure.getErrorMessage(),
                "no model is left: a: a is down; b: b is down; c: c is down",
            )

    def test_too_slow(self) -> None:
        """Without a word in time the next one is asked, and the former told to stop."""
        asking = self.ask()
        self.clock.advance(FIRST_WITHIN - 0.1)
        self.assertEqual(self.opened["b"], [])
        self.clock.advance(0.1)
        self.assertEqual((self.the("a").cancelled, len(self.the("b").asked)), (1, 1))
        self.the("b").answers("At nine.")
        self.successResultOf(asking)

    def test_the_last(self) -> None:
        """Who is the last has all the time; a first one that was only slow is asked once more."""
        asking = self.ask()
        self.clock.advance(FIRST_WITHIN)
        self.fails("b")
        self.fails("c")
        self.assertEqual(len(self.opened["a"]), 2)
        self.clock.advance(10 * FIRST_WITHIN)
        self.the("a").answers("At nine.")
        self.successResultOf(asking)

    def test_nothing(self) -> None:
        """An answer without anything in it is a failure, but after a tool."""
        asking = self.ask()
        self.the("a").answers(" ")
        self.the("b").answers("At nine.")
        self.successResultOf(asking)
        call = ToolCall("1", "look")
        tool = Message("assistant", "", (call,)), Message("tool", "{}", tool_call_id="1")
        asking = self.ask(*tool)
        self.the("b").answers("")
        self.assertEqual(self.successResultOf(asking).text, "")

    def test_tools(self) -> None:
        """A run that only wants a tool is an answer."""
        asking = self.ask()
        call = ToolCall("1", "look")
        self.the("a").answers("", tool_calls=(call,))
        self.assertEqual(self.successResultOf(asking).tool_calls, (call,))

    def test_interrupted(self) -> None:
        """An interruption is nobody's failure."""
        asking = self.ask()
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        self.assertEqual((self.the("a").cancelled, self.opened["b"]), (1, []))

    def test_stubborn(self) -> None:
        """Nor a word of its own when the model takes its cancelling for an end."""
        whole = Completion("At nine.")
        self.chain.prepare()
        self.the("a").reply = lambda *_: Deferred(lambda d: d.callback(whole))  # type: ignore[method-assign]
        asking = self.ask()
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        asking = self.ask()
        self.clock.advance(FIRST_WITHIN)
        self.the("b").answers("At ten.")
        self.assertEqual(self.successResultOf(asking).text, "At ten.")

    def test_stopped(self) -> None:
        """The call ends while they think: nobody else begins."""
        asking = self.ask()
        self.chain.stop()
        self.failureResultOf(asking, CancelledError)
        self.assertEqual(self.opened["b"], [])

    def test_bug(self) -> None:
        """A model with a mistake of its own is passed over, and logged."""
        self.chain.prepare()
        self.the("a").reply = lambda *_: 1 / 0  # type: ignore[assignment, method-assign]
        asking = self.ask()
        self.the("b").answers("At nine.")
        self.successResultOf(asking)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_says_at_once(self) -> None:
        """A model that has said something before `reply` returns is in no hurry."""
        self.chain.prepare()
        plain = self.the("a").reply

        def reply(messages, tools, say):  # type: ignore[no-untyped-def]
            say("At ")
            return plain(messages, tools, say)

        self.the("a").reply = reply  # type: ignore[method-assign]
        asking = self.ask()
        self.clock.advance(10 * FIRST_WITHIN)
        self.the("a").answers("nine.")
        self.successResultOf(asking)

    def test_opening(self) -> None:
        """What may be said first is told by the one that will be asked."""
        self.assertEqual(self.chain.opening(), Expectation(digits=4))
        self.assertEqual(len(self.opened["a"]), 1)

    def test_cannot_be_opened(self) -> None:
        """One that is wrongly configured is passed over; when all are, the reply says so."""

        def wrong() -> Model:
            raise MisconfiguredAssistant("no such model")

        broken = ModelChain([Member("x", wrong)], Sickness(self.clock.seconds), self.clock)
        broken.prepare()
        self.assertIsNone(broken.opening())
        self.failureResultOf(broken.reply(QUESTION, (), self.said.append), VendorFailed)
        members = [Member("x", wrong), Member("b", self.opener("b"))]
        self.chain = ModelChain(members, Sickness(self.clock.seconds), self.clock)
        asking = self.ask()
        self.the("b").answers("At nine.")
        self.successResultOf(asking)
