"""History: what the model is told of the dialogue."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.models.base import Message, ToolCall
from rapida_tw.pipeline.history import KEPT, History

SYSTEM = Message("system", "Be kind.")
ROLES = ["assistant", "tool", "assistant"]
ASK, LOOK = ToolCall("1", "ask"), ToolCall("2", "look")


def shape(history: History) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in history.dialogue]


class ReplyTests(SynchronousTestCase):
    """One reply, heard or cut off."""

    def setUp(self) -> None:
        self.history = History([SYSTEM])
        self.history.user_said("hours?")
        self.history.begin_reply()

    def test_whole(self) -> None:
        """A reply that was heard stays as the model wrote it, whatever the ledger says."""
        part = self.history.assistant_said("We open at 9.")
        said = self.history.end_reply({part: "We open at"}, interrupted=False)
        self.assertEqual(said, ["We open at 9."])
        self.assertEqual(shape(self.history)[1:], [("assistant", "We open at 9.")])
        self.assertFalse(self.history.dialogue[1].interrupted)

    def test_cut(self) -> None:
        """Of an interrupted one stays what was heard, and that it was interrupted."""
        part = self.history.assistant_said("We open at 9.")
        self.assertEqual(self.history.end_reply({part: "We open"}, True), ["We open"])
        self.assertEqual(
            self.history.dialogue[1], Message("assistant", "We open", interrupted=True)
        )

    def test_cut_at_the_end(self) -> None:
        """Who interrupts after the last word has interrupted nothing."""
        part = self.history.assistant_said("We open at 9.")
        self.history.end_reply({part: "We open at 9."}, True)
        self.assertFalse(self.history.dialogue[1].interrupted)

    def test_not_heard(self) -> None:
        """A reply of which nothing was heard was never given."""
        self.history.assistant_said("We open at 9.")
        self.assertEqual(self.history.end_reply({}, True), [])
        self.assertEqual(shape(self.history), [("user", "hours?")])

    def test_parts(self) -> None:
        """Each run of the model has its own part, numbered as `next_part` said."""
        self.assertEqual(self.history.next_part, 0)
        first = self.history.assistant_said("One moment.", [LOOK])
        self.history.tool_answered(LOOK, "{}")
        self.assertEqual(self.history.next_part, 2)
        second = self.history.assistant_said("We open at 9.")
        said = self.history.end_reply({first: "One moment.", second: "We"}, True)
        self.assertEqual(said, ["One moment.", "We"])
        self.assertEqual(
            shape(self.history)[1:],
            [("assistant", "One moment."), ("tool", "{}"), ("assistant", "We")],
        )

    def test_tool_without_words(self) -> None:
        """A silent tool call stays, for its result refers to it."""
        self.history.assistant_said("", [LOOK])
        self.history.tool_answered(LOOK, "{}")
        self.assertEqual(self.history.end_reply({}, True), [])
        self.assertEqual(shape(self.history)[1:], [("assistant", ""), ("tool", "{}")])

    def test_open_calls(self) -> None:
        """Each tool call that was cut off gets a result, right behind its call."""
        self.history.assistant_said("", [ASK, LOOK])
        self.history.tool_answered(ASK, "{}")
        self.history.end_reply({}, True)
        self.assertEqual([m.tool_call_id for m in self.history.dialogue[2:]], ["1", "2"])
        self.assertIn("interrupted", self.history.dialogue[3].text)

    def test_open_call_with_a_known_id(self) -> None:
        """A model that numbers its calls anew in each run confuses nothing."""
        self.history.assistant_said("", [ASK])
        self.history.tool_answered(ASK, "{}")
        self.history.assistant_said("", [ASK])
        self.history.end_reply({}, True)
        self.assertEqual(
            [m.role for m in self.history.dialogue], ["user", *["assistant", "tool"] * 2]
        )

    def test_open_call_in_the_middle(self) -> None:
        """The missing result stands behind its call, not at the end."""
        self.history.assistant_said("", [ASK])
        self.history.assistant_said("At 9.")
        self.history.end_reply({1: "At 9."}, True)
        self.assertEqual([role for role, _ in shape(self.history)][1:], ROLES)

    def test_next_reply_leaves_it_alone(self) -> None:
        """Earlier replies are not provisional any more."""
        self.history.assistant_said("We open at 9.")
        self.history.end_reply({}, False)
        self.history.user_said("and close?")
        self.history.begin_reply()
        self.history.assistant_said("At 10.")
        self.history.end_reply({}, True)
        self.assertEqual([role for role, _ in shape(self.history)], ["user", "assistant", "user"])


class LengthTests(SynchronousTestCase):
    """A call of many turns."""

    def test_prompt_stays(self) -> None:
        """The oldest turns go; the prompt never does."""
        history = History([SYSTEM])
        for number in range(KEPT + 10):
            history.user_said(str(number))
        self.assertEqual(len(history.dialogue), KEPT)
        self.assertEqual(history.messages()[0], SYSTEM)
        self.assertEqual(history.dialogue[0].text, "10")

    def test_no_result_without_its_call(self) -> None:
        """A tool call that goes takes its results along."""
        history = History()
        history.begin_reply()
        history.assistant_said("", [ASK, LOOK])
        history.tool_answered(ASK, "{}")
        history.tool_answered(LOOK, "{}")
        history.end_reply({}, False)
        for number in range(KEPT - 2):
            history.user_said(str(number))
        self.assertEqual(history.dialogue[0].text, "0")

    @given(
        st.lists(
            st.tuples(
                st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=4),
                st.booleans(),
                st.booleans(),
            ),
            max_size=90,
        )
    )
    def test_always_well_formed(
        self, replies: list[tuple[list[tuple[int, int]], bool, bool]]
    ) -> None:
        """Whatever is cut off when, each tool call is followed by its results, and by no others."""
        history = History([SYSTEM])
        for runs, heard, interrupted in replies:
            history.user_said("so?")
            history.begin_reply()
            for number, (calls, answered) in enumerate(runs):
                wanted = [ToolCall(f"c{call}", "look") for call in range(calls)]
                history.assistant_said("words", wanted)
                last = number == len(runs) - 1
                for call in wanted[: answered if last and interrupted else calls]:
                    history.tool_answered(call, "{}")
            parts = range(history.next_part)
            history.end_reply(dict.fromkeys(parts, "words") if heard else {}, interrupted)
        check(self, history.dialogue)


def check(test: SynchronousTestCase, dialogue: tuple[Message, ...]) -> None:
    """Raise unless each tool call is followed by its results."""
    open_calls: list[str] = []
    for message in dialogue:
        if message.role == "tool":
            test.assertIn(message.tool_call_id, open_calls)
            open_calls.remove(message.tool_call_id)
        else:
            test.assertEqual(open_calls, [])
            open_calls = [call.id for call in message.tool_calls]
    test.assertEqual(open_calls, [])
