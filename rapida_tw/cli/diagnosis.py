"""What became of one call, in plain words: for `rapida doctor --call`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rapida_tw.cli import placed_ends
from rapida_tw.cli.conversations import seconds
from rapida_tw.cli.source import Document

# By the slug of errors.py: what happened, and what may be done about it.
_ENDS = {
    "remote_hangup": "The caller hung up.",
    "tool_ended": "The assistant said goodbye and hung up.",
    "assistant_ended": "The assistant said goodbye and hung up.",
    "machine_detected": "An answering machine took the call, and the assistant hung up.",
    "transferred": "The assistant handed the caller over.",
    "hung_up_by_api": "Somebody ended the call by the API.",
    "idle_timeout": "The caller said nothing for too long, though asked; see idleTimeout.",
    "max_duration": "The call reached its longest duration; see maxCallDuration.",
    "server_shutdown": "The server was stopped during the call.",
    "server_crashed": "The server died during the call; its log has the last words.",
    "media_timeout": "No audio came from the carrier any more: its network, or a firewall that "
    "forgets connections.",
    "far_end_stalled": "The carrier did not take our audio fast enough.",
    "network_failed": "The connection broke.",
    "protocol_error": "The carrier sent what its protocol does not allow; the log says what.",
    "provider_failed": "A recogniser, a voice or a model failed.",
    "internal_error": "A mistake in the server; its log has the traceback.",
    "expired": "The carrier announced the call and never connected its audio: in Asterisk, check "
    "host and port of AudioSocket() and that modules are loaded.",
    "configuration-failed": "The assistant names a plug-in or an option that is not there.",
}
_TROUBLE = {
    "turn.unclear": "turns were not understood",
    "turn.interrupted": "replies were interrupted by the caller",
    "idle": "times the caller was asked whether they are still there",
    "reply.failed": "replies failed",
    "reply.filler": "times the answer took so long that the silence was filled",
    "stt.error": "failures of the recogniser",
    "recording.failed": "recordings were given up",
}
_SLOW = 1500  # ms: a caller begins to wonder
_PARTS = ("endpointing", "recognizer", "model", "voice", "playout")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The summary, what was noticed, and whether there is nothing to put right."""

    conversation_id: str
    summary: str
    notes: Sequence[str]
    went_well: bool

    def document(self) -> dict[str, Any]:
        return {
            "id": self.conversation_id,
            "ok": self.went_well,
            "summary": self.summary,
            "notes": list(self.notes),
        }

    def text(self) -> str:
        return "\n".join([self.summary, *(f"- {note}" for note in self.notes)])


def diagnose(found: Document) -> Diagnosis:
    """Of a conversation as the API has it."""
    words = placed_ends.ended(found)
    if words is not None:
        summary = words.what + placed_ends.told_by_carrier(found)
        notes = list(placed_ends.advice(found, words))
        return Diagnosis(found["id"], summary, notes, words.ordinary)
    metrics = {one["name"]: one["value"] for one in found["metrics"]}
    failed = found["status"] in ("failed", "expired") or metrics.get("call.status") == "failed"
    events = Counter(event["name"] for event in found["events"])
    bad = failed or events["reply.failed"] or events["stt.error"] or events["recording.failed"]
    return Diagnosis(found["id"], _summary(found), list(_notes(found, events)), not bad)


def _summary(found: Document) -> str:
    reason, placed = found["endReason"], found["direction"] == "outbound"
    if not reason:
        state = found["status"]
        if placed and state in placed_ends.UNDER_WAY:
            return placed_ends.UNDER_WAY[state]
        where = "waits for its audio" if state in ("webhook", "queued", "saved") else "goes on"
        return f"The call {where} (state {state})."
    what = _ENDS.get(reason, f"It ended with the reason {reason}.")
    if placed:
        what = placed_ends.TALKED.get(reason, what)
    detail = next((e["data"].get("detail") for e in reversed(found["events"]) if _is_end(e)), "")
    lasted = f" It lasted {seconds(found['duration'])}." if found["duration"] is not None else ""
    return what + lasted + (f" In detail: {detail}." if detail else "")


def _is_end(event: Document) -> bool:
    return event["name"] in ("call.ended", "call.failed")


def _notes(found: Document, events: Counter[str]) -> Iterator[str]:
    said = Counter(message["role"] for message in found["messages"])
    yield f"{said['user']} turns of the caller, {said['assistant']} of the assistant"
    if events["call.connected"] and not said["user"]:
        yield "nothing that the caller said was understood: listen to the recording"
    if events["call.connected"] and not said["assistant"]:
        yield "the assistant was not heard: has it a greeting, and does its voice work?"
    yield from _latency(found["latency"])
    for name, what in _TROUBLE.items():
        if events[name]:
            yield f"{events[name]} {what}{_why(found, name)}"
    if events["call.connected"] and not found["recordings"]:
        yield "it was not recorded"


def _why(found: Document, name: str) -> str:
    """What the events of a failure say of it."""
    if not name.endswith(("failed", "error")):
        return ""
    data = [event["data"] for event in found["events"] if event["name"] == name]
    details = {str(one.get("detail") or one.get("reason") or "") for one in data}
    return "".join(f": {detail}" for detail in sorted(details) if detail)


def _latency(latencies: Sequence[Document]) -> Iterator[str]:
    totals = [one["total"] for one in latencies if "total" in one]
    if not totals:
        return
    yield f"answers after {median(totals):.0f} ms (median), {max(totals):.0f} ms at worst"
    if max(totals) < _SLOW:
        return
    worst = max(latencies, key=lambda one: one.get("total", 0))
    part = max(_PARTS, key=lambda name: worst.get(name, 0))
    yield f"the slowest, turn {worst['turn']}, waited for {part}: {worst.get(part, 0):.0f} ms of it"
