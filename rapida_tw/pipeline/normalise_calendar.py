"""Dates and times of day.

11/21/2026 is read month first, as in the United States, unless the first number cannot be a month;
21.11.2026 is read day first, as where dots are used. What is no date (13/32/2026) is left to the
rules for numbers. Times from 13:00 on are told with P M: callers do not think in 24 hours.
"""

from __future__ import annotations

import re

from rapida_tw.pipeline.normalise_numbers import cardinal, ordinal, year
from rapida_tw.pipeline.normalise_rule import ALONE, rule

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_MONTH_OF = {name[:3].lower(): name for name in _MONTHS}
_DAY_OF = {name[:3].lower(): name for name in _DAYS}

_OF_MONTHS = "JFMASOND"
_OF_DAYS = "MTWFS"

_MONTH = (
    r"(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_WEEKDAY = r"(Mon|Tues?|Wed|Thu|Thurs?|Fri|Sat|Sun)"
_DAY = r"([0-2]?[0-9]|3[01])(?:st|nd|rd|th)?"
_YEAR = r"([12][0-9]{3})"
_END = r"(?![\w/-]|[.:,][0-9])"
_DASH = r"\s?[-–]\s?"


def _date(day: int, month: str, of_year: str | None) -> str:
    said = f"{month} {ordinal(day)}"
    return f"{said}, {year(int(of_year))}" if of_year else said


def _numeric(match: re.Match[str], day: str, month: str, of_year: str) -> str:
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return match[0]
    full = of_year if len(of_year) == 4 else f"20{of_year}"
    return _date(int(day), _MONTHS[int(month) - 1], full)


def _iso(match: re.Match[str]) -> str:
    return _numeric(match, match[3], match[2], match[1])


def _slashed(match: re.Match[str]) -> str:
    first, second, of_year = match.groups()
    if int(first) > 12:
        first, second = second, first
    return _numeric(match, second, first, of_year)


def _dotted(match: re.Match[str]) -> str:
    return _numeric(match, match[1], match[2], match[3])


def _month_first(match: re.Match[str]) -> str:
    month = _MONTH_OF[match[1][:3].lower()]
    if not int(match[2]):
        return match[0]
    if match[3]:
        return f"{month} {ordinal(int(match[2]))} to {ordinal(int(match[3]))}"
    return _date(int(match[2]), month, match[4])


def _day_first(match: re.Match[str]) -> str:
    if not int(match[1]):
        return match[0]
    said = f"{ordinal(int(match[1]))} of {_MONTH_OF[match[2][:3].lower()]}"
    # "on the 21 November" and "on 21 November" are both said with the article.
    if not match.string[: match.start()].lower().endswith("the "):
        said = f"the {said}"
    return f"{said}, {year(int(match[3]))}" if match[3] else said


def _month_and_year(match: re.Match[str]) -> str:
    return f"{_MONTH_OF[match[1][:3].lower()]} {year(int(match[2]))}"


def _weekday(match: re.Match[str]) -> str:
    return _DAY_OF[match[1][:3].lower()]


def _weekdays(match: re.Match[str]) -> str:
    return f"{_weekday(match)} to {_DAY_OF[match[2][:3].lower()]}"


DATE = (
    rule(rf"{ALONE}{_YEAR}-([01]?[0-9])-([0-3]?[0-9]){_END}", _iso, "-"),
    rule(rf"{ALONE}([0-3]?[0-9])/([0-3]?[0-9])/([12][0-9]{{3}}|[0-9]{{2}}){_END}", _slashed, "/"),
    # Without a year it may be a fraction: only after a word that goes with a day.
    rule(
        r"\b([Oo]n|[Bb]y|[Uu]ntil|[Bb]efore|[Aa]fter|[Ss]ince|[Ff]rom|[Tt]hrough)\s"
        rf"(1[0-2]|0?[1-9])/([12][0-9]|3[01]|0?[1-9]){_END}",
        lambda match: f"{match[1]} {_date(int(match[3]), _MONTHS[int(match[2]) - 1], None)}",
        "/",
    ),
    rule(rf"{ALONE}([0-3]?[0-9])\.([01]?[0-9])\.{_YEAR}{_END}", _dotted, "."),
    rule(
        rf"\b{_MONTH}\s{_DAY}(?:{_DASH}{_DAY}(?![0-9])|,?\s{_YEAR}(?![0-9:])|(?![0-9:]))"
        r"(?!\s?(?:[AaPp]\.?[Mm]))",
        _month_first,
        _OF_MONTHS,
    ),
    rule(rf"{ALONE}{_DAY}(?:\sof)?\s{_MONTH}(?:,?\s{_YEAR}(?![0-9:]))?", _day_first, _OF_MONTHS),
    rule(rf"\b{_MONTH}\s{_YEAR}(?![0-9:])", _month_and_year, _OF_MONTHS),
    rule(rf"\b{_WEEKDAY}\.?{_DASH}{_WEEKDAY}\b\.?(?!\w)", _weekdays, "-–", digits=False),
    # "Sun" and "Sat" are words, too: only with a dot and something after it, or before a date.
    rule(rf"\b{_WEEKDAY}\.(?=,?\s\S)", _weekday, ".", digits=False),
    rule(
        rf"\b{_WEEKDAY}(?=,?\s(?:{'|'.join(_MONTHS)}|the\s\S+\sof\s))",
        _weekday,
        _OF_DAYS,
        digits=False,
    ),
)

_HOUR = r"([01]?[0-9]|2[0-4])"
_MINUTE = r"([0-5][0-9])"
_HALF = r"\s?([AaPp])\.?\s?[Mm](?:\b|(?=[0-9]))(?:\.(?=\s+[a-z0-9(]|[,;:?!)]))?"


def _clock(hour: int, minute: int, half: str | None) -> str:
    """`half` is "A M" or "P M", or None where it was not written."""
    if half is None and hour > 12:
        half = "P M" if hour < 24 else "A M"
    elif half is None and hour == 0:
        half = "A M"
    said = cardinal(hour % 12 or 12)
    if minute:
        said += f" {'oh ' if minute < 10 else ''}{cardinal(minute)}"
    elif half is None:
        return f"{said} o'clock"
    return f"{said} {half}" if half else said


def _half(letter: str | None) -> str | None:
    return f"{letter.upper()} M" if letter else None


def _with_half(match: re.Match[str]) -> str:
    return _clock(int(match[1]), int(match[2] or 0), _half(match[3]))


def _span_with_half(match: re.Match[str]) -> str:
    # 7-9pm: the first has the half of the second, and need not say it.
    start = _clock(int(match[1]), int(match[2] or 0), "")
    return f"{start} to {_clock(int(match[3]), int(match[4] or 0), _half(match[5]))}"


def _plain(match: re.Match[str]) -> str:
    said = _clock(int(match[1]), int(match[2]), None)
    seconds = int(match[3] or 0)
    if not seconds:
        return said
    return f"{said} and {cardinal(seconds)} second{'s' if seconds > 1 else ''}"


def _span(match: re.Match[str]) -> str:
    start, end = (_clock(int(match[at]), int(match[at + 1]), None) for at in (1, 3))
    return f"{start} to {end}"


TIME = (
    rule(
        rf"{ALONE}{_HOUR}(?:[:.]{_MINUTE})?{_DASH}{_HOUR}(?:[:.]{_MINUTE})?{_HALF}",
        _span_with_half,
        "-–",
    ),
    rule(rf"(?<=[0-9AaPpMm.]){_DASH}(?={_HOUR}(?::{_MINUTE})?{_HALF})", " to ", "-–"),
    rule(rf"{ALONE}{_HOUR}(?:[:.]{_MINUTE})?{_HALF}", _with_half, "mM"),
    rule(rf"{ALONE}{_HOUR}:{_MINUTE}{_DASH}{_HOUR}:{_MINUTE}(?![0-9:])", _span, ":"),
    rule(rf"{ALONE}{_HOUR}:{_MINUTE}(?::{_MINUTE})?(?![0-9:])(?:\s?h\b)?", _plain, ":"),
)
