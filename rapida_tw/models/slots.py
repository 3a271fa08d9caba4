"""What can be asked for: numbers, digits, days, times of day, choices, yes or no.

Each kind knows how its values are said (a wording), what spoken words and pressed keys mean, and
how to read a value back to the caller. No wall clock: days stay words ("tomorrow").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rapida_tw.models.numerals import DIGITS, by_digit, ordinal, spell
from rapida_tw.models.pattern import Pattern, any_of, matches, parse

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_TWICE = {"double": 2, "triple": 3}
_DIGIT_OF = {word: str(digit) for digit, word in enumerate(DIGITS)} | {"oh": "0"}
_NUMBER_OF = {spell(number): number for number in range(100)}
_RANK_OF = {ordinal(number): number for number in range(1, 32)}


@dataclass(frozen=True, slots=True)
class Value:
    """A value understood: `plain` for tools ("19:30"), `spoken` for the caller ("half past
    seven"); `fits` is False when it is understood but not allowed."""

    plain: str
    spoken: str
    fits: bool = True


class Kind(Protocol):
    """A type of slot."""

    @property
    def pattern(self) -> Pattern:
        """How values are said."""

    @property
    def sure(self) -> Pattern | None:
        """Those wordings that mean this slot even when another one is asked for."""

    @property
    def digits(self) -> int:
        """How many pressed digits complete a value; 0 when that varies."""

    def said(self, words: str) -> Value | None:
        """The value of words that `pattern` matched."""

    def pressed(self, digits: str) -> Value | None:
        """The value of pressed digits; None when they mean nothing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list of values: each with its wordings, and its key by position (1..9)."""

    values: tuple[tuple[Pattern, Value], ...]
    keys: Mapping[str, Value]
    sure_of_itself: bool = True

    @property
    def pattern(self) -> Pattern:
        return any_of([pattern for pattern, _ in self.values])

    @property
    def sure(self) -> Pattern | None:
        return self.pattern if self.sure_of_itself else None

    @property
    def digits(self) -> int:
        return 1

    def said(self, words: str) -> Value | None:
        for pattern, value in self.values:
            if matches(pattern, words):
                return value
        return None

    def pressed(self, digits: str) -> Value | None:
        return self.keys.get(digits)


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number `low`..`high`, 0..99."""

    low: int
    high: int

    @property
    def pattern(self) -> Pattern:
        return any_of([parse(spell(number)) for number in range(self.low, self.high + 1)])

    @property
    def sure(self) -> Pattern | None:
        return None

    @property
    def digits(self) -> int:
        return 1 if self.high < 10 else 0

    def said(self, words: str) -> Value | None:
        number = _NUMBER_OF.get(words)
        return None if number is None else self._value(number)

    def pressed(self, digits: str) -> Value | None:
        return self._value(int(digits)) if 0 < len(digits) <= 4 else None

    def _value(self, number: int) -> Value:
        return Value(str(number), spell(number), self.low <= number <= self.high)


@dataclass(frozen=True, slots=True)
class Digits:
    """A string of digits, `low`..`high` of them: "double five oh" is 550."""

    low: int
    high: int

    @property
    def pattern(self) -> Pattern:
        digit = "(" + " | ".join(_DIGIT_OF) + ")"
        return parse(f"([{' | '.join(_TWICE)}] {digit})+")

    @property
    def sure(self) -> Pattern | None:
        return None

    @property
    def digits(self) -> int:
        return self.high if self.low == self.high else 0

    def said(self, words: str) -> Value | None:
        digits, times = "", 1
        for word in words.split():
            if word in _TWICE:
                times = _TWICE[word]
            elif word in _DIGIT_OF:
                digits += _DIGIT_OF[word] * times
                times = 1
            else:
                return None
        return self.pressed(digits)

    def pressed(self, digits: str) -> Value | None:
        if not digits:
            return None
        return Value(digits, by_digit(digits), self.low <= len(digits) <= self.high)


@dataclass(frozen=True, slots=True)
class Day:
    """A day in the caller's words: today, tomorrow, a weekday, and with `dates` a day of the year.

    Keys: 1..7 is Monday to Sunday, 8 today, 9 tomorrow; with `dates` also four digits, day and
    month.
    """

    dates: bool = False

    @property
    def pattern(self) -> Pattern:
        weekdays = " | ".join(WEEKDAYS)
        wordings = [
            "[for] (today | tonight | tomorrow)",
            f"[on | for | this | next] ({weekdays}) [evening | night]",
        ]
        if self.dates:
            days, months = " | ".join(_RANK_OF), " | ".join(MONTHS)
            wordings += [f"[on] [the] ({days}) of ({months})", f"[on] ({months}) [the] ({days})"]
        return any_of([parse(wording) for wording in wordings])

    @property
    def sure(self) -> Pattern | None:
        return self.pattern

    @property
    def digits(self) -> int:
        return 0 if self.dates else 1

    def said(self, words: str) -> Value | None:
        left = [word for word in words.split() if word not in ("on", "for", "the", "of")]
        names = {name.lower(): name for name in (*WEEKDAYS, *MONTHS)}
        months = [names[word] for word in left if names.get(word) in MONTHS]
        if months:
            rank = " ".join(word for word in left if names.get(word) not in MONTHS)
            return _date(_RANK_OF.get(rank, 0), months[0])
        if len(left) == 1 and left[0] not in names:
            return Value(left[0], left[0])
        spoken = " ".join(names.get(word, word) for word in left)
        return Value(spoken, spoken if len(left) > 1 else f"on {spoken}")

    def pressed(self, digits: str) -> Value | None:
        if len(digits) == 1 and digits in "1234567":
            day = WEEKDAYS[int(digits) - 1]
            return Value(day, f"on {day}")
        if digits in ("8", "9"):
            day = "today" if digits == "8" else "tomorrow"
            return Value(day, day)
        if self.dates and len(digits) == 4 and 1 <= int(digits[2:]) <= 12:
            return _date(int(digits[:2]), MONTHS[int(digits[2:]) - 1])
        return None


def _date(day: int, month: str) -> Value | None:
    if not 1 <= day <= 31:
        return None
    return Value(f"{day} {month}", f"on the {ordinal(day)} of {month}")


def choice(
    options: Sequence[tuple[Pattern, Value]], keys: Mapping[str, str] | None = None
) -> Choice:
    """A `Choice` of these; `keys` maps digits to plain values (default: 1, 2, 3 by position)."""
    values = {value.plain: value for _, value in options}
    if keys is None:
        keys = {str(at): plain for at, plain in enumerate(values, 1) if at < 10}
    return Choice(tuple(options), {digit: values[plain] for digit, plain in keys.items()})


def yes_or_no(yes: Pattern, no: Pattern) -> Choice:
    """Yes (key 1) or no (key 2), which say nothing about any other question."""
    values = ((yes, Value("yes", "yes")), (no, Value("no", "no")))
    return Choice(values, {"1": values[0][1], "2": values[1][1]}, sure_of_itself=False)
