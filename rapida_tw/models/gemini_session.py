"""What the Gemini Live API is told of a call: its setup, and what was said before.

Document: "Live API - WebSockets API reference". What the models of a generation take differs
("Gemini 3.8 Live", "Migrating from ..."); their names say which generation they are of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rapida_tw.models.alternation import alternate
from rapida_tw.models.base import Message, Tool
from rapida_tw.models.live import Briefing
from rapida_tw.net.base import Frame
from rapida_tw.options import within
from rapida_tw.speech.messages import written

Version = tuple[int, int]

_NUMBERS: Final = re.compile(r"(\d+)(?:\.(\d+))?")
_NEWEST: Final[Version] = (99, 0)
_SENSITIVITIES: Final = ("", "low", "high")


@dataclass(frozen=True, slots=True)
class GeminiLiveOptions:
    """`model.` options. What is "", 0 or None is left to Google.

    `start_sensitivity`, `end_sensitivity`: low or high, how easily a voice is believed to begin and
    to end. `compression`: forget the oldest of a long call, instead of ending it.
    """

    name: str = "gemini-3.8-live"
    voice: str = ""
    language: str = ""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_output_tokens: int = 0
    thinking_level: str = ""
    start_sensitivity: str = ""
    end_sensitivity: str = ""
    prefix_padding_ms: int = 0
    silence_duration_ms: int = 0
    compression: bool = True

    def __post_init__(self) -> None:
        if self.temperature is not None:
            within("temperature", self.temperature, 0, 2)
        for name in ("start_sensitivity", "end_sensitivity"):
            if getattr(self, name) not in _SENSITIVITIES:
                raise ValueError(f"{name} must be low or high, not {getattr(self, name)!r}")


def version(name: str) -> Version:
    """The generation of a model; of a name without a number, the newest."""
    found = _NUMBERS.search(name)
    return (int(found[1]), int(found[2] or 0)) if found else _NEWEST


def setup(options: GeminiLiveOptions, briefing: Briefing, handle: str, history: bool) -> Frame:
    """The first message. `history`: clientContent with what was said before follows it."""
    name = options.name if "/" in options.name else f"models/{options.name}"
    fields: dict[str, Any] = {
        "model": name,
        "generationConfig": _generation(options),
        "inputAudioTranscription": {},
        "outputAudioTranscription": {},
        "sessionResumption": {"handle": handle} if handle else {},
    }
    if briefing.instructions:
        fields["systemInstruction"] = {"parts": [{"text": briefing.instructions}]}
    if briefing.tools:
        fields["tools"] = [{"functionDeclarations": [_declared(tool) for tool in briefing.tools]}]
    if detection := _activity_detection(options):
        fields["realtimeInputConfig"] = {"automaticActivityDetection": detection}
    if options.compression:
        fields["contextWindowCompression"] = {"slidingWindow": {}}
    if history and version(options.name) >= (3, 0):
        fields["historyConfig"] = {"initialHistoryInClientContent": True}
    return written({"setup": fields})


def _generation(options: GeminiLiveOptions) -> Mapping[str, Any]:
    speech: dict[str, Any] = {}
    if options.voice:
        speech["voiceConfig"] = {"prebuiltVoiceConfig": {"voiceName": options.voice}}
    if options.language:
        speech["languageCode"] = options.language
    thinking = {"thinkingLevel": options.thinking_level} if options.thinking_level else None
    fields = {
        "responseModalities": ["AUDIO"],
        "speechConfig": speech or None,
        "temperature": options.temperature,
        "topP": options.top_p,
        "topK": options.top_k,
        "maxOutputTokens": options.max_output_tokens or None,
        "thinkingConfig": thinking,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _activity_detection(options: GeminiLiveOptions) -> Mapping[str, Any]:
    start, end = options.start_sensitivity, options.end_sensitivity
    fields = {
        "startOfSpeechSensitivity": start and f"START_SENSITIVITY_{start.upper()}",
        "endOfSpeechSensitivity": end and f"END_SENSITIVITY_{end.upper()}",
        "prefixPaddingMs": options.prefix_padding_ms,
        "silenceDurationMs": options.silence_duration_ms,
    }
    return {name: value for name, value in fields.items() if value}


def _declared(tool: Tool) -> Mapping[str, Any]:
    declared: dict[str, Any] = {"name": tool.name, "description": tool.description}
    if tool.parameters.get("properties"):  # an object without any is refused
        declared["parametersJsonSchema"] = tool.parameters
    return declared


def history(dialogue: Sequence[Message], of: Version) -> Frame:
    """What was said before, for a session that knows nothing of it; no reply follows."""
    # Tools are left out: what they found has been said, and calls of another session are not known.
    spoken = [message for message in dialogue if message.role in ("user", "assistant")]
    turns = [
        {
            "role": "model" if message.role == "assistant" else "user",
            "parts": [{"text": message.text}],
        }
        for message in alternate(spoken).messages
        if message.text
    ]
    # From generation 3 on the history has an end of its own; before, an end asked for a reply.
    return written({"clientContent": {"turns": turns, "turnComplete": of >= (3, 0)}})
