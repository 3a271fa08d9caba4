"""What callers say and wait for, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.interop.asterisk import Asterisk

HOURS = "What are your opening hours?"
WHERE = "Where are you?"
PERSON = "I would like to speak to a person, please."
GOODBYE = "Goodbye."
SENTENCES = (HOURS, WHERE, PERSON, GOODBYE)
# Waits for the assistant to say something, and to stop.
HEARS = ("WaitForNoise(60,1,20)", "WaitForSilence(1200,1,30)")
# The same where a silent assistant sends nothing at all: that is no silence to WaitForSilence().
HEARS_OUT = ("WaitForNoise(60,1,20)", "WaitForSilence(1200,1,8)")
# Lets the assistant say a few words, so that what follows falls into its first sentence.
HEARS_SOME = ("WaitForNoise(60,1,20)", "Wait(1)")
CALL = 8  # seconds of a call in which only the greeting is wanted
UNKNOWN = "66bc093d-34ab-4436-8e47-83e4fa85f361"


def says(asterisk: Asterisk, sentence: str) -> str:
    """A caller's step."""
    return f"Playback({asterisk.sentence(sentence)})"


def says_twice(asterisk: Asterisk, sentence: str) -> tuple[str, ...]:
    """The steps of a caller who is not understood at once, which happens on a busy machine."""
    step = says(asterisk, sentence)
    return step, "Wait(8)", step, "Wait(20)"


def metric(conversation: Mapping[str, Any], name: str) -> str:
    """The value of one of a conversation's metrics."""
    return next(str(one["value"]) for one in conversation["metrics"] if one["name"] == name)


def said(conversation: Mapping[str, Any], role: str) -> str:
    """All that one side said, in lower case."""
    return " ".join(one["text"] for one in conversation["messages"] if one["role"] == role).lower()
