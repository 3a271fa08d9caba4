"""Anthropic: what is sent, what is read, and how thinking is kept off the phone."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.accepted import Accepted
from rapida_tw.models.anthropic import AnthropicDialect, AnthropicOptions
from rapida_tw.models.anthropic_reader import AnthropicReader
from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.models.dialect import Complaint, Finished, Text, Usage, Working
from rapida_tw.models.exchange import keep
from rapida_tw.net.base import Nowhere
from rapida_tw.sim.vendors.answering import Called, Turn
from tests.contracts.models import HELLO, TOOLS, Stage
from tests.models.reading import JSON, calls, end, read, same_when_cut, stream, survives, text

URL = "https://api.anthropic.com/v1/messages"


def sent(options: dict[str, Any], messages: Any = HELLO, tools: Any = ()) -> dict[str, Any]:
    """The body of the request."""
    headers = {"x-api-key": "secret-key"}
    dialect = AnthropicDialect(AnthropicOptions(**options), URL, headers, "claude", Accepted())
    found: list[Any] = []
    dialect.request(Nowhere(), messages, tools).addCallback(found.append)
    assert found[0].headers["anthropic-version"] == "2023-06-01"
    assert "secret-key" not in repr(found[0])
    body: dict[str, Any] = json.loads(found[0].body)
    return body


def test_least() -> None:
    """The instructions are cached, thinking is off, and the limit of tokens must be there."""
    assert sent({}) == {
        "model": "claude",
        "max_tokens": 4096,
        "stream": True,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Good day."}]}],
        "thinking": {"type": "disabled"},
    }
    assert sent({"cache": False})["system"] == "Be brief."
    assert "system" not in sent({}, HELLO[1:])


def test_tools() -> None:
    """Results are the user's, first in one message with what the caller says then."""
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    kept = keep("anthropic", "claude", [thought])
    alien = keep("anthropic", "another", [thought])
    look = (ToolCall("c1", "look", {"at": 1}, kept), ToolCall("c2", "look", {}, alien))
    messages = [
        Message("user", "Hi."),
        Message("assistant", "Let me see. ", look, interrupted=True),
        Message("tool", '{"ok": true}', tool_call_id="c1"),
        Message("tool", '{"error": "no"}', tool_call_id="c2"),
        Message("user", "Wait."),
    ]
    body = sent({"tool_choice": "required"}, messages, [Tool("look", "Look.")])
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                thought,
                {"type": "text", "text": "Let me see.—"},
                {"type": "tool_use", "id": "c1", "name": "look", "input": {"at": 1}},
                {"type": "tool_use", "id": "c2", "name": "look", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "content": '{"ok": true}',
                    "is_error": False,
                },
                {
                    "type": "tool_result",
                    "tool_use_id": "c2",
                    "content": '{"error": "no"}',
                    "is_error": True,
                },
                {"type": "text", "text": "Wait."},
            ],
        },
    ]
    schema = {"type": "object", "properties": {}}
    assert body["tools"] == [{"name": "look", "description": "Look.", "input_schema": schema}]
    assert body["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"temperature": 0.5, "top_p": 0.5, "top_k": 5}, {"temperature", "top_p", "top_k"}),
        ({"stop": ["a"]}, {"stop_sequences"}),
        ({"user": "u", "metadata": {"a": 1}}, {"metadata"}),
        ({"thinking": "default"}, {"-thinking"}),
        ({"reasoning_effort": "low"}, {"output_config"}),
        ({"parameters": {"service_tier": "auto"}}, {"service_tier"}),
    ],
)
def test_settings(options: dict[str, Any], fields: set[str]) -> None:
    """Each setting is sent, or not."""
    least, body = sent({}), sent(options)
    more = {name for name in body if name not in least}
    less = {f"-{name}" for name in least if name not in body}
    assert more | less == fields


@pytest.mark.parametrize(
    ("options", "thinking", "most"),
    [
        ({"thinking": "adaptive"}, {"type": "adaptive"}, 4096),
        ({"thinking": "4096"}, {"type": "enabled", "budget_tokens": 4096}, 5120),
        (
            {"thinking": "2048", "max_tokens": 9000},
            {"type": "enabled", "budget_tokens": 2048},
            9000,
        ),
        ({"thinking": '{"type": "between_tools"}'}, {"type": "between_tools"}, 4096),
        ({"reasoning_effort": "high"}, {"type": "adaptive"}, 4096),
    ],
)
def test_thinking(options: dict[str, Any], thinking: dict[str, Any], most: int) -> None:
    """Thinking is what is asked for; there is room for the answer behind it."""
    body = sent(options)
    assert body["thinking"] == thinking
    assert body["max_tokens"] == most


