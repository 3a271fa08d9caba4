"""Reading a plug-in's options into its frozen dataclass, with a sentence for what is wrong."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.speech.base import Options

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def read(cls: type[T], options: Options, prefix: str, of: str) -> T:
    """`options` as a `cls`, whose fields all have defaults; keys may carry `prefix`.

    `of` names the plug-in. `MisconfiguredAssistant` on an unknown key, a value of another type
    than the default, and on the ValueError of the class's own check.
    """
    defaults = asdict(cls())
    values: dict[str, Any] = {}
    for key, value in options.items():
        name = key.removeprefix(prefix)
        if name not in defaults:
            known = ", ".join(defaults)
            raise MisconfiguredAssistant(f"{of} has no option {key!r}; it has: {known}")
        kind = type(defaults[name])
        try:
            # The official SDK sends every option as a string.
            values[name] = kind(value)
        except (TypeError, ValueError):
            what = "a number" if kind is float else "a text"
            raise MisconfiguredAssistant(f"{of}: {key} must be {what}") from None
    try:
        return cls(**values)
    except ValueError as error:
        raise MisconfiguredAssistant(f"{of}: {error}") from None


def within(name: str, value: float, low: float, high: float) -> None:
    """`ValueError` unless the option is in its range; NaN is in none."""
    if not low <= value <= high:
        raise ValueError(f"{name} must be between {low:g} and {high:g}")
