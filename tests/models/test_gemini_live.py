"""What the Gemini Live API says, and how it is answered, without I/O."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.base import ToolCall
from rapida_tw.models.gemini_live import GeminiLiveWire
from rapida_tw.models.gemini_session import GeminiLiveOptions
from rapida_tw.models.live_wire import (
    Audio,
    Event,
    Interrupted,
    Leaving,
    Ready,
    ReplyBegan,
    ReplyOver,
    Spoken,
    TurnHeard,
    TurnTaken,
    Usage,
    Wanted,
    Withdrawn,
    Words,
)
from rapida_tw.net.base import Frame
from tests.models.live_case import HELLO

BASE = "wss://generativelanguage.googleapis.com"


def wire(name: str = "gemini-3.8-live", **options: Any) -> GeminiLiveWire:
    one = GeminiLiveWire(GeminiLiveOptions(name=name, **options), "a-key", BASE)
    one.hello(HELLO, tuple)
    return one


def told(one: GeminiLiveWire, binary: bool = True, **fields: Any) -> list[Event]:
    return list(one.received(json.dumps(fields).encode(), binary))


def content(one: GeminiLiveWire, **fields: Any) -> list[Event]:
    return told(one, serverContent=fields)


def sound(data: str = "AAAA", kind: str = "audio/pcm;rate=24000") -> dict[str, Any]:
    return {"parts": [{"inlineData": {"mimeType": kind, "data": data}}]}


def sent(frames: Any) -> list[dict[str, Any]]:
    return [json.loads(frame.payload) for frame in frames]


@pytest.mark.parametrize("binary", [True, False])
def test_ready(binary: bool) -> None:
    """JSON comes in binary frames, or in text."""
    assert told(wire(), binary, setupComplete={}) == [Ready()]


def test_audio() -> None:
    """Audio has its rate beside it; half as much for calls that have no more."""
    assert wire().audio(b"\x00\xff") == Frame(
        b'{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=16000","data":"AP8="}}}'
    )
    leg = AudioFormat(Encoding.MULAW, 8_000)
    narrow = GeminiLiveWire(GeminiLiveOptions(), "a-key", BASE, "", leg)
    assert narrow.rate == 8_000
    assert b"rate=8000" in narrow.audio(b"").payload


def test_reply() -> None:
    """A reply: its sound, its words, and its end; the item's sound is complete before that."""
    one = wire()
    assert content(one, modelTurn=sound()) == [
        ReplyBegan(),
        Audio("item-1", b"\0\0\0", 24_000),
    ]
    assert content(one, outputTranscription={"text": "Hi"}) == [Words("item-1", "Hi")]
    assert content(one, generationComplete=True) == [Spoken("item-1")]
    assert content(one, turnComplete=True) == [ReplyOver()]
    assert content(one, modelTurn=sound())[-1] == Audio("item-2", b"\0\0\0", 24_000)


def test_several_things_at_once() -> None:
    """One message may say a caller's words, the reply, its end and its price."""
    one = wire()
    events = told(
        one,
        usageMetadata={"promptTokenCount": 9, "responseTokenCount": 4, "thoughtsTokenCount": 1},
        serverContent={
            "inputTranscription": {"text": "hello"},
            "modelTurn": sound(),
            "outputTranscription": {"text": "Hi"},
            "generationComplete": True,
            "turnComplete": True,
        },
    )
    assert events == [
        Usage({"input": 9, "output": 5, "cached": 0}),
        TurnTaken("turn-1"),
        ReplyBegan(),
        Audio("item-2", b"\0\0\0", 24_000),
        Words("item-2", "Hi"),
        Spoken("item-2"),
        TurnHeard("turn-1", "hello"),
        ReplyOver(),
    ]


