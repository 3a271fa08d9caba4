"""What the Gemini Live API accepts of a client ("Live API - WebSockets API reference").

Names may be in camelCase or in snake_case. What is wrong closes the connection, with a reason.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

BAD, POLICY = 1007, 1008  # close codes

_MODEL = re.compile(r"models/gemini-\S*(?:live|native-audio)\S*")
_NUMBERS = re.compile(r"(\d+)(?:\.(\d+))?")
_SETUP = frozenset(
    "model generationConfig systemInstruction tools realtimeInputConfig sessionResumption "
    "contextWindowCompression inputAudioTranscription outputAudioTranscription proactivity "
    "historyConfig safetySettings".split()
)
_GENERATION = frozenset(
    "responseModalities speechConfig temperature topP topK maxOutputTokens candidateCount "
    "presencePenalty frequencyPenalty mediaResolution thinkingConfig seed "
    "enableAffectiveDialog".split()
)
_MESSAGES = frozenset(("setup", "clientContent", "realtimeInput", "toolResponse"))
_INPUT = frozenset("audio video text activityStart activityEnd audioStreamEnd mediaChunks".split())
_PCM = re.compile(r"audio/pcm(?:;\s*rate=(\d+))?")
_USUAL_RATE = 16_000  # Hz
_URL_SAFE = str.maketrans("-_", "+/")


class Mistake(Exception):
    """Why the connection is closed."""

    def __init__(self, reason: str = "Request contains an invalid argument.", code: int = BAD):
        super().__init__(reason)
        self.code = code


def camel(fields: Any) -> dict[str, Any]:
    """An object with names in camelCase, its own only."""
    if not isinstance(fields, dict):
        raise Mistake
    return {re.sub(r"_([a-z])", lambda m: m[1].upper(), key): fields[key] for key in fields}


def message(payload: bytes) -> tuple[str, dict[str, Any]]:
    """The one thing that a message says."""
    try:
        fields = camel(json.loads(payload))
    except ValueError:
        raise Mistake("Invalid JSON payload received.") from None
    if len(fields) != 1 or not _MESSAGES.issuperset(fields):
        raise Mistake(f"Invalid JSON payload received. Unknown name in {sorted(fields)}.")
    ((kind, inner),) = fields.items()
    return kind, camel(inner)


def only(fields: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """No other names."""
    for name in fields:
        if name not in known:
            told = f"Unknown name \"{name}\" at '{where}': Cannot find field."
            raise Mistake(f"Invalid JSON payload received. {told}")


def setup(fields: Mapping[str, Any]) -> str:
    """Check a setup; answers the model's name."""
    only(fields, _SETUP, "setup")
    model = fields.get("model")
    if not isinstance(model, str) or not _MODEL.fullmatch(model):
        told = f"{model} is not found for API version v1beta, or is not supported for"
        raise Mistake(f"{told} bidiGenerateContent.", POLICY)
    generation = camel(fields.get("generationConfig", {}))
    only(generation, _GENERATION, "setup.generation_config")
    if generation.get("responseModalities", ["AUDIO"]) != ["AUDIO"]:
        raise Mistake("Cannot extract voices from a non-audio request.")
    if "thinkingConfig" in generation and version(model) >= (3, 8):
        raise Mistake("Thinking level is not supported for this model.")
    for tool in fields.get("tools", ()):
        for declared in camel(tool).get("functionDeclarations", ()):
            given = declared.get("parameters") or declared.get("parametersJsonSchema")
            if given is not None and not given.get("properties"):
                raise Mistake("parameters.properties: should be non-empty for OBJECT type")
    return model


def version(model: str) -> tuple[int, int]:
    """The generation of a model."""
    found = _NUMBERS.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def realtime(fields: Mapping[str, Any]) -> tuple[str, Any]:
    """The one thing that a realtimeInput gives."""
    only(fields, _INPUT, "realtime_input")
    if len(fields) != 1:
        raise Mistake
    ((kind, value),) = fields.items()
    return kind, value


def audio(blob: Any) -> tuple[bytes, int]:
    """Sound, and its rate."""
    fields = camel(blob)
    kind = _PCM.fullmatch(str(fields.get("mimeType", "")))
    if kind is None:
        raise Mistake(f"Unsupported mime type {fields.get('mimeType')}.")
    try:
        # Both alphabets, as everywhere in JSON of protocol buffers.
        sound = base64.b64decode(fields["data"].translate(_URL_SAFE), validate=True)
    except (KeyError, AttributeError, binascii.Error, ValueError):
        raise Mistake from None
    if len(sound) % 2:
        raise Mistake
    return sound, int(kind[1] or _USUAL_RATE)


def turns(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Roles and texts of a clientContent."""
    only(fields, frozenset(("turns", "turnComplete")), "client_content")
    said = []
    for turn in fields.get("turns", ()):
        role = turn.get("role", "user")
        if role not in ("user", "model") or not turn.get("parts"):
            raise Mistake("Please use a valid role: user, model.")
        said.append((role, " ".join(part.get("text", "") for part in turn["parts"])))
    return said


def results(fields: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The answers of a toolResponse."""
    given = fields.get("functionResponses")
    if not isinstance(given, list) or not all(
        isinstance(one.get("response"), dict) and one.get("name") for one in given
    ):
        raise Mistake
    return given
