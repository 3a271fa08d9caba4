"""ThoughtFilter: thoughts are not spoken, however they are cut; all else is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.models.thought import ThoughtFilter


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
