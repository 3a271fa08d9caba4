"""Soniox's own client understands our fake of its service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.vendors.fakes import RATE, fake, pieces, silence, spoken

soniox = pytest.importorskip("soniox", reason="the package soniox is not installed")
realtime = pytest.importorskip("soniox.types.realtime", reason="as above")

KEY = "soniox-key-of-a-test"


@pytest.fixture
def port() -> Iterator[int]:
    with fake("soniox", script=["book a table", "for two"], key=KEY) as number:
        yield number


def session(port: int, key: str = KEY, model: str = "stt-rt-v5") -> Any:
    """A context manager."""
    url = f"ws://127.0.0.1:{port}/transcribe-websocket"
    client = soniox.SonioxClient(api_key=key, websocket_base_url=url)
    config = realtime.RealtimeSTTConfig(
        model=model,
        audio_format="pcm_s16le",
        sample_rate=RATE,
        num_channels=1,
        enable_endpoint_detection=True,
        language_hints=["en"],
    )
    return client.realtime.stt.connect(config=config)


def test_tokens(port: int) -> None:
    """It puts the final tokens together; a turn ends by itself, or is finalised."""
    said: list[str] = []
    with session(port) as talk:
        for piece in pieces(spoken(0.9) + silence(0.6) + spoken(0.6)):
            talk.send_byte_chunk(piece)
        talk.finalize()
        talk.keep_alive()
        talk.finish()
        for event in talk.receive_events():
            said += [token.text for token in event.tokens if token.is_final]
            finished = event.finished
    assert "".join(said) == " book a table<end> for two<fin>"
    assert finished


@pytest.mark.parametrize(
    ("wrong", "message"), [({"key": "another"}, "API key"), ({"model": "nova"}, "Invalid model")]
)
def test_refused(port: int, wrong: dict[str, str], message: str) -> None:
    """It is told why, in the answer to its first message."""
    with session(port, **wrong) as talk:
        events = list(talk.receive_events())
    assert message in str(events[-1].error_message)
