"""Gemini: what is sent, what is read, and the signatures of its thoughts."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import succeed

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.accepted import Accepted
from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.models.dialect import Complaint, Finished, Usage, Working
from rapida_tw.models.exchange import keep
from rapida_tw.models.generate_content import GeminiOptions, GenerateContentDialect
from rapida_tw.models.generate_content_reader import GenerateContentReader
from rapida_tw.net.base import Nowhere
from rapida_tw.sim.vendors.answering import Called, Turn
from rapida_tw.sim.vendors.gemini_rules import SIGNATURE
from tests.contracts.models import HELLO, TOOLS, Stage
from tests.models.reading import JSON, calls, end, read, same_when_cut, stream, survives, text

URL = "https://generativelanguage.googleapis.com/v1beta/models/gemini"


def made(options: dict[str, Any], model: str) -> GenerateContentDialect:
    key = {"x-goog-api-key": "secret-key"}
    return GenerateContentDialect(
        GeminiOptions(**options), "Gemini", URL, lambda net: succeed(key), model, Accepted()
    )


def sent(
    options: dict[str, Any], messages: Any = HELLO, tools: Any = (), model: str = "gemini-3.5"
) -> dict[str, Any]:
    """The body of the request."""
    found: list[Any] = []
    made(options, model).request(Nowhere(), messages, tools).addCallback(found.append)
    assert found[0].url == f"{URL}:streamGenerateContent?alt=sse"
    assert found[0].headers["x-goog-api-key"] == "secret-key"
    body: dict[str, Any] = json.loads(found[0].body)
    return body


def test_least() -> None:
    """Without settings, nothing but what is said, and that it should not think long."""
    assert sent({}) == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Good day."}]}],
        "generationConfig": {"thinkingConfig": {"thinkingLevel": "minimal"}},
    }


def test_tools() -> None:
    """Calls go back with their ids and signatures, results with their names, all in one content."""
    memory = keep("gemini", "gemini-3.5", {"id": "g1", "signature": "sig"})
    both = (ToolCall("g1", "look", {"at": 1}, memory), ToolCall("c2", "book"))
    messages = [
        Message("user", "Hi."),
        Message("assistant", "Hm.", both),
        Message("tool", '{"ok": true}', tool_call_id="g1"),
        Message("tool", "[1]", tool_call_id="c2"),
        Message("user", "Wait."),
    ]
    body = sent({"tool_choice": "look"}, messages, [Tool("look", "Look.")])
    called = {"name": "look", "args": {"at": 1}, "id": "g1"}
    assert body["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "Hm."},
                {"functionCall": called, "thoughtSignature": "sig"},
                {"functionCall": {"name": "book", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "look", "response": {"ok": True}, "id": "g1"}},
                {"functionResponse": {"name": "book", "response": {"result": [1]}}},
            ],
        },
        {"role": "user", "parts": [{"text": "Wait."}]},
    ]
    assert body["tools"] == [{"functionDeclarations": [{"name": "look", "description": "Look."}]}]
    mode = {"mode": "ANY", "allowedFunctionNames": ["look"]}
    assert body["toolConfig"] == {"functionCallingConfig": mode}


@pytest.mark.parametrize(
    ("options", "config"),
    [
        ({"temperature": 0.0, "seed": 0}, {"temperature": 0.0, "seed": 0}),
        ({"top_p": 0.5, "top_k": 5}, {"topP": 0.5, "topK": 5}),
        ({"max_tokens": 9}, {"maxOutputTokens": 9}),
        ({"stop": ["a"]}, {"stopSequences": ["a"]}),
        ({"response_format": "json_object"}, {"responseMimeType": "application/json"}),
        ({"seed": 1, "parameters": {"generationConfig": {"x": 2}}}, {"seed": 1, "x": 2}),
        (
            {"response_format": '{"type": "object", "$schema": "x"}'},
            {"responseMimeType": "application/json", "responseSchema": {"type": "object"}},
        ),
    ],
)
def test_settings(options: dict[str, Any], config: dict[str, Any]) -> None:
    """Each setting by its name."""
    assert sent({"thinking": "default", **options}).get("generationConfig") == config


@pytest.mark.parametrize(
    ("model", "options", "config"),
    [
        ("gemini-2.0-flash", {}, None),
        ("gemini-2.5-flash", {}, {"thinkingBudget": 0}),
        ("gemini-3.5-flash", {}, {"thinkingLevel": "minimal"}),
        ("gemini-4-argon", {}, {"thinkingLevel": "minimal"}),
        ("tuned-model", {}, None),
        ("gemini-3.5-flash", {"thinking": "default"}, None),
        ("gemini-3.5-flash", {"reasoning_effort": "high"}, {"thinkingLevel": "high"}),
        ("gemini-2.5-flash", {"thinking": "512"}, {"thinkingBudget": 512}),
    ],
)
def test_thinking(model: str, options: dict[str, Any], config: Any) -> None:
    """Each family is told in its way."""
    body = sent(options, model=model)
    assert body.get("generationConfig", {}).get("thinkingConfig") == config


@pytest.mark.parametrize(
    ("model", "asked", "config"),
    [
        ("gemini-2.5-pro", 2, None),
        ("gemini-3.5-pro", 2, {"thinkingConfig": {"thinkingLevel": "low"}}),
    ],
)
def test_learns(model: str, asked: int, config: Any) -> None:
    """Those that always think say so, and are told no more."""
    with closing(Stage("gemini", Turn("Hi."), Turn("Hi."), name=model)) as stage:
        for times in (asked, asked + 1):
            stage.model = stage.open()
            assert stage.ask().text == "Hi."
            assert len(stage.fake.replies) == times
        assert stage.fake.bodies[-1].get("generationConfig") == config


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3.5-flash"])
def test_signatures(model: str) -> None:
    """Signatures go back as they came; a call of another model's is excused."""
    turns = Turn("Let me see.", (Called("look"), Called("book"))), Turn("Done."), Turn("Good.")
    with closing(Stage("gemini", *turns, name=model)) as stage:
        first = stage.ask(tools=TOOLS).completion
        assert first is not None
        for calls_then in (first.tool_calls, (ToolCall("toolu_1", "look", {}, "alien"),)):
            answers = [Message("tool", "{}", tool_call_id=one.id) for one in calls_then]
            history = [*HELLO, Message("assistant", "", calls_then), *answers]
            outcome = stage.ask(history, TOOLS)
            assert outcome.failure is None
        parts = [body["contents"][1]["parts"][0] for body in stage.fake.bodies[1:]]
        signed = [part.get("thoughtSignature") for part in parts]
        new = model.startswith("gemini-3")
        assert signed == ([SIGNATURE, "skip_thought_signature_validator"] if new else [None, None])


