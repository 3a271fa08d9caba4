"""What is expected at each place of a script."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.expect import Expectation
from rapida_tw.models.grammar import expectation
from rapida_tw.models.script import Asking, Place, Script
from rapida_tw.models.script_reader import read_script
from tests.models.scripts import TAXI

SCRIPT = read_script(TAXI)
MENU = Place(Asking.MENU, "main")
PEOPLE = Place(Asking.SLOT, "taxi", "people")
CONFIRM = Place(Asking.CONFIRM, "taxi")
CHANGE = Place(Asking.CHANGE, "taxi")


def accepts(place: Place, sentence: str, script: Script = SCRIPT) -> bool:
    """Whether the JSGF of that place can say the sentence: our own small reading of JSGF."""
    rules = dict(re.findall(r"<(\w+)> = (.*);", expectation(script, place).grammar))
    text = rules["heard"]
    while found := re.search(r"<(\w+)>", text):
        text = text.replace(found[0], f"({rules[found[1]]})")
    text = re.sub(r"([a-z']+)", r"(?:\1 )", text)
    text = text.replace("[", "(?:").replace("]", ")?")
    return re.fullmatch(re.sub(r"\s(?!\))", "", text), sentence + " ") is not None


class GrammarTests(SynchronousTestCase):
    def test_complete(self) -> None:
        """A header, each rule before its use, one public rule."""
        lines = expectation(SCRIPT, PEOPLE).grammar.splitlines()
        self.assertEqual(lines[:2], ["#JSGF V1.0;", "grammar script;"])
        self.assertEqual([line.startswith("public ") for line in lines].count(True), 1)
        self.assertTrue(lines[-1].startswith("public <heard> = "))
        known: set[str] = set()
        for line in lines[2:]:
            self.assertRegex(line, r"^(public )?<\w+> = .*;$")
            name, *used = re.findall(r"<(\w+)>", line)
            self.assertLessEqual(set(used), known)
            known.add(name)

    def test_menu(self) -> None:
        """Intents with politeness around them, and a form's values after the one that opens it."""
        for sentence in (
            "prices",
            "i would like a ride please",
            "can i get a taxi for four people at half past seven",
            "a taxi at seven for two",
            "operator",
        ):
            self.assertTrue(accepts(MENU, sentence), sentence)
        for sentence in ("four", "yes", "a taxi for nine", "a taxi for two for two"):
            self.assertFalse(accepts(MENU, sentence), sentence)

    def test_slot(self) -> None:
        """The bare answer and others after it; not the menu's intents."""
        for sentence in ("four", "for four please", "four at seven", "cancel please"):
            self.assertTrue(accepts(PEOPLE, sentence), sentence)
        for sentence in ("prices", "seven thirty", "can i four", "four for five"):
            self.assertFalse(accepts(PEOPLE, sentence), sentence)

    def test_confirm(self) -> None:
        """Yes, no, and corrections."""
        for sentence in ("yes", "no", "no for five", "no at eight", "for five", "repeat"):
            self.assertTrue(accepts(CONFIRM, sentence), sentence)
        self.assertFalse(accepts(CONFIRM, "five"))

    def test_change(self) -> None:
        """The names of slots, and new values."""
        for sentence in ("the time", "people", "for five"):
            self.assertTrue(accepts(CHANGE, sentence), sentence)

    def test_orders(self) -> None:
        """Three values in the form's order, backwards, or with the first one last."""
        form = TAXI["forms"]["taxi"]
        day = {"name": "day", "type": "day", "ask": "?"}
        slots = [form["slots"][0], day, form["slots"][1]]
        script = read_script(TAXI | {"forms": {"taxi": form | {"slots": slots}}})
        for sentence in (
            "a taxi for two tomorrow at seven",
            "a taxi at seven tomorrow for two",
            "a taxi tomorrow at seven for two",
            "a taxi at seven tomorrow",
        ):
            self.assertTrue(accepts(MENU, sentence, script), sentence)

    def test_strings_of_digits(self) -> None:
        """A string of digits is only listened for where it was asked for."""
        slot = {"name": "card", "type": "digits", "ask": "?", "wordings": ["number <>"]}
        form = TAXI["forms"]["taxi"]
        script = read_script(TAXI | {"forms": {"taxi": form | {"slots": [*form["slots"], slot]}}})
        self.assertNotIn("double", expectation(script, CONFIRM).grammar)
        asked = expectation(script, Place(Asking.SLOT, "taxi", "card"))
        self.assertIn("double", asked.grammar)

    def test_phrases(self) -> None:
        """Recognisers without grammars get the shortest wordings, and none twice."""
        phrases = expectation(SCRIPT, MENU).phrases
        self.assertLessEqual({"prices", "a taxi", "operator", "goodbye"}, set(phrases))
        self.assertEqual(len(phrases), len(set(phrases)))

    def test_digits(self) -> None:
        """How many keys complete an entry."""
        time = Place(Asking.SLOT, "taxi", "time")
        digits = [expectation(SCRIPT, place).digits for place in (MENU, PEOPLE, time, CONFIRM)]
        self.assertEqual(digits, [1, 1, 4, 1])

    def test_nothing_to_say(self) -> None:
        """A script that knows no wording leaves the recogniser alone."""
        script = read_script({"otherwise": "Sorry?"})
        self.assertEqual(expectation(script, MENU), Expectation(digits=1))
