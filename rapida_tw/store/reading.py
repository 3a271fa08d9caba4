"""Reads a JSON object key by key and gathers every mistake, so that all are told at once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, TypeVar

from rapida_tw.errors import BadRequest
from rapida_tw.ids import parse_id

T = TypeVar("T")
Check = Callable[[Any], T]  # the value as it is kept; ValueError says what it must be

_MOST_ITEMS = 200


class Reading:
    """One object being read; whatever key is left over at the end is a mistake too."""

    def __init__(self, document: object, path: str = "", mistakes: list[str] | None = None) -> None:
        """`path` names an inner object, which shares the `mistakes` of the outer one."""
        self._path = path
        self._mistakes = [] if mistakes is None else mistakes
        self._unread: dict[str, Any] = {}
        if isinstance(document, dict):
            self._unread.update(document)
        else:
            self._mistakes.append(f"{path or 'the document'} must be an object")

    def value(self, key: str, check: Check[T], base: T, default: T) -> T:
        """`base` when the key is absent, `default` when it is null (RFC 7396), else its value."""
        if key not in self._unread:
            return base
        given = self._unread.pop(key)
        if given is None:
            return default
        try:
            return check(given)
        except ValueError as error:
            self.wrong(key, str(error))
            return base

    def inner(self, key: str) -> Reading | None:
        """The object under that key; None when it is absent or null (see `is_null`)."""
        if self._unread.get(key) is None:
            return None
        return Reading(self._unread.pop(key), self._name(key), self._mistakes)

    def inner_list(self, key: str, most: int) -> list[Reading] | None:
        """The objects of the list under that key; None when there is no list there."""
        given = self._unread.get(key)
        if not isinstance(given, list):
            return None
        del self._unread[key]
        if len(given) > most:
            self.wrong(key, f"must be a list of at most {most}")
            return []
        name = self._name(key)
        return [Reading(one, f"{name}[{at}]", self._mistakes) for at, one in enumerate(given)]

    def is_null(self, key: str) -> bool:
        """True, once, when the key is there and null."""
        if key not in self._unread or self._unread[key] is not None:
            return False
        del self._unread[key]
        return True

    def skip(self, *keys: str) -> None:
        """Keys that we write and others send back: read-only, so not looked at."""
        for key in keys:
            self._unread.pop(key, None)

    def wrong(self, key: str, what: str) -> None:
        """Note a mistake."""
        self._mistakes.append(f"{self._name(key)} {what}")

    def close(self) -> None:
        """Everything was read: what is left is unknown."""
        for key in self._unread:
            self.wrong(key, "is not known here")

    def finish(self) -> None:
        """Close the outermost object; `BadRequest` tells all mistakes, one after the other."""
        self.close()
        if self._mistakes:
            raise BadRequest("; ".join(self._mistakes))

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def text(longest: int, shortest: int = 0) -> Check[str]:
    """A string of so many characters, all of which a database keeps."""

    def check(value: Any) -> str:
        if isinstance(value, str) and shortest <= len(value) <= longest and _is_whole(value):
            return value
        raise ValueError(f"must be a text of {shortest} to {longest} characters")

    return check


def _is_whole(value: str) -> bool:
    """Without NUL and halves of surrogate pairs: a command line's bytes may become these."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def number(low: float, high: float) -> Check[float]:
    """A finite number within the bounds, both included; true and false are none."""

    def check(value: Any) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        raise ValueError(f"must be a number from {low:g} to {high:g}")

    return check


def whole(low: int, high: int) -> Check[int]:
    """A whole number within the bounds, both included; 2.0 is one."""
    real = number(low, high)

    def check(value: Any) -> int:
        try:
            found = real(value)
        except ValueError:
            found = math.nan
        if not found.is_integer():
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(found)

    return check


def flag(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def reference(value: Any) -> int | None:
    """An id, as the text we write or as a number; "" is none."""
    if value == "":
        return None
    if isinstance(value, float) and value.is_integer():  # 5.0 is the same number to JSON
        value = int(value)
    try:
        return parse_id("" if isinstance(value, bool) else str(value))
    except BadRequest:
        raise ValueError("must be an id, as text or number") from None


def mapping(value: Any) -> dict[str, Any]:
    """Any object of plain JSON."""
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return _plain(value)


def mappings(value: Any) -> tuple[dict[str, Any], ...]:
    """A list of objects."""
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise ValueError(f"must be a list of at most {_MOST_ITEMS} objects")
    if not all(isinstance(item, dict) for item in value):
        raise ValueError("must hold nothing but objects")
    return tuple(_plain(item) for item in value)


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError("must be plain JSON: no NaN, no Infinity") from None
    return value
