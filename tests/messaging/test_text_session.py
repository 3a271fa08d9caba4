"""A conversation in writing: one reply at a time, and what the history has of it."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls.journal import Journal
from rapida_tw.errors import REMOTE_HANGUP
from rapida_tw.messaging.text_notes import TextNotes
from rapida_tw.messaging.text_session import (
    LONGEST,
    MOST_WAITING,
    REPLY_WITHIN,
    TextParts,
    TextSession,
)
from rapida_tw.messaging.text_tools import TextTools, text_tools
from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.pipeline.history import History
from rapida_tw.pipeline.tools import Result, ToolBox
from tests.calls.fakes import HeldStore
from tests.messaging.fakes import HeldModel, Noted, no_makers

SORRY = "Sorry, that did not work."


class Lookup:
    """A tool that answers when told to."""

    tool = Tool("lookup", "looks up")

    def __init__(self) -> None:
        self.waiting: list[Deferred[Result]] = []
        self.cancelled = 0

    def use(self, arguments: object) -> Deferred[Result]:
        self.waiting.append(Deferred(self._cancel))
        return self.waiting[-1]

    def _cancel(self, _: Deferred[Result]) -> None:
        self.cancelled += 1


class SessionCase(SynchronousTestCase):
    streaming = False

    def setUp(self) -> None:
        self.clock = Clock()
        self.store = HeldStore()
        self.journal = Journal(self.clock, self.store, lambda: 1000.0 + self.clock.seconds())
        self.model = HeldModel()
        self.told = Noted()
        self.lookup = Lookup()
        self.session = self.open(TextTools(ToolBox([self.lookup])))

    def open(self, tools: TextTools) -> TextSession:
        parts = TextParts(
            History([Message("system", "Be kind.")]), self.model, tools, SORRY, "Hello!", 990.0
        )
        notes = TextNotes(self.journal.of(5), lambda: 1000.0 + self.clock.seconds())
        return TextSession(self.clock, parts, notes, self.told, self.streaming)

    def written(self, kind: str = "message") -> list[tuple[str, str]]:
        """What the history has, when the journal has been written."""
        self.clock.advance(1)
        return [(one.name, one.value) for one in self.store.written if one.kind == kind]

    def tearDown(self) -> None:
        self.session.stop()
        self.clock.advance(1)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ReplyTests(SessionCase):
    def test_words(self) -> None:
        """A reply comes word by word, and then as a whole."""
        self.session.received("Hi", "t1")
        self.assertEqual(self.model.run.messages, [("system", "Be kind."), ("user", "Hi")])
        self.model.run.write("Good ")
        self.model.run.write("day.")
        self.model.run.finish()
        self.assertEqual(
            self.told.take(),
            [
                ("started", "t1"),
                ("chunk", "t1", "Good "),
                ("chunk", "t1", "day."),
                ("completed", "t1", "Good day.", False),
            ],
        )
        self.assertEqual(self.written(), [("user", "Hi"), ("assistant", "Good day.")])

    def test_history(self) -> None:
        """The next turn has the one before in front of it."""
        self.session.received("Hi", "t1")
        self.model.run.answer("Good day.")
        self.session.received("Bye", "t2")
        self.assertEqual(
            self.model.run.messages[1:],
            [("user", "Hi"), ("assistant", "Good day."), ("user", "Bye")],
        )

    def test_greeting(self) -> None:
        """The greeting is said without the model, which knows of it afterwards."""
        self.session.greet("t0")
        self.assertIn(("completed", "t0", "Hello!", False), self.told.take())
        self.session.received("Hi", "t1")
        self.assertIn(("assistant", "Hello!"), self.model.run.messages)

    def test_told(self) -> None:
        """What a program has sent is known to the model."""
        self.session.told("Your parcel is here.")
        self.session.received("Where?", "t1")
        self.assertIn(("assistant", "Your parcel is here."), self.model.run.messages)

    def test_told_meanwhile(self) -> None:
        """The same while a reply is being made: it stands behind the reply."""
        self.session.received("Hi", "t1")
        self.session.told("Your parcel is here.")
        self.model.run.answer("Good day.")
        self.session.received("Where?", "t2")
        said = [text for role, text in self.model.run.messages if role == "assistant"]
        self.assertEqual(said, ["Good day.", "Your parcel is here."])

    def test_nothing(self) -> None:
        """A message of blanks is none."""
        self.assertFalse(self.session.received(" \n", "t1"))
        self.assertEqual((self.model.runs, self.told.seen), ([], []))

    def test_long(self) -> None:
        """A message is cut where it is longer than any person writes."""
        self.session.received("x" * (LONGEST + 1), "t1")
        self.assertEqual(len(self.model.run.messages[-1][1]), LONGEST)

    def test_together(self) -> None:
        """What comes while a reply is being made is answered with the next one, together."""
        self.session.received("One", "t1")
        self.session.received("Two", "t2")
        self.session.received("Three", "t3")
        self.assertEqual(len(self.model.runs), 1)
        self.model.run.answer("First.")
        self.assertEqual(self.model.run.messages[-1], ("user", "Two\nThree"))
        self.model.run.answer("Second.")
        self.assertEqual(len(self.model.runs), 2)
        self.assertEqual(self.told.take()[-1], ("completed", "t3", "Second.", False))

    def test_flood(self) -> None:
        """Of too many that wait the newest are kept."""
        self.session.received("0", "t0")
        for number in range(1, MOST_WAITING + 3):
            self.session.received(str(number), f"t{number}")
        self.model.run.answer("Yes.")
        asked = self.model.run.messages[-1][1].split("\n")
        self.assertEqual((len(asked), asked[0]), (MOST_WAITING, "3"))

    def test_measures(self) -> None:
        """The time to the first word, to the last one, and the tokens are metrics."""
        self.session.received("Hi", "t1")
        self.clock.advance(0.5)
        self.model.run.write("Yes")
        self.clock.advance(1.5)
        self.model.run.finish(input=7, output=3)
        metrics = dict(self.written("metric"))
        self.assertEqual(metrics["agent.ttft_ms"], "500")
        self.assertEqual(metrics["turn.latency"], "2000")
        self.assertEqual(metrics["agent.total_token"], "10")


class FailureTests(SessionCase):
    def test_error_message(self) -> None:
        """When the model fails, the deployment's words are the reply."""
        self.session.received("Hi", "t1")
        self.model.run.fail()
        self.assertEqual(
            self.told.take()[1:],
            [
                ("failed", "t1", "out of order"),
                ("chunk", "t1", SORRY),
                ("completed", "t1", SORRY, False),
            ],
        )
        self.assertEqual(self.written()[-1], ("assistant", SORRY))
        self.assertIn("reply.failed", dict(self.written("event")))

    def test_goes_on(self) -> None:
        """The next message is answered again."""
        self.session.received("Hi", "t1")
        self.model.run.fail()
        self.session.received("Again", "t2")
        self.model.run.answer("Here I am.")
        self.assertEqual(self.told.take()[-1], ("completed", "t2", "Here I am.", False))

    def test_silence(self) -> None:
        """A model that writes nothing has failed."""
        self.session.received("Hi", "t1")
        self.model.run.answer(" ")
        self.assertIn(("failed", "t1", "the model answered nothing"), self.told.seen)

    def test_slow(self) -> None:
        """A reply that takes too long is given up, and its run cancelled."""
        self.session.received("Hi", "t1")
        self.clock.advance(REPLY_WITHIN)
        self.assertTrue(self.model.run.cancelled)
        self.assertEqual(self.told.take()[-1], ("completed", "t1", SORRY, False))

    def test_bug(self) -> None:
        """A plug-in's mistake is logged and apologised for, without its text."""
        self.session.received("Hi", "t1")
        self.model.run.fail(KeyError("sk-secret"))
        self.assertIn(("failed", "t1", "the reply failed"), self.told.seen)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_circles(self) -> None:
        """A model that only ever uses tools is stopped."""
        self.session.received("Hi", "t1")
        for _ in range(6):
            self.model.run.finish(ToolCall("c", "unknown"))
        self.assertEqual(self.told.take()[-1], ("completed", "t1", SORRY, False))


