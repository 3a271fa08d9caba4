"""What is said between us and an agent behind a WebSocket: JSON both ways, without I/O.

The messages are those of Rapida's executor of WebSocket assistants (`type`, `timestamp`, `data`);
what those lack is added in fields and types of its own: prompt, tools and their results, history,
and what was heard. docs/agents.rst.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.base import Message, Tool
from rapida_tw.net.base import Frame
from rapida_tw.speech.messages import number, parse, part, parts, reason, text, written

# What Rapida's agents call our tools.
_ALIASES: Final = {
    "disconnect": "end_call",
    "end_conversation": "end_call",
    "hangup": "end_call",
    "transfer": "transfer_call",
}
_TOKENS: Final = {
    "input_tokens": "input",
    "prompt_tokens": "input",
    "output_tokens": "output",
    "completion_tokens": "output",
    "cached_tokens": "cached",
}


@dataclass(frozen=True, slots=True)
class Words:
    """Text of the answer to `turn`; "" is the current one, here and below."""

    turn: str
    text: str


@dataclass(frozen=True, slots=True)
class Complete:
    """That was all; `text` is the whole, which may have come as Words before."""

    turn: str
    text: str
    usage: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tool is to be used; `tool_id` is "" where the agent does not count them."""

    turn: str
    tool_id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Complaint:
    """The agent cannot answer."""

    turn: str
    reason: str
    code: int = 0


@dataclass(frozen=True, slots=True)
class Closing:
    """The agent ends the conversation."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Wants a pong."""


Event = Words | Complete | Wanted | Complaint | Closing | Ping


def understood(payload: bytes, binary: bool = False) -> Event | None:
    """One message of the agent; None for a type that is not known. RemoteProtocolError: garbage."""
    fields = parse(payload, binary)
    kind, data = text(fields, "type"), part(fields, "data")
    refused = part(fields, "error")
    if refused or kind == "error":
        said = refused or data
        return Complaint(_id(data, "id"), reason(text(said, "message")), int(number(said, "code")))
    turn = _id(data, "id")
    match kind:
        case "stream":
            return Words(turn, text(data, "content"))
        case "complete":
            return Complete(turn, text(data, "content"), _usage(data))
        case "tool_call":
            name = text(data, "name")
            if not name:
                raise RemoteProtocolError("a tool_call without a name")
            return Wanted(turn, _id(data, "tool_id"), name, part(data, "params"))
        case "close":
            return Closing()
        case "ping":
            return Ping()
    return None


def tool_name(name: str, offered: Sequence[str]) -> str:
    """Our name of the tool that the agent wants."""
    return name if name in offered else _ALIASES.get(name, name)


def _id(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole else text(data, name)


def _usage(data: Mapping[str, Any]) -> Mapping[str, int]:
    usage: dict[str, int] = {}
    for one in parts(data, "metrics"):
        name = _TOKENS.get(text(one, "name"))
        if name is not None:
            usage[name] = max(int(number(one, "value")), 0)
    return usage


def message(kind: str, now: float, data: Mapping[str, Any] | None = None) -> Frame:
    """One message to the agent; `now`: seconds since the epoch. Data that are None are left out."""
    fields: dict[str, Any] = {"type": kind, "timestamp": int(now * 1000)}
    if data is not None:
        fields["data"] = {name: value for name, value in data.items() if value is not None}
    return written(fields)


def tools_offered(tools: Sequence[Tool]) -> list[Mapping[str, Any]]:
    """The tools that the agent may ask for; `parameters` are JSON schemas."""
    return [
        {"name": one.name, "description": one.description, "parameters": dict(one.parameters)}
        for one in tools
    ]


def history(messages: Sequence[Message]) -> list[Mapping[str, Any]]:
    """What was said before, for an agent that was not there."""
    return [_entry(one) for one in messages]


def _entry(one: Message) -> Mapping[str, Any]:
    entry: dict[str, Any] = {"role": one.role, "content": one.text}
    if one.interrupted:
        entry["interrupted"] = True
    if one.tool_calls:
        entry["tool_calls"] = [
            {"tool_id": call.id, "name": call.name, "params": dict(call.arguments)}
            for call in one.tool_calls
        ]
    if one.tool_call_id:
        entry["tool_id"] = one.tool_call_id
    return entry


def result_of(told: str) -> Any:
    """A tool's result, which nearly always is JSON; else the text itself."""
    try:
        return json.loads(told)
    except (ValueError, RecursionError):
        return told
