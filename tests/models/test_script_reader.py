"""Scripts from JSON, with all their mistakes at once."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.script import Action, Request
from rapida_tw.models.script_reader import read_script
from rapida_tw.models.slots import Choice, Day, Digits, Kind, Number
from rapida_tw.models.times import Time
from tests.models.scripts import TAXI

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_KEYS = st.sampled_from([*TAXI, "start", "yes", "replies", "otherwise"])


class ScriptReaderTests(SynchronousTestCase):
    def mistakes(self, options: Any) -> str:
        """The text of the error that those options raise."""
        with self.assertRaises(MisconfiguredAssistant) as caught:
            read_script(options)
        return str(caught.exception)

    def changed(self, **changes: Any) -> str:
        """The same for the good script with some keys replaced."""
        return self.mistakes(copy.deepcopy(TAXI) | changes)

    def with_slot(self, **slot: Any) -> Any:
        form = {"slots": [{"name": "it", "ask": "?", **slot}], "done": {"then": "main"}}
        return TAXI | {"forms": {"taxi": form}}

    def test_long_form(self) -> None:
        """A good script is read whole."""
        script = read_script(TAXI)
        self.assertEqual(script.start, "main")
        self.assertEqual(script.menus["main"].keys, {"1": "prices", "2": "ride"})
        self.assertEqual([slot.name for slot in script.forms["taxi"].slots], ["people", "time"])
        self.assertEqual(script.intents["ride"].action, Action("Sure.", then="taxi"))

    def test_short_form(self) -> None:
        """Pairs of what is said and what is answered make a script."""
        script = read_script(
            {"replies": [["hello", "Hi."], ["bye", {"say": "Bye.", "end": True}]], "otherwise": "?"}
        )
        self.assertEqual(
            [intent.action for intent in script.intents.values()],
            [Action("Hi."), Action("Bye.", end=True)],
        )
        self.assertEqual(script.give_up, Action("?"))

    def test_slot_types(self) -> None:
        """Each type of slot with its options."""
        kinds: list[tuple[dict[str, Any], Kind]] = [
            ({"type": "number", "min": 2, "max": 5}, Number(2, 5)),
            ({"type": "digits", "min": 4}, Digits(4, 4)),
            ({"type": "day", "dates": True}, Day(dates=True)),
            ({"type": "time", "earliest": "09:00", "latest": "9:30"}, Time(540, 570)),
        ]
        for slot, kind in kinds:
            script = read_script(self.with_slot(**slot))
            self.assertEqual(script.forms["taxi"].slots[0].kind, kind)
        for slot in ({"type": "yesno"}, {"type": "choice", "options": {"red": ["red"]}}):
            script = read_script(self.with_slot(**slot))
            self.assertIsInstance(script.forms["taxi"].slots[0].kind, Choice)

    def test_request(self) -> None:
        """A form can end in a request, whose result may be told."""
        done = {
            "request": {"tool": "book", "arguments": {"n": "{it}"}},
            "say": "{number}",
            "end": 1,
        }
        form = {"slots": [{"name": "it", "ask": "?", "type": "day"}], "done": done | {"end": True}}
        script = read_script(TAXI | {"forms": {"taxi": form}})
        self.assertEqual(script.forms["taxi"].done.request, Request("book", {"n": "{it}"}))

    def test_all_mistakes_at_once(self) -> None:
        """One error names everything that is wrong, each with its place."""
        text = self.mistakes(
            {
                "start": "nowhere",
                "always": ["ghost"],
                "colour": "red",
                "intents": {"a": {"phrases": ["(b"], "then": "gone"}, "Bad Name": {}},
                "menus": {"main": {"intents": ["b"], "keys": {"x": "a"}, "retry": 3}},
                "forms": {
                    "f": {
                        "slots": [
                            {"name": "n", "type": "number", "ask": "?", "max": 1000, "min": True},
                            {"type": "shape", "ask": "?"},
                            {"name": "n", "type": "choice", "ask": "?"},
                            "slot",
                        ],
                        "confirm": {"ask": "{who}?"},
                        "done": {"end": True, "transfer": "1"},
                    }
                },
            }
        )
        for mistake in (
            "start: there is no menu or form 'nowhere'",
            "always: there is no intent 'ghost'",
            "colour: is unknown here",
            "intents.a.phrases: '(' is not closed",
            "intents.a.then: there is no menu or form 'gone'",
            "intents: 'Bad Name' is no name",
            "menus.main.intents: there is no intent 'b'",
            "menus.main.keys: 'x' cannot be pressed",
            "menus.main.retry: must be a list of texts",
            "forms.f.slots[0].max: must be a whole number from 1 to 99",
            "forms.f.slots[0].min: must be a whole number",
            "forms.f.slots[1].name: is missing",
            "forms.f.slots[1].type: 'shape' is none of",
            "forms.f.slots[2].name: is there twice",
            "forms.f.slots[2].options: needs at least one choice",
            "forms.f.slots[3]: must be an object",
            "forms.f.confirm: there is no slot 'who' for {who}",
            "forms.f.done: only one of",
        ):
            self.assertIn(mistake, text)

    def test_form_must_lead_on(self) -> None:
        """A form that would ask its last question for ever is refused."""
        form = {"slots": [{"name": "it", "type": "day", "ask": "?"}], "done": {"say": "Done."}}
        self.assertIn("forms.taxi.done: must lead on", self.changed(forms={"taxi": form}))

    def test_empty_form(self) -> None:
        """A form without slots asks nothing, which cannot be meant."""
        self.assertIn("needs at least one slot", self.changed(forms={"taxi": {"done": {}}}))

    def test_times(self) -> None:
        """Times are written on a clock, the earlier one first."""
        slot = {"type": "time", "earliest": "noon", "latest": "25:00"}
        text = self.mistakes(self.with_slot(**slot))
        self.assertIn("earliest: must be a time", text)
        self.assertIn("latest: must be a time", text)
        slot = {"type": "time", "earliest": "13:00", "latest": "12:00"}
        self.assertIn("latest: is before earliest", self.mistakes(self.with_slot(**slot)))

    def test_short_form_mistakes(self) -> None:
        """The short form is checked as well."""
        text = self.mistakes({"replies": [["a"], ["(", "b"], ["c", 4]], "otherwise": 1})
        for mistake in ("replies[0]: must be a pair", "replies[1].wording", "replies[2].reply"):
            self.assertIn(mistake, text)
        self.assertIn("otherwise: must be a text", text)

    @given(st.dictionaries(_KEYS, _JSON), _JSON)
    def test_any_json(self, options: dict[str, Any], slot: Any) -> None:
        """Whatever JSON comes, it is a script or refused with a sentence."""
        form = {"slots": [{"name": "it", "type": "choice", "ask": "?", "options": slot}, slot]}
        for tried in (options, TAXI | options, TAXI | {"forms": {"taxi": form}}):
            try:
                read_script(tried)
            except MisconfiguredAssistant as error:
                self.assertIn("the script is wrong: ", str(error))
