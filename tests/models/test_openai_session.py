"""What OpenAI's Realtime API is told of a call."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.models.live import Briefing
from rapida_tw.models.live_wire import Ready, Send
from rapida_tw.models.openai_realtime import OpenAIRealtimeProvider, OpenAIRealtimeWire
from rapida_tw.models.openai_session import OpenAIRealtimeOptions
from rapida_tw.net.base import Frame, Request
from rapida_tw.speech.base import Host
from tests.models.live_case import HELLO
from tests.models.openai_wire import sent, told, wire


def address(one: OpenAIRealtimeWire) -> Request:
    found: list[Request] = []
    one.address(None).addCallback(found.append)  # type: ignore[arg-type]
    return found[0]


def test_address() -> None:
    """The model is in the URL, the key in a header, and no header asks for the beta."""
    request = address(wire())
    assert request.url == "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"
    assert request.headers == {"Authorization": "Bearer a-key"}
    assert "a-key" not in repr(request)


def test_azure() -> None:
    """Azure's servers want the key in a header of their own."""
    base = "https://example.openai.azure.com/openai/v1"
    request = address(OpenAIRealtimeWire(OpenAIRealtimeOptions(name="mine"), "a-key", base))
    assert request.url == "wss://example.openai.azure.com/openai/v1/realtime?model=mine"
    assert request.headers == {"api-key": "a-key"}


def test_session() -> None:
    """All of a session's settings, as the document has them."""
    one = wire(leg=AudioFormat(Encoding.MULAW), language="en", reasoning_effort="low")
    assert one.hello(HELLO, tuple) == ()
    (event,) = told(one, "session.created")
    assert isinstance(event, Send)
    (update,) = sent(event.frames)
    assert update == {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "output_modalities": ["audio"],
            "instructions": "Be kind.",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "noise_reduction": {"type": "near_field"},
                    "transcription": {"model": "gpt-transcribe", "language": "en"},
                    "turn_detection": {
                        "type": "server_vad",
                        "create_response": True,
                        "interrupt_response": True,
                        "threshold": 0.5,
                        "prefix_padding_ms": 300,
                        "silence_duration_ms": 500,
                    },
                },
                "output": {"format": {"type": "audio/pcmu"}, "voice": "marin", "speed": 1.0},
            },
            "tools": [
                {
                    "type": "function",
                    "name": "weather",
                    "description": "Look it up.",
                    "parameters": {"type": "object"},
                }
            ],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "reasoning": {"effort": "low"},
        },
    }


def test_semantic_detection() -> None:
    """The other detection has other settings."""
    one = wire(turn_detection="semantic_vad", eagerness="high", transcription="")
    told(one, "session.created")
    hears = sent(one.hello(HELLO, tuple))[0]["session"]["audio"]["input"]
    assert hears["turn_detection"]["eagerness"] == "high"
    assert "threshold" not in hears["turn_detection"]
    assert hears["transcription"] is None


@pytest.mark.parametrize(
    ("leg", "options", "encoding", "rate"),
    [
        (AudioFormat(Encoding.MULAW), {}, Encoding.MULAW, 8_000),
        (AudioFormat(Encoding.ALAW), {}, Encoding.ALAW, 8_000),
        (AudioFormat(Encoding.LINEAR16, 8_000), {}, Encoding.MULAW, 8_000),
        (AudioFormat(Encoding.LINEAR16, 16_000), {}, Encoding.LINEAR16, 24_000),
        (None, {}, Encoding.LINEAR16, 24_000),
        (AudioFormat(Encoding.MULAW), {"audio": "pcm"}, Encoding.LINEAR16, 24_000),
    ],
)
def test_format(
    leg: AudioFormat | None, options: dict[str, str], encoding: Encoding, rate: int
) -> None:
    """Sound travels as the call has it, and better than that only where it is better."""
    one = wire(leg=leg, **options)
    assert (one.encoding, one.rate, one.spoken) == (encoding, rate, encoding)


def test_dialogue() -> None:
    """A new session in mid-call is told what was said, before it is ready."""
    one = wire()
    told(one, "session.created")
    call = ToolCall("c1", "weather", {"in": "Rome"})
    one.hello(
        HELLO,
        lambda: [
            Message("assistant", "Hello."),
            Message("user", "Hi."),
            Message("assistant", "", (call,)),
            Message("tool", "sunny", tool_call_id="c1"),
        ],
    )
    send, last = told(one, "session.updated")
    assert isinstance(send, Send)
    assert last == Ready()
    assert [frame["item"] for frame in sent(send.frames)] == [
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello."}],
        },
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi."}]},
        {
            "type": "function_call",
            "call_id": "c1",
            "name": "weather",
            "arguments": '{"in": "Rome"}',
        },
        {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
    ]


def test_audio() -> None:
    """Audio is appended; written without a JSON encoder, but it is JSON."""
    frame = wire().audio(b"\x00\xff\x7f")
    assert frame == Frame(b'{"type":"input_audio_buffer.append","audio":"AP9/"}')


@pytest.mark.parametrize(
    "options",
    [
        {"model.speed": "3"},
        {"model.threshold": "2"},
        {"model.turn_detection": "magic"},
        {"model.audio": "opus"},
        {"model.nonsense": "1"},
        {"model.silence_duration_ms": "soon"},
    ],
)
def test_bad_options(options: dict[str, str]) -> None:
    """What is wrong with the options is found when the call is announced."""
    provider = OpenAIRealtimeProvider(Host(Clock(), None))  # type: ignore[arg-type]
    with pytest.raises(MisconfiguredAssistant):
        provider.open(options, Account("openai", {"key": "a-key"}))


def test_no_key() -> None:
    """So is a credential without a key."""
    provider = OpenAIRealtimeProvider(Host(Clock(), None))  # type: ignore[arg-type]
    with pytest.raises(MisconfiguredAssistant, match="needs a key"):
        provider.open({}, Account("openai-realtime"))


def test_tools_of_the_briefing() -> None:
    """Parameters are the tool's own schema."""
    one = wire()
    told(one, "session.created")
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    (update,) = sent(one.hello(Briefing("", (Tool("a", "b", schema),)), tuple))
    assert update["session"]["tools"][0]["parameters"] == schema
