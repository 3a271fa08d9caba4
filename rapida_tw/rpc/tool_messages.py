"""An assistant's tools as the contract has them, both ways; each is known by its name here."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from rapida_tw.ids import LARGEST
from rapida_tw.rpc.answers import stamp
from rapida_tw.rpc.messages.assistant_pb2 import (
    AssistantTool,
    CreateAssistantToolRequest,
    UpdateAssistantToolRequest,
)
from rapida_tw.rpc.pairs import read_pairs, structured, write_pairs
from rapida_tw.rpc.values import from_struct, to_struct
from rapida_tw.store.records import JSON, Assistant


def read_tool(request: CreateAssistantToolRequest | UpdateAssistantToolRequest) -> dict[str, Any]:
    """The tool's definition; `-` and `_` are alike in methods."""
    definition: dict[str, Any] = {
        "name": request.name.strip(),
        "executionMethod": request.executionMethod.strip().replace("-", "_"),
        "description": request.description,
        "options": structured(read_pairs(request.executionOptions)),
    }
    if request.HasField("fields"):
        definition["parameters"] = from_struct(request.fields)
    return definition


def tool_message(assistant: Assistant, definition: JSON) -> AssistantTool:
    parameters, options = definition.get("parameters"), definition.get("options")
    return AssistantTool(
        id=tool_id(assistant.id, definition),
        assistantId=assistant.id,
        name=name_of(definition),
        description=str(definition.get("description") or ""),
        fields=to_struct(parameters) if isinstance(parameters, dict) else None,
        executionMethod=str(definition.get("executionMethod") or name_of(definition)),
        executionOptions=write_pairs(options if isinstance(options, dict) else {}),
        status="ACTIVE",
        createdDate=stamp(assistant.created),
        updatedDate=stamp(assistant.updated),
    )


def name_of(definition: JSON) -> str:
    """Those that need no name are known by what they do."""
    return str(definition.get("name") or definition.get("executionMethod") or "")


def tool_id(assistant_id: int, definition: JSON) -> int:
    """The same for as long as it has its name: tools have no ids of their own here."""
    text = f"{assistant_id}/{name_of(definition)}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest()) & LARGEST or 1