def test_wrong_key() -> None:
    """It is told by a 400."""
    body = json.dumps({"error": {"code": 400, "details": [{"reason": "API_KEY_INVALID"}]}})
    complaint = made({}, "gemini").refused(400, body)
    assert (complaint.reason, complaint.retryable) == ("Gemini does not take the key", False)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"error": {"details": [{"@type": "x"}, {"retryDelay": "17s"}]}}, 17.0),
        ({"error": {"details": [{"retryDelay": "0.5s"}]}}, 0.5),
        ({"error": {"details": [{"retryDelay": "soon"}, 7]}}, None),
        ({"error": "x"}, None),
        ([], None),
    ],
)
def test_retry_delay(body: Any, seconds: float | None) -> None:
    """What to wait is in the body."""
    complaint = made({}, "gemini").refused(429, json.dumps(body))
    assert complaint.retryable
    assert complaint.retry_after == seconds
    assert made({}, "gemini").refused(503, "<html>").retry_after is None


# -- what is read -------------------------------------------------------------------------------


def response(*parts: dict[str, Any], reason: str = "", **fields: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], **fields}


USAGE = {
    "promptTokenCount": 20,
    "candidatesTokenCount": 5,
    "thoughtsTokenCount": 2,
    "cachedContentTokenCount": 8,
}
CALL = {"functionCall": {"id": "g1", "name": "book", "args": {"day": "mönday"}}}
GOOD = [
    response({"text": "Hm.", "thought": True}),
    response({"text": "Grüße. "}, {"text": "So."}),
    response({**CALL, "thoughtSignature": "sig"}),
    response({"text": ""}, reason="STOP", usageMetadata=USAGE),
]


