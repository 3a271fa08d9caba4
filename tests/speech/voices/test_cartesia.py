"""Cartesia: what is sent, what is understood, and what its refusals mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Frame, Nowhere, Request
from rapida_tw.options import read
from rapida_tw.speech.base import Word
from rapida_tw.speech.voices.cartesia import CartesiaOptions, CartesiaWire
from rapida_tw.speech.voices.provider import LINEAR_24K, MULAW_8K
from rapida_tw.speech.voices.wire import Audio, Complaint, Done, Event, Words

KEY = "a-key"


def wire_of(format: Any = MULAW_8K, **options: Any) -> CartesiaWire:
    chosen = read(CartesiaOptions, options, "speak.", "Cartesia")
    return CartesiaWire(chosen, KEY, "https://api.cartesia.ai", format)


def told(wire: CartesiaWire, kind: str, **fields: Any) -> list[Event]:
    return list(wire.received(json.dumps({"type": kind, **fields}).encode(), False))


def said(**options: Any) -> dict[str, Any]:
    (frame,) = wire_of(**options).say("p1", "Hello.")
    message: dict[str, Any] = json.loads(frame.payload)
    return message


def test_address() -> None:
    """Where and with what it connects; the key is in a header."""
    found: list[Request] = []
    wire_of().address(Nowhere()).addCallback(found.append)
    assert found[0].url == "wss://api.cartesia.ai/tts/websocket"
    assert found[0].headers == {"X-API-Key": KEY, "Cartesia-Version": "2026-03-01"}


def test_said() -> None:
    """A phrase is one message, which is all of its context."""
    assert said() == {
        "model_id": "sonic-3",
        "voice": {"mode": "id", "id": "a0e99841-438c-4a64-b679-ae501e7d6091"},
        "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
        "add_timestamps": True,
        "max_buffer_delay_ms": 0,
        "context_id": "p1",
        "transcript": "Hello.",
        "continue": False,
    }
    assert wire_of().cancel("p1") == (Frame(b'{"context_id":"p1","cancel":true}'),)


@pytest.mark.parametrize(
    ("options", "config"),
    [
        ({"speed": "1.2", "volume": "2"}, {"speed": 1.2, "volume": 2.0}),
        ({"emotion": "calm"}, {"emotion": "calm"}),
        ({"speak.__experimental_controls.speed": "fast"}, {"speed": 1.2}),
        (
            {"speak.__experimental_controls.emotion": "positivity:high<|||>curiosity"},
            {"emotion": "happy"},
        ),
        ({"experimental_controls_emotion": ["excited"]}, {"emotion": "excited"}),
    ],
)
def test_expression(options: dict[str, Any], config: dict[str, Any]) -> None:
    """Speed and emotion, also in the words of earlier models."""
    assert said(**options)["generation_config"] == config


def test_options() -> None:
    """Voice, model, language and form."""
    message = said(
        format=LINEAR_24K,
        **{"speak.voice.id": "eve", "model": "sonic-2", "language": "pt-BR"},
        pronunciation_dict_id="d1",
    )
    assert message["voice"]["id"] == "eve"
    assert (message["model_id"], message["language"]) == ("sonic-2", "pt")
    assert message["output_format"]["encoding"] == "pcm_s16le"
    assert message["output_format"]["sample_rate"] == 24_000
    assert message["pronunciation_dict_id"] == "d1"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"speed": "2"}, "speed must be between 0.6 and 1.5"),
        ({"volume": 0}, "volume must be between 0.5 and 2"),
        ({"__experimental_controls.speed": "turbo"}, "must be one of slowest"),
        ({"model": ""}, "must not be empty"),
    ],
)
def test_bad_options(options: dict[str, Any], sentence: str) -> None:
    """What is out of its range is told."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        wire_of(**options)


def test_understood() -> None:
    """Sound, words and the end of a phrase; marks of flushes and phonemes are passed over."""
    wire = wire_of()
    assert told(wire, "chunk", context_id="p1", data="AAEC", done=False) == [Audio("p1", b"\0\1\2")]
    times = {"words": ["Hello", "Bob"], "start": [0, 0.5], "end": [0.4, 0.9]}
    assert told(wire, "timestamps", context_id="p1", word_timestamps=times) == [
        Words("p1", (Word("Hello", 0, 0.4), Word("Bob", 0.5, 0.9)))
    ]
    assert told(wire, "done", context_id="p1", done=True) == [Done("p1")]
    for kind in ("flush_done", "phoneme_timestamps", "news"):
        assert told(wire, kind, context_id="p1") == []
    assert told(wire, "done") == []


def test_cancelled() -> None:
    """A cancelled phrase has no end of its own: it is over when another one sounds."""
    wire = wire_of()
    for context in ("p1", "p2"):
        wire.cancel(context)
    assert told(wire, "chunk", context_id="p1", data="AAAA") == [Audio("p1", bytes(3))]
    sound = Audio("p3", bytes(3))
    assert told(wire, "chunk", context_id="p3", data="AAAA") == [Done("p1"), Done("p2"), sound]
    assert told(wire, "chunk", context_id="p3", data="AAAA") == [sound]


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (402, False), (404, False), (429, True), (500, True)]
)
def test_errors(status: int, retryable: bool) -> None:
    """Of a phrase, or of the connection; what would happen again is final."""
    for context in ("p1", ""):
        fields = {"title": "Oh", "message": "no", "status_code": status, "context_id": context}
        assert told(wire_of(), "error", **fields) == [Complaint(context, "Oh: no", retryable)]
    assert wire_of().closed(1006, "") == Complaint("", "closed with 1006")


@pytest.mark.parametrize(
    "fields",
    [
        {"type": 7},
        {"type": "chunk", "context_id": 17},
        {"type": "chunk", "context_id": "p1", "data": "#"},
        {"type": "timestamps", "context_id": "p1"},
        {"type": "timestamps", "context_id": "p1", "word_timestamps": {"words": ["a"]}},
        {
            "type": "timestamps",
            "context_id": "p1",
            "word_timestamps": {"words": ["a"], "start": ["0"], "end": [1]},
        },
        {
            "type": "timestamps",
            "context_id": "p1",
            "word_timestamps": {"words": [1], "start": [0], "end": [1]},
        },
    ],
)
def test_garbage(fields: dict[str, Any]) -> None:
    """What is malformed is told as such."""
    with pytest.raises(RemoteProtocolError):
        wire_of().received(json.dumps(fields).encode(), False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["words", "start", "end"]), inner)
    ),
    max_leaves=6,
)
NAMES = ["data", "word_timestamps", "title", "message", "status_code", "context_id"]


@given(
    st.sampled_from(["chunk", "timestamps", "done", "error"]),
    st.dictionaries(st.sampled_from(NAMES), JSON),
)
def test_any_message(kind: str, fields: dict[str, Any]) -> None:
    """Never another exception than RemoteProtocolError."""
    try:
        told(wire_of(), kind, **{"context_id": "p1", **fields})
    except RemoteProtocolError:
        return