class ToolTests(SessionCase):
    def test_used(self) -> None:
        """A tool is used, and the model goes on with its result."""
        self.session.received("Where?", "t1")
        self.model.run.answer("I look.", ToolCall("c1", "lookup"))
        self.lookup.waiting[0].callback(Result('{"at": "home"}'))
        self.assertEqual(self.model.run.messages[-1], ("tool", '{"at": "home"}'))
        self.model.run.answer("At home.")
        self.assertEqual(
            self.told.take()[1:],
            [
                ("chunk", "t1", "I look."),
                ("called", "lookup"),
                ("answered", "lookup", '{"at": "home"}'),
                ("chunk", "t1", "\nAt home."),
                ("completed", "t1", "I look.\nAt home.", False),
            ],
        )

    def test_end(self) -> None:
        """The model says goodbye and ends the conversation."""
        self.session = self.open(text_tools((), no_makers(), self.clock))
        self.session.received("Bye", "t1")
        self.model.run.answer("Goodbye.", ToolCall("c1", "end_call"))
        self.assertEqual(
            self.told.take()[-2:], [("completed", "t1", "Goodbye.", False), ("ended", "tool_ended")]
        )
        self.assertEqual(self.model.stopped, 1)
        self.assertEqual(dict(self.written("metric"))["call.status"], "completed")
        self.assertEqual(self.store.statuses[-1][1:3], ("ended", "tool_ended"))
        self.assertFalse(self.session.received("Hello?", "t2"))

    def test_phone(self) -> None:
        """What needs a phone fails with a reason; keys are not even offered."""
        transfer = {"name": "transfer_call", "options": {"tool.transfer_to": "200"}}
        self.session = self.open(text_tools((transfer,), no_makers(), self.clock))
        self.session.received("A person!", "t1")
        self.assertEqual(self.model.run.tools, ["end_call", "transfer_call"])
        self.model.run.finish(ToolCall("c1", "transfer_call"), ToolCall("c2", "collect_digits"))
        for role, text in self.model.run.messages[-2:]:
            self.assertEqual(role, "tool")
            self.assertIn("not a phone call", text)

    def test_broken_off(self) -> None:
        """An interrupted reply cancels its tools."""
        self.session.received("Where?", "t1")
        self.model.run.finish(ToolCall("c1", "lookup"))
        self.session.interrupt()
        self.assertEqual(self.lookup.cancelled, 1)


