"""Numbers of every other kind: telephone numbers, codes, units, ranges, ordinals, plain ones."""

from __future__ import annotations

import re

from rapida_tw.pipeline.normalise_numbers import cardinal, digit_by_digit, number, ordinal, year
from rapida_tw.pipeline.normalise_numbers import plural as choose
from rapida_tw.pipeline.normalise_rule import ALONE, NON_ASCII, NUMBER, Rule, rule

_UNITS = {
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "m²": ("square meter", "square meters"),
    "sqm": ("square meter", "square meters"),
    "sq ft": ("square foot", "square feet"),
    "m": ("meter", "meters"),
    "mi": ("mile", "miles"),
    "ft": ("foot", "feet"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "l": ("liter", "liters"),
    "L": ("liter", "liters"),
    "ml": ("milliliter", "milliliters"),
    "cl": ("centiliter", "centiliters"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "h": ("hour", "hours"),
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "sec": ("second", "seconds"),
    "secs": ("second", "seconds"),
    "ms": ("millisecond", "milliseconds"),
    "KB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "kHz": ("kilohertz", "kilohertz"),
    "Hz": ("hertz", "hertz"),
    "kW": ("kilowatt", "kilowatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "W": ("watt", "watts"),
    "V": ("volt", "volts"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
}
_UNIT = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_FRACTIONS = {
    "1/2": "one half",
    "1/3": "one third",
    "2/3": "two thirds",
    "1/4": "one quarter",
    "3/4": "three quarters",
    "24/7": "twenty-four seven",
}
_VULGAR = {"½": "one half", "⅓": "one third", "⅔": "two thirds", "¼": "one quarter"}
_VULGAR["¾"] = "three quarters"
_MULTIPLES = {"k": "thousand", "K": "thousand", "M": "million", "bn": "billion"}
# What a caller has to write down or type in is never "four thousand eight hundred twenty-one".
_CODE_WORDS = (
    r"(?:code|pin|confirmation|reference|account|extension|zip|postcode|passcode|password|ticket"
    r"|booking|tracking|serial|order|invoice)"
)
_END = r"(?!\w|[.,:/][0-9])"
_MINUS = r"(?:(?<![\w.,])([-−]))?(?<![\w.,])"


def _groups(*groups: str) -> str:
    return ", ".join(digit_by_digit(group) for group in groups if group)


def _international(match: re.Match[str]) -> str:
    digits = sum(one.isdigit() for one in match[0])
    if not 7 <= digits <= 15:
        return match[0]
    groups = re.findall(r"[0-9]+", match[0])
    if len(groups) == 1:
        groups = _cut(groups[0])
    return f"plus {_groups(*groups)}"


def _grouped(match: re.Match[str]) -> str:
    return _groups(*re.findall(r"[0-9]+", match[0]))


def _ungrouped(match: re.Match[str]) -> str:
    return _groups(*_cut(match[1]))


def _cut(digits: str) -> list[str]:
    """Groups of three, the last of four where that comes out even: 5551234567 -> 555 123 4567."""
    groups = []
    while len(digits) > 4:
        groups.append(digits[:3])
        digits = digits[3:]
    return [*groups, digits]


PHONE = (
    rule(r"(?<![\w.])\+[0-9]{1,4}(?:[ .-]?\(?[0-9]{1,5}\)?){1,6}(?!\w)", _international, "+"),
    rule(
        r"(?<![\w./-])(?:1[ .-])?(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])"
        r"[0-9]{3}[ .-][0-9]{4}(?![\w-])",
        _grouped,
    ),
    rule(r"(?<![\w./-])[0-9]{3}-[0-9]{4}(?![\w-])", _grouped, "-"),
    rule(r"(?<![\w./-])0[0-9]{1,5}(?:[ /-][0-9]{2,8}){1,4}(?![\w/-])", _grouped, "0"),
    rule(r"(?<![\w.,/$€£-])([0-9]{10,11})(?![\w]|[.,][0-9])", _ungrouped),
    Rule(
        re.compile(
            rf"\b({_CODE_WORDS}(?:\s(?:number|code|no\.))?(?:\sis)?:?\s)#?([0-9]{{3,12}}){_END}",
            re.IGNORECASE,
        ),
        lambda match: match[1] + _groups(*_cut(match[2])),
    ),
)


def _vulgar(match: re.Match[str]) -> str:
    name = _VULGAR[match[0]]
    if match.string[: match.start()].rstrip()[-1:].isdigit():
        return f" and {name.replace('one', 'a', 1)} "
    return f" {name} "


def _is_year(text: str) -> bool:
    return len(text) == 4 and "1900" <= text <= "2099"


def _range(match: re.Match[str]) -> str:
    first, second = match[1], match[2]
    if _is_year(first) and _is_year(second):
        return f"{year(int(first))} to {year(int(second))}"
    return f"{first} to {second}"


def _with_unit(match: re.Match[str]) -> str:
    minus = "minus " if match[1] else ""
    return f"{minus}{number(match[2])} {choose(match[2], *_UNITS[match[3]])}"


def _percent(match: re.Match[str]) -> str:
    return f"{'minus ' if match[1] else ''}{number(match[2])} percent"


def _ordinal(match: re.Match[str]) -> str:
    return ordinal(int(match[1].replace(",", "")))


def _decade(match: re.Match[str]) -> str:
    words = year(int(match[1])) if len(match[1]) == 4 else cardinal(int(match[1]))
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _negative(match: re.Match[str]) -> str:
    return f"minus {number(match[1])}"


def _version(match: re.Match[str]) -> str:
    return " point ".join(cardinal(int(part)) for part in match[0].split("."))


def _multiple(match: re.Match[str]) -> str:
    return f"{number(match[1])} {_MULTIPLES[match[2]]}"


def _plain(match: re.Match[str]) -> str:
    """A number by itself or between letters (B2B, 12B), from which it is set apart."""
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    return f"{' ' if before.isalnum() else ''}{number(match[0])}{' ' if after.isalnum() else ''}"


NUMERAL = (
    rule("[½⅓⅔¼¾]", _vulgar, NON_ASCII, digits=False),
    rule(r"(?<![\w.,])([0-9]{1,2})'([0-9]{1,2})\"?(?!\w)", r"\1 foot \2", "'"),
    rule(r"(?<=[0-9])'(?=\s)", " feet", "'"),
    rule(
        r"(?<![\w./-])(?:1/[234]|2/3|3/4|24/7)(?![\w/]|[.,-][0-9])",
        lambda match: _FRACTIONS[match[0]],
        "/",
    ),
    rule(rf"{ALONE}({NUMBER})\s?[-–]\s?({NUMBER})(?![-/])", _range, "-–"),
    rule(rf"{_MINUS}({NUMBER})\s?({_UNIT})(?!\w)", _with_unit),
    rule(rf"{_MINUS}({NUMBER})\s?%", _percent, "%"),
    rule(r"(?<![\w.,])([0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})(?:st|nd|rd|th)\b", _ordinal),
    rule(r"(?<![\w.,])'?((?:1[1-9]|20)[0-9]0|[2-9]0)'?s\b", _decade, "s"),
    rule(
        r"\b([Ii]n|[Ss]ince|[Yy]ear|[Uu]ntil|[Ff]rom|[Oo]f|[Bb]y)"
        rf"\s((?:1[1-9]|20)[0-9]{{2}}){_END}",
        lambda match: f"{match[1]} {year(int(match[2]))}",
    ),
    rule(rf"(?<![\w.,])({NUMBER})(k|K|M|bn)(?!\w)", _multiple, "kKMb"),
    rule(rf"(?<![\w.,)])[-−]({NUMBER})(?![\w-])", _negative, "-−"),
    rule(r"(?<![\w.])[0-9]{1,5}(?:\.[0-9]{1,5}){2,5}(?![\w])", _version, "."),
    rule(r"(?<=[0-9])\s?[x×]\s?(?=[0-9])", " by ", "x×"),
    rule(rf"(?<![\w.,])({NUMBER})x\b", lambda match: f"{number(match[1])} times", "x"),
    rule(r"(?<=[0-9])\s?=\s?(?=[0-9])", " equals ", "="),
    rule(r"(?<=[0-9])\s?\+\s?(?=[0-9])", " plus ", "+"),
    rule(r"(?<=[0-9])\s?:\s?(?=[0-9])", " to ", ":"),
    rule(r"(?<=[0-9])/(?=[0-9])", " over ", "/"),
    rule(r"(?<=[A-Za-z])-(?=[0-9])|(?<=[0-9])-(?=[A-Za-z])", " ", "-"),
    rule(NUMBER, _plain),
)
