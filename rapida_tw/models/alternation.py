"""Alternation: the dialogue as vendors insist on it, caller and assistant in turns.

OpenAI itself takes any order. Anthropic, Gemini, Mistral and the chat templates of local servers
each refuse something, so one strict form is sent to all of them: instructions apart, a caller's
turn first and last, no two turns of one side in a row, ids of tool calls unique.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rapida_tw.models.base import Message

# How a transcript marks what was cut off. A note in brackets would be imitated and spoken, and one
# in the instructions would empty the vendor's cache of them in mid-call.
CUT_OFF = "—"
CONNECTED = "(The call is connected.)"  # before a greeting, which is the assistant's
SILENT = "(The caller says nothing.)"  # where the caller owes a turn

ANY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Alternation:
    """`system`: all instructions, also those that came later; they hold for the next reply."""

    system: str
    messages: tuple[Message, ...]


def alternate(messages: Sequence[Message], ids: re.Pattern[str] = ANY_ID) -> Alternation:
    """The dialogue in turns. Ids that do not match `ids` wholly, or come twice, are replaced."""
    system = "\n\n".join(one.text for one in messages if one.role == "system" and one.text)
    turns: list[Message] = []
    for message in _renamed(messages, ids):
        text = message.text if message.text.strip() else ""
        if message.interrupted and text:
            text = text.rstrip() + CUT_OFF
        if not text and not message.tool_calls and message.role != "tool":
            continue
        before = turns[-1] if turns else None
        if before is not None and _joined(before, message):
            turns[-1] = replace(
                message, text=_between(message.role).join(filter(None, (before.text, text)))
            )
        else:
            turns.append(replace(message, text=text))
    if not turns or turns[0].role == "assistant":
        turns.insert(0, Message("user", CONNECTED))
    if turns[-1].role == "assistant":
        turns.append(Message("user", SILENT))
    return Alternation(system, tuple(turns))


def _joined(before: Message, message: Message) -> bool:
    return before.role == message.role != "tool" and not before.tool_calls


def _between(role: str) -> str:
    return " " if role == "assistant" else "\n"


def _renamed(messages: Sequence[Message], ids: re.Pattern[str]) -> list[Message]:
    """Without instructions, and without results whose call is not there."""
    named: list[Message] = []
    used: set[str] = set()
    waiting: dict[str, deque[str]] = {}  # new ids of calls without a result, by their old ones
    for message in messages:
        if message.role == "tool":
            if waiting.get(message.tool_call_id):
                new = waiting[message.tool_call_id].popleft()
                named.append(replace(message, tool_call_id=new))
        elif message.role != "system":
            waiting = {}
            calls = []
            for call in message.tool_calls:
                new = call.id if ids.fullmatch(call.id) else ""
                if not new or new in used:
                    new = _fresh(used)
                used.add(new)
                waiting.setdefault(call.id, deque()).append(new)
                calls.append(replace(call, id=new))
            named.append(replace(message, tool_calls=tuple(calls)))
    return named


def _fresh(used: set[str]) -> str:
    """Nine letters and digits: what the strictest vendor (Mistral) takes."""
    number = len(used)
    while (name := f"call{number:05d}") in used:
        number += 1
    return name
