"""OpenAI's own client understands our fake of its transcription sessions."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rapida_tw.audio.g711 import MULAW
from tests.interop.vendors.fakes import fake, pieces, spoken

openai = pytest.importorskip("openai", reason="the package openai is not installed")
pytest.importorskip("websockets", reason="the package websockets is not installed")

KEY = "openai-key-of-a-test"
RATE = 8_000
HEARD = "conversation.item.input_audio_transcription."


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with fake("openai_recognizer", script=["book a table"], key=KEY) as number:
        yield number


def connection(port: int, key: str = KEY) -> Any:
    """A context manager."""
    client = openai.OpenAI(api_key=key, base_url=f"http://127.0.0.1:{port}/v1")
    return client.realtime.connect(extra_query={"intent": "transcription"}, max_retries=0)


def test_transcription(port: int) -> None:
    """It makes a session of its types, hears words grow, and commits them."""
    voice = MULAW.encode(np.frombuffer(spoken(0.9, RATE), "<i2").astype(np.int16))
    heard = {
        "format": {"type": "audio/pcmu"},
        "transcription": {"model": "gpt-live-transcribe", "language": "en"},
        "turn_detection": None,
    }
    with connection(port) as session:
        assert session.recv().type == "session.created"
        session.session.update(session={"type": "transcription", "audio": {"input": heard}})
        assert session.recv().type == "session.updated"
        for piece in pieces(voice, RATE, sample=1):
            session.input_audio_buffer.append(audio=base64.b64encode(piece).decode())
        session.input_audio_buffer.commit()
        events = [session.recv() for _ in range(5)]
        session.input_audio_buffer.commit()
        refused = session.recv()
    assert [event.type for event in events] == [
        *[f"{HEARD}delta"] * 3,
        "input_audio_buffer.committed",
        f"{HEARD}completed",
    ]
    assert "".join(event.delta for event in events[:3]) == "book a table"
    assert events[4].transcript == "book a table"
    assert refused.type == "error"
    assert refused.error.code == "input_audio_buffer_commit_empty"


def test_wrong_key(port: int) -> None:
    """It is refused at the handshake."""
    with pytest.raises(Exception, match="401"), connection(port, "another"):
        pass
