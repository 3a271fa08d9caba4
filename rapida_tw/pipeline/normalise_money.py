"""Amounts of money."""

from __future__ import annotations

import re

from rapida_tw.pipeline.normalise_numbers import cardinal, number, plural
from rapida_tw.pipeline.normalise_rule import NUMBER, rule

# One and many of the unit, one and many of its hundredth ("" where nobody uses it).
_DOLLAR = ("dollar", "dollars", "cent", "cents")
_EURO = ("euro", "euros", "cent", "cents")
_POUND = ("pound", "pounds", "penny", "pence")
_RUPEE = ("rupee", "rupees", "paisa", "paise")
_YEN = ("yen", "yen", "", "")
_CURRENCIES = {
    "$": _DOLLAR,
    "US$": ("US dollar", "US dollars", "cent", "cents"),
    "€": _EURO,
    "£": _POUND,
    "₹": _RUPEE,
    "¥": _YEN,
    "USD": ("US dollar", "US dollars", "cent", "cents"),
    "EUR": _EURO,
    "GBP": _POUND,
    "INR": _RUPEE,
    "JPY": _YEN,
    "TWD": ("Taiwan dollar", "Taiwan dollars", "cent", "cents"),
    "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
}
_SCALES = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}
_PER = {"mo": "month", "yr": "year", "hr": "hour", "wk": "week", "ea": "each"}

_SIGN = r"US\$|[$€£₹¥]"
_CODE = r"USD|EUR|GBP|INR|JPY|TWD|CHF"
_SIGNS = "$€£₹¥"
_OF_CODES = "DRPF"  # every code has one of these letters
_SCALE = r"(?:\s?(k|m|mn|bn?|thousand|million|billion|trillion)(?![a-zA-Z]))?"
# 10,50 is ten and a half on the Continent: a comma and exactly two digits.
_AMOUNT = rf"([0-9]+,[0-9]{{2}}(?![0-9])|{NUMBER})"
_TO = r"\s?[-–]\s?"


def _say(currency: str, written: str, scale: str | None) -> str:
    one, many, cent, cents = _CURRENCIES[currency]
    if re.fullmatch(r"[0-9]+,[0-9]{2}", written):
        written = written.replace(",", ".")
    if scale:
        return f"{number(written)} {_SCALES.get(scale.lower(), scale.lower())} {many}"
    whole, _, fraction = written.replace(",", "").partition(".")
    if not fraction or not cent or len(fraction) > 2:
        return f"{number(written)} {plural(written, one, many)}"
    hundredths = int(fraction.ljust(2, "0"))
    parts = []
    if whole.strip("0") or not hundredths:
        parts.append(f"{number(whole)} {plural(whole, one, many)}")
    if hundredths:
        parts.append(f"{cardinal(hundredths)} {cent if hundredths == 1 else cents}")
    return " and ".join(parts)


def _say_range(match: re.Match[str]) -> str:
    return f"{number(match[2])} to {_say(match[1], match[3], match[4])}"


def _say_before(match: re.Match[str]) -> str:
    minus = "minus " if match[1] else ""
    return minus + _say(match[2], match[3], match[4])


def _say_after(match: re.Match[str]) -> str:
    return _say(match[3], match[1], match[2])


def _say_per(match: re.Match[str]) -> str:
    unit = _PER.get(match[1], match[1])
    return f" {unit}" if unit == "each" else f" per {unit}"


MONEY = (
    rule(r"(?<=[0-9])/(mo|yr|hr|wk|ea|month|year|hour|week|day|night|person)\b", _say_per, "/"),
    rule(rf"(?<!\w)({_SIGN}){_AMOUNT}{_TO}(?:{_SIGN})?{_AMOUNT}{_SCALE}", _say_range, _SIGNS),
    rule(rf"(?:(?<!\w)([-−]))?({_SIGN})\s?{_AMOUNT}{_SCALE}", _say_before, _SIGNS),
    rule(rf"(?<!\w)()({_CODE})\s?{_AMOUNT}{_SCALE}", _say_before, _OF_CODES),
    rule(rf"(?<![\w.,]){_AMOUNT}{_SCALE}\s?({_CODE}|[€£₹¥])(?!\w)", _say_after, "€£₹¥" + _OF_CODES),
)
