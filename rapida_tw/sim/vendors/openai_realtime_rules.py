"""What OpenAI's Realtime API accepts of a client ("Realtime API reference", client events)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from rapida_tw.sim.vendors.speaking import ALAW, LINEAR, MULAW

_LONGEST = 15 * 2**20  # bytes of audio in a message
_VOICES = frozenset("alloy ash ballad coral echo sage shimmer verse marin cedar".split())
_SESSION = frozenset(
    "type output_modalities instructions audio tools tool_choice max_output_tokens truncation "
    "reasoning parallel_tool_calls tracing include prompt model".split()
)
_RESPONSE = frozenset(
    "instructions output_modalities tools tool_choice conversation input metadata audio "
    "max_output_tokens reasoning parallel_tool_calls prompt".split()
)
_CONTENT = {
    "user": frozenset(("input_text", "input_audio")),
    "system": frozenset(("input_text",)),
    "assistant": frozenset(("output_text", "output_audio")),
}
_VAD = frozenset(
    "type threshold prefix_padding_ms silence_duration_ms idle_timeout_ms create_response "
    "interrupt_response".split()
)
_SEMANTIC = frozenset(("type", "eagerness", "create_response", "interrupt_response"))


class Mistake(Exception):
    """What a client's event is answered with."""

    def __init__(self, message: str, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class Format(NamedTuple):
    """Of sound: as speaking.py and as hearing.py call it."""

    form: str
    encoding: str
    rate: int

    @property
    def bytes_per_second(self) -> int:
        return self.rate * (2 if self.form == LINEAR else 1)


_FORMATS = {
    "audio/pcmu": Format(MULAW, "mulaw", 8_000),
    "audio/pcma": Format(ALAW, "alaw", 8_000),
    "audio/pcm": Format(LINEAR, "linear16", 24_000),
}
PCM = _FORMATS["audio/pcm"]


def event(message: bytes, binary: bool) -> dict[str, Any]:
    """A client's event."""
    try:
        fields = json.loads(message) if not binary else None
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise Mistake("We could not parse the JSON body of your event.", "invalid_event")
    return fields


def need(fields: Mapping[str, Any], name: str, kind: type, where: str = "") -> Any:
    """A field that must be there."""
    value = fields.get(name)
    if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
        param = f"{where}.{name}" if where else name
        code = "missing_required_parameter" if value is None else "invalid_type"
        raise Mistake(f"Missing or invalid parameter: '{param}'.", code, param)
    return value


def audio(fields: Mapping[str, Any]) -> bytes:
    """What is appended to the input buffer."""
    text = need(fields, "audio", str)
    try:
        sound = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Mistake("Invalid 'audio'. Expected base64-encoded audio.", "invalid_value") from None
    if len(sound) > _LONGEST:
        raise Mistake("Invalid 'audio': string too long.", "string_above_max_length", "audio")
    return sound


def only(fields: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """No other parameters."""
    for name in fields:
        if name not in known:
            raise Mistake(f"Unknown parameter: '{where}.{name}'.", "unknown_parameter", name)


def session(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of a session.update."""
    settings: Mapping[str, Any] = need(fields, "session", dict)
    if settings.get("type") != "realtime":
        raise Mistake(
            "Missing required parameter: 'session.type'.",
            "missing_required_parameter",
            "session.type",
        )
    only(settings, _SESSION, "session")
    if settings.get("output_modalities", ["audio"]) not in (["audio"], ["text"]):
        raise Mistake("Invalid modalities.", "invalid_value", "session.output_modalities")
    sides = settings.get("audio", {})
    only(sides, frozenset(("input", "output")), "session.audio")
    for side in sides.values():
        sound_format(side.get("format"))
    _turn_detection(sides.get("input", {}).get("turn_detection"))
    voice = sides.get("output", {}).get("voice", "marin")
    if voice not in _VOICES:
        raise Mistake(f"Invalid value: '{voice}'.", "invalid_value", "session.audio.output.voice")
    for tool in settings.get("tools", ()):
        need(tool, "name", str, "session.tools")
        if tool.get("type") != "function" or not isinstance(tool.get("parameters", {}), dict):
            raise Mistake("Invalid tool.", "invalid_value", "session.tools")
    return settings


def sound_format(given: Any) -> Format:
    """How sound is sent; PCM unless it says."""
    if given is None:
        return PCM
    kind = given.get("type")
    if kind not in _FORMATS or (kind == "audio/pcm" and given.get("rate") != 24_000):
        raise Mistake(f"Invalid value: '{kind}'.", "invalid_value", "session.audio.format")
    return _FORMATS[kind]


def _turn_detection(given: Any) -> None:
    if given is None:
        return
    kind = given.get("type")
    if kind not in ("server_vad", "semantic_vad"):
        raise Mistake(f"Invalid value: '{kind}'.", "invalid_value", "turn_detection.type")
    only(given, _VAD if kind == "server_vad" else _SEMANTIC, "session.audio.input.turn_detection")


def response(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters of a response.create."""
    settings: Mapping[str, Any] = fields.get("response") or {}
    only(settings, _RESPONSE, "response")
    for name, value in settings.get("metadata", {}).items():
        if not isinstance(value, str) or len(name) > 64 or len(value) > 512:
            raise Mistake("Invalid metadata.", "invalid_type", "response.metadata")
    return settings


def item(fields: Mapping[str, Any], call_ids: set[str]) -> dict[str, Any]:
    """The item of a conversation.item.create. `call_ids`: those of the tool calls so far."""
    given: dict[str, Any] = need(fields, "item", dict)
    kind = given.get("type")
    if kind == "function_call_output":
        need(given, "output", str, "item")
        if need(given, "call_id", str, "item") not in call_ids:
            raise Mistake(
                f"Tool call ID '{given['call_id']}' not found in conversation.",
                "invalid_tool_call_id",
                "item.call_id",
            )
    elif kind == "function_call":
        need(given, "name", str, "item")
        need(given, "arguments", str, "item")
        call_ids.add(need(given, "call_id", str, "item"))
    elif kind == "message":
        role = given.get("role")
        if role not in _CONTENT:
            raise Mistake(f"Invalid value: '{role}'.", "invalid_value", "item.role")
        for part in need(given, "content", list, "item"):
            if part.get("type") not in _CONTENT[role]:
                told = f"Invalid value: '{part.get('type')}'. Supported are {_CONTENT[role]}"
                raise Mistake(told, "invalid_value", "item.content[0].type")
    else:
        raise Mistake(f"Invalid value: '{kind}'.", "invalid_value", "item.type")
    return given
