"""Gladia's own client understands our fake of its service."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest

from tests.interop.vendors.fakes import RATE, fake, pieces, silence, spoken

gladia = pytest.importorskip("gladiaio_sdk", reason="the package gladiaio-sdk is not installed")

KEY = "gladia-key-of-a-test"
WITHIN = 20.0  # seconds
SESSION = {
    "encoding": "wav/pcm",
    "bit_depth": 16,
    "sample_rate": RATE,
    "channels": 1,
    "endpointing": 0.3,
    "messages_config": {"receive_partial_transcripts": True, "receive_acknowledgments": True},
}


@pytest.fixture
def port() -> Iterator[int]:
    with fake("gladia", script=["book a table"], key=KEY) as number:
        yield number


class Client:
    """Messages and the end of a session, as they come."""

    def __init__(self, port: int, key: str = KEY) -> None:
        client = gladia.GladiaClient(api_key=key, api_url=f"http://127.0.0.1:{port}")
        self.told: Queue[tuple[str, Any]] = Queue()
        self.session = client.live_v2().start_session(SESSION)
        for event in ("message", "ended", "error"):
            self.session.on(event, lambda told, event=event: self.told.put((event, told)))

    def next(self) -> tuple[str, Any]:
        return self.told.get(timeout=WITHIN)


def test_utterance(port: int) -> None:
    """All of its audio is acknowledged; it hears words grow, and the end."""
    client = Client(port)
    assert client.session.wait_until_ready(WITHIN)
    audio = spoken(0.9) + silence(0.4)
    for piece in pieces(audio):
        client.session.send_audio(piece)
    said: list[tuple[str, bool]] = []
    acknowledged = 0
    while not said or not said[-1][1] or acknowledged < len(audio):
        kind, message = client.next()
        assert kind == "message", message
        if message.type == "audio_chunk":
            acknowledged = message.data.byte_range[1]
        elif message.type == "transcript":
            said.append((message.data.utterance.text.strip(), message.data.is_final))
    assert said == [
        *(("book", False), ("book a", False), ("book a table", False)),
        ("book a table", True),
    ]
    client.session.stop_recording()
    while True:
        kind, message = client.next()
        if kind == "ended":
            break
    assert message.code == 1000
    client.session.join(WITHIN)


def test_wrong_key(port: int) -> None:
    """It gets no session."""
    client = Client(port, "another")
    kind, error = client.next()
    assert kind == "error"
    assert "401" in str(error) or "key not found" in str(error)
    client.session.join(WITHIN)
