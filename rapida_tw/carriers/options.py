"""Options of a phone deployment, as a carrier reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from rapida_tw.errors import MisconfiguredAssistant

T = TypeVar("T")

_SHOWN = 60  # characters of a bad value that the sentence holds


def one_of(options: Mapping[str, Any], name: str, allowed: Sequence[T], default: T) -> T:
    """The option `name`, also where it is written as text: the official SDK sends nothing else.

    `MisconfiguredAssistant` says what is allowed.
    """
    value = str(options.get(name, "") if options.get(name) is not None else "").lower()
    if not value:
        return default
    for one in allowed:
        if value == str(one).lower():
            return one
    choices = ", ".join(str(one).lower() for one in allowed)
    raise MisconfiguredAssistant(f"{name} must be one of {choices}, not {value[:_SHOWN]!r}")
