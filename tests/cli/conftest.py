"""The command run in this process, on a database of its own."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rapida_tw.cli import main
from rapida_tw.cli.local import Local, now
from rapida_tw.config import load
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.database import Database
from rapida_tw.store.records import Conversation, Entry

BEGAN = 1_800_000_000.0


@dataclass
class Rapida:
    """`rapida(...)` is (exit status, standard output, standard error)."""

    config: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        status = main(["--config", str(self.config), *map(str, arguments)])
        out, err = self.capture.readouterr()
        return status, out, err

    def json(self, *arguments: object) -> Any:
        """The document of a command that succeeds."""
        status, out, err = self(*arguments, "--json")
        assert (status, err) == (0, "")
        return json.loads(out)

    def local(self) -> Local:
        return Local(load(self.config, {}))

    def remember(self, conversation: Conversation) -> None:
        """Put a call into the history."""
        database = Database(load(self.config, {}).database.url)
        store = Conversations(database, lambda: BEGAN, "test")
        now(store.create(conversation))
        now(store.append(conversation.entries))
        now(database.close())

    def call(self, conversation_id: int = 7, **changes: Any) -> Conversation:
        """A call of the first project, well answered and ended by the assistant."""
        with closing(self.local()) as books:
            project = books.project
        fields: dict[str, Any] = {
            "id": conversation_id,
            "project_id": project,
            "assistant_id": 5,
            "identifier": "+4930123",
            "carrier": "asterisk",
            "status": "ended",
            "end_reason": "tool_ended",
            "created": BEGAN,
            "duration": 12.5,
            "entries": dialogue(conversation_id),
        }
        return Conversation(**fields | changes)


def dialogue(conversation_id: int) -> tuple[Entry, ...]:
    """Greeting, a question, its answer."""

    def entry(at: float, kind: str, name: str, value: str = "", /, **data: Any) -> Entry:
        return Entry(conversation_id, kind, name, value, data, BEGAN + at)

    latency = {"total": 0.8, "endpointing": 0.6, "recognizer": 0.1, "model": 0.02, "voice": 0.08}
    return (
        entry(0, "event", "call.connected", carrier="asterisk"),
        entry(3, "message", "assistant", "Good morning.", kind="greeting", interrupted=False),
        entry(5, "message", "user", "when are you open", by="voice", confidence=0.9),
        entry(9, "message", "assistant", "Every day.", kind="answer", interrupted=True),
        entry(9, "metric", "turn.latency", "800", turn=1, **latency),
        entry(12, "metric", "call.duration", "12.500"),
        entry(12, "metric", "call.status", "completed"),
        entry(12, "event", "call.ended", reason="tool_ended", detail="", status="completed"),
        entry(12, "recording", "stereo", f"{conversation_id}.wav"),
    )


@pytest.fixture
def rapida(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Rapida:
    for name in list(os.environ):
        if name.startswith("RAPIDA_") or "__" in name:
            monkeypatch.delenv(name)
    config = tmp_path / "rapida.toml"
    config.write_text(f'[server]\ndata_dir = "{tmp_path / "var"}"\n')
    return Rapida(config, capsys)
