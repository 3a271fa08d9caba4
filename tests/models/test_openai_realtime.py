"""What OpenAI's Realtime API says, and how it is answered, without I/O."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.base import ToolCall
from rapida_tw.models.live_wire import (
    Audio,
    Complaint,
    ReplyBegan,
    ReplyOver,
    SpeechStarted,
    SpeechStopped,
    Spoken,
    TurnHeard,
    TurnTaken,
    Usage,
    Wanted,
    Words,
)
from tests.models.openai_wire import begin, end, ready, sent, told, wire


def test_caller() -> None:
    """A turn: its beginning, its end, its place, and later its words."""
    one = ready()
    assert told(one, "input_audio_buffer.speech_started", item_id="t") == [SpeechStarted()]
    assert told(one, "input_audio_buffer.speech_stopped", item_id="t") == [SpeechStopped()]
    assert told(one, "input_audio_buffer.committed", item_id="t") == [TurnTaken("t")]
    kind = "conversation.item.input_audio_transcription."
    assert told(one, kind + "delta", item_id="t", delta="Hel") == []
    assert told(one, kind + "completed", item_id="t", transcript=" Hello.\n") == [
        TurnHeard("t", "Hello.")
    ]
    assert told(one, kind + "failed", item_id="u", error={}) == [TurnHeard("u", "")]


def test_no_transcription() -> None:
    """Where nobody writes it down, nobody waits for it."""
    one = ready(transcription="")
    events = told(one, "input_audio_buffer.committed", item_id="t")
    assert events == [TurnTaken("t"), TurnHeard("t", "")]


GA = (
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.delta",
)
BETA = ("response.audio.delta", "response.audio.done", "response.audio_transcript.delta")


@pytest.mark.parametrize(("sound", "done", "words"), [GA, BETA])
def test_reply(sound: str, done: str, words: str) -> None:
    """A reply, by its names of today and by those of the beta."""
    one = ready()
    assert begin(one) == [ReplyBegan()]
    place = {"response_id": "r1", "item_id": "i1", "output_index": 0, "content_index": 0}
    assert told(one, words, **place, delta="Hi") == [Words("i1", "Hi")]
    assert told(one, sound, **place, delta="AP9/") == [Audio("i1", b"\x00\xff\x7f", 24_000)]
    assert told(one, done, **place) == [Spoken("i1")]
    usage = {"input_tokens": 7, "output_tokens": 3, "input_token_details": {"cached_tokens": 2}}
    assert end(one, usage=usage) == [
        Usage({"input": 7, "output": 3, "cached": 2}),
        ReplyOver(),
    ]


def test_tools() -> None:
    """All calls of a response at once, wherever they were told."""
    one = ready()
    begin(one)
    first = {"type": "function_call", "call_id": "c1", "name": "a", "arguments": '{"x": 1}'}
    second = {"type": "function_call", "call_id": "c2", "name": "b", "arguments": ""}
    assert told(one, "response.output_item.done", response_id="r1", item=first) == []
    events = end(one, output=[first, second])
    assert events[1:] == [
        Wanted((ToolCall("c1", "a", {"x": 1}), ToolCall("c2", "b", {}))),
        ReplyOver(),
    ]


@pytest.mark.parametrize("arguments", ["{", "[1]", '"text"'])
def test_bad_arguments(arguments: str) -> None:
    """Arguments that are no object are none: the tool says what it misses."""
    one = ready()
    begin(one)
    item = {"type": "function_call", "call_id": "c1", "name": "a", "arguments": arguments}
    assert end(one, output=[item])[1] == Wanted((ToolCall("c1", "a", {}),))


def test_tool_results() -> None:
    """Results are items; a reply is asked for behind them, or not."""
    call = ToolCall("c1", "a")
    result = {"type": "function_call_output", "call_id": "c1", "output": "1"}
    item, create = sent(ready().answer_tools([(call, "1")], True))
    assert item == {"type": "conversation.item.create", "item": result}
    assert create["type"] == "response.create"
    (item,) = sent(ready().answer_tools([(call, "1")], False))
    assert item["item"] == result


def test_say() -> None:
    """A text is said by instructions for one response, in which no tool is used."""
    (create,) = sent(ready().say("Hello.", False))
    assert create["response"]["instructions"].endswith("\n\nHello.")
    assert create["response"]["tool_choice"] == "none"


def test_text() -> None:
    """What the caller told otherwise is an item of theirs."""
    item, create = sent(ready().text("The caller pressed 1"))
    content = [{"type": "input_text", "text": "The caller pressed 1"}]
    assert item["item"] == {"type": "message", "role": "user", "content": content}
    assert create["type"] == "response.create"


def test_failed() -> None:
    """A response that failed says why; one that can never succeed ends the connection."""
    one = ready()
    begin(one)
    error = {"code": "rate_limit_exceeded", "message": "Slow down."}
    events = end(one, status="failed", status_details={"type": "failed", "error": error})
    assert events[1:] == [ReplyOver("OpenAI: rate_limit_exceeded: Slow down.")]
    begin(one, "r2")
    error = {"code": "insufficient_quota", "message": "Pay."}
    events = end(one, "r2", "failed", status_details={"type": "failed", "error": error})
    assert events[1:] == [Complaint("OpenAI: insufficient_quota: Pay.", True, False)]


def test_cut_short() -> None:
    """An answer that was too long is an answer all the same."""
    one = ready()
    begin(one)
    details = {"type": "incomplete", "reason": "max_output_tokens"}
    assert end(one, status="incomplete", status_details=details)[1:] == [ReplyOver()]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"type": "invalid_request_error", "code": "response_cancel_not_active"}, None),
        (
            {"type": "invalid_request_error", "code": "session_expired", "message": "60 minutes."},
            Complaint("OpenAI: session_expired: 60 minutes."),
        ),
        (
            {"type": "invalid_request_error", "code": "item_not_found", "message": "No."},
            Complaint("OpenAI: item_not_found: No.", fatal=False),
        ),
        (
            {"type": "insufficient_quota", "code": "insufficient_quota", "message": "Pay."},
            Complaint("OpenAI: insufficient_quota: Pay.", True, False),
        ),
    ],
)
def test_errors(error: dict[str, Any], expected: Complaint | None) -> None:
    """Most errors leave the session as it is."""
    assert told(ready(), "error", error=error) == ([] if expected is None else [expected])


def test_errors_of_the_set_up() -> None:
    """Before there is a session an error is the end: for good, unless it is the server's."""
    for kind, retryable in (("invalid_request_error", False), ("server_error", True)):
        (complaint,) = told(wire(), "error", error={"type": kind, "message": "x"})
        assert complaint == Complaint(f"OpenAI: {kind}: x", True, retryable)