def test_words_of_the_caller() -> None:
    """They come in pieces without an end: the model's turn is their end, or its interruption."""
    one = wire()
    assert content(one, inputTranscription={"text": "what"}) == [TurnTaken("turn-1")]
    assert content(one, inputTranscription={"text": " are"}) == []
    content(one, modelTurn=sound())
    assert content(one, inputTranscription={"text": " hours"}) == []
    assert content(one, interrupted=True) == [TurnHeard("turn-1", "what are hours"), Interrupted()]


def test_finished_words() -> None:
    """Where it says that they are complete, they are."""
    events = content(wire(), inputTranscription={"text": "hello", "finished": True})
    assert events == [TurnTaken("turn-1"), TurnHeard("turn-1", "hello")]


def test_interrupted() -> None:
    """A reply that is interrupted ends twice, and is told once; nothing of it in between."""
    one = wire()
    content(one, modelTurn=sound())
    assert content(one, interrupted=True) == [Interrupted()]
    assert content(one, modelTurn=sound()) == []
    assert content(one, turnComplete=True) == []
    assert content(one, modelTurn=sound())[0] == ReplyBegan()
    assert content(one, turnComplete=True)[-1] == ReplyOver()


def test_interrupted_in_one_message() -> None:
    """Both ends may come together."""
    one = wire()
    content(one, modelTurn=sound())
    assert content(one, interrupted=True, turnComplete=True) == [Interrupted()]
    assert content(one, modelTurn=sound())[0] == ReplyBegan()


def test_cancelled() -> None:
    """A reply that we gave up goes on at the vendor's until our next text, but is not told."""
    one = wire()
    content(one, modelTurn=sound())
    assert one.cancel() == ()
    assert content(one, modelTurn=sound(), outputTranscription={"text": "more"}) == []
    one.text("The caller pressed 1")
    assert content(one, interrupted=True) == []
    assert content(one, turnComplete=True) == []
    assert content(one, modelTurn=sound())[0] == ReplyBegan()


def test_cancelled_at_its_end() -> None:
    """The end of one that was given up is not told either."""
    one = wire()
    content(one, modelTurn=sound())
    one.cancel()
    assert content(one, turnComplete=True) == []
    assert content(one, modelTurn=sound())[0] == ReplyBegan()


def test_goes_on_in_the_background() -> None:
    """A model that reasons on has not replied yet."""
    one = wire()
    content(one, modelTurn=sound())
    assert content(one, turnComplete=True, interactionStatus="IN_PROGRESS") == [Spoken("item-1")]
    assert content(one, modelTurn=sound()) == [Audio("item-2", b"\0\0\0", 24_000)]
    assert content(one, turnComplete=True, interactionStatus="IDLE")[-1] == ReplyOver()


def test_tools() -> None:
    """Calls come together, are answered together, and may be withdrawn."""
    one = wire()
    calls = [{"id": "f1", "name": "a", "args": {"x": 1}}, {"id": "f2", "name": "b"}]
    assert told(one, toolCall={"functionCalls": calls}) == [
        ReplyBegan(),
        Wanted((ToolCall("f1", "a", {"x": 1}), ToolCall("f2", "b"))),
    ]
    answers = [(ToolCall("f1", "a"), '{"y": 2}'), (ToolCall("f2", "b"), "plain")]
    assert sent(one.answer_tools(answers, True)) == [
        {
            "toolResponse": {
                "functionResponses": [
                    {"id": "f1", "name": "a", "response": {"y": 2}},
                    {"id": "f2", "name": "b", "response": {"output": "plain"}},
                ]
            }
        }
    ]
    assert told(one, toolCallCancellation={"ids": ["f1"]}) == [Withdrawn(("f1",))]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gemini-2.5-flash-native-audio-preview-12-2025", "clientContent"),
        ("gemini-3.1-flash-live-preview", "realtimeInput"),
        ("gemini-3.8-live", "clientContent"),
        ("gemini-live", "clientContent"),
    ],
)
def test_text(name: str, expected: str) -> None:
    """Text goes the way that the generation of the model takes."""
    (message,) = sent(wire(name).text("The caller pressed 1"))
    assert list(message) == [expected]
    if expected == "clientContent":
        assert message[expected]["turnComplete"] is True
        assert message[expected]["turns"][0]["parts"] == [{"text": "The caller pressed 1"}]
    else:
        assert message[expected] == {"text": "The caller pressed 1"}


