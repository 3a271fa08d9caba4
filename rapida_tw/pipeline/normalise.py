"""Normaliser: written English as it is spoken, so that every voice says it the same way.

The order of the rules is the order of `_STEPS`, and matters: an address is read before its digits
are numbers, money and telephone numbers before dates, dates before times, and what is left of
numbers and signs at the end. A deployment chooses steps by the names that
`speaker.pronunciation.dictionaries` knows; Markdown and emoji go in any case.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.pipeline.normalise_calendar import DATE, TIME
from rapida_tw.pipeline.normalise_markup import MARKUP
from rapida_tw.pipeline.normalise_money import MONEY
from rapida_tw.pipeline.normalise_numerals import NUMERAL, PHONE
from rapida_tw.pipeline.normalise_rule import NON_ASCII, Rule
from rapida_tw.pipeline.normalise_url import URL
from rapida_tw.pipeline.normalise_words import ADDRESS, GENERAL, ROLE, SIGN, SYMBOL, TECH

_STEPS: tuple[tuple[str, tuple[Rule, ...]], ...] = (
    ("url", URL),
    ("currency", MONEY),
    ("numeral", PHONE),
    ("date", DATE),
    ("time", TIME),
    ("address", ADDRESS),
    ("role-abbreviation", ROLE),
    ("general-abbreviation", GENERAL),
    ("tech-abbreviation", TECH),
    ("symbol", SIGN),
    ("numeral", NUMERAL),
    ("symbol", SYMBOL),
)
DICTIONARIES = frozenset(name for name, _ in _STEPS)

_DIGIT = re.compile("[0-9]")
_BLANKS = re.compile("[ \t]{2,}")
_SPACES = re.compile(r"\s+")
_SPACE_BEFORE_MARK = re.compile(r"\s+([,.;:!?])(?=\s|$)")
_DOUBLE_COMMA = re.compile(r",(?:\s*,)+")


class Normaliser:
    """Says a phrase in words. `dictionaries` None: all of them; unknown names are refused."""

    def __init__(self, dictionaries: Collection[str] | None = None) -> None:
        chosen = DICTIONARIES if dictionaries is None else frozenset(dictionaries)
        if unknown := chosen - DICTIONARIES:
            raise MisconfiguredAssistant(
                f"unknown pronunciation dictionary: {', '.join(sorted(unknown))};"
                f" known: {', '.join(sorted(DICTIONARIES))}"
            )
        rules = [*MARKUP]
        for name, step in _STEPS:
            if name in chosen:
                rules += step
        self._rules = tuple(rules)
        self._without_digits = tuple(rule for rule in rules if not rule.digits)

    def spoken(self, text: str) -> str:
        """The phrase as it is said: white space collapsed, "" when there is nothing to say."""
        text = _BLANKS.sub(" ", text)
        present = set(text)
        if not text.isascii():
            present.add(NON_ASCII)
        for rule in self._rules if _DIGIT.search(text) else self._without_digits:
            if not rule.needs or not present.isdisjoint(rule.needs):
                text = rule.apply(text)
        text = _SPACE_BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", text))
        text = _DOUBLE_COMMA.sub(",", text).lstrip(" ,").rstrip()
        return text if any(letter.isalnum() for letter in text) else ""


_everything = Normaliser()


def spoken(text: str) -> str:
    """`text` with all dictionaries applied."""
    return _everything.spoken(text)
