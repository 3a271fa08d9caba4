"""The caller of the demo: what he answers to what he hears."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from rapida_tw.demo.story import WISHES, Act, Story

ASKED = "With pleasure. And your phone number, please? Say the digits, or press them."


def test_wishes() -> None:
    """One after the other, each time he is asked."""
    story = Story()
    assert story.opening() == WISHES[0]
    assert story.next("We are open. What else can I do for you?") == WISHES[1]
    assert story.next("It is booked. What else can I do for you?") == WISHES[2]


@pytest.mark.parametrize(
    ("asked", "voice", "keys"),
    [
        ("A table. For how many people?", "for four", "4#"),
        ("A table for four. For which day?", "tomorrow", "9"),
        ("Tomorrow. At what time?", "at seven in the evening", "1900"),
        (ASKED, "", "5550#"),
        ("A table for four, your phone number is 5. Is that right?", "", "1"),
    ],
)
def test_answers(asked: str, voice: str, keys: str) -> None:
    """Each question of the form has its answer; of two questions the last one counts."""
    assert Story().next(asked) == Act(voice, keys)


def test_keys_the_second_time() -> None:
    """Who is asked again presses."""
    story = Story()
    story.next("For how many people?")
    assert story.next("Sorry, for how many people?") == Act("", "4#")


@pytest.mark.parametrize(
    "pardon", ["I didn't catch that. Could you repeat that?", "Are you still there?"]
)
def test_pardon(pardon: str) -> None:
    """What was not understood is repeated by keys, also without the question."""
    story = Story()
    story.next("For which day?")
    assert story.next(pardon) == Act("", "9")


def test_nothing_to_answer() -> None:
    """A goodbye needs none."""
    assert Story().next("Thank you for calling Luna. Goodbye.") is None


def test_impatience() -> None:
    """The answer to the opening hours is cut short by the next wish, which is then not repeated."""
    story = Story()
    story.opening()
    assert story.impatience() is not None
    assert story.interrupt() == WISHES[1]
    assert story.next("It is booked. What else can I do for you?") == WISHES[2]


def test_patience() -> None:
    """Nobody interrupts a goodbye."""
    story = Story()
    for _ in WISHES:
        story.next("What else can I do for you?")
    assert story.impatience() is None


def test_keys_only() -> None:
    """Where nobody would understand him he presses keys from the first."""
    story = Story(speaks=False)
    assert story.opening() == Act("", "1")
    assert story.next("For how many people?") == Act("", "4#")
    assert story.texts() == []


def test_the_receptionist_asks_so() -> None:
    """Every question of the demo assistant's form has an answer in the story."""
    text = files("rapida_tw.models").joinpath("receptionist.json").read_text("utf-8")
    options = json.loads(text)["assistant"]["model"]["options"]
    script = options.get("script", options)
    form = script["forms"]["booking"]
    for asked in (*(slot["ask"] for slot in form["slots"]), form["confirm"]["ask"]):
        assert Story().next(asked) is not None, asked
    for asked in (script["menus"]["main"]["ask"], script["menus"]["main"]["again"]):
        assert Story().next(asked) in WISHES