@pytest.mark.parametrize(
    ("code", "reason", "retryable"),
    [
        (1000, "", True),
        (1006, "", True),
        (1011, "keepalive ping timeout", True),
        (1008, "", False),
        (3000, "invalid_request_error.invalid_model", False),
        (3000, "insufficient_quota", False),
    ],
)
def test_closed(code: int, reason: str, retryable: bool) -> None:
    """What the codes of the close mean."""
    complaint = wire().closed(code, reason)
    assert complaint.retryable is retryable
    assert str(code) in complaint.reason


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{",
        b"[]",
        b'{"type": 1}',
        b'{"type": "response.output_audio.delta", "delta": "%"}',
        b'{"type": "response.output_audio.delta", "delta": 1}',
        b'{"type": "response.done", "response": []}',
        b'{"type": "response.done", "response": {"output": [1]}}',
    ],
)
def test_garbage(message: bytes) -> None:
    """What nobody can understand is the far side's mistake."""
    one = ready()
    begin(one)
    with pytest.raises(RemoteProtocolError):
        one.received(message, False)


def test_unknown_kinds() -> None:
    """Events that are new, or of no use to us, say nothing."""
    assert told(ready(), "rate_limits.updated", rate_limits=[]) == []
    assert told(ready(), "response.something_new") == []


_KINDS = st.sampled_from(
    [
        "session.created",
        "session.updated",
        "input_audio_buffer.committed",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "response.output_audio.delta",
        "response.output_item.done",
        "response.done",
        "error",
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.dictionaries(
    st.sampled_from("response item error delta item_id response_id transcript usage".split()),
    _VALUES
    | st.fixed_dictionaries(
        {}, optional=dict.fromkeys("id status output usage metadata code".split(), _VALUES)
    ),
)


@given(_KINDS, _FIELDS)
def test_whatever_comes(kind: str, fields: dict[str, Any]) -> None:
    """No message of the vendor's raises anything but RemoteProtocolError."""
    one = ready()
    message = json.dumps({**fields, "type": kind}).encode()
    with suppress(RemoteProtocolError):
        one.received(message, False)
