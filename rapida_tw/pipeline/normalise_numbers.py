"""Numbers as English words (American usage, no "and" inside a number)."""

from __future__ import annotations


def _words(text: str) -> list[str]:
    return text.split()


_ONES = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    " fifteen sixteen seventeen eighteen nineteen"
)
_TENS = _words("zero ten twenty thirty forty fifty sixty seventy eighty ninety")
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_LARGEST = 10**15


def cardinal(number: int) -> str:
    """42 -> "forty-two". From a thousand trillions on, digit by digit."""
    if number < 0:
        return f"minus {cardinal(-number)}"
    if number >= _LARGEST:
        return digit_by_digit(str(number))
    words = []
    for scale, name in _SCALES:
        if number >= scale:
            words.append(f"{_below_thousand(number // scale)} {name}")
            number %= scale
    if number or not words:
        words.append(_below_thousand(number))
    return " ".join(words)


def _below_thousand(number: int) -> str:
    if number >= 100:
        rest = f" {_below_thousand(number % 100)}" if number % 100 else ""
        return f"{_ONES[number // 100]} hundred{rest}"
    if number < 20:
        return _ONES[number]
    return _TENS[number // 10] + (f"-{_ONES[number % 10]}" if number % 10 else "")


def ordinal(number: int) -> str:
    """21 -> "twenty-first"."""
    words = cardinal(number)
    cut = max(words.rfind(" "), words.rfind("-")) + 1
    head, last = words[:cut], words[cut:]
    if last in _ORDINALS:
        return head + _ORDINALS[last]
    return head + (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")


def digit_by_digit(text: str) -> str:
    """ "0453" -> "zero four five three"; anything but 0-9 is left out."""
    return " ".join(_ONES[int(digit)] for digit in text if digit in "0123456789")


def number(text: str) -> str:
    """A number as it is written (12, 1,234.50, 007) in words.

    Leading zeros and more than fifteen digits are read digit by digit, decimals always are.
    """
    whole, point, decimals = text.replace(",", "").partition(".")
    if not whole:
        whole = "0"
    plain = len(whole) <= 15 and (whole == "0" or whole[0] != "0")
    words = cardinal(int(whole)) if plain else digit_by_digit(whole)
    return f"{words} point {digit_by_digit(decimals)}" if point and decimals else words


def year(number: int) -> str:
    """1999 -> "nineteen ninety-nine", 2005 -> "two thousand five", 2026 -> "twenty twenty-six"."""
    century, rest = divmod(number, 100)
    if not 1100 <= number <= 2999 or 2000 <= number <= 2009:
        return cardinal(number)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def plural(count: str, one: str, many: str) -> str:
    """Which of the two words goes with the number written as `count`."""
    return one if count.replace(",", "") in ("1", "1.0", "1.00") else many
