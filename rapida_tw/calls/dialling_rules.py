"""The guard against toll fraud: which numbers may be dialled, and how often by one API key."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from rapida_tw.errors import DiallingForbidden, TooManyCalls
from rapida_tw.metrics import Counter

SHORTEST = 7  # digits of a number that is no extension
_BEFORE = ("00", "011")  # what is dialled before a country's number
_LONGEST = 128  # digits that are looked at
_PARTS = re.compile(r"[;?,&]")  # what begins something else behind an address's user part
_NO_SIGN = re.compile(r"[^0-9a-z]")
_MOST_KEYS = 10_000  # whose rate is remembered; the one longest silent is forgotten

forbidden = Counter(
    "rapida_dialling_forbidden_total", "Calls that were asked for and not dialled.", ("reason",)
)


class DiallingRules:
    """Prefixes are compared as digits: +49…, 0049…, 01149… and 49… are the same number.

    What is not all digits (a password behind them, a letter) is denied by those it begins with.
    """

    def __init__(
        self,
        seconds: Callable[[], float],
        allowed: Sequence[str] = (),
        denied: Sequence[str] = (),
        per_second: float = 0,
        per_day: int = 0,
    ) -> None:
        """`seconds` never goes back. No `allowed`: all may; 0 per second or day: unbounded."""
        self._seconds = seconds
        self._allowed = tuple(map(_digits, allowed))
        self._denied = tuple(map(_digits, denied))
        self._per_second = per_second
        self.per_day = per_day
        # By key: the calls that it may place at once, and when that was so.
        self._left: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def check(self, number: str) -> None:
        """`DiallingForbidden`. What is no number (a name at a trunk) is forbidden where only some
        prefixes are allowed, and service codes (*67…) where there is any rule: they hide a number.
        """
        user = _user(number)
        if (self._allowed or self._denied) and any(one in user for one in "*#"):
            forbidden.inc("code")
            raise DiallingForbidden("service codes are not dialled where prefixes are restricted")
        if any(one.startswith(self._denied) for one in _readings(_first_digits(user))):
            forbidden.inc("denied")
            raise DiallingForbidden("numbers with that prefix are denied")
        if self._allowed and not _digits(number).startswith(self._allowed):
            forbidden.inc("not-allowed")
            raise DiallingForbidden("numbers with that prefix are not allowed")

    def check_target(self, target: str) -> None:
        """The same of a transfer's target; extensions and names within the house are free."""
        user = _user(target)
        if len(_first_digits(user)) >= SHORTEST or any(one in user for one in "*#"):
            self.check(target)

    def count(self, key_id: int) -> None:
        """One more call by that key; `TooManyCalls` says when to ask again. 0: nobody's."""
        if not key_id or not self._per_second:
            return
        now, most = self._seconds(), max(self._per_second, 1.0)
        left, then = self._left.pop(key_id, (most, now))
        left = min(most, left + (now - then) * self._per_second)
        refused = left < 1.0
        self._left[key_id] = (left if refused else left - 1.0), now
        if len(self._left) > _MOST_KEYS:
            self._left.popitem(last=False)
        if refused:
            forbidden.inc("per-second")
            wait = (1.0 - left) / self._per_second
            raise TooManyCalls(f"this API key may place {self._per_second:g} calls a second", wait)

    def count_day(self, calls: int) -> None:
        """So many were placed by the key in the last 24 hours; `TooManyCalls`."""
        if self.per_day and calls >= self.per_day:
            forbidden.inc("per-day")
            raise TooManyCalls(f"this API key may place {self.per_day} calls in 24 hours", 3600.0)


def _digits(number: str) -> str:
    """Of a number, or of the user part of an address, without + and 00; "" of anything else."""
    digits = "".join(one for one in _user(number) if one not in "+ -.()/")
    return digits.removeprefix("00") if digits.isascii() and digits.isdigit() else ""


def _user(address: str) -> str:
    """A number, or the user part of an address without its parameters, in lower case."""
    text = unquote(address).strip().lower()
    for scheme in ("sip:", "sips:", "tel:"):
        text = text.removeprefix(scheme)
    return _PARTS.split(text.partition("@")[0])[0]


def _first_digits(user: str) -> str:
    """Up to the first letter, whatever is between them."""
    found = re.match("[0-9]*", _NO_SIGN.sub("", user))
    return found[0][:_LONGEST] if found else ""


def _readings(digits: str) -> list[str]:
    """The numbers that networks may take those digits for."""
    found = [digits] if digits else []
    for prefix in _BEFORE:
        if len(digits) > len(prefix) and digits.startswith(prefix):
            found += _readings(digits[len(prefix) :])
    return found
