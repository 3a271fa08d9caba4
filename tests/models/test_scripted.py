"""The scripted model at its port."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.base import Completion, Message, Tool
from rapida_tw.models.scripted import ScriptedModel, ScriptedModelProvider
from rapida_tw.speech.base import Host
from tests.models.scripts import TAXI

TOOLS = (Tool("end_call", "hang up"), Tool("collect_digits", "take keys"))
SHORT = {"replies": [["hello", "Hi there. What is it?"]], "otherwise": "Sorry?"}


def user(text: str) -> Message:
    return Message("user", text)


class ScriptedModelTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.provider = ScriptedModelProvider(Host(Clock(), Path()))
        self.model = self.provider.open(TAXI)
        self.said: list[str] = []

    def reply(self, *messages: Message, model: ScriptedModel | None = None) -> Completion:
        """The completion for these messages; what was streamed is in `said`."""
        self.said = []
        reply = (model or self.model).reply(messages, TOOLS, self.said.append)
        return self.successResultOf(reply)

    def test_streams_the_whole(self) -> None:
        """The text comes in words that add up to the completion's."""
        completion = self.reply(user("prices"))
        self.assertEqual(self.said, ["Two ", "euros ", "a ", "mile. ", "What ", "else?"])
        self.assertEqual(completion.text, "".join(self.said))

    def test_expecting(self) -> None:
        """Each completion says what may come next, beginning with the opening."""
        opening = self.model.opening()
        assert opening is not None
        self.assertIn("prices", opening.grammar)
        expecting = self.reply(user("a ride")).expecting
        assert expecting is not None
        self.assertNotIn("prices", expecting.grammar)
        self.assertEqual(expecting, self.model.opening())

    def test_newest_message_counts(self) -> None:
        """Older messages were answered already, and interrupted ones change nothing."""
        self.reply(user("a ride"))
        completion = self.reply(
            user("a ride"), Message("assistant", "Sure. How", interrupted=True), user("four")
        )
        self.assertEqual(completion.text, "For four. When?")

    def test_speaks_first(self) -> None:
        """Without a message of the caller it asks its first question."""
        self.assertEqual(self.reply(Message("system", "Be kind.")).text, "What is it?")

    def test_repeats_the_greeting(self) -> None:
        """A greeting that somebody else said can be asked for again, a cut one is not repeated."""
        greeting = Message("assistant", "Hello, taxi.")
        self.assertEqual(self.reply(greeting, user("pardon")).text, "Hello, taxi.")
        cut = Message("assistant", "Hel", interrupted=True)
        other = self.provider.open(TAXI)
        self.assertEqual(self.reply(cut, user("pardon"), model=other).text, "What is it?")

    def test_repeats_what_was_meant(self) -> None:
        """After an interruption the whole is repeated, not only what was heard of it."""
        self.reply(user("prices"))
        completion = self.reply(Message("assistant", "Two", interrupted=True), user("repeat"))
        self.assertEqual(completion.text, "Two euros a mile. What else?")

    def test_tool_result(self) -> None:
        """The result of its own tool goes on with the dialogue, the same one only once."""
        options = TAXI | {"start": "taxi"}
        options["forms"] = {
            "taxi": TAXI["forms"]["taxi"]
            | {
                "slots": [
                    TAXI["forms"]["taxi"]["slots"][0] | {"collect": 5},
                    TAXI["forms"]["taxi"]["slots"][1],
                ]
            }
        }
        model = self.provider.open(options)
        call = self.reply(model=model).tool_calls[0]
        result = Message("tool", '{"digits": "3"}', tool_call_id=call.id)
        self.assertEqual(self.reply(result, model=model).text, "For three. When?")
        self.assertEqual(
            self.reply(result, user("seven"), model=model).text, "For three at seven o'clock?"
        )
        self.assertEqual(self.reply(result, model=model), Completion("", (), model.opening()))

    def test_caller_before_tool_result(self) -> None:
        """Who speaks while keys are awaited is answered; what the tool says then is old."""
        model = self.provider.open(TAXI)
        call = self.reply(user("goodbye"), model=model).tool_calls[0]
        result = Message("tool", "{}", tool_call_id=call.id)
        self.assertEqual(
            self.reply(result, user("prices"), model=model).text, "Two euros a mile. What else?"
        )

    def test_calls_are_apart(self) -> None:
        """Two calls of one script do not know of each other."""
        self.reply(user("a ride"))
        other = self.provider.open(TAXI)
        self.assertEqual(
            self.reply(user("prices"), model=other).text, "Two euros a mile. What else?"
        )

    def test_short_form(self) -> None:
        """Pairs are enough; everything else gets the same answer, however often."""
        model = self.provider.open(SHORT)
        self.assertEqual(
            self.reply(user("Oh, hello there!"), model=model).text, "Hi there. What is it?"
        )
        for _ in range(5):
            self.assertEqual(self.reply(user("eels"), model=model).text, "Sorry?")

    def test_receptionist_by_default(self) -> None:
        """Without a script it is the demo receptionist."""
        reply = self.reply(user("your opening hours"), model=self.provider.open({}))
        self.assertIn("from noon", reply.text)

    def test_mistakes(self) -> None:
        """A bad script is refused before the call."""
        with self.assertRaises(MisconfiguredAssistant):
            self.provider.open({"start": "nowhere"})

    def test_many_scripts(self) -> None:
        """Only so many scripts stay read."""
        for number in range(100):
            self.provider.open({"otherwise": str(number)})
        self.assertLessEqual(len(self.provider._read), 64)

    def test_stop(self) -> None:
        """There is nothing to wait for."""
        self.successResultOf(self.model.stop())
        self.successResultOf(self.provider.stop())
