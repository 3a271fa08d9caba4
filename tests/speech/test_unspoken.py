"""Unspoken: the rest of a phrase after some of its sound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.speech.base import Word
from rapida_tw.speech.unspoken import letters, unspoken

PHRASE = "We open at nine, every day."


def evenly(text: str, each: float = 0.5) -> list[Word]:
    """Words that take half a second each."""
    return [Word(word, at * each, (at + 1) * each) for at, word in enumerate(text.split())]


@pytest.mark.parametrize(
    ("phrase", "words", "seconds", "rest"),
    [
        (PHRASE, evenly(PHRASE), 0.0, PHRASE),
        (PHRASE, evenly(PHRASE), 1.5, "nine, every day."),
        # Half a word counts, less does not.
        (PHRASE, evenly(PHRASE), 1.74, "nine, every day."),
        (PHRASE, evenly(PHRASE), 1.76, "every day."),
        (PHRASE, evenly(PHRASE), 3.0, ""),
        (PHRASE, evenly(PHRASE), 9.0, ""),
        # Voices write words without marks, in small letters, or take them apart.
        ("It's nine-thirty, Mr. Smith.", evenly("its nine thirty mr smith"), 1.5, "Mr. Smith."),
        ("Dial 555 now please.", evenly("dial five hundred fifty five now please"), 3.0, "please."),
        # Words are told with their sound: where they end, time tells of a little more.
        (PHRASE, evenly("We open at"), 1.6, "nine, every day."),
        (PHRASE, evenly("We open at"), 2.3, "day."),
        # Nothing was told: as fast as people speak, and a word that was begun is not said again.
        (PHRASE, [], 0.5, "at nine, every day."),
        (PHRASE, [], 0.6, "nine, every day."),
        # What is nearly nothing is nothing.
        ("We have to go.", [], 0.6, ""),
        ("We have it all.", [], 0.6, "all."),
        ("Yes.", [], 0.01, ""),
        ("One — two.", evenly("One"), 0.5, "— two."),
        ("One —", evenly("One"), 0.5, ""),
        ("", [], 1.0, ""),
    ],
)
def test_rest(phrase: str, words: list[Word], seconds: float, rest: str) -> None:
    """From the first word that was not heard."""
    assert unspoken(phrase, words, seconds) == rest


def test_pace() -> None:
    """A voice that is known to be slow has said less."""
    assert unspoken(PHRASE, [], 0.6, pace=3.0) == "open at nine, every day."


TEXT = st.text("ab ,.—é1", max_size=40)


@given(TEXT, st.lists(st.tuples(TEXT, st.floats(0, 9), st.floats(0, 9))), st.floats(0, 20))
def test_any(phrase: str, told: list[tuple[str, float, float]], seconds: float) -> None:
    """Whatever the voice tells, the rest is an end of the phrase that begins with a word."""
    rest = unspoken(phrase, [Word(*word) for word in told], seconds)
    if rest != phrase:
        assert phrase.endswith(rest)
        assert not rest or (letters(rest) and not rest[0].isspace())
        before = phrase[: len(phrase) - len(rest)]
        assert not rest or not before or before[-1].isspace()


@given(st.lists(st.sampled_from("we open at nine every day".split()), min_size=1), st.data())
def test_each_word_once(words: list[str], data: st.DataObject) -> None:
    """With times that are right no word is lost, and none is said twice."""
    heard = data.draw(st.integers(1, len(words)))
    phrase = " ".join(words)
    assert unspoken(phrase, evenly(phrase), heard / 2).split() == words[heard:]
