"""Overlap: what two recognisers have heard of one speaker is told once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.speech.overlap import beyond, joined

TEXTS = st.lists(st.sampled_from(["one", "two", "Two,", "three", "—"]), max_size=8).map(" ".join)


@pytest.mark.parametrize(
    ("earlier", "later", "share", "whole"),
    [
        ("I want to book a table", "book a table for two", 0.5, "I want to book a table for two"),
        ("I want to book", "Book a table.", 0.7, "I want to Book a table."),
        # Nothing is common: time alone says where the later begins.
        ("one two three four", "for five", 0.75, "one two three for five"),
        # The first word is half of one: the whole one is taken.
        ("call my assistant", "l my assistant now", 0.4, "call my assistant now"),
        # Of runs of the same length the one nearest to where it should be counts.
        ("no no no no", "no no yes", 0.75, "no no no no yes"),
        # A single equal word far away is chance.
        ("the house and my garden is", "the green", 0.9, "the house and my garden the green"),
        ("", "hello", 0.0, "hello"),
        ("hello there", "", 0.5, "hello there"),
        ("hello", "hello there", 0.0, "hello there"),
    ],
)
def test_joined(earlier: str, later: str, share: float, whole: str) -> None:
    """Each word once, in order."""
    assert joined(earlier, later, share) == whole


@pytest.mark.parametrize(
    ("told", "text", "rest"),
    [
        ("I would like", "I would like to book", "to book"),
        ("I would like.", "i'd would like to book", "to book"),
        ("I would like", "I wood like to", "to"),
        # Nothing is common: as many words as were told are left out.
        ("one two", "won too three", "three"),
        ("no no", "no no no no", "no no"),
        ("", "hello", "hello"),
        ("hello there", "hello", ""),
        ("hello", "", ""),
    ],
)
def test_beyond(told: str, text: str, rest: str) -> None:
    """What was told is not told again."""
    assert beyond(told, text) == rest


@given(TEXTS, TEXTS, st.floats(0, 1))
def test_ends(earlier: str, later: str, share: float) -> None:
    """The joined text ends as the later one does; the rest is an end of the text."""
    whole = joined(earlier, later, share).split()
    assert whole == earlier.split() if not later else whole[-1] == later.split()[-1]
    rest = beyond(earlier, later).split()
    assert not rest or later.split()[-len(rest) :] == rest


@given(TEXTS)
def test_itself(text: str) -> None:
    """Who has heard all of it knows nothing more."""
    assert beyond(text, text) == ""
