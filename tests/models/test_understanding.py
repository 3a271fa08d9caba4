"""What words and keys mean at each place of a script."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.models.script import Asking, Place
from rapida_tw.models.script_reader import read_script
from rapida_tw.models.understanding import Meaning, understand
from tests.models.scripts import TAXI

SCRIPT = read_script(TAXI)
MENU = Place(Asking.MENU, "main")
PEOPLE = Place(Asking.SLOT, "taxi", "people")
TIME = Place(Asking.SLOT, "taxi", "time")
CONFIRM = Place(Asking.CONFIRM, "taxi")
CHANGE = Place(Asking.CHANGE, "taxi")


class UnderstandingTests(SynchronousTestCase):
    def plain(self, place: Place, text: str) -> dict[str, str]:
        """The values in that text."""
        return {name: value.plain for name, value in understand(SCRIPT, place, text).values.items()}

    def test_intent(self) -> None:
        """An intent is found in any words around it, however a recogniser writes them."""
        for text in ("prices", "Well, could you tell me your prices, please?", "PRICES!"):
            self.assertEqual(understand(SCRIPT, MENU, text), Meaning("prices"), text)

    def test_longest_wins(self) -> None:
        """Of two intents the one with more words in the text is meant."""
        meaning = understand(SCRIPT, MENU, "help me to get a taxi")
        self.assertEqual(meaning.intent, "ride")

    def test_intent_with_values(self) -> None:
        """One utterance opens a form and fills it."""
        text = "I'd like to order a taxi for 4 at 7:30 pm"
        self.assertEqual(understand(SCRIPT, MENU, text).intent, "ride")
        self.assertEqual(self.plain(MENU, text), {"people": "4", "time": "19:30"})

    def test_values_count_for_their_intent(self) -> None:
        """An intent is as long as its wording and its values, so no part of them wins over it."""
        intents = TAXI["intents"] | {"prices": {"phrases": ["for two people"]}}
        script = read_script(TAXI | {"intents": intents})
        self.assertEqual(understand(script, MENU, "a taxi for two people").intent, "ride")

    def test_answer_before_intent(self) -> None:
        """The same words as an answer and as an intent are the answer."""
        intents = TAXI["intents"] | {"cancel": {"phrases": ["for two"]}}
        script = read_script(TAXI | {"intents": intents})
        self.assertEqual(understand(script, PEOPLE, "for two").values["people"].plain, "2")

    def test_unknown(self) -> None:
        """What is not known, and nothing at all, mean nothing."""
        for place in (MENU, PEOPLE, TIME, CONFIRM, CHANGE):
            for text in ("", "   ", "my hovercraft is full of eels", "¿?"):
                self.assertFalse(understand(SCRIPT, place, text))

    def test_only_at_its_place(self) -> None:
        """A menu's intent is not understood elsewhere; one of always is understood anywhere."""
        self.assertFalse(understand(SCRIPT, PEOPLE, "prices"))
        for place in (MENU, PEOPLE, CONFIRM, CHANGE):
            self.assertEqual(understand(SCRIPT, place, "operator please").intent, "operator")

    def test_bare_answer(self) -> None:
        """A bare number belongs to the slot that was asked for."""
        self.assertEqual(self.plain(PEOPLE, "seven"), {"people": "7"})
        self.assertEqual(self.plain(TIME, "seven"), {"time": "19:00"})
        self.assertEqual(self.plain(CONFIRM, "seven"), {})

    def test_other_slots_too(self) -> None:
        """An answer may fill slots that were not asked for."""
        self.assertEqual(self.plain(PEOPLE, "four at seven"), {"people": "4", "time": "19:00"})
        self.assertEqual(self.plain(PEOPLE, "at seven for four"), {"people": "4", "time": "19:00"})
        self.assertEqual(self.plain(PEOPLE, "half past six"), {"time": "18:30"})

    def test_corrected_while_speaking(self) -> None:
        """The later of two values counts."""
        self.assertEqual(self.plain(PEOPLE, "for four no sorry for five"), {"people": "5"})

    def test_confirmation(self) -> None:
        """Yes, no, and no with a new value."""
        for text, answer in {
            "yes": "yes",
            "that's right": "yes",
            "no": "no",
            "that's not right": "no",
            "no yes": "yes",
        }.items():
            self.assertEqual(understand(SCRIPT, CONFIRM, text), Meaning(answer=answer), text)
        meaning = understand(SCRIPT, CONFIRM, "no, for five")
        self.assertEqual((meaning.answer, meaning.values["people"].plain), ("no", "5"))

    def test_yes_and_goodbye(self) -> None:
        """Who leaves with a yes has said yes; who leaves with a no leaves."""
        self.assertEqual(understand(SCRIPT, CONFIRM, "yes thank you goodbye").answer, "yes")
        self.assertEqual(understand(SCRIPT, CONFIRM, "no goodbye").intent, "bye")

    def test_change(self) -> None:
        """A slot by its name, or a new value at once."""
        self.assertEqual(understand(SCRIPT, CHANGE, "the time please").slot, "time")
        self.assertEqual(self.plain(CHANGE, "for five"), {"people": "5"})

    def test_keys(self) -> None:
        """Keys mean something else at each place."""
        for place, keys, meaning in [
            (MENU, "2", Meaning("ride")),
            (MENU, "0", Meaning("operator")),
            (MENU, "*", Meaning("repeat")),
            (MENU, "7", Meaning()),
            (PEOPLE, "0", Meaning("operator")),
            (PEOPLE, "*", Meaning("repeat")),
            (CONFIRM, "1", Meaning(answer="yes")),
            (CONFIRM, "2", Meaning(answer="no")),
            (CONFIRM, "3", Meaning()),
            (CHANGE, "2", Meaning(slot="time")),
            (CHANGE, "3", Meaning()),
        ]:
            self.assertEqual(understand(SCRIPT, place, keys), meaning, (place, keys))
        self.assertEqual(self.plain(PEOPLE, "4#"), {"people": "4"})
        self.assertEqual(self.plain(TIME, "1930"), {"time": "19:30"})

    def test_keys_out_of_range(self) -> None:
        """A number that is not allowed is told apart from one that is."""
        self.assertFalse(understand(SCRIPT, PEOPLE, "9").values["people"].fits)

    def test_written_digits(self) -> None:
        """Digits in a recogniser's punctuation are those digits."""
        self.assertEqual(self.plain(TIME, "19.30"), {"time": "19:30"})
        self.assertEqual(self.plain(PEOPLE, "4."), {"people": "4"})

    @given(st.text() | st.text(alphabet="0123456789#*", max_size=5000))
    def test_any_text(self, text: str) -> None:
        """Nothing that a caller can say or press raises."""
        for place in (MENU, PEOPLE, TIME, CONFIRM, CHANGE):
            understand(SCRIPT, place, text)
