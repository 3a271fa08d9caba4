"""Pieces of a text that is too long for one message, cut where a reader would pause."""

from __future__ import annotations

import re

# The better place first: a paragraph's end, a line's, a sentence's, a word's.
_PLACES = tuple(map(re.compile, (r"\n\n", r"\n", r"[.!?…。！？][\"')\]”»]?(?=\s)|[。！？]", r"\s")))


def pieces(text: str, longest: int, most: int = 10) -> list[str]:
    """Each of at most `longest` characters; what is beyond `most` of them is left out.

    Nothing for a text of blanks. The last piece that is kept of a longer text ends in "…".
    """
    left = text.strip()
    cut: list[str] = []
    while left:
        if len(left) <= longest:
            cut.append(left)
            break
        end = _end(left, longest)
        cut.append(left[:end].rstrip())
        left = left[end:].lstrip()
    if len(cut) > most:
        cut = [*cut[: most - 1], cut[most - 1][: longest - 1] + "…"]
    return cut


def _end(text: str, longest: int) -> int:
    """Not in the first half, where it would make many small ones of a few."""
    window = text[: longest + 1]
    for place in _PLACES:
        ends = [found.end() for found in place.finditer(window) if found.end() <= longest]
        if ends and ends[-1] > longest // 2:
            return ends[-1]
    return longest
