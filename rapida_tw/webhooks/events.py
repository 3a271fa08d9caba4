"""What webhooks are told, out of what the journal is told: one table, and the documents.

Names are those of Rapida's webhooks; `ALIASES` of store/webhook_documents.py has others for them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapida_tw.store.documents import timestamp
from rapida_tw.store.records import Conversation, Entry

VERSION = "1"
PING = "ping"
COMPLETED = "conversation.completed"
MOST_ENTRIES = 1_000  # messages, and metrics, of one conversation: the first ones
LONGEST_DETAIL = 2_000  # characters of a text of an event's details
_MOST_DETAILS = 40
_VERDICTS = frozenset(("human", "machine", "beep", "silence", "fax", "unknown"))


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and where the call is by it. `once`: of one conversation, however often noted."""

    event: str
    status: str
    once: bool = True


# Events of the journal by their names.
EVENTS = {
    "webhook": Told("call.received", "pending"),
    "call.queued": Told("call.queued", "pending"),
    "call.outbound_requested": Told("call.outbound_requested", "pending"),
    "channel_created": Told("call.outbound_dispatched", "pending"),
    "call.ringing": Told("call.ringing", "ringing"),
    "call.answered": Told("call.answered", "in_progress"),
    "call.connected": Told("call.connected", "in_progress"),
    "call.transferred": Told("call.transferred", "in_progress"),
    "call.ended": Told("call.ended", "completed"),
    "call.failed": Told("call.failed", "failed"),
}
TRANSFERRED = EVENTS["call.transferred"]
DISPATCH_FAILED = Told("call.outbound_dispatch_failed", "failed")
_DETECTED = "machine.detected"
_LAST = ("call.ended", "call.failed")


def is_told(name: str) -> bool:
    """Whether an event of the journal means anything to receivers."""
    return name in EVENTS or name == _DETECTED


def told(entry: Entry, noted: Collection[str]) -> list[Told]:
    """What the entry means to receivers, in order; mostly nothing.

    `noted`: events that come once, and have come.
    """
    if entry.name == _DETECTED:
        verdict = entry.data.get("verdict")
        known = verdict if verdict in _VERDICTS else "unknown"
        return [Told(f"machine.{known}", "in_progress", once=False)]
    found = EVENTS.get(entry.name)
    if found is None:
        return []
    several = [found]
    if found.event == "call.ended" and entry.data.get("reason") == "transferred":
        several.insert(0, TRANSFERRED)
    requested = "call.outbound_requested" in noted
    if found.event == "call.failed" and requested and "call.outbound_dispatched" not in noted:
        several.insert(0, DISPATCH_FAILED)
    if found.event in _LAST and "call.connected" in noted:
        several.append(Told(COMPLETED, found.status))
    return [one for one in several if one.event not in noted]


@dataclass(slots=True)
class Subject:
    """What is known of a conversation. `metadata`: its `client.…` entries."""

    conversation_id: int
    project_id: int = 0  # 0: it is yet to be looked up
    assistant_id: int = 0
    identifier: str = ""
    direction: str = ""
    carrier: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    duration: float | None = None  # seconds
    noted: set[str] = field(default_factory=set)  # events that come once, and have come


def body(
    event: str, event_id: str, at: float, assistant_id: int, conversation_id: int, data: Any
) -> dict[str, Any]:
    """What a receiver gets; ids are texts."""
    return {
        "event": event,
        "eventId": event_id,
        "timestamp": timestamp(at),
        "assistant": {"id": str(assistant_id)},
        "conversation": {"id": str(conversation_id) if conversation_id else None},
        "data": data,
    }


def call_data(subject: Subject, known: Told, entry: Entry) -> dict[str, Any]:
    """`data` of an event of a call."""
    human, ours = subject.identifier, subject.metadata.get("client.assistant_phone", "")
    outbound = subject.direction == "outbound"
    reason = str(entry.data.get("reason", ""))
    return {
        "version": VERSION,
        "provider": subject.carrier,
        "callId": subject.metadata.get("client.provider_call_id", ""),
        "from": ours if outbound else human,
        "to": human if outbound else ours,
        "direction": subject.direction,
        "contextId": subject.metadata.get("client.context_id", ""),
        "status": "cancelled" if reason == "cancelled" else known.status,
        "reason": reason[:LONGEST_DETAIL],
        "durationMs": None if subject.duration is None else round(1000 * subject.duration),
        "details": _details(entry.data),
    }


def completed_data(data: Mapping[str, Any], conversation: Conversation) -> dict[str, Any]:
    """`data` of `conversation.completed`: the event's own, and all that was remembered."""
    entries = conversation.entries
    return {
        **data,
        "status": "completed" if conversation.status == "ended" else "failed",
        "reason": conversation.end_reason,
        "durationMs": (
            None if conversation.duration is None else round(1000 * conversation.duration)
        ),
        "messages": [
            {"role": one.name, "text": one.value, "timestamp": timestamp(one.at)}
            for one in _of_kind(entries, "message")
        ],
        "metrics": [{"name": one.name, "value": one.value} for one in _of_kind(entries, "metric")],
        "metadata": {one.name: one.value for one in _of_kind(entries, "metadata")},
    }


def _of_kind(entries: Sequence[Entry], kind: str) -> list[Entry]:
    return [one for one in entries if one.kind == kind][:MOST_ENTRIES]


def _details(data: Mapping[str, Any]) -> dict[str, Any]:
    """What else was noted with the event, flat and cut."""
    plain = {
        key: value[:LONGEST_DETAIL] if isinstance(value, str) else value
        for key, value in data.items()
        if value is None or isinstance(value, str | int | float | bool)
    }
    return dict(list(plain.items())[:_MOST_DETAILS])