def understood(*events: Any) -> list[Any]:
    return read(GenerateContentReader("Acme", "gemini-3.5"), stream(*events))


def test_reads() -> None:
    """Several parts in an event, a call with its signature, and the usage with the thoughts."""
    events = understood(*GOOD)
    assert text(events) == "Grüße. So."
    assert calls(events) == [("g1", "book", {"day": "mönday"})]
    (call,) = [one.call for one in events if hasattr(one, "call")]
    assert call.kept == keep("gemini", "gemini-3.5", {"id": "g1", "signature": "sig"})
    assert Usage({"input": 20, "output": 7, "cached": 8}) in events
    assert end(events) == Finished("STOP")


def test_any_cut() -> None:
    """Where the network cuts the stream makes no difference."""
    same_when_cut(lambda: GenerateContentReader("Acme", "gemini"), stream(*GOOD))


def test_no_ids() -> None:
    """Older models give calls no ids."""
    called = [{"functionCall": {"name": name}} for name in ("x", "y")]
    events = understood(response(*called, reason="STOP"))
    assert calls(events) == [("call_0", "x", {}), ("call_1", "y", {})]


def test_signs_of_life() -> None:
    """Thinking is; an event without anything is none."""
    reader = GenerateContentReader("Acme", "gemini")
    assert list(reader.feed(stream(GOOD[0]))) == [Working()]
    assert list(reader.feed(stream({"candidates": [{}]}, {}))) == []


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "MALFORMED_FUNCTION_CALL"])
def test_cut_off_in_the_middle(reason: str) -> None:
    """What has been said stays said."""
    events = understood(response({"text": "Hi."}), response(reason=reason))
    assert text(events) == "Hi."
    assert end(events) == Finished(reason)


@pytest.mark.parametrize(
    ("events", "retryable", "words"),
    [
        ([], True, "broke off"),
        ([response({"text": "Hi."})], True, "broke off"),
        ([response(reason="SAFETY")], False, "withheld its answer (SAFETY)"),
        ([response(reason="PROHIBITED_CONTENT")], False, "withheld"),
        ([response(reason="A_NEW_ONE")], False, "A_NEW_ONE"),
        ([response(reason="MALFORMED_FUNCTION_CALL")], True, "failed"),
        ([response(CALL, reason="UNEXPECTED_TOOL_CALL")], True, "failed"),
        ([{"promptFeedback": {"blockReason": "SAFETY"}}], False, "blocked the dialogue (SAFETY)"),
        ([{"error": {"code": 503, "message": "Over"}}], True, "Over"),
        ([{"error": {"code": 403, "message": "No"}}], False, "No"),
        ([{"error": {"message": "Hm"}}], True, "Hm"),
    ],
)
def test_complaints(events: list[dict[str, Any]], retryable: bool, words: str) -> None:
    """An end that is none, with a sentence, and whether another moment may do."""
    complaint = end(understood(*events))
    assert isinstance(complaint, Complaint)
    assert complaint.retryable is retryable
    assert words in complaint.reason


def test_bounds() -> None:
    """Calls may not grow without end."""
    with pytest.raises(RemoteProtocolError, match="tool calls"):
        understood(*[response(CALL)] * 200)


PARTS = st.fixed_dictionaries(
    {},
    optional={
        "text": JSON,
        "thought": JSON,
        "thoughtSignature": JSON,
        "functionCall": JSON | st.fixed_dictionaries({"name": JSON, "args": JSON, "id": JSON}),
    },
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "candidates": JSON
        | st.lists(
            st.fixed_dictionaries(
                {"content": JSON | st.fixed_dictionaries({"parts": JSON | st.lists(PARTS)})},
                optional={"finishReason": JSON, "index": JSON},
            ),
            max_size=2,
        ),
        "usageMetadata": JSON,
        "promptFeedback": JSON,
        "error": JSON,
    },
)


@given(st.lists(EVENTS, max_size=4))
def test_anything(events: list[dict[str, Any]]) -> None:
    """Whatever JSON comes, it is understood or it is garbage."""
    survives(GenerateContentReader("Acme", "gemini"), stream(*events))
