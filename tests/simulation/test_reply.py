"""Stories of replies: tools, slow and broken vendors, and what history keeps."""

from __future__ import annotations

import json
from typing import Any

from rapida_tw.models.base import Message
from rapida_tw.simulation import Simulation
from tests.simulation.case import Stories
from tests.simulation.models import Step, StepModel

TRANSFER = {
    "name": "transfer_call",
    "executionMethod": "transfer_call",
    "options": {"tool.transfer_to": "200<|||>300"},
}


class Replies(Stories):
    """Stories with a model of steps."""

    def steps(self, *steps: Step, **options: Any) -> tuple[Simulation, StepModel]:
        model = StepModel(*steps)
        sim = self.story(model_provider=model, **options)
        model.clock = sim.clock
        sim.says("please", at=0.5, lasting=0.5)
        return sim, model


class StreamingTests(Replies):
    """A reply is spoken while it is being written."""

    def test_first_phrase_before_the_last_word(self) -> None:
        """The first sentence is heard although the model is still writing the second."""
        text = "That is a good question. Let me tell you all that I know about it now."
        sim, _ = self.steps(Step(text, pause=0.3))
        sim.run(until=12.0)
        self.assertLess(sim.caller.heard[0].start, 3.2)  # the model needs 4.8 s
        self.assertEqual(sim.dialogue[-1], ("assistant", text))

    def test_interruption_closes_the_model(self) -> None:
        """An interruption cancels the model's stream in the same moment."""
        sim, model = self.steps(
            Step("One two three four five six seven. " * 3, pause=0.4), Step("Yes?")
        )
        sim.says("wait", at=5.0, lasting=0.7)
        sim.run(until=9.0)
        self.assertEqual(model.cancelled, 1)
        self.assertEqual(sim.dialogue[-1], ("assistant", "Yes?"))

    def test_history_is_what_was_heard(self) -> None:
        """The model's next prompt has the words that were heard, and none after them."""
        sim, model = self.steps(
            Step("First sentence here. Second sentence here. Third one here."), Step("Yes?")
        )
        sim.says("wait", at=3.2, lasting=0.7)
        sim.run(until=8.0)
        said = [message for message in model.asked[1] if message.role == "assistant"]
        self.assertEqual(len(said), 1)
        self.assertTrue(said[0].interrupted)
        self.assertTrue(said[0].text.startswith("First sentence here."))
        self.assertNotIn("Third", said[0].text)

    def test_normalised(self) -> None:
        """Numbers are spoken as words, and stay numbers in the transcript."""
        sim, _ = self.steps(Step("It costs $5."))
        sim.run(until=6.0)
        self.assertEqual(sim.voice.said, ["It costs five dollars."])
        self.assertEqual(sim.dialogue[-1], ("assistant", "It costs $5."))


class ToolTests(Replies):
    """What the model does besides speaking."""

    def test_end_call_after_the_goodbye(self) -> None:
        """The call ends when the goodbye has been heard, not before, by the assistant."""
        sim, _ = self.steps(Step("Thank you for calling. Goodbye.", (("end_call", {}),)))
        sim.run(until=8.0)
        heard = sum(sound.end - sound.start for sound in sim.caller.heard)
        self.assertGreater(heard, 1.8)
        self.assertEqual(sim.metrics["call.disconnected_by"], "assistant")
        self.assertEqual(str(sim.caller.ending), "server_hung_up")

    def test_interrupted_goodbye(self) -> None:
        """Who speaks into the goodbye keeps the line."""
        sim, _ = self.steps(
            Step("Thank you for calling. Goodbye and have a nice day.", (("end_call", {}),)),
            Step("Of course."),
        )
        sim.says("one more thing", at=3.0, lasting=0.9)
        sim.run(until=10.0)
        self.assertIsNone(sim.caller.ending)
        self.assertEqual(sim.dialogue[-1], ("assistant", "Of course."))

    def test_digits(self) -> None:
        """Digits are collected after the prompt and given to the model as the tool's result."""
        sim, model = self.steps(
            Step("Your number please.", (("collect_digits", {"count": 4}),)), Step("Thanks.")
        )
        sim.presses("1234", at=5.0)
        sim.run(until=9.0)
        self.assertEqual(json.loads(model.asked[1][-1].text), {"digits": "1234"})
        self.assertEqual(sim.dialogue[-1], ("assistant", "Thanks."))

    def test_digits_time_out(self) -> None:
        """Nobody presses a key: the model is told so, without any filler in between."""
        sim, model = self.steps(
            Step("Your number please.", (("collect_digits", {"timeout": 5}),)), Step("Never mind.")
        )
        sim.run(until=15.0)
        self.assertEqual(json.loads(model.asked[1][-1].text), {"error": "no key was pressed"})
        self.assertNotIn("reply.filler", sim.events)

    def test_transfer(self) -> None:
        """The announced dialplan finds the target, once, after AudioSocket() returned."""
        sim, _ = self.steps(
            Step("I connect you.", (("transfer_call", {"to": "300"}),)),
            tools=[TRANSFER],
            metadata={"transfer": "1"},
        )
        sim.run(until=6.0)
        self.assertEqual(str(sim.caller.ending), "server_hung_up")
        self.assertEqual(self.successResultOf(sim.server.calls.follow_up(sim.context_id)), "300")
        self.assertEqual(self.successResultOf(sim.server.calls.follow_up(sim.context_id)), "")

    def test_transfer_that_cannot_be(self) -> None:
        """Without the announcement the model is told, and the call goes on."""
        sim, model = self.steps(
            Step("One moment.", (("transfer_call", {"to": "300"}),)),
            Step("Sorry, I cannot transfer you."),
            tools=[TRANSFER],
        )
        sim.run(until=8.0)
        self.assertIn("does not take transfers", model.asked[1][-1].text)
        self.assertIsNone(sim.caller.ending)

    def test_transfer_to_somebody_else(self) -> None:
        """A target that the assistant does not allow is refused."""
        sim, model = self.steps(
            Step("", (("transfer_call", {"to": "0900123"}),)),
            Step("No."),
            tools=[TRANSFER],
            metadata={"transfer": "1"},
        )
        sim.run(until=6.0)
        self.assertIn("not among the allowed", model.asked[1][-1].text)

    def test_unknown_tool(self) -> None:
        """A tool that is not there is an error for the model, not for the call."""
        sim, model = self.steps(Step("", (("fly", {}),)), Step("I cannot."))
        sim.run(until=5.0)
        self.assertIn("no tool fly", model.asked[1][-1].text)
        self.assertEqual(sim.dialogue[-1], ("assistant", "I cannot."))

    def test_running_in_circles(self) -> None:
        """A model that only ever calls tools is stopped, and the caller hears the apology."""
        sim, _ = self.steps(*[Step("", (("fly", {}),))] * 6)
        sim.run(until=8.0)
        self.assertEqual(
            sim.dialogue[-1][1], "Sorry, something went wrong. Please call again later."
        )


