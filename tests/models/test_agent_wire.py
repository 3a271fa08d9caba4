"""The messages of an agent behind a WebSocket, and what of the dialogue is news to it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.agent_news import News, Update
from rapida_tw.models.agent_wire import (
    Closing,
    Complaint,
    Complete,
    Event,
    Ping,
    Wanted,
    Words,
    message,
    result_of,
    understood,
)
from rapida_tw.models.base import Message, ToolCall

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KINDS = ("stream", "complete", "tool_call", "interruption", "error", "close", "ping", "pong")


@pytest.mark.parametrize(
    ("sent", "event"),
    [
        # As Rapida's executor takes them.
        (
            '{"type":"stream","success":true,"data":{"id":"7","content":"Hi","index":0}}',
            Words("7", "Hi"),
        ),
        (
            '{"type":"complete","success":true,"data":{"id":"7","content":"Hi there","metrics":'
            '[{"name":"output_tokens","value":3,"unit":"tokens"},{"name":"ms","value":40}]}}',
            Complete("7", "Hi there", {"output": 3}),
        ),
        (
            '{"type":"tool_call","data":{"id":"7","name":"disconnect","params":{"why":"done"}}}',
            Wanted("7", "", "disconnect", {"why": "done"}),
        ),
        ('{"type":"close","data":{"reason":"done","code":1000}}', Closing()),
        ('{"type":"error","data":{"code":500,"message":"ill"}}', Complaint("", "ill", 500)),
        (
            '{"type":"stream","success":false,"error":{"code":400,"message":"no"}}',
            Complaint("", "no", 400),
        ),
        ('{"type":"ping"}', Ping()),
        ('{"type":"pong"}', None),
        ('{"type":"interruption","data":{"id":"7","source":"vad"}}', None),
        # As ours may say them besides.
        ('{"type":"stream","data":{"id":7,"content":"Hi"}}', Words("7", "Hi")),
        ('{"type":"stream","data":{"content":"Hi"}}', Words("", "Hi")),
        (
            '{"type":"tool_call","data":{"tool_id":"a","name":"look"}}',
            Wanted("", "a", "look", {}),
        ),
        ('{"type":"error"}', Complaint("", "it gave no reason")),
        ('{"type":"mood","data":{"colour":"blue"}}', None),
    ],
)
def test_understood(sent: str, event: Event | None) -> None:
    """Each kind of message."""
    assert understood(sent.encode()) == event


@pytest.mark.parametrize(
    "sent",
    [
        *("Hello!", "[]", '{"type": 7}', '{"type":"stream","data":[]}'),
        '{"type":"stream","data":{"content":7}}',
        '{"type":"tool_call","data":{"params":{}}}',
        '{"type":"tool_call","data":{"name":"look","params":[]}}',
        '{"type":"complete","data":{"metrics":{}}}',
    ],
)
def test_garbage(sent: str) -> None:
    """What is no message of an agent's."""
    with pytest.raises(RemoteProtocolError):
        understood(sent.encode())


@given(st.sampled_from(KINDS), JSON, st.booleans())
def test_any_data(kind: str, data: Any, inside: bool) -> None:
    """Never another exception than RemoteProtocolError."""
    names = ("id", "content", "name", "params", "tool_id", "metrics", "code", "message")
    fields = {"type": kind, "data": dict.fromkeys(names, data) if inside else data}
    with suppress(RemoteProtocolError):
        understood(json.dumps(fields).encode())


@given(st.binary(), st.booleans())
def test_any_bytes(payload: bytes, binary: bool) -> None:
    """Nor for what is no JSON."""
    with suppress(RemoteProtocolError):
        understood(payload, binary)


def test_message() -> None:
    """Type, the time in ms, and of the data what there is."""
    data = {"id": "turn-1", "content": "Grüße", "heard": None, "said": None}
    payload, binary = message("user_message", 1_790_000_000.5, data)
    assert not binary
    assert payload == (
        b'{"type":"user_message","timestamp":1790000000500,'
        b'"data":{"id":"turn-1","content":"Gr\\u00fc\\u00dfe"}}'
    )
    assert message("pong", 1.0).payload == b'{"type":"pong","timestamp":1000}'


@pytest.mark.parametrize(
    ("told", "result"), [('{"a": 1}', {"a": 1}), ("nine", "nine"), ("", ""), ("[" * 10**5, None)]
)
def test_result(told: str, result: Any) -> None:
    """A tool's result is JSON, or else what it is."""
    assert result_of(told) == (told if result is None else result)


# -- news ---------------------------------------------------------------------------------------

HI, WELCOME = Message("user", "Hi."), Message("assistant", "Welcome!")
CALL = ToolCall("c1", "look")
LOOKED = Message("tool", "{}", tool_call_id="c1")


def test_begin() -> None:
    """What was said before is history; what waits for an answer is asked."""
    history, update = News().begin([HI, WELCOME, HI])
    assert history == [HI, WELCOME]
    assert update == Update("Hi.", True)


def test_begin_in_a_tool() -> None:
    """A result that waits is told; its call is history."""
    wanted = Message("assistant", "", (CALL,))
    history, update = News().begin([HI, wanted, LOOKED])
    assert history == [HI, wanted]
    assert update == Update("", False, results=(("look", LOOKED),))


def test_nothing_yet() -> None:
    """A call in which nothing was said yet is asked for words all the same."""
    news = News()
    assert news.begin([]) == ([], Update("", True))
    assert news.since([HI]) == Update("Hi.", True)


def test_of_a_long_call() -> None:
    """When the latest that was told has been dropped, the latest turn is told."""
    news = News()
    news.begin([HI])
    news.answered("Well.")
    others = [WELCOME, Message("user", "Two.")]
    assert news.since(others) == Update("Two.", True)


def test_the_same_words_of_the_house() -> None:
    """Of the assistant's messages only the first that fits is the agent's; greetings are not."""
    news = News()
    news.begin([HI])
    news.answered("Well, let us see.")
    said = [Message("assistant", "Well,", interrupted=True), WELCOME, Message("user", "Go on.")]
    assert news.since([HI, *said]) == Update("Go on.", True, heard="Well,", said=("Welcome!",))
