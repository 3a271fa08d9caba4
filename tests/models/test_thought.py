"""What is spoken of a model's text: no thoughts, and whole characters."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.models.thought import ThoughtFilter, WholeCharacters


def spoken(*pieces: str) -> str:
    thought = ThoughtFilter()
    return "".join([*map(thought.feed, pieces), thought.finish()])


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<think>Hm. He asks.</think>\n\nWe open at nine.", "We open at nine."),
        ("<thinking>Hm.</thinking>Yes.", "Yes."),
        ("Well, <think>1 < 2</think>yes. <think>and</think> no.", "Well, yes. no."),
        ("without its beginning</think> Good day.", "without its beginningGood day."),
        ("<think>never closed", ""),
        ("<think></think>", ""),
        ("5 < 6, <thin ice>, <", "5 < 6, <thin ice>, <"),
        ("<thi", "<thi"),
        ("", ""),
    ],
)
def test_cut_anywhere(text: str, rest: str) -> None:
    """A thought is left out wherever the text is cut; what only resembles one is not."""
    assert spoken(text) == rest
    assert spoken(*text) == rest
    for cut in range(len(text)):
        assert spoken(text[:cut], text[cut:]) == rest


@given(st.lists(st.sampled_from(["<think>", "</think>", "<th", "a ", "<", ">", "b"]), max_size=12))
def test_any_text(pieces: list[str]) -> None:
    """Cutting makes no difference, and no tag is ever spoken."""
    text = "".join(pieces)
    assert spoken(*pieces) == spoken(text) == spoken(*text)
    assert not re.search("</?think>", spoken(text))


def test_bounded() -> None:
    """A thought without an end is not kept."""
    thought = ThoughtFilter()
    thought.feed("<think>")
    for _ in range(1000):
        assert thought.feed("hm < " * 100) == ""
    assert len(thought._tail) < 12


def test_at_once() -> None:
    """What can be no tag is not held back."""
    thought = ThoughtFilter()
    assert thought.feed("Hello") == "Hello"
    assert thought.feed(" <") == " "
    assert thought.feed("3") == "<3"


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        (["Hi \ud83d", "\udc4b!"], ["Hi ", "👋!"]),
        (["\ud83d", "", "\udc4b"], ["", "", "👋"]),
        (["a\ud83d", "b"], ["a", "\ufffdb"]),
        (["\udc4b", "ü"], ["\ufffd", "ü"]),
        (["\ud83d\ud83d", "\udc4b"], ["\ufffd", "👋"]),
        (["süß", "👋"], ["süß", "👋"]),
    ],
)
def test_whole_characters(pieces: list[str], whole: list[str]) -> None:
    """Halves are joined across pieces; one that stays alone would break who writes it down."""
    characters = WholeCharacters()
    assert [characters.feed(piece) for piece in pieces] == whole
