"""What the Gemini Live API is told of a call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.models.gemini_live import PATH, GeminiLiveProvider, GeminiLiveWire
from rapida_tw.models.gemini_session import GeminiLiveOptions, version
from rapida_tw.models.live import Briefing
from rapida_tw.models.live_wire import Ready, Send
from rapida_tw.net.base import Request
from rapida_tw.speech.base import Host
from tests.models.live_case import HELLO

BASE = "wss://generativelanguage.googleapis.com"


def wire(handle: str = "", **options: Any) -> GeminiLiveWire:
    return GeminiLiveWire(GeminiLiveOptions(**options), "a-key", BASE, handle)


def setup(one: GeminiLiveWire, briefing: Briefing = HELLO, said: Any = tuple) -> dict[str, Any]:
    (frame,) = one.hello(briefing, said)
    (fields,) = json.loads(frame.payload).values()
    return dict(fields)


def test_address() -> None:
    """The key is in a header, not in the URL."""
    found: list[Request] = []
    wire().address(None).addCallback(found.append)  # type: ignore[arg-type]
    assert found[0].url == BASE + PATH
    assert found[0].headers == {"x-goog-api-key": "a-key"}


def test_usual() -> None:
    """A setup says no more than it must."""
    assert setup(wire()) == {
        "model": "models/gemini-3.8-live",
        "generationConfig": {"responseModalities": ["AUDIO"]},
        "inputAudioTranscription": {},
        "outputAudioTranscription": {},
        "sessionResumption": {},
        "systemInstruction": {"parts": [{"text": "Be kind."}]},
        "tools": [{"functionDeclarations": [{"name": "weather", "description": "Look it up."}]}],
        "contextWindowCompression": {"slidingWindow": {}},
    }


def test_everything() -> None:
    """All options have their place."""
    fields = setup(
        wire(
            name="models/gemini-2.5-flash-native-audio-preview-12-2025",
            voice="Puck",
            language="en-US",
            temperature=0.7,
            top_p=0.9,
            top_k=40,
            max_output_tokens=500,
            thinking_level="LOW",
            start_sensitivity="low",
            end_sensitivity="high",
            prefix_padding_ms=100,
            silence_duration_ms=500,
            compression=False,
        )
    )
    assert fields["model"] == "models/gemini-2.5-flash-native-audio-preview-12-2025"
    assert fields["generationConfig"] == {
        "responseModalities": ["AUDIO"],
        "speechConfig": {
            "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Puck"}},
            "languageCode": "en-US",
        },
        "temperature": 0.7,
        "topP": 0.9,
        "topK": 40,
        "maxOutputTokens": 500,
        "thinkingConfig": {"thinkingLevel": "LOW"},
    }
    assert fields["realtimeInputConfig"] == {
        "automaticActivityDetection": {
            "startOfSpeechSensitivity": "START_SENSITIVITY_LOW",
            "endOfSpeechSensitivity": "END_SENSITIVITY_HIGH",
            "prefixPaddingMs": 100,
            "silenceDurationMs": 500,
        }
    }
    assert "contextWindowCompression" not in fields


def test_parameters() -> None:
    """Parameters are a JSON schema; an object without any would be refused."""
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    tools = (Tool("a", "A.", schema), Tool("b", "B.", {"type": "object", "properties": {}}))
    (given,) = setup(wire(), Briefing("", tools))["tools"]
    first, second = given["functionDeclarations"]
    assert first["parametersJsonSchema"] == schema
    assert second == {"name": "b", "description": "B."}


def test_resumed() -> None:
    """A session that goes on is not told what it knows."""
    one = wire("a-handle")
    fields = setup(one, said=lambda: [Message("user", "Hi.")])
    assert fields["sessionResumption"] == {"handle": "a-handle"}
    assert "historyConfig" not in fields
    assert one.received(b'{"setupComplete": {}}', True) == [Ready()]


SAID = [
    Message("assistant", "Hello."),
    Message("user", "Weather?"),
    Message("assistant", "", (ToolCall("c", "weather"),)),
    Message("tool", "sunny", tool_call_id="c"),
    Message("assistant", "Sunny."),
]


@pytest.mark.parametrize(
    ("name", "config", "complete"),
    [
        ("gemini-3.8-live", {"initialHistoryInClientContent": True}, True),
        ("gemini-2.5-flash-native-audio-preview-12-2025", None, False),
    ],
)
def test_dialogue(name: str, config: Any, complete: bool) -> None:
    """A new session is told what was said, in turns, without having it answered."""
    one = wire(name=name)
    assert setup(one, said=lambda: SAID).get("historyConfig") == config
    send, last = one.received(b'{"setupComplete": {}}', True)
    assert isinstance(send, Send)
    assert last == Ready()
    (content,) = (json.loads(frame.payload)["clientContent"] for frame in send.frames)
    assert content["turnComplete"] is complete
    roles = [turn["role"] for turn in content["turns"]]
    assert roles == ["user", "model", "user", "model", "user"]
    texts = [turn["parts"][0]["text"] for turn in content["turns"]]
    assert texts[1:4] == ["Hello.", "Weather?", "Sunny."]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gemini-3.8-live", (3, 8)),
        ("gemini-live-2.5-flash-preview", (2, 5)),
        ("gemini-2.0-flash-live-001", (2, 0)),
        ("gemini-9-live", (9, 0)),
        ("gemini-live", (99, 0)),
    ],
)
def test_version(name: str, expected: tuple[int, int]) -> None:
    """A model's name says which generation it is of."""
    assert version(name) == expected


@pytest.mark.parametrize(
    "options",
    [
        {"model.temperature": "9"},
        {"model.start_sensitivity": "medium"},
        {"model.nonsense": "1"},
    ],
)
def test_bad_options(options: dict[str, str]) -> None:
    """What is wrong with the options is found when the call is announced."""
    provider = GeminiLiveProvider(Host(Clock(), None))  # type: ignore[arg-type]
    with pytest.raises(MisconfiguredAssistant):
        provider.open(options, Account("gemini-live", {"key": "a-key"}))
