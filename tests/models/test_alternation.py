"""Alternation: whatever has happened in a call, vendors are told of it in turns."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.models.alternation import CONNECTED, SILENT, alternate
from rapida_tw.models.base import Message, ToolCall


def told(*messages: Message) -> list[tuple[str, str]]:
    return [(one.role, one.text) for one in alternate(messages).messages]


USER, ASSISTANT = Message("user", "Hi."), Message("assistant", "Yes?")


@pytest.mark.parametrize(
    ("messages", "turns"),
    [
        ([], [("user", CONNECTED)]),
        ([USER], [("user", "Hi.")]),
        ([ASSISTANT, USER], [("user", CONNECTED), ("assistant", "Yes?"), ("user", "Hi.")]),
        ([USER, USER], [("user", "Hi.\nHi.")]),
        (
            [USER, ASSISTANT, ASSISTANT, USER],
            [("user", "Hi."), ("assistant", "Yes? Yes?"), ("user", "Hi.")],
        ),
        ([USER, ASSISTANT], [("user", "Hi."), ("assistant", "Yes?"), ("user", SILENT)]),
        ([USER, Message("assistant", " \n"), Message("user", "")], [("user", "Hi.")]),
        ([USER, Message("system", "Hm."), USER], [("user", "Hi.\nHi.")]),
        ([Message("tool", "{}", tool_call_id="c9"), USER], [("user", "Hi.")]),
    ],
)
def test_turns(messages: list[Message], turns: list[tuple[str, str]]) -> None:
    """A caller's turn first and last, and neighbours in one."""
    assert told(*messages) == turns


def test_instructions() -> None:
    """All of them, in their order, wherever they stood."""
    messages = [Message("system", "One."), USER, Message("system", ""), Message("system", "Two.")]
    assert alternate(messages).system == "One.\n\nTwo."


@pytest.mark.parametrize(
    ("heard", "text"), [("We are open", "We are open—"), ("Nine. ", "Nine.—"), ("", None)]
)
def test_interrupted(heard: str, text: str | None) -> None:
    """A dash shows where the caller cut it off; what was not heard was not said."""
    messages = [USER, Message("assistant", heard, interrupted=True), USER]
    texts = [one.text for one in alternate(messages).messages if one.role == "assistant"]
    assert texts == ([text] if text else [])


def test_ids() -> None:
    """Ids are the vendor's own, unless they come twice or are none; results go along."""
    calls = (ToolCall("a", "x"), ToolCall("a", "y"), ToolCall("no id!", "z"))
    results = [
        Message("tool", str(number), tool_call_id=one.id) for number, one in enumerate(calls)
    ]
    messages = [USER, Message("assistant", "", calls), *results]
    again = [Message("assistant", "", calls[:1]), results[0]]
    turns = alternate([*messages, *again]).messages
    ids = [call.id for one in turns for call in one.tool_calls]
    assert ids[0] == "a"
    assert len(set(ids)) == len(ids) == 4
    assert [one.tool_call_id for one in turns if one.role == "tool"] == ids
    assert all(re.fullmatch(r"[A-Za-z0-9]{9}", one) for one in ids[1:])
    assert alternate([*messages, *again]).messages == turns


def test_narrow_ids() -> None:
    """A vendor may take nothing but nine letters and digits."""
    nine = re.compile(r"[A-Za-z0-9]{9}")
    calls = (ToolCall("abcdefgh9", "x"), ToolCall("call_1", "x"))
    results = [Message("tool", "{}", tool_call_id=one.id) for one in calls]
    turns = alternate([USER, Message("assistant", "", calls), *results], nine).messages
    ids = [call.id for call in turns[1].tool_calls]
    assert ids[0] == "abcdefgh9"
    assert nine.fullmatch(ids[1])


CALLS = st.lists(st.builds(ToolCall, st.sampled_from("abc"), st.just("x")), max_size=2).map(tuple)
MESSAGES = st.builds(
    Message,
    st.sampled_from(["system", "user", "assistant", "tool"]),
    st.sampled_from(["", " ", "Hi."]),
    st.just(()),
    st.sampled_from("abc"),
    st.booleans(),
) | st.builds(Message, st.just("assistant"), st.sampled_from(["", "Hm."]), CALLS)


@given(st.lists(MESSAGES, max_size=8))
def test_any_history(messages: list[Message]) -> None:
    """Always in turns; every result behind its call, every id but once."""
    turns = alternate(messages).messages
    assert turns[0].role == "user"
    assert turns[-1].role in ("user", "tool") or turns[-1].tool_calls
    for before, after in pairwise(turns):
        assert before.role != after.role or after.role == "tool" or before.tool_calls
    ids = [call.id for one in turns for call in one.tool_calls]
    assert len(ids) == len(set(ids))
    waiting: list[str] = []
    for one in turns:
        if one.role == "tool":
            waiting.remove(one.tool_call_id)
        else:
            waiting = [call.id for call in one.tool_calls]
