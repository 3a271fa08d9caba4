"""Conversing: what fakes of live models answer, and to what.

Written beforehand: an answer for each word that may be heard. A prompt to say something word for
word is followed, as real models mostly do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_VERBATIM = "word for word"


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """One reply: what is spoken, then the tools that are wanted."""

    text: str = ""
    calls: tuple[Called, ...] = ()


class Mind:
    """`answers`: pairs of what is heard somewhere in a turn, and the reply: a text, or an object
    with `say` and `calls` (each with `name` and `arguments`). `heard`: all that was answered."""

    def __init__(self, answers: Iterable[Sequence[Any]] = (), otherwise: str = "Pardon?") -> None:
        self._answers = [(str(word), _said(answer)) for word, answer in answers]
        self._otherwise = Said(otherwise)
        self.heard: list[str] = []

    def answer(self, heard: str) -> Said:
        """The reply to a caller's words, a tool's result, or a prompt."""
        self.heard.append(heard)
        if _VERBATIM in heard:
            return Said(heard.partition("\n\n")[2].strip())
        return next((said for word, said in self._answers if word in heard), self._otherwise)


def _said(answer: Any) -> Said:
    if isinstance(answer, str):
        return Said(answer)
    calls = [Called(one["name"], one.get("arguments", {})) for one in answer.get("calls", ())]
    return Said(answer.get("say", ""), tuple(calls))
