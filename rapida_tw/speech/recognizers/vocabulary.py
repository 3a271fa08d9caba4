"""Words worth boosting: those of the options, and those that the caller may say next."""

from __future__ import annotations

from collections.abc import Sequence


def vocabulary(
    always: Sequence[str], phrases: Sequence[str], most: int, longest: int, together: int
) -> list[str]:
    """Both, each word once, those of the options first.

    What does not fit is left out: `most` terms of up to `longest` characters, and of `together`
    characters in all.
    """
    chosen: list[str] = []
    room = together
    for term in dict.fromkeys(" ".join(one.split()) for one in (*always, *phrases)):
        if term and len(term) <= min(longest, room) and len(chosen) < most:
            chosen.append(term)
            room -= len(term)
    return chosen
