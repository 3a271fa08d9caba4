"""What OpenAI's Realtime API is told of a call: its session, and items of the dialogue.

Document: "Realtime API reference", session.update and conversation.item.create.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.models.base import Message
from rapida_tw.models.live import Briefing
from rapida_tw.net.base import Frame
from rapida_tw.options import within
from rapida_tw.speech.messages import written

# By the option `audio`: how it is sent, in Hz, and how the API calls it.
FORMATS: Final[Mapping[str, tuple[Encoding, int, Mapping[str, Any]]]] = {
    "pcmu": (Encoding.MULAW, 8_000, {"type": "audio/pcmu"}),
    "pcma": (Encoding.ALAW, 8_000, {"type": "audio/pcma"}),
    "pcm": (Encoding.LINEAR16, 24_000, {"type": "audio/pcm", "rate": 24_000}),
}
_OF_LEG: Final = {Encoding.MULAW: "pcmu", Encoding.ALAW: "pcma"}


@dataclass(frozen=True, slots=True)
class OpenAIRealtimeOptions:
    """`model.` options. `audio`: pcmu, pcma or pcm; "": as the call has it.

    `turn_detection`: server_vad (`threshold`, `prefix_padding_ms`, `silence_duration_ms`) or
    semantic_vad (`eagerness`). `transcription`: the model that writes the caller's words down; ""
    leaves the journal without them.
    """

    name: str = "gpt-realtime-2.1"
    voice: str = "marin"
    speed: float = 1.0
    language: str = ""
    transcription: str = "gpt-transcribe"
    noise_reduction: str = "near_field"
    turn_detection: str = "server_vad"
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    eagerness: str = "auto"
    max_output_tokens: int = 0  # 0: as many as there are
    tool_choice: str = "auto"
    reasoning_effort: str = ""
    audio: str = ""

    def __post_init__(self) -> None:
        within("speed", self.speed, 0.25, 1.5)
        within("threshold", self.threshold, 0, 1)
        _one_of("turn_detection", self.turn_detection, "server_vad", "semantic_vad")
        _one_of("eagerness", self.eagerness, "low", "medium", "high", "auto")
        _one_of("noise_reduction", self.noise_reduction, "", "near_field", "far_field")
        _one_of("audio", self.audio, "", *FORMATS)


def _one_of(name: str, value: str, *known: str) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(filter(None, known))}, not {value!r}")


def format_for(options: OpenAIRealtimeOptions, leg: AudioFormat | None) -> str:
    """The name of the format: the call's own, or the only one above 8 kHz."""
    if options.audio:
        return options.audio
    if leg is None or leg.rate > 8_000:
        return "pcm"
    return _OF_LEG.get(leg.encoding, "pcmu")


def session(options: OpenAIRealtimeOptions, format: Mapping[str, Any], briefing: Briefing) -> Frame:
    """All of a session's settings."""
    reduction, language = options.noise_reduction, options.language
    transcription = {"model": options.transcription, **({"language": language} if language else {})}
    settings: dict[str, Any] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": briefing.instructions,
        "audio": {
            "input": {
                "format": format,
                "noise_reduction": {"type": reduction} if reduction else None,
                "transcription": transcription if options.transcription else None,
                "turn_detection": _turn_detection(options),
            },
            "output": {"format": format, "voice": options.voice, "speed": options.speed},
        },
        "tools": [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            }
            for tool in briefing.tools
        ],
        "tool_choice": options.tool_choice,
        "max_output_tokens": options.max_output_tokens or "inf",
    }
    if options.reasoning_effort:  # only some models take it
        settings["reasoning"] = {"effort": options.reasoning_effort}
    return written({"type": "session.update", "session": settings})


def _turn_detection(options: OpenAIRealtimeOptions) -> Mapping[str, Any]:
    detection: dict[str, Any] = {
        "type": options.turn_detection,
        "create_response": True,
        "interrupt_response": True,
    }
    if options.turn_detection == "semantic_vad":
        return detection | {"eagerness": options.eagerness}
    return detection | {
        "threshold": options.threshold,
        "prefix_padding_ms": options.prefix_padding_ms,
        "silence_duration_ms": options.silence_duration_ms,
    }


def item(fields: Mapping[str, Any]) -> Frame:
    """Put this item at the end of the dialogue."""
    return written({"type": "conversation.item.create", "item": fields})


def items(message: Message) -> Sequence[Frame]:
    """What was said before, as items of text."""
    if message.role == "tool":
        return (tool_result(message.tool_call_id, message.text),)
    frames = []
    if message.text:
        kind = "output_text" if message.role == "assistant" else "input_text"
        content = [{"type": kind, "text": message.text}]
        frames.append(item({"type": "message", "role": message.role, "content": content}))
    for call in message.tool_calls:
        arguments = json.dumps(call.arguments)
        fields = {"call_id": call.id, "name": call.name, "arguments": arguments}
        frames.append(item({"type": "function_call", **fields}))
    return frames


def tool_result(call_id: str, result: str) -> Frame:
    """The answer to a tool call."""
    return item({"type": "function_call_output", "call_id": call_id, "output": result})
