"""Cartesia's own client understands our fake of its speech."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rapida_tw.sim.vendors.speaking import MULAW, decode, understood
from tests.interop.vendors.fakes import fake

cartesia = pytest.importorskip("cartesia", reason="the package cartesia is not installed")

KEY = "cartesia-key-of-a-test"
MULAW_8K = {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000}
VOICE = {"mode": "id", "id": "a0e99841-438c-4a64-b679-ae501e7d6091"}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with fake("cartesia_voice", key=KEY) as number:
        yield number


def client(port: int, key: str = KEY) -> Any:
    base = f"127.0.0.1:{port}"
    return cartesia.Cartesia(
        api_key=key, base_url=f"http://{base}", websocket_base_url=f"ws://{base}", max_retries=0
    )


def context(connection: Any, **changed: Any) -> Any:
    settings = {
        "model_id": "sonic-3",
        "voice": VOICE,
        "output_format": MULAW_8K,
        "language": "en",
        "add_timestamps": True,
        "timeout": 20.0,
    }
    return connection.context(**{**settings, **changed})


def test_inputs(port: int) -> None:
    """Several inputs of a context come as one sound, with the times of all words."""
    with client(port).tts.websocket_connect() as connection:
        speaking = context(connection)
        for text in ("Hello, ", "Bob."):
            speaking.push(text)
        speaking.no_more_inputs()
        events = list(speaking.receive())
    sound = b"".join(event.audio for event in events if event.type == "chunk")
    assert understood(decode(sound, MULAW), 8_000) == "Hello, Bob."
    times = [event.word_timestamps for event in events if event.type == "timestamps"]
    assert [word for one in times for word in one.words] == ["Hello,", "Bob."]
    assert [start for one in times for start in one.start] == pytest.approx([0.0, 0.42])
    assert events[-1].type == "done"


def test_cancelled(port: int) -> None:
    """A context that is cancelled does not disturb another one."""
    with client(port).tts.websocket_connect() as connection:
        first = context(connection)
        first.push("Never mind. " * 20)
        first.cancel()
        second = context(connection)
        second.push("Hello.", continue_=False)
        events = list(second.receive())
    sound = b"".join(event.audio for event in events if event.type == "chunk")
    assert understood(decode(sound, MULAW), 8_000) == "Hello."


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"model_id": "sonic-9000"}, "model_not_found"),
        ({"voice": {"mode": "id", "id": "nobody"}}, "voice_not_found"),
        ({"output_format": {**MULAW_8K, "sample_rate": 11_025}}, "bad_request"),
        ({"generation_config": {"speed": 3.0}}, "bad_request"),
    ],
)
def test_refused(port: int, wrong: dict[str, Any], code: str) -> None:
    """It is told what is wrong, as its own server tells it, and may go on."""
    with client(port).tts.websocket_connect() as connection:
        bad = context(connection, **wrong)
        bad.push("Hello.", continue_=False)
        told = connection.recv()
        assert (told.type, told.error_code) == ("error", code)
        good = context(connection)
        good.push("Hello.", continue_=False)
        assert list(good.receive())[-1].type == "done"


def test_wrong_key(port: int) -> None:
    """A key that is not ours opens no socket."""
    with (
        pytest.raises(Exception, match="401"),
        client(port, "sk_wrong").tts.websocket_connect(),
    ):
        pass
