"""Numbers in words, and any text as plain words."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.models.numerals import by_digit, ordinal, plain_words, spell


class NumeralsTests(SynchronousTestCase):
    def test_spell(self) -> None:
        """Numbers are read as people read them."""
        for number, words in {
            0: "zero",
            13: "thirteen",
            20: "twenty",
            23: "twenty three",
            99: "ninety nine",
            100: "one hundred",
            1905: "one thousand nine hundred five",
        }.items():
            self.assertEqual(spell(number), words)

    def test_ordinal(self) -> None:
        """Ranks have their own words."""
        self.assertEqual(
            [ordinal(number) for number in (1, 2, 3, 4, 9, 12, 20, 21, 30)],
            "first,second,third,fourth,ninth,twelfth,twentieth,twenty first,thirtieth".split(","),
        )

    def test_by_digit(self) -> None:
        """A telephone number is read digit by digit."""
        self.assertEqual(by_digit("0715"), "zero seven one five")

    def test_plain_words(self) -> None:
        """Marks go, capitals go, numbers become words."""
        for text, words in {
            "At 7:30pm, for 4!": "at seven thirty p m for four",
            "I’d like 23 please.": "i'd like twenty three please",
            "Um, well... uh, yes": "well yes",
            "19:00": "seven o'clock p m",
            "0:05": "twelve oh five a m",
            "7.15 a.m.": "seven fifteen a m",
            "the 5th of May": "the fifth of may",
            "number 0715": "number zero seven one five",
            "07": "zero seven",
            "25:99": "twenty five ninety nine",
            "": "",
        }.items():
            self.assertEqual(plain_words(text), words, text)

    def test_i_am(self) -> None:
        """Only after a digit is "am" a time of day."""
        self.assertEqual(plain_words("I am at 7 am"), "i am at seven a m")

    def test_too_long(self) -> None:
        """Of a text that no caller says only the beginning is read."""
        self.assertEqual(plain_words("x " * 5000), " ".join("x" * 200))

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Whatever comes, only words and single spaces go on."""
        self.assertRegex(plain_words(text), re.compile(r"\A([a-z']+( [a-z']+)*)?\Z"))
