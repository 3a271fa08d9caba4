"""A long text in pieces."""

from __future__ import annotations

import pytest

from rapida_tw.messaging.pieces import pieces


@pytest.mark.parametrize(
    ("text", "longest", "cut"),
    [
        ("Short.", 20, ["Short."]),
        ("", 20, []),
        (" \n ", 20, []),
        ("One two. Three four! Five six seven.", 21, ["One two. Three four!", "Five six seven."]),
        ("One two three four five six", 15, ["One two three", "four five six"]),
        ("A paragraph.\n\nB. C. D.", 18, ["A paragraph.", "B. C. D."]),
        ("It costs 12.50 euros, no more", 18, ["It costs 12.50", "euros, no more"]),
        ("x" * 25, 10, ["x" * 10, "x" * 10, "x" * 5]),
        ("一二三四五。六七八", 8, ["一二三四五。", "六七八"]),
        ('He said "yes." Then he left', 16, ['He said "yes."', "Then he left"]),
    ],
)
def test_cuts(text: str, longest: int, cut: list[str]) -> None:
    """Behind a paragraph, a sentence, a word, in this order; never in half a number."""
    assert pieces(text, longest) == cut


def test_all_there() -> None:
    """Nothing is lost or said twice, and no piece is too long."""
    text = " ".join(f"Sentence number {number} is here." for number in range(300))
    cut = pieces(text, 1600)
    assert " ".join(cut) == text
    assert max(map(len, cut)) <= 1600


def test_most() -> None:
    """A text without end is cut off, and one sees it."""
    cut = pieces("word " * 100, 20, most=3)
    assert (len(cut), cut[-1][-1]) == (3, "…")
    assert len(cut[-1]) <= 20


def test_long_and_quick() -> None:
    """A megabyte without a place to cut takes no time that anybody notices."""
    assert len(pieces("a" * 1_000_000, 1600, most=10_000)) == 625