def test_say() -> None:
    """A text is said by asking for it, word for word."""
    (message,) = sent(wire().say("Hello.", False))
    assert message["clientContent"]["turns"][0]["parts"][0]["text"].endswith("\n\nHello.")


@pytest.mark.parametrize(
    ("left", "seconds"), [("10s", 10.0), ("9.5s", 9.5), ("", 10.0), ("soon", 10.0), ("-3s", 0.0)]
)
def test_going(left: str, seconds: float) -> None:
    """It says how long it will be there."""
    assert told(wire(), goAway={"timeLeft": left}) == [Leaving(seconds)]


def test_handles() -> None:
    """The latest handle that can be resumed is kept while there is no newer one."""
    one = wire()
    assert one.handle == ""
    told(one, sessionResumptionUpdate={"newHandle": "h1", "resumable": True})
    told(one, sessionResumptionUpdate={"resumable": False})
    assert one.handle == "h1"
    told(one, sessionResumptionUpdate={"newHandle": "h2", "resumable": True})
    assert one.handle == "h2"


def test_thoughts_are_not_spoken() -> None:
    """Parts that are no sound are not heard."""
    assert content(wire(), modelTurn={"parts": [{"text": "Hm.", "thought": True}]}) == []
    assert content(wire(), modelTurn=sound(kind="image/png")) == []


@pytest.mark.parametrize(
    ("code", "reason", "ready", "retryable"),
    [
        (1000, "", True, True),
        (1006, "", True, True),
        (1011, "The service is currently unavailable.", True, True),
        (1011, "You exceeded your current quota", True, False),
        (1007, "API key not valid. Please pass a valid API key.", False, False),
        (1007, "Request contains an invalid argument.", False, False),
        (1008, "models/x is not found", False, False),
        (1008, "The operation was aborted.", True, True),
    ],
)
def test_closed(code: int, reason: str, ready: bool, retryable: bool) -> None:
    """What refuses the setup is for good; what ends a session is not."""
    one = wire()
    if ready:
        told(one, setupComplete={})
    assert one.closed(code, reason).retryable is retryable


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{",
        b"[]",
        b'{"serverContent": []}',
        b'{"serverContent": {"modelTurn": {"parts": 1}}}',
        b'{"serverContent": {"turnComplete": 1}}',
        b'{"toolCall": {"functionCalls": [1]}}',
        b'{"goAway": 1}',
    ],
)
def test_garbage(message: bytes) -> None:
    """What nobody can understand is the far side's mistake."""
    with pytest.raises(RemoteProtocolError):
        wire().received(message, True)


@pytest.mark.parametrize(("data", "kind"), [("%", "audio/pcm"), ("AAAA", "audio/pcm;rate=fast")])
def test_bad_sound(data: str, kind: str) -> None:
    """So is sound that is none."""
    with pytest.raises(RemoteProtocolError):
        content(wire(), modelTurn=sound(data, kind))


_NAMES = (
    "setupComplete serverContent toolCall toolCallCancellation goAway sessionResumptionUpdate "
    "usageMetadata"
).split()
_INNER = (
    "modelTurn turnComplete interrupted inputTranscription outputTranscription functionCalls ids "
    "timeLeft newHandle resumable promptTokenCount"
).split()
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(_NAMES),
        _VALUES | st.dictionaries(st.sampled_from(_INNER), _VALUES, max_size=4),
        max_size=3,
    )
)
def test_whatever_comes(fields: dict[str, Any]) -> None:
    """No message of the vendor's raises anything but RemoteProtocolError."""
    with suppress(RemoteProtocolError):
        wire().received(json.dumps(fields).encode(), True)
