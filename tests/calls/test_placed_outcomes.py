"""write_outcome: what history keeps of a placed call that came to nothing."""

from __future__ import annotations

from typing import Any

import pytest

from rapida_tw.calls.placed_call import write_outcome
from rapida_tw.carriers.outbound import Outcome


class Note:
    """A Notebook that remembers its events."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}

    def event(self, name: str, **data: Any) -> None:
        self.events[name] = data

    def metric(self, name: str, value: str) -> None: ...

    def metadata(self, name: str, value: str) -> None: ...

    def status(self, status: str, reason: str = "") -> None: ...


@pytest.mark.parametrize("seconds", [30.0, None])
def test_retry_after(seconds: float | None) -> None:
    """How long the carrier wants to be left alone stands there if it has said so."""
    note: Any = Note()
    write_outcome(note, Outcome("unreachable", "full", "503", True, retry_after=seconds))
    failed = note.events["call.failed"]
    assert failed.get("retry_after") == seconds
    assert ("retry_after" in failed) is (seconds is not None)
