"""News: what of a call's dialogue its agent does not know yet.

A model is given the whole dialogue with each request; an agent remembers, and is told each thing
once. Of its own words it only needs to know how much of them was heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapida_tw.models.base import Message


@dataclass(frozen=True, slots=True)
class Update:
    """What is new. `heard`: what the caller heard of the agent's latest words; None: all.

    `said`: what the house said meanwhile, like a greeting; `results`: tool messages, with the
    names of the tools.
    """

    text: str
    asked: bool  # the caller's turn is to be answered; False: only the results are
    heard: str | None = None
    said: tuple[str, ...] = ()
    instructions: str = ""
    results: tuple[tuple[str, Message], ...] = ()


class News:
    """Of one connection."""

    def __init__(self) -> None:
        self._told: Message | None = None  # the latest message that the agent knows
        self._written = ""  # the agent's own latest words
        self._cut_off = False  # it was interrupted while it wrote

    def answered(self, written: str, cut_off: bool = False) -> None:
        """The agent's answer is over."""
        self._written, self._cut_off = written, cut_off

    def begin(self, dialogue: Sequence[Message]) -> tuple[Sequence[Message], Update]:
        """The history for an agent that knows nothing, and what it is to answer."""
        start = _last_turn(dialogue)
        self.answered("")
        return dialogue[:start], self._update(dialogue, start)

    def since(self, dialogue: Sequence[Message]) -> Update:
        """What was said since the latest time."""
        for start in range(len(dialogue), 0, -1):
            if dialogue[start - 1] is self._told:
                return self._update(dialogue, start)
        if self._told is None:
            return self._update(dialogue, 0)
        self.answered("")  # who knows how much of it was heard
        return self._update(dialogue, _last_turn(dialogue))

    def _update(self, dialogue: Sequence[Message], start: int) -> Update:
        names = {call.id: call.name for one in dialogue for call in one.tool_calls}
        # Words of which nothing was heard are not in the dialogue.
        heard = "" if self._cut_off or self._written.strip() else None
        texts, said, instructions, results = [], [], [], []
        for one in dialogue[start:]:
            match one.role:
                case "user":
                    texts.append(one.text)
                case "tool":
                    results.append((names.get(one.tool_call_id, ""), one))
                case "system":
                    instructions.append(one.text)
                case _ if self._own(one):
                    heard = one.text if one.interrupted else None
                case _:
                    said.append(one.text)
        if dialogue:
            self._told = dialogue[-1]
        self.answered("")
        asked = bool(texts) or not results
        return Update(
            "\n".join(texts), asked, heard, tuple(said), "\n".join(instructions), tuple(results)
        )

    def _own(self, one: Message) -> bool:
        """The agent has written it, and not the house."""
        written = self._written.strip()
        return bool(one.tool_calls) or bool(written and written.startswith(one.text.strip()))


def _last_turn(dialogue: Sequence[Message]) -> int:
    """Where what follows the assistant's latest words begins."""
    spoken = [number for number, one in enumerate(dialogue, 1) if one.role == "assistant"]
    return spoken[-1] if spoken else 0
