"""The log for machines: one JSON object a line, without secrets."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from tests.server.caller import Caller, talk
from tests.server.installation import Installation
from tests.server.process import ServerProcess

WRONG = "rpd-" + "w" * 43


def test_json(tmp_path: Path) -> None:
    """A start, a call, refused requests, noise on the line and a stop: each line is an object."""
    installation = Installation(tmp_path, LOG__FORMAT="json", LOG__LEVEL="debug")
    with ServerProcess(installation) as server:
        key, assistant = installation.api_key, installation.assistant()
        # A dialplan that mixes up its variables: the key is where everybody logs the number.
        caller = Caller(installation.audiosocket, installation.context(assistant, caller=key))
        talk([caller], until=lambda: caller.loud)
        caller.hang_up()
        assert installation.webhook("1").status == 404
        installation.api_key = WRONG
        assert installation.webhook(assistant).status == 403
        stranger = Caller(installation.audiosocket, "66bc093d-34ab-4436-8e47-83e4fa85f361")
        talk([stranger], until=lambda: stranger.ending)
        server.terminate()
        assert server.status() == 0
        first_key, *lines = sorted(server.printed().splitlines(), key=lambda line: line[0] == "{")
    assert first_key.endswith(key)  # the only line that is no event
    events = [json.loads(line) for line in lines]
    for event in events:
        assert {"time", "level", "logger", "message"} <= event.keys()
        datetime.fromisoformat(event["time"])
    assert any(f"connected: {key[:8]}*** by" in event["message"] for event in events)
    messages = "\n".join(event["message"] for event in events)
    for told in ("ended after", "assistant-not-found", "unauthenticated", "refused"):
        assert told in messages
    for secret in (key, WRONG):
        assert [line for line in lines if secret in line] == []
