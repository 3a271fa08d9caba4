"""Recordings that cannot be written: the calls go on, and the loss is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.caller import Caller, talk
from tests.server.installation import Installation
from tests.server.process import ServerProcess

Spoil = Callable[[Path, str], None]  # the recordings' folder, the conversation's id


def not_a_folder(recordings: Path, conversation: str) -> None:
    """Somebody has tidied up."""
    recordings.rmdir()
    recordings.write_text("no folder any more")


def disk_full(recordings: Path, conversation: str) -> None:
    """Every write of this file finds no space left."""
    (recordings / f"{conversation}.wav").symlink_to("/dev/full")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(not_a_folder, "Not a directory"), (disk_full, "No space left on device")],
)
def test_call_goes_on(tmp_path: Path, spoil: Spoil, reason: str) -> None:
    """The caller is heard and spoken to as before; event and log name the reason."""
    installation = Installation(tmp_path)
    with ServerProcess(installation) as server:
        installation.deploy(provider="asterisk", greeting="One two three four five six. " * 5)
        context = installation.context(installation.assistant())
        id = installation.data_of("/v1/conversations")[0]["id"]
        spoil(installation.data / "recordings", id)
        caller = Caller(installation.audiosocket, context)

        def failed() -> list[Any]:
            events = installation.data_of(f"/v1/conversations/{id}")["events"]
            return [event for event in events if event["name"] == "recording.failed"]

        talk([caller], until=failed)
        loud = caller.loud
        talk([caller], until=lambda: caller.loud > loud + 50)
        assert caller.ending is None
        assert [event["data"]["reason"] for event in failed()] == [reason]
        caller.hang_up()
        talk([], until=lambda: installation.data_of(f"/v1/conversations/{id}")["endReason"])
        assert installation.data_of(f"/v1/conversations/{id}")["status"] == "ended"
        missing = installation.request(f"/v1/conversations/{id}/recording.wav")
        assert missing.status == 404, missing
        server.terminate()
        assert server.status() == 0
        assert server.printed().count(f"recording given up: {reason}") == 1
