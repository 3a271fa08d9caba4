"""ChatReader: what "compatible" servers make of OpenAI's stream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.chat_reader import ChatReader
from rapida_tw.models.dialect import Complaint, Event, Finished, Text, Usage, Working
from tests.models.reading import JSON, calls, end, read, same_when_cut, stream, survives, text


def delta(reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": reason}]}


def piece(arguments: Any = None, index: int | None = None, **fields: Any) -> dict[str, Any]:
    name = {"name": fields.pop("name")} if "name" in fields else {}
    given = {} if arguments is None else {"arguments": arguments}
    at = {} if index is None else {"index": index}
    return delta(tool_calls=[{**at, **fields, "function": {**name, **given}}])


STOP, DONE = delta("stop"), "[DONE]"
ARGUMENTS = {"day": "monday", "people": 2}
WRITTEN = json.dumps(ARGUMENTS)


def understood(*chunks: dict[str, Any] | str) -> list[Event]:
    return read(ChatReader("Acme"), stream(*chunks))


@pytest.mark.parametrize(
    "chunks",
    [
        # OpenAI
        [
            piece("", 0, id="c1", type="function", name="book"),
            piece(WRITTEN[:9], 0),
            piece(WRITTEN[9:], 0),
        ],
        # Ollama: whole, no index; Gemini: whole
        [piece(WRITTEN, id="c1", name="book")],
        [piece(WRITTEN, 0, id="c1", name="book")],
        # an object instead of its JSON
        [piece(ARGUMENTS, id="c1", name="book")],
        # id and name in each piece
        [piece(WRITTEN[:9], 0, id="c1", name="book"), piece(WRITTEN[9:], 0, id="c1", name="book")],
        # pieces without an index
        [piece("", id="c1", name="book"), piece(WRITTEN[:9]), piece(WRITTEN[9:])],
        # not in a list
        [delta(tool_calls={"id": "c1", "function": {"name": "book", "arguments": WRITTEN}})],
    ],
)
@pytest.mark.parametrize("reason", ["tool_calls", "stop", "function_call"])
def test_tool_call(chunks: list[dict[str, Any]], reason: str) -> None:
    """One call, in whichever pieces it comes, and whichever reason is given for the end."""
    events = understood(*chunks, delta(reason), DONE)
    assert calls(events) == [("c1", "book", ARGUMENTS)]
    assert end(events) == Finished(reason)


@pytest.mark.parametrize(
    "chunks",
    [
        [piece("{}", 0, id="a", name="x"), piece("{}", 1, id="b", name="y")],
        [piece("{}", id="a", name="x"), piece("{}", id="b", name="y")],
        # all with the index 0
        [piece("{}", 0, id="a", name="x"), piece("{}", 0, id="b", name="y")],
        # side by side
        [
            piece("{", 0, id="a", name="x"),
            piece("{", 1, id="b", name="y"),
            piece("}", 0),
            piece("}", 1),
        ],
    ],
)
def test_two_calls(chunks: list[dict[str, Any]]) -> None:
    """Two calls are told apart by index, or else by id."""
    events = understood(*chunks, STOP, DONE)
    assert calls(events) == [("a", "x", {}), ("b", "y", {})]


def test_no_ids() -> None:
    """Without ids and indices, a name begins a call; ids are invented."""
    events = understood(piece("{}", name="x"), piece("", name="y"), STOP)
    assert calls(events) == [("call_0", "x", {}), ("call_1", "y", {})]


@pytest.mark.parametrize("arguments", ["{", "[]", '"x"', "null", "{'a': 1}"])
def test_no_arguments(arguments: str) -> None:
    """A call whose arguments are no object is not made; the model may do better once more."""
    complaint = end(understood(piece(arguments, 0, id="c1", name="book"), STOP, DONE))
    assert isinstance(complaint, Complaint)
    assert complaint.retryable
    assert "book" in complaint.reason


def test_cut_off_call() -> None:
    """Where the limit of tokens cut it off, that is said, and it would happen again."""
    complaint = end(understood(piece("{", 0, id="c1", name="book"), delta("length"), DONE))
    assert isinstance(complaint, Complaint)
    assert not complaint.retryable
    assert "max_tokens" in complaint.reason


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        ([delta(content="Good "), delta(content="day.")], "Good day."),
        ([delta(content=""), delta(content=None), delta(), delta(content="Hi.")], "Hi."),
        ([{"choices": []}, {"choices": None}, {}, delta(content="Hi.")], "Hi."),
        ([delta(reasoning_content="Hm."), delta(reasoning="Hm."), delta(content="Hi.")], "Hi."),
        ([delta(refusal="I cannot say.")], "I cannot say."),
        ([delta(content=[{"type": "thinking"}, {"type": "text", "text": "Hi."}])], "Hi."),
        ([{"choices": [{"index": 1, "delta": {"content": "No."}}]}, delta(content="Hi.")], "Hi."),
        ([{"choices": [{"delta": {"content": "Hi."}}]}], "Hi."),
    ],
)
def test_text(chunks: list[dict[str, Any]], said: str) -> None:
    """What is spoken, and what is not."""
    assert text(understood(*chunks, STOP, DONE)) == said


def test_signs_of_life() -> None:
    """Thinking, and a tool call on its way, are no words, but signs of life; nothing is none."""
    reader = ChatReader("Acme")
    for chunk in (delta(reasoning_content="Hm."), piece("{", 0, id="c1", name="x")):
        assert list(reader.feed(stream(chunk))) == [Working()]
    for chunk in (delta(content=""), {"choices": []}):
        assert list(reader.feed(stream(chunk))) == []
    assert list(reader.feed(b": keep-alive\n\n")) == []


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (
            {
                "usage": {
                    "prompt_tokens": 20,
                    "completion_tokens": 5,
                    "prompt_tokens_details": {"cached_tokens": 8},
                }
            },
            {"input": 20, "output": 5, "cached": 8},
        ),
        (
            {"usage": {"prompt_tokens": 20, "prompt_cache_hit_tokens": 4}},
            {"input": 20, "output": 0, "cached": 4},
        ),
        (
            {"x_groq": {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}},
            {"input": 1, "output": 2, "cached": 0},
        ),
        ({"usage": {"prompt_tokens": "many"}}, {"input": 0, "output": 0, "cached": 0}),
    ],
)
def test_usage(usage: dict[str, Any], tokens: dict[str, int]) -> None:
    """Where servers tell what it cost, behind the last word."""
    events = understood(delta(content="Hi."), STOP, {"choices": [], **usage}, DONE)
    assert events[-2:] == [Usage(tokens), Finished("stop")]
    assert understood(delta(content="Hi."), {**STOP, "usage": None}, DONE)[0] == Text("Hi.")


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([delta(content="Hi."), STOP, DONE], "stop"),
        ([delta(content="Hi."), STOP], "stop"),  # without [DONE]
        ([delta(content="Hi."), DONE], ""),  # without a reason
        ([delta(content="Hi."), delta("length"), DONE, delta(content="no more")], "length"),
        ([delta(content="Hi."), delta("content_filter"), DONE], "content_filter"),
    ],
)
def test_ends(chunks: list[dict[str, Any] | str], reason: str) -> None:
    """Each of these is an end, and there is nothing behind it."""
    events = understood(*chunks)
    assert text(events) == "Hi."
    assert end(events) == Finished(reason)


@pytest.mark.parametrize(
    ("chunks", "retryable", "words"),
    [
        ([], True, "broke off"),
        ([delta(content="Hi.")], True, "broke off"),
        (['{"error": "out of memory"}'], True, "out of memory"),
        ([{"error": {"message": "It failed", "code": "server_error"}}], True, "It failed"),
        ([{"error": {"message": "Too long", "code": "context_length_exceeded"}}], False, "long"),
        ([{"error": {"message": "Pay", "code": 402}}], False, "the account is empty"),
        ([{"error": {"message": "Later", "code": 503}, "choices": []}], True, "503, Later"),
        ([{"error": {}}, delta("content_filter"), DONE], False, "withheld"),
    ],
)
def test_complaints(chunks: list[Any], retryable: bool, words: str) -> None:
    """An end that is none, with a sentence, and whether another moment may do."""
    complaint = end(understood(*chunks))
    assert isinstance(complaint, Complaint)
    assert complaint.retryable is retryable
    assert words in complaint.reason
    assert "Acme" in complaint.reason


def test_whole() -> None:
    """Servers that do not stream answer with one object."""
    function = {"name": "book", "arguments": WRITTEN}
    message = {"content": "Let me see.", "tool_calls": [{"id": "c1", "function": function}]}
    body = {
        "choices": [{"message": message, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    }
    payload = b" " + json.dumps(body).encode()
    events = read(ChatReader("Acme"), payload[:9], payload[9:])
    assert text(events) == "Let me see."
    assert calls(events) == [("c1", "book", ARGUMENTS)]
    assert end(events) == Finished("tool_calls")
    failed = read(ChatReader("Acme"), b'{"error": {"message": "out of memory"}}')
    assert isinstance(end(failed), Complaint)


@pytest.mark.parametrize("body", [b"data: nothing\n\n", b"data: [1]\n\n", b'data: {"a\n\n', b"{"])
def test_garbage(body: bytes) -> None:
    """What is no JSON object is garbage."""
    with pytest.raises(RemoteProtocolError):
        read(ChatReader("Acme"), body)


def test_bounds() -> None:
    """Neither calls nor arguments nor an answer without a stream may grow without end."""
    endless = [piece("{}", id=str(number), name="x") for number in range(200)]
    with pytest.raises(RemoteProtocolError, match="tool calls"):
        understood(*endless)
    with pytest.raises(RemoteProtocolError, match="megabyte"):
        understood(*[piece(" " * 500_000, 0, id="c1", name="x")] * 3)
    with pytest.raises(RemoteProtocolError, match="megabyte"):
        read(ChatReader("Acme"), b"{" + b" " * 1_100_000)


def test_any_cut() -> None:
    """Where the network cuts the stream makes no difference."""
    body = stream(delta(content="Grüße "), piece(WRITTEN, 0, id="c1", name="book"), STOP, DONE)
    same_when_cut(lambda: ChatReader("Acme"), body)


NAMES = st.sampled_from(
    "choices delta message content tool_calls function arguments name id index finish_reason "
    "usage error code type text refusal".split()
)
CHUNKS = st.recursive(
    JSON,
    lambda inner: st.dictionaries(NAMES, inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=20,
)


@given(st.lists(CHUNKS.map(json.dumps) | st.just("[DONE]"), max_size=4))
def test_anything(chunks: list[str]) -> None:
    """Whatever JSON comes, it is understood or it is garbage."""
    survives(ChatReader("Acme"), stream(*chunks))


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    """Whatever comes."""
    survives(ChatReader("Acme"), body)
