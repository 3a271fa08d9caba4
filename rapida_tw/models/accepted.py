"""Accepted: which optional fields a server takes, learned from what it refuses.

Vendors change by the model what may be sent: "max_tokens" or "max_completion_tokens", a
temperature, how thinking is turned off. No table of models stays true, but the refusal (a 400) says
which field it was; it is sent another way, or not at all, from then on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A refusal of the field as such; "max_tokens is too large" is the assistant's mistake.
_REFUSED = re.compile(
    r"unsupported|(?:not|n't) support|unrecognized|unknown|unexpected|extra inputs|extra fields"
    r"|extra_forbidden|not permitted|not allowed|deprecated|cannot both|invalid_?value|is invalid"
    r"|unable to set|may only|only allowed|not enabled",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Field:
    """One optional setting: `ways` to send it, best first; the last is often {}, not at all.

    `words`: how refusals name it.
    """

    words: tuple[str, ...]
    ways: Sequence[Mapping[str, Any]]


class Accepted:
    """Of one server and one model; shared by their calls."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def way(self, field: Field) -> int:
        """The number of the first way that was not refused; that of the last when all were."""
        marks = (self._mark(field, number) for number in range(len(field.ways) - 1))
        left = (number for number, mark in enumerate(marks) if mark not in self._refused)
        return next(left, len(field.ways) - 1)

    def refuse(self, field: Field, way: int) -> None:
        """It was; another call may have learned it already."""
        self._refused.add(self._mark(field, way))

    def _mark(self, field: Field, way: int) -> str:
        """What is refused: the names, whatever the values, unless other ways have the same."""
        names = [",".join(sorted(one)) for one in field.ways]
        if names.count(names[way]) == 1:
            return names[way]
        return json.dumps(field.ways[way], sort_keys=True)


class Offer:
    """The optional fields of one request, and what is learned when it is refused."""

    def __init__(self, accepted: Accepted, fields: Sequence[Field]) -> None:
        self._accepted = accepted
        self._sent = [(field, accepted.way(field)) for field in fields]

    def body(self) -> dict[str, Any]:
        """What goes into the request."""
        body: dict[str, Any] = {}
        for field, way in self._sent:
            body |= field.ways[way]
        return body

    def refused(self, status: int, text: str) -> str:
        """The field that is sent another way from now on; "" when that is not the matter."""
        if status not in (400, 422) or not _REFUSED.search(text):
            return ""
        for field, way in self._sent:
            if way + 1 < len(field.ways) and any(_names(text, word) for word in field.words):
                self._accepted.refuse(field, way)
                return field.words[0]
        return ""


def _names(text: str, word: str) -> bool:
    """Whether the field is named: as a value of the error's own, or like a name in its sentence."""
    if json.dumps(word) in text:
        return True
    # Words of the language are names only in quotes, or where the sentence begins with them.
    plain = word.isalpha() and word.islower() and word not in ("temperature", "thinking")
    name = re.escape(word)
    pattern = rf"(?:['`\"\\]{name}['`\"\\.]|\"{name}:)" if plain else rf"(?<!\w){name}(?!\w)"
    return re.search(pattern, text) is not None
