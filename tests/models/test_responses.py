"""Responses: what is sent to OpenAI's newer API, and what is read."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.accepted import Accepted
from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.models.dialect import Complaint, Finished, Usage, Working
from rapida_tw.models.exchange import keep
from rapida_tw.models.responses import ResponsesDialect, ResponsesOptions
from rapida_tw.models.responses_reader import ResponsesReader
from rapida_tw.net.base import Nowhere
from rapida_tw.sim.vendors.answering import Called, Turn
from tests.contracts.models import HELLO, TOOLS, Stage
from tests.models.reading import JSON, calls, end, read, same_when_cut, stream, survives, text

LEAST = {"model", "input", "stream", "store", "instructions"}


def sent(
    options: dict[str, Any], messages: Any = HELLO, tools: Any = (), model: str = "gpt-4.1"
) -> dict[str, Any]:
    """The body of the request."""
    chosen = ResponsesOptions(**options)
    dialect = ResponsesDialect(chosen, "OpenAI", "https://x/v1/responses", {}, model, Accepted())
    found: list[Any] = []
    dialect.request(Nowhere(), messages, tools).addCallback(found.append)
    body: dict[str, Any] = json.loads(found[0].body)
    return body


def test_least() -> None:
    """Without settings, nothing but what is said; nothing is stored there."""
    content = [{"type": "input_text", "text": "Good day."}]
    assert sent({}) == {
        "model": "gpt-4.1",
        "instructions": "Be brief.",
        "input": [{"type": "message", "role": "user", "content": content}],
        "stream": True,
        "store": False,
    }


def test_tools() -> None:
    """Tools are flat here; what was thought before a call stands before it."""
    thought = {"type": "reasoning", "id": "rs", "encrypted_content": "x"}
    call = ToolCall("c1", "look", {"at": "süß"}, keep("responses", "gpt-4.1", [thought]))
    messages = [
        Message("user", "Hi."),
        Message("assistant", "Hm.", (call,)),
        Message("tool", "{}", tool_call_id="c1"),
    ]
    body = sent({"tool_choice": "look"}, messages, [Tool("look", "Look.")])
    output = [{"type": "output_text", "text": "Hm."}]
    assert body["input"][1:] == [
        {"type": "message", "role": "assistant", "content": output},
        thought,
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at": "süß"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "{}"},
    ]
    schema = {"type": "object", "properties": {}}
    described = {"name": "look", "description": "Look.", "parameters": schema}
    assert body["tools"] == [{"type": "function", "strict": False, **described}]
    assert body["tool_choice"] == {"type": "function", "name": "look"}


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"temperature": 0.5, "top_p": 0.1}, {"temperature": 0.5, "top_p": 0.1}),
        ({"max_tokens": 9}, {"max_output_tokens": 9}),
        ({"max_output_tokens": 9}, {"max_output_tokens": 9}),
        ({"verbosity": "low"}, {"text": {"verbosity": "low"}}),
        ({"response_format": "json_object"}, {"text": {"format": {"type": "json_object"}}}),
        ({"response_format": '{"type": "x"}'}, {"text": {"format": {"type": "x"}}}),
        (
            {"reasoning_effort": "low"},
            {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"]},
        ),
        ({"parameters": {"truncation": "auto"}}, {"truncation": "auto"}),
        ({"parallel_tool_calls": False}, {}),
    ],
)
def test_settings(options: dict[str, Any], fields: dict[str, Any]) -> None:
    """Each setting by its name."""
    body = sent(options)
    assert {name: value for name, value in body.items() if name not in LEAST} == fields


def test_thinking_models() -> None:
    """A thinking model is told to think as little as it can, and keeps what it thought."""
    called = Turn("Let me see.", (Called("look"),), thoughts="Hm.")
    options = {"name": "gpt-5-mini", "temperature": 0.5}
    with closing(Stage("openai-responses", called, Turn("Done."), **options)) as stage:
        first = stage.ask(tools=TOOLS).completion
        assert first is not None
        assert len(stage.fake.replies) == 3
        assert stage.fake.bodies[-1]["reasoning"] == {"effort": "minimal"}
        answer = Message("tool", "{}", tool_call_id=first.tool_calls[0].id)
        history = [*HELLO, Message("assistant", first.text, first.tool_calls), answer]
        stage.model = stage.open()
        assert stage.ask(history, TOOLS).text == "Done."
        assert len(stage.fake.replies) == 4
        kinds = [one["type"] for one in stage.fake.bodies[-1]["input"]]
        assert kinds == ["message", "message", "reasoning", "function_call", "function_call_output"]


# -- what is read -------------------------------------------------------------------------------


def told(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "sequence_number": 0, **fields}


def item(done: bool, kind: str, **fields: Any) -> dict[str, Any]:
    return told(f"output_item.{'done' if done else 'added'}", item={"type": kind, **fields})


def completed(**fields: Any) -> dict[str, Any]:
    return told("completed", response={"status": "completed", **fields})


BOOK = {"id": "fc1", "call_id": "c1", "name": "book"}
WRITTEN = '{"day": "mönday"}'
USAGE = {
    "input_tokens": 20,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens": 5,
}
GOOD = [
    told("created", response={"usage": None}),
    item(False, "message", id="m1"),
    told("output_text.delta", delta="Grüße."),
    item(False, "function_call", arguments="", **BOOK),
    told("function_call_arguments.delta", item_id="fc1", delta=WRITTEN[:9]),
    told("function_call_arguments.delta", item_id="fc1", delta=WRITTEN[9:]),
    told("function_call_arguments.done", item_id="fc1", arguments=WRITTEN),
    item(True, "function_call", arguments=WRITTEN, **BOOK),
    completed(usage=USAGE),
]


def understood(*events: Any) -> list[Any]:
    return read(ResponsesReader("Acme", "gpt"), stream(*events))


def test_reads() -> None:
    """Text, a tool call by its call_id, and the usage."""
    events = understood(*GOOD, "[DONE]")
    assert text(events) == "Grüße."
    assert calls(events) == [("c1", "book", {"day": "mönday"})]
    assert events[1] == Usage({"input": 20, "output": 5, "cached": 8})
    assert end(events) == Finished("completed")


def test_any_cut() -> None:
    """Where the network cuts the stream makes no difference."""
    same_when_cut(lambda: ResponsesReader("Acme", "gpt"), stream(*GOOD))


@pytest.mark.parametrize("leave_out", [(3,), (4, 5), (6,), (7,), (4, 5, 6)])
def test_sparing_servers(leave_out: tuple[int, ...]) -> None:
    """What is told several times need not be."""
    events = [one for number, one in enumerate(GOOD) if number not in leave_out]
    assert calls(understood(*events)) == [("c1", "book", {"day": "mönday"})]


def test_several_messages() -> None:
    """Two messages are no one word; refusals are spoken."""
    events = understood(
        item(False, "message"),
        told("output_text.delta", delta="One."),
        item(False, "message"),
        told("refusal.delta", delta="No."),
        completed(),
    )
    assert text(events) == "One. No."


def test_signs_of_life() -> None:
    """Thinking and arguments are; what is new and silent is none."""
    reader = ResponsesReader("Acme", "gpt")
    for one in (told("reasoning_summary_text.delta", delta="Hm."), item(False, "reasoning")):
        assert list(reader.feed(stream(one))) == [Working()]
    for one in (told("queued"), told("new")):
        assert list(reader.feed(stream(one))) == []


@pytest.mark.parametrize(
    ("events", "retryable", "words"),
    [
        ([], True, "broke off"),
        (
            [told("failed", response={"error": {"code": "server_error", "message": "Sick"}})],
            True,
            "S",
        ),
        ([told("failed", response={"error": {"code": "invalid_prompt"}})], False, "invalid_prompt"),
        ([{"type": "error", "code": "rate_limit_exceeded", "message": "Slow"}], True, "Slow"),
        ([{"type": "error", "error": {"code": "insufficient_quota"}}], False, "quota"),
        (
            [told("incomplete", response={"incomplete_details": {"reason": "content_filter"}})],
            False,
            "withheld",
        ),
        (
            [GOOD[3], told("incomplete", response={"incomplete_details": {"reason": "max"}})],
            False,
            "cut off in a tool call (max)",
        ),
        ([GOOD[3], GOOD[4], completed()], True, "no JSON object"),
    ],
)
def test_complaints(events: list[dict[str, Any]], retryable: bool, words: str) -> None:
    """An end that is none, with a sentence, and whether another moment may do."""
    complaint = end(understood(*events))
    assert isinstance(complaint, Complaint)
    assert complaint.retryable is retryable
    assert words in complaint.reason


def test_cut_short() -> None:
    """An answer that is cut off is an answer."""
    incomplete = told(
        "incomplete", response={"incomplete_details": {"reason": "max_output_tokens"}}
    )
    events = understood(GOOD[1], GOOD[2], incomplete)
    assert end(events) == Finished("max_output_tokens")


def test_bounds() -> None:
    """Neither calls nor their arguments may grow without end."""
    calls_without_end = [item(False, "function_call", id=str(number)) for number in range(200)]
    with pytest.raises(RemoteProtocolError, match="tool calls"):
        understood(*calls_without_end)
    piece = told("function_call_arguments.delta", item_id="fc1", delta=" " * 500_000)
    with pytest.raises(RemoteProtocolError, match="megabyte"):
        understood(piece, piece, piece)


KINDS = st.sampled_from(
    [one["type"] for one in GOOD] + ["error", "response.failed", "response.incomplete"]
)
ITEMS = JSON | st.fixed_dictionaries(
    {"type": st.sampled_from(["message", "function_call", "reasoning"])},
    optional={"id": JSON, "call_id": JSON, "arguments": JSON, "encrypted_content": JSON},
)
EVENTS = st.fixed_dictionaries(
    {"type": KINDS},
    optional={
        "item": ITEMS,
        "item_id": JSON,
        "delta": JSON,
        "arguments": JSON,
        "response": JSON | st.fixed_dictionaries({"usage": JSON, "error": JSON}),
        "error": JSON,
    },
)


@given(st.lists(EVENTS, max_size=6))
def test_anything(events: list[dict[str, Any]]) -> None:
    """Whatever JSON comes, it is understood or it is garbage."""
    survives(ResponsesReader("Acme", "gpt"), stream(*events))
