"""TextNotes: what a conversation in writing leaves in the history, as a call does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rapida_tw.calls.journal import Notebook
from rapida_tw.errors import CallError, End


class TextNotes:
    """One conversation's; `now`: seconds since the epoch."""

    def __init__(self, notebook: Notebook, now: Callable[[], float]) -> None:
        self.notebook = notebook
        self._now = now
        self._turns = 0

    def user_said(self, text: str, turn: str, data: Mapping[str, Any]) -> None:
        self._turns += 1
        self.notebook.message("user", text, **{**data, "by": "text", "turn": turn})
        self.notebook.status("active")

    def assistant_said(self, text: str, kind: str, turn: str, interrupted: bool) -> None:
        if text:
            self.notebook.message("assistant", text, kind=kind, turn=turn, interrupted=interrupted)

    def measured(self, whole: float, first: float, usage: Mapping[str, int]) -> None:
        """Seconds for all of a reply, and for its first word."""
        note, turn = self.notebook, self._turns
        parts = {"total": round(whole, 4), "model": round(first, 4)}
        note.metric("turn.latency", f"{whole * 1000:.0f}", unit="ms", turn=turn, **parts)
        note.metric("agent.ttft_ms", f"{first * 1000:.0f}", unit="ms", turn=turn)
        if usage:
            read, written = usage.get("input", 0), usage.get("output", 0)
            note.metric("agent.input_token", read, turn=turn, cached=usage.get("cached", 0))
            note.metric("agent.output_token", written, turn=turn)
            note.metric("agent.total_token", read + written, turn=turn)

    def tool_used(self, name: str, result: str) -> None:
        self.notebook.event("tool.call_completed", tool=name, result=result)

    def failed(self, error: CallError) -> None:
        self.notebook.event("reply.failed", reason=error.reason, detail=str(error))

    def ended(self, end: End, began: float) -> None:
        """`began`: when the conversation did, in seconds since the epoch."""
        note = self.notebook
        duration = max(self._now() - began, 0.0) if began else 0.0
        note.metric("call.duration", f"{duration:.3f}")
        note.metric("call.status", end.status)
        note.metric("call.disconnected_by", end.disconnected_by)
        name = "call.failed" if end.status == "failed" else "call.ended"
        note.event(name, reason=end.reason, detail=end.detail, status=end.status)
        state = "failed" if end.status == "failed" else "ended"
        note.status(state, end.reason, round(duration, 3))
