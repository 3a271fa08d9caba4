"""Reading a plug-in's options into its frozen dataclass, with a sentence for what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.speech.base import Options

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

_TRUTHS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_SEPARATOR = "<|||>"  # of lists that are one text, as Rapida's options have them


def read(cls: type[T], options: Options, prefix: str, of: str) -> T:
    """`options` as a `cls`, whose fields all have defaults; `of` names the plug-in.

    Keys may carry `prefix`, and have dots where the fields have underscores. A value is of its
    default's type or a text of that; tuples are of texts, and as one text joined with `<|||>` or
    commas. `MisconfiguredAssistant` on an unknown key, on a value of another type, and on the
    ValueError of the class's own check.
    """
    defaults = asdict(cls())
    values: dict[str, Any] = {}
    for key, value in options.items():
        name = key.removeprefix(prefix).replace(".", "_")
        if name not in defaults:
            known = ", ".join(defaults)
            raise MisconfiguredAssistant(f"{of} has no option {key!r}; it has: {known}")
        kind = type(defaults[name])
        try:
            # The official SDK sends every option as a string.
            values[name] = _READERS.get(kind, kind)(value)
        except (KeyError, TypeError, ValueError, OverflowError):
            what = _KINDS.get(kind, "a text")
            raise MisconfiguredAssistant(f"{of}: {key} must be {what}") from None
    try:
        return cls(**values)
    except ValueError as error:
        raise MisconfiguredAssistant(f"{of}: {error}") from None


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


_READERS: Mapping[type, Callable[[Any], Any]] = {
    str: _text,
    bool: _truth,
    int: _whole,
    tuple: _texts,
}
_KINDS = {float: "a number", int: "a whole number", bool: "true or false", tuple: "a list"}


def within(name: str, value: float, low: float, high: float) -> None:
    """`ValueError` unless the option is in its range; NaN is in none."""
    if not low <= value <= high:
        raise ValueError(f"{name} must be between {low:g} and {high:g}")
