"""Times of day as they are said on the phone: "half past seven", "seven thirty p m", "at noon"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rapida_tw.models.numerals import spell
from rapida_tw.models.pattern import Pattern, any_of, parse
from rapida_tw.models.slots import Value

_HALF = 12 * 60  # minutes in half a day
_DAWN = 5 * 60  # "two at night" is before it, "ten at night" is not
_HOURS = {spell(hour): hour % 12 for hour in range(1, 13)}
_MINUTES = {("oh " if minute < 10 else "") + spell(minute): minute for minute in range(5, 60, 5)}
_PARTS = {
    "a m": 0,
    "p m": _HALF,
    "in the morning": 0,
    "in the afternoon": _HALF,
    "in the evening": _HALF,
    "at night": _HALF,
}
_NEAR = ("at", "around", "about")
_NOON = {"noon": _HALF, "midday": _HALF, "midnight": 0}
_OFFSETS = {
    "half past": 30,
    "quarter past": 15,
    "a quarter past": 15,
    "quarter to": -15,
    "a quarter to": -15,
    "five past": 5,
    "ten past": 10,
    "twenty past": 20,
    "twenty to": -20,
    "ten to": -10,
    "five to": -5,
}


def _either(words: Iterable[str]) -> str:
    return "(" + " | ".join(words) + ")"


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day between `earliest` and `latest` (minutes since midnight, inclusive).

    The range also decides between morning and evening when the caller does not say. `plain` is
    "19:30". Keys: three or four digits of the 24-hour clock, or of the 12-hour one ("730"); one
    or two are a full hour. Minutes are said in steps of five; keys take any.
    """

    earliest: int = 0
    latest: int = 24 * 60 - 1

    @property
    def pattern(self) -> Pattern:
        return any_of([parse(_either(_HOURS)), self.sure])

    @property
    def sure(self) -> Pattern:
        """A bare hour could be any number; all other times are plainly times."""
        hour, part, near = _either(_HOURS), _either(_PARTS), _either(_NEAR)
        clock = f"{hour} ({part} | o'clock [{part}] | {_either(_MINUTES)} [{part}])"
        past = f"{_either(_OFFSETS)} {hour} [{part}]"
        return parse(f"{near} {hour} | [{near}] ({clock} | {past} | {_either(_NOON)})")

    @property
    def digits(self) -> int:
        return 4

    def said(self, words: str) -> Value | None:
        for near in _NEAR:
            words = words.removeprefix(f"{near} ")
        if words in _NOON:
            return self._value([_NOON[words]])
        half, at_night = None, words.endswith(" at night")
        for part, start in _PARTS.items():
            if words.endswith(" " + part):
                half, words = start, words.removesuffix(" " + part)
        offset = 0
        for name, minutes in _OFFSETS.items():
            if words.startswith(name + " "):
                offset, words = minutes, words.removeprefix(name + " ")
        hour, _, rest = words.removesuffix(" o'clock").partition(" ")
        if hour not in _HOURS or (rest and rest not in _MINUTES):
            return None
        # "Quarter to twelve p m" is before midnight: the half of the day is that of the result.
        minutes = (_HOURS[hour] * 60 + _MINUTES.get(rest, 0) + offset) % _HALF
        if at_night and minutes < _DAWN:
            half = 0
        return self._value([minutes + start for start in ((0, _HALF) if half is None else (half,))])

    def pressed(self, digits: str) -> Value | None:
        if not 1 <= len(digits) <= 4:
            return None
        hour, minute = (digits, "0") if len(digits) < 3 else (digits[:-2], digits[-2:])
        minutes = int(hour) * 60 + int(minute)
        if int(minute) > 59 or int(hour) > 24:
            return None
        # "0730" and "19.." leave no doubt; "730" and "7" may be either half of the day.
        either = 1 <= int(hour) <= 12 and not digits.startswith("0")
        return self._value([minutes, minutes + _HALF] if either else [minutes])

    def _value(self, candidates: list[int]) -> Value:
        candidates = [minutes % (2 * _HALF) for minutes in candidates]
        fitting = [minutes for minutes in candidates if self._fits(minutes)]
        minutes = (fitting or candidates)[0]
        plain = f"{minutes // 60:02}:{minutes % 60:02}"
        return Value(plain, self._spoken(minutes), bool(fitting))

    def _fits(self, minutes: int) -> bool:
        return self.earliest <= minutes <= self.latest

    def _spoken(self, minutes: int) -> str:
        if minutes % _HALF == 0:
            return "noon" if minutes else "midnight"
        hour, minute = divmod(minutes, 60)
        clock = spell((hour - 1) % 12 + 1)
        match minute:
            case 0:
                spoken = f"{clock} o'clock"
            case 15:
                spoken = f"quarter past {clock}"
            case 30:
                spoken = f"half past {clock}"
            case 45:
                spoken = f"quarter to {spell(hour % 12 + 1)}"
            case _:
                spoken = f"{clock} {'oh ' if minute < 10 else ''}{spell(minute)}"
        if self._fits((minutes + _HALF) % (2 * _HALF)):
            # Both halves of the day are possible, so the caller must hear which one was taken.
            part = "evening" if hour >= 17 else "afternoon" if hour >= 12 else "morning"
            spoken = f"{spoken} in the {part}"
        return spoken
