"""Numbers as English words, and any text as the plain lower-case words of wordings."""

from __future__ import annotations

import re

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SMALL = (
    *DIGITS,
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
# Sounds of thinking that recognisers for open speech write down.
_FILLERS = frozenset(("um", "uhm", "uh", "er", "erm", "ah", "hm", "hmm"))

_CLOCK = re.compile(r"\b(\d{1,2})[:.]([0-5]\d)\b(?!\d)")
_MERIDIEM = re.compile(r"(?<=\d)\s*([ap])\.?\s?m\b\.?|\b([ap])\.m\b\.?")
_NTH = re.compile(r"\b([12]?\d|3[01])(?:st|nd|rd|th)\b")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+")
_LONGEST = 400  # characters: an utterance, not a text


def spell(number: int) -> str:
    """0..9999 in words, as a phone number's digits are not: `spell(23)` is "twenty three"."""
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f" {DIGITS[ones]}" if ones else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    many, rest = divmod(number, size)
    return f"{spell(many)} {name}" + (f" {spell(rest)}" if rest else "")


def ordinal(number: int) -> str:
    """1..99 as a rank: `ordinal(23)` is "twenty third"."""
    *front, last = spell(number).split()
    rank = last[:-1] + "ieth" if last.endswith("y") else _ORDINALS.get(last, last + "th")
    return " ".join((*front, rank))


def by_digit(digits: str) -> str:
    """ "0715" is "zero seven one five"."""
    return " ".join(DIGITS[int(digit)] for digit in digits)


def plain_words(text: str) -> str:
    """The words of `text` as a caller would say them: lower case, no marks, numbers spelled.

    "At 7:30pm, for 4!" becomes "at seven thirty p m for four". Numbers of one or two digits are
    read as numbers, longer ones and those with a leading zero digit by digit.
    """
    text = text[:_LONGEST].lower().replace("’", "'")
    text = _MERIDIEM.sub(lambda found: f" {found[1] or found[2]} m ", text)
    text = _CLOCK.sub(_clock, text)
    text = _NTH.sub(lambda found: ordinal(int(found[1])) if int(found[1]) else found[0], text)
    words = (_spoken(word) for word in _WORD.findall(text))
    return " ".join(word for word in words if word not in _FILLERS)


def _spoken(word: str) -> str:
    if not word.isdigit():
        return word
    if len(word) <= 2 and (word == "0" or word[0] != "0"):
        return spell(int(word))
    return by_digit(word)


def _clock(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2])
    if hour > 23:
        return found[0]
    half = " p m" if hour > 12 else " a m" if found[1] in ("0", "00") else ""
    hours = spell((hour - 1) % 12 + 1)
    if not minute:
        return f"{hours} o'clock{half}"
    return f"{hours} {'oh ' if minute < 10 else ''}{spell(minute)}{half}"
