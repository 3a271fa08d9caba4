"""What may be said next: a model's hint to the recogniser, a leaf that both ports share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the caller is expected to say or press in answer to the latest reply.

    `grammar` is a complete JSGF text with one public rule, lower case words only, or "" for free
    speech; `phrases` are words worth boosting for recognisers without grammars; `digits` is how
    many pressed digits complete an entry (0: until `#` or a pause).
    """

    grammar: str = ""
    phrases: tuple[str, ...] = ()
    digits: int = 0


ANYTHING = Expectation()