class DeadAirTests(Replies):
    """When a reply is owed and nothing comes."""

    def test_filler(self) -> None:
        """A slow model: after a moment the caller is told to wait, then hears the answer."""
        sim, _ = self.steps(Step("Here it is.", delay=3.0))
        sim.run(until=10.0)
        owed = sim.caller.turns[0].ended or 0.0
        self.assertLess(sim.caller.heard[0].start - owed, 2.6)
        self.assertEqual(sim.events.count("reply.filler"), 1)
        self.assertEqual(sim.dialogue[-1], ("assistant", "Here it is."))

    def test_given_up(self) -> None:
        """A model that never answers: fillers, then the error message, and the call goes on."""
        sim, model = self.steps(Step("Never.", delay=100.0))
        sim.run(until=30.0)
        self.assertEqual(model.cancelled, 1)
        self.assertGreaterEqual(sim.events.count("reply.filler"), 2)
        self.assertIn("reply.failed", sim.events)
        self.assertIsNone(sim.caller.ending)
        gaps = zip(sim.caller.heard, sim.caller.heard[1:], strict=False)
        self.assertLess(max(after.start - before.end for before, after in list(gaps)[:3]), 4.0)

    def test_failing_model(self) -> None:
        """A failing model: the error message at once; the third failure in a row ends the call."""
        sim, _ = self.steps(*[Step(fails=True)] * 3)
        sim.says("again", at=8.0)
        sim.says("again", at=16.0)
        sim.run(until=25.0)
        apology = "Sorry, something went wrong. Please call again later."
        self.assertEqual([text for who, text in sim.dialogue if who == "assistant"], [apology] * 2)
        self.assertEqual(sim.metrics["call.status"], "failed")
        self.assertEqual(sim.metrics["call.disconnected_by"], "system")

    def test_failing_voice(self) -> None:
        """A voice that is gone cannot even say so: the call ends as failed."""
        sim, _ = self.steps(Step("Hello there."))
        sim.caller.does(lambda: setattr(sim.voice, "failing", True), at=0.4)
        sim.run(until=10.0)
        self.assertEqual(sim.metrics["call.status"], "failed")
        self.assertIn("reply.failed", sim.events)


class HistoryTests(Replies):
    """The shape that every model demands of a history."""

    def test_each_tool_call_has_a_result(self) -> None:
        """A tool that the caller interrupted is answered in history all the same."""
        sim, model = self.steps(
            Step("Your number please.", (("collect_digits", {"timeout": 20}),)), Step("Fine.")
        )
        sim.says("i have none", at=5.0, lasting=1.0)
        sim.run(until=10.0)
        _check(self, model.asked[-1])
        self.assertEqual(sim.dialogue[-1], ("assistant", "Fine."))


def _check(test: Stories, messages: tuple[Message, ...]) -> None:
    wanted = [call.id for message in messages for call in message.tool_calls]
    given = [message.tool_call_id for message in messages if message.role == "tool"]
    test.assertEqual(wanted, given)
