"""Wordings: a line of a script that stands for many ways to say the same thing.

`[please] book (a | my) table <>` is words, optional parts in brackets, choices in parentheses, and
a gap for a value; `+` after an item repeats it. One wording is rendered as JSGF for recognisers
that take a grammar and as a regular expression for text that comes from anywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

_TOKEN = re.compile(r"\s*(?:([a-z]+(?:'[a-z]+)*'?)|(<>|[\[\]()|+])|(\S))")


class BadWording(ValueError):
    """A wording that cannot be read; the text says where."""


class Pattern(Protocol):
    """A node of a wording."""

    def __hash__(self) -> int: ...

    def jsgf(self) -> str:
        """The expansion of a JSGF rule."""

    def regex(self) -> str:
        """An expression for text in which every word is followed by one space."""

    def words(self) -> Iterator[str]:
        """Every word in it, in order."""

    def shortest(self) -> str:
        """The fewest words that match, without values; "" when none need be said."""

    def longest(self) -> int:
        """How many words can match without repeating; what is longer is tried first."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str

    def jsgf(self) -> str:
        return self.text

    def regex(self) -> str:
        return re.escape(self.text) + " "

    def words(self) -> Iterator[str]:
        yield self.text

    def shortest(self) -> str:
        return self.text

    def longest(self) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class InOrder:
    parts: tuple[Pattern, ...]

    def jsgf(self) -> str:
        return " ".join(part.jsgf() for part in self.parts)

    def regex(self) -> str:
        return "".join(part.regex() for part in self.parts)

    def words(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.words()

    def shortest(self) -> str:
        return " ".join(filter(None, (part.shortest() for part in self.parts)))

    def longest(self) -> int:
        return sum(part.longest() for part in self.parts)


@dataclass(frozen=True, slots=True)
class OneOf:
    parts: tuple[Pattern, ...]

    def jsgf(self) -> str:
        return "(" + " | ".join(part.jsgf() for part in self.parts) + ")"

    def regex(self) -> str:
        # An alternation takes the first branch that fits: "twenty three" must come before "twenty".
        parts = sorted(self.parts, key=lambda part: -part.longest())
        return "(?:" + "|".join(part.regex() for part in parts) + ")"

    def words(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.words()

    def shortest(self) -> str:
        return min((part.shortest() for part in self.parts), key=lambda text: len(text.split()))

    def longest(self) -> int:
        return max(part.longest() for part in self.parts)


@dataclass(frozen=True, slots=True)
class Maybe:
    part: Pattern

    def jsgf(self) -> str:
        return f"[{self.part.jsgf()}]"

    def regex(self) -> str:
        return f"(?:{self.part.regex()})?"

    def words(self) -> Iterator[str]:
        yield from self.part.words()

    def shortest(self) -> str:
        return ""

    def longest(self) -> int:
        return self.part.longest()


@dataclass(frozen=True, slots=True)
class Repeated:
    part: Pattern

    def jsgf(self) -> str:
        return f"({self.part.jsgf()})+"

    def regex(self) -> str:
        return f"(?:{self.part.regex()})+"

    def words(self) -> Iterator[str]:
        yield from self.part.words()

    def shortest(self) -> str:
        return self.part.shortest()

    def longest(self) -> int:
        return self.part.longest()


@dataclass(frozen=True, slots=True)
class Gap:
    """Where the value stands: a JSGF rule of its own, and the only capturing group there is."""

    rule: str
    part: Pattern

    def jsgf(self) -> str:
        return f"<{self.rule}>"

    def regex(self) -> str:
        return f"({self.part.regex()})"

    def words(self) -> Iterator[str]:
        yield from self.part.words()

    def shortest(self) -> str:
        return ""

    def longest(self) -> int:
        return self.part.longest()


def any_of(patterns: Sequence[Pattern]) -> Pattern:
    """Any one of them."""
    return patterns[0] if len(patterns) == 1 else OneOf(tuple(patterns))


@lru_cache(maxsize=4096)
def compiled(pattern: Pattern) -> re.Pattern[str]:
    """Finds the pattern at the beginnings of words, in text made of words and single spaces."""
    return re.compile(r"(?<![^ ])" + pattern.regex())


def matches(pattern: Pattern, words: str) -> bool:
    """Whether these words, and no other, are what the pattern says."""
    return compiled(pattern).fullmatch(words + " ") is not None


def parse(wording: str, gap: Gap | None = None) -> Pattern:
    """Read a wording; `<>` stands for `gap`. `BadWording` says what is wrong with it."""
    tokens = _tokens(wording)
    pattern, rest = _choice(tokens, 0, gap)
    if rest < len(tokens):
        raise BadWording(f"{tokens[rest]!r} without its beginning in {wording!r}")
    if re.fullmatch(pattern.regex(), ""):
        raise BadWording(f"nothing need be said for {wording!r}")
    return pattern


def _tokens(wording: str) -> list[str]:
    tokens = []
    for word, mark, other in _TOKEN.findall(wording.lower().replace("’", "'").rstrip()):
        if other:
            raise BadWording(f"{other!r} in {wording!r}: only words, [ ] ( ) | + and <>")
        tokens.append(word or mark)
    return tokens


def _choice(tokens: list[str], at: int, gap: Gap | None) -> tuple[Pattern, int]:
    branches = []
    while True:
        branch, at = _sequence(tokens, at, gap)
        branches.append(branch)
        if at == len(tokens) or tokens[at] != "|":
            return any_of(branches), at
        at += 1


def _sequence(tokens: list[str], at: int, gap: Gap | None) -> tuple[Pattern, int]:
    parts: list[Pattern] = []
    while at < len(tokens) and tokens[at] not in ("|", ")", "]"):
        token = tokens[at]
        at += 1
        if token in ("(", "["):
            inner, at = _choice(tokens, at, gap)
            if at == len(tokens) or tokens[at] != {"(": ")", "[": "]"}[token]:
                raise BadWording(f"{token!r} is not closed")
            at += 1
            parts.append(Maybe(inner) if token == "[" else inner)
        elif token == "<>":
            if gap is None:
                raise BadWording("<> has no value here")
            parts.append(gap)
        elif token == "+":
            if not parts:
                raise BadWording("'+' follows nothing")
            parts[-1] = Repeated(parts[-1])
        else:
            parts.append(Word(token))
    if not parts:
        raise BadWording("an empty wording")
    return (parts[0] if len(parts) == 1 else InOrder(tuple(parts))), at
