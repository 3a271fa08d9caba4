"""The way through a script, one utterance after the other."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.models.dialogue import Dialogue, Turn
from rapida_tw.models.script import Asking, Place
from rapida_tw.models.script_reader import read_script
from tests.models.scripts import TAXI

TOOLS = ("end_call", "transfer_call", "collect_digits", "order_taxi")
SCRIPT = read_script(TAXI)


class DialogueTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.dialogue = Dialogue(SCRIPT)

    def says(self, *texts: str, tools: tuple[str, ...] = TOOLS) -> Turn:
        """The answer to the last of these."""
        turns = [self.dialogue.heard(text, tools) for text in texts]
        return turns[-1]

    def script(self, form: dict[str, Any] | None = None, **slot: Any) -> None:
        """Go on with a script whose form, or whose first slot, is changed."""
        options = copy.deepcopy(TAXI)
        options["forms"]["taxi"] |= form or {}
        options["forms"]["taxi"]["slots"][0] |= slot
        self.dialogue = Dialogue(read_script(options))

    def test_begin(self) -> None:
        """Asked to speak first, it puts the first question."""
        self.assertEqual(self.dialogue.begin(TOOLS), Turn("What is it?"))

    def test_answer_and_go_on(self) -> None:
        """An intent is answered, and the menu asks on."""
        self.assertEqual(self.says("prices"), Turn("Two euros a mile. What else?"))

    def test_slot_by_slot(self) -> None:
        """A form asks for one value after the other, tells what it heard, and reads all back."""
        self.assertEqual(self.says("a ride").text, "Sure. How many?")
        self.assertEqual(self.says("four").text, "For four. When?")
        self.assertEqual(self.says("seven").text, "For four at seven o'clock?")
        self.assertEqual(self.says("yes").text, "four at seven o'clock, done. What else?")
        self.assertEqual(self.dialogue.place, Place(Asking.MENU, "main"))

    def test_all_at_once(self) -> None:
        """What was said with the intent is not asked for."""
        text = self.says("a taxi for two at half past six").text
        self.assertEqual(text, "Sure. For two at half past six?")

    def test_by_keys(self) -> None:
        """The whole way by keys."""
        texts = [self.says(keys).text for keys in ("2", "4", "1930", "1")]
        self.assertEqual(texts[-1], "four at half past seven, done. What else?")

    def test_correction(self) -> None:
        """A no with a new value changes that one and reads all back."""
        self.says("a taxi for two at six")
        self.assertEqual(self.says("no for five").text, "For five at six o'clock?")
        self.assertEqual(self.says("at seven").text, "For five at seven o'clock?")

    def test_same_again_is_no_yes(self) -> None:
        """Saying the same value once more is no confirmation."""
        self.says("a taxi for two at six")
        self.assertEqual(self.says("for two").text, "For two at six o'clock?")

    def test_plain_no(self) -> None:
        """A plain no is asked about; the slot that is named is asked for anew."""
        self.says("a taxi for two at six", "no")
        self.assertEqual(self.says("the time").text, "When?")
        self.assertEqual(self.says("eight").text, "For two at eight o'clock?")

    def test_no_without_change(self) -> None:
        """Without a question for it, a no begins the form again."""
        options = copy.deepcopy(TAXI)
        del options["forms"]["taxi"]["change"]
        self.dialogue = Dialogue(read_script(options))
        self.assertEqual(self.says("a taxi for two at six", "no").text, "How many?")

    def test_not_allowed(self) -> None:
        """A value out of range is refused in words and asked for again."""
        self.assertEqual(self.says("a ride", "9").text, "One to eight.")
        self.assertEqual(self.says("3").text, "For three. When?")

    def test_not_allowed_is_not_kept(self) -> None:
        """A refused value does not stay, whatever else is said then."""
        self.assertEqual(self.says("a ride", "9", "at seven").text, "At seven o'clock. How many?")

    def test_not_allowed_keeps_the_rest(self) -> None:
        """The good value of an utterance stays when the other is refused."""
        text = self.says("a ride", "for four at seven a m").text
        self.assertEqual(text, "For four. When?")

    def test_retries_then_transfer(self) -> None:
        """Two other wordings of the question, then a person."""
        self.assertEqual(self.says("eels"), Turn("Prices or a taxi?"))
        self.assertEqual(self.says(""), Turn("Press 1 or 2."))
        turn = self.says("eels")
        self.assertEqual(turn.text, "I give up.")
        self.assertEqual(
            (turn.calls[0].name, turn.calls[0].arguments), ("transfer_call", {"to": "200"})
        )

    def test_understood_resets_retries(self) -> None:
        """Only misses in a row count."""
        self.says("eels", "eels", "prices")
        self.assertEqual(self.says("eels").text, "Prices or a taxi?")

    def test_give_up_without_transfer(self) -> None:
        """When nobody can be reached either, the call ends politely."""
        turn = self.says("a", "b", "c", tools=("end_call",))
        self.assertEqual(turn.text, "Nobody is there. Farewell.")
        self.assertEqual([call.name for call in turn.calls], ["end_call"])

    def test_give_up_transfer_fails(self) -> None:
        """The same when the transfer is tried and fails."""
        call = self.says("a", "b", "c").calls[0]
        turn = self.dialogue.told(call.id, '{"error": "busy"}', TOOLS)
        self.assertEqual([call.name for call in turn.calls], ["end_call"])

    def test_understood_after_give_up(self) -> None:
        """Who is understood again is not sent away by a later transfer that fails."""
        self.says("a", "b", "c", "prices")
        call = self.says("operator").calls[0]
        turn = self.dialogue.told(call.id, '{"error": "busy"}', TOOLS)
        self.assertEqual(turn, Turn("Nobody is there. What else?"))

    def test_transfer(self) -> None:
        """A person is one word or one key away; when it worked there is nothing to add."""
        self.says("a ride")
        turn = self.says("operator")
        self.assertEqual((turn.text, turn.calls[0].name), ("One moment.", "transfer_call"))
        self.assertEqual(self.dialogue.told(turn.calls[0].id, "{}", TOOLS), Turn())

    def test_transfer_fails(self) -> None:
        """It says so, and goes on where it was."""
        self.says("a ride")
        call = self.says("0").calls[0]
        turn = self.dialogue.told(call.id, '{"error": "not supported"}', TOOLS)
        self.assertEqual(turn, Turn("Nobody is there. How many?"))

    def test_transfer_not_offered(self) -> None:
        """A transfer that cannot be is not promised."""
        self.assertEqual(self.says("operator", tools=()), Turn("Nobody is there. What else?"))

    def test_end(self) -> None:
        """The goodbye is said, and the call ended where that can be asked for."""
        turn = self.says("goodbye")
        self.assertEqual((turn.text, [call.name for call in turn.calls]), ("Bye.", ["end_call"]))
        self.assertEqual(self.dialogue.told(turn.calls[0].id, "{}", TOOLS), Turn())
        self.assertEqual(self.says("goodbye", tools=()), Turn("Bye."))

    def test_repeat(self) -> None:
        """The same words again, as often as wanted; before any, the question."""
        self.assertEqual(self.says("pardon").text, "What is it?")
        said = self.says("a ride", "four").text
        self.assertEqual(self.says("repeat that").text, said)
        self.assertEqual(self.says("*").text, said)

    def test_help(self) -> None:
        """The help of the question, else its last other wording."""
        self.assertEqual(self.says("help").text, "Ask for prices or a taxi.")
        self.assertEqual(self.says("a ride", "help").text, "How many people?")

    def test_cancel(self) -> None:
        """A form can be left, and begins empty the next time."""
        self.assertEqual(self.says("a taxi for two", "cancel").text, "Cancelled. What else?")
        self.assertEqual(self.says("a ride").text, "Sure. How many?")

    def test_request(self) -> None:
        """A form's request gets its values; what comes back can be told."""
        request = {"tool": "order_taxi", "arguments": {"at": "{time}"}, "failed": "No luck."}
        self.script(
            {"done": {"request": request, "say": "Taxi {number} at {time}.", "then": "main"}}
        )
        turn = self.says("a taxi for two at six", "yes")
        call = turn.calls[0]
        self.assertEqual((call.name, call.arguments), ("order_taxi", {"at": "18:00"}))
        self.assertEqual(turn.text, "One moment, please.")
        told = self.dialogue.told(call.id, json.dumps({"number": 12}), TOOLS)
        self.assertEqual(told.text, "Taxi 12 at six o'clock. What else?")

    def test_request_fails(self) -> None:
        """A failed request is told, and so is one whose tool is not there."""
        request = {"tool": "order_taxi", "failed": "No luck."}
        for tools in (TOOLS, ()):
            self.script({"done": {"request": request, "say": "Done.", "then": "main"}})
            turn = self.says("a taxi for two at six", "yes", tools=tools)
            for call in turn.calls:
                turn = self.dialogue.told(call.id, '{"error": "HTTP 500"}', tools)
            self.assertEqual(turn, Turn("No luck. What else?"))

    def test_collect(self) -> None:
        """A slot may ask for the tool that takes digits, and takes its result as the answer."""
        self.script(collect=5)
        call = self.says("a ride").calls[0]
        self.assertEqual(
            (call.name, call.arguments), ("collect_digits", {"count": 1, "timeout": 5.0})
        )
        self.assertEqual(
            self.dialogue.told(call.id, '{"digits": "3"}', TOOLS).text, "For three. When?"
        )

    def test_collect_fails(self) -> None:
        """An error or no digits is a miss like any other, and digits are asked for again."""
        self.script(collect=5)
        for result in ('{"error": "timeout"}', '{"digits": ""}', "no JSON"):
            self.dialogue = Dialogue(self.dialogue._script)
            call = self.says("a ride").calls[0]
            turn = self.dialogue.told(call.id, result, TOOLS)
            self.assertEqual(turn.text, "How many people?")
            self.assertEqual([call.name for call in turn.calls], ["collect_digits"])

    def test_collect_by_voice(self) -> None:
        """Without that tool, or when the caller speaks, the answer comes as words."""
        self.script(collect=5)
        self.assertEqual(self.says("a ride", tools=()).calls, ())
        self.assertEqual(self.says("four").text, "For four. When?")

    def test_unknown_result(self) -> None:
        """The result of a tool that nobody asked for says nothing."""
        self.assertEqual(self.dialogue.told("call9", '{"error": "x"}', TOOLS), Turn())

    def test_late_results(self) -> None:
        """Who never answers is forgotten after a while: nothing grows during a call."""
        calls = [self.says("operator").calls[0] for _ in range(20)]
        self.assertEqual(self.dialogue.told(calls[0].id, '{"error": "busy"}', TOOLS), Turn())
        told = self.dialogue.told(calls[-1].id, '{"error": "busy"}', TOOLS)
        self.assertEqual(told.text, "Nobody is there. What else?")

    def test_start_with_a_form(self) -> None:
        """A script may begin with a form."""
        self.dialogue = Dialogue(read_script(TAXI | {"start": "taxi"}))
        self.assertEqual(self.dialogue.begin(TOOLS).text, "How many?")
        self.assertEqual(self.says("four").text, "For four. When?")

    _SAID = st.sampled_from(
        "prices;a ride;four;at seven;yes;no;the time;operator;repeat;help;cancel;goodbye;"
        "1;2;0;9;1930;#;*;eels;;for two at six;no for five".split(";")
    )

    @given(st.lists(_SAID, max_size=12), st.sampled_from([TOOLS, (), ("end_call",)]))
    def test_any_way(self, texts: list[str], tools: tuple[str, ...]) -> None:
        """Whatever the caller says in whatever order, there is an answer and a place to be."""
        dialogue = Dialogue(SCRIPT)
        for text in texts:
            turn = dialogue.heard(text, tools)
            self.assertTrue(turn.text)
            self.assertLessEqual({call.name for call in turn.calls}, set(tools))
            for call in turn.calls:
                dialogue.told(call.id, '{"error": "no"}', tools)
