"""Reading a plug-in's options into its frozen dataclass, with a sentence for what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from rapida_tw.errors import MisconfiguredAssistant

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

_TRUTHS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_SEPARATOR = "<|||>"  # of lists that are one text, as Rapida's options have them


def read(cls: type[T], options: Mapping[str, Any], prefix: str, of: str) -> T:
    """`options` as a `cls`, whose fields all have defaults; keys may carry `prefix`
    and have dots where the field has underscores. `of` names the plug-in. A value is of its
    default's type or the same as text; tuples are of texts, as one text joined with `<|||>` or
    commas; dicts and lists may be JSON. Of a field whose default is None, None and "" are the same
    as not given. `MisconfiguredAssistant` on an unknown key, a value of another type, and on the
    ValueError of the class's own check.
    """
    defaults = asdict(cls())
    values: dict[str, Any] = {}
    for key, value in options.items():
        name = key.removeprefix(prefix).replace(".", "_").lstrip("_")
        if name not in defaults:
            known = ", ".join(defaults)
            raise MisconfiguredAssistant(f"{of} has no option {key!r}; it has: {known}")
        kind = type(defaults[name])
        if defaults[name] is None:
            if value is None or value == "":
                continue
            kind = _kind(cls, name)
        try:
            # The official SDK sends every option as a string.
            values[name] = _READERS.get(kind, kind)(value)
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
            what = _KINDS.get(kind, "a text")
            raise MisconfiguredAssistant(f"{of}: {key} must be {what}") from None
    try:
        return cls(**values)
    except ValueError as error:
        raise MisconfiguredAssistant(f"{of}: {error}") from None


def _kind(cls: type[Any], name: str) -> type:
    """The type of a field that is `type | None`."""
    kinds = [one for one in get_args(get_type_hints(cls)[name]) if one is not type(None)]
    kind: type = get_origin(kinds[0]) or kinds[0]
    return kind


def _text(value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise TypeError(value)
    return str(value)


def _truth(value: Any) -> bool:
    return value if isinstance(value, bool) else _TRUTHS[str(value).strip().lower()]


def _whole(value: Any) -> int:
    number = int(value)
    if not isinstance(value, str) and number != value:
        raise ValueError(value)
    return number


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split(_SEPARATOR if _SEPARATOR in value else ",")
    elif not isinstance(value, list | tuple):
        raise TypeError(value)
    return tuple(text for one in value if (text := str(one).strip()))


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = json.loads(value or "{}")
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def _items(value: Any) -> list[Any]:
    if isinstance(value, str):
        value = json.loads(value or "[]")
    if not isinstance(value, list | tuple):
        raise TypeError(value)
    return list(value)


_READERS: Mapping[type, Callable[[Any], Any]] = {
    str: _text,
    bool: _truth,
    int: _whole,
    tuple: _texts,
    dict: _object,
    list: _items,
}
_KINDS = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    tuple: "a list",
    dict: "a JSON object",
    list: "a JSON list",
}


def within(name: str, value: float, low: float, high: float) -> None:
    """`ValueError` unless the option is in its range; NaN is in none."""
    if not low <= value <= high:
        raise ValueError(f"{name} must be between {low:g} and {high:g}")