@pytest.mark.parametrize(
    ("choice", "parallel", "sent_choice"),
    [
        ("", None, None),
        ("auto", False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("", False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("none", False, {"type": "none"}),
        ("look", None, {"type": "tool", "name": "look"}),
    ],
)
def test_tool_choice(choice: str, parallel: bool | None, sent_choice: Any) -> None:
    """By the API's words."""
    options = {"tool_choice": choice, "parallel_tool_calls": parallel}
    assert sent(options, tools=[Tool("look", "Look.")]).get("tool_choice") == sent_choice
    assert "tool_choice" not in sent(options)


@pytest.mark.parametrize(
    ("model", "off", "asked", "told"),
    [
        ("claude-haiku-4-5", "disabled", 1, {"thinking": {"type": "disabled"}, "temperature": 0.5}),
        ("claude-sonnet-5", "disabled", 2, {"thinking": {"type": "disabled"}}),
        ("claude-sonnet-5-5", "between_tools", 3, {"thinking": {"type": "between_tools"}}),
        ("claude-opus-5-5", "", 4, {"output_config": {"effort": "low"}}),
    ],
)
def test_families(model: str, off: str, asked: int, told: dict[str, Any]) -> None:
    """Each family of models is told by its own word not to think; what it refuses is learned."""
    with closing(
        Stage("anthropic", Turn("Hi."), Turn("Hi."), name=model, temperature=0.5)
    ) as stage:
        stage.fake.off = off
        for times in (asked, asked + 1):  # the second call knows it
            stage.model = stage.open()
            assert stage.ask().text == "Hi."
            assert len(stage.fake.replies) == times
        body = stage.fake.bodies[-1]
        names = ("thinking", "temperature", "output_config")
        assert {name: body[name] for name in names if name in body} == told


def test_thoughts_go_back() -> None:
    """What the model thought before it called a tool is sent with the call, signed as it was."""
    called = Turn("Let me see.", (Called("look"), Called("look")), thoughts="Hm.")
    with closing(
        Stage("anthropic", called, Turn("Done."), name="claude-haiku-4-5", thinking="1024")
    ) as stage:
        first = stage.ask(tools=TOOLS).completion
        assert first is not None
        answers = [Message("tool", "{}", tool_call_id=one.id) for one in first.tool_calls]
        history = [*HELLO, Message("assistant", first.text, first.tool_calls), *answers]
        assert stage.ask(history, TOOLS).text == "Done."
        kinds = [one["type"] for one in stage.fake.bodies[-1]["messages"][1]["content"]]
        assert kinds == ["thinking", "text", "tool_use", "tool_use"]


# -- what is read -------------------------------------------------------------------------------

BEGIN = {
    "type": "message_start",
    "message": {
        "usage": {
            "input_tokens": 5,
            "cache_read_input_tokens": 8,
            "cache_creation_input_tokens": 2,
            "output_tokens": 1,
        }
    },
}
STOP = {"type": "message_stop"}


def begin(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    block = {"type": kind, **fields}
    return {"type": "content_block_start", "index": index, "content_block": block}


def piece(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def reason(name: str) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": name}, "usage": {"output_tokens": 7}}


BOOK = [
    begin(1, "tool_use", id="c1", name="book", input={}),
    piece(1, "input_json_delta", partial_json=""),
    piece(1, "input_json_delta", partial_json='{"day": "m'),
    piece(1, "input_json_delta", partial_json='önday"}'),
    {"type": "content_block_stop", "index": 1},
]
GOOD = [
    BEGIN,
    begin(0, "text", text=""),
    {"type": "ping"},
    piece(0, "text_delta", text="Grüße."),
    *BOOK,
    {"type": "a_new_one"},
    reason("tool_use"),
    STOP,
]


def understood(*events: dict[str, Any]) -> list[Any]:
    return read(AnthropicReader("Acme", "claude"), stream(*events))


def test_reads() -> None:
    """Text, a tool call and the usage; what was read from the cache is counted as input."""
    events = understood(*GOOD)
    assert text(events) == "Grüße."
    assert calls(events) == [("c1", "book", {"day": "mönday"})]
    assert end(events) == Finished("tool_use")
    usage: dict[str, int] = {}
    for one in events:
        if isinstance(one, Usage):
            usage |= one.tokens
    assert usage == {"input": 15, "cached": 8, "output": 7}


def test_any_cut() -> None:
    """Where the network cuts the stream makes no difference."""
    same_when_cut(lambda: AnthropicReader("Acme", "claude"), stream(*GOOD))


def test_signs_of_life() -> None:
    """Thinking and arguments are; pings and what is new are none."""
    reader = AnthropicReader("Acme", "claude")
    for one in (begin(0, "thinking"), piece(0, "thinking_delta", thinking="Hm."), *BOOK[:3]):
        assert list(reader.feed(stream(one))) == [Working()]
    for one in ({"type": "ping"}, {"type": "new"}, {"type": "content_block_stop", "index": 0}):
        assert list(reader.feed(stream(one))) == []


def test_texts() -> None:
    """Two texts are no one word; one may be there from the beginning."""
    events = understood(BEGIN, begin(0, "text", text="One."), begin(1, "text"), STOP)
    assert [one.delta for one in events if isinstance(one, Text)] == ["One.", " "]


def test_no_arguments() -> None:
    """Nothing, an empty object, or the object at the beginning."""
    for whole in ({}, {"a": 1}):
        call = begin(0, "tool_use", id="c", name="x", input=whole)
        assert calls(understood(BEGIN, call, STOP)) == [("c", "x", whole)]


@pytest.mark.parametrize(
    ("events", "retryable", "words"),
    [
        ([BEGIN], True, "broke off"),
        ([BEGIN, begin(0, "text", text="Hi."), reason("end_turn")], True, "broke off"),
        (
            [{"type": "error", "error": {"type": "overloaded_error", "message": "Over"}}],
            True,
            "Over",
        ),
        ([{"type": "error", "error": {"type": "invalid_request_error"}}], False, "invalid"),
        ([BEGIN, *BOOK[:3], reason("max_tokens"), STOP], False, "max_tokens"),
        ([BEGIN, *BOOK[:3], reason("end_turn"), STOP], True, "no JSON object"),
        ([BEGIN, reason("refusal"), STOP], False, "refuses"),
    ],
)
def test_complaints(events: list[dict[str, Any]], retryable: bool, words: str) -> None:
    """An end that is none, with a sentence, and whether another moment may do."""
    complaint = end(understood(*events))
    assert isinstance(complaint, Complaint)
    assert complaint.retryable is retryable
    assert words in complaint.reason


def test_garbage() -> None:
    """A piece of nothing, and more than can be."""
    with pytest.raises(RemoteProtocolError):
        understood(piece(3, "text_delta", text="Hi."))
    with pytest.raises(RemoteProtocolError, match="blocks"):
        understood(*[begin(number, "text") for number in range(300)])
    with pytest.raises(RemoteProtocolError, match="megabyte"):
        understood(BOOK[0], *[piece(1, "input_json_delta", partial_json=" " * 500_000)] * 3)


KINDS = st.sampled_from([one["type"] for one in GOOD] + ["error"])
EVENTS = st.fixed_dictionaries(
    {"type": KINDS},
    optional={
        "index": JSON,
        "message": JSON | st.fixed_dictionaries({"usage": JSON}),
        "content_block": JSON
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["text", "tool_use", "thinking"]), "text": JSON, "input": JSON}
        ),
        "delta": JSON
        | st.fixed_dictionaries(
            {
                "type": st.sampled_from(["text_delta", "input_json_delta", "signature_delta"]),
                "text": JSON,
                "partial_json": JSON,
            }
        ),
        "usage": JSON,
        "error": JSON,
    },
)


@given(st.lists(EVENTS, max_size=6))
def test_anything(events: list[dict[str, Any]]) -> None:
    """Whatever JSON comes, it is understood or it is garbage."""
    survives(AnthropicReader("Acme", "claude"), stream(*events))


@given(st.binary(max_size=100))
def test_any_bytes(body: bytes) -> None:
    """Whatever comes."""
    survives(AnthropicReader("Acme", "claude"), body)