class StreamTests(SessionCase):
    streaming = True

    def test_interrupted(self) -> None:
        """What was seen of an interrupted reply is in the history; the rest is not."""
        self.session.received("Hi", "t1")
        self.model.run.write("Good ")
        self.assertTrue(self.session.interrupt())
        self.assertTrue(self.model.run.cancelled)
        self.model.run.write("day.")
        self.assertEqual(self.told.take()[-1], ("completed", "t1", "Good", True))
        self.assertEqual(self.written()[-1], ("assistant", "Good"))
        self.session.received("No", "t2")
        self.assertEqual(self.model.run.messages[-2:], [("assistant", "Good"), ("user", "No")])

    def test_not_interrupted(self) -> None:
        """Where there is no reply, there is nothing to interrupt."""
        self.assertFalse(self.session.interrupt())

    def test_stopped(self) -> None:
        """Let go of in the middle of a reply: nothing more is told, nothing is left."""
        self.session.received("Hi", "t1")
        self.model.run.write("Good ")
        self.told.take()
        self.session.stop()
        self.assertEqual((self.told.seen, self.model.stopped), ([], 1))

    def test_ended(self) -> None:
        """The first end counts."""
        self.session.end(REMOTE_HANGUP)
        self.session.end(REMOTE_HANGUP)
        self.assertEqual(self.told.take(), [("ended", "remote_hangup")])
        self.assertEqual(dict(self.written("metric"))["call.duration"], "10.000")


class WholeTests(SessionCase):
    def test_interrupted(self) -> None:
        """Where a reply is shown as a whole, nothing of an interrupted one was seen."""
        self.session.received("Hi", "t1")
        self.model.run.write("Good ")
        self.session.interrupt()
        self.session.received("No", "t2")
        self.assertEqual(self.model.run.messages[-2:], [("user", "Hi"), ("user", "No")])
        self.assertEqual(self.written(), [("user", "Hi"), ("user", "No")])
