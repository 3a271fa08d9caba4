"""Rule: one pattern of written English and how it is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

# 12 | 1,234 | 1,234.50 | 0.5; never the beginning of a longer one.
NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
# Not within a word, a number or a decimal: what precedes a number that stands alone.
ALONE = r"(?<![\w.,/-])(?<!\w[:@])"


# Stands for any character beyond ASCII in `Rule.needs`.
NON_ASCII = "\x80"


@dataclass(frozen=True, slots=True)
class Rule:
    """`say` replaces what `pattern` matches.

    Most rules have nothing to do in most texts, and finding that out by their pattern costs more
    than all the rest: `needs` are characters of which a text must have one, `digits` says that it
    must have a digit.
    """

    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str] | str
    needs: str = ""
    digits: bool = True

    def apply(self, text: str) -> str:
        return self.pattern.sub(self.say, text)


def rule(
    pattern: str,
    say: Callable[[re.Match[str]], str] | str,
    needs: str = "",
    digits: bool = True,
) -> Rule:
    return Rule(re.compile(pattern), say, needs, digits)


def words_rule(pairs: dict[str, str], before: str = r"\b", after: str = r"(?!\w)") -> Rule:
    """Replaces each key (as a whole word, in its own capitals) by its value."""
    longest_first = sorted(pairs, key=len, reverse=True)
    pattern = before + "(" + "|".join(re.escape(word) for word in longest_first) + ")" + after
    first = "".join(sorted({word[0] for word in pairs}))
    return Rule(re.compile(pattern), lambda match: pairs[match[1]], first, digits=False)
