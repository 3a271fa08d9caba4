"""Sarvam's own client understands our fake of its speech."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest

from rapida_tw.sim.vendors.speaking import MULAW, decode, understood
from tests.interop.vendors.fakes import fake

sarvamai = pytest.importorskip("sarvamai", reason="the package sarvamai is not installed")
environment = pytest.importorskip("sarvamai.environment", reason="as above")

KEY = "sarvam-key-of-a-test"
MULAW_8K: dict[str, Any] = {"output_audio_codec": "mulaw", "speech_sample_rate": 8000}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with fake("sarvam_voice", key=KEY) as number:
        yield number


def connect(port: int, key: str = KEY) -> Any:
    url = f"127.0.0.1:{port}"
    where = environment.SarvamAIEnvironment(
        base=f"http://{url}", creative=f"http://{url}", production=f"ws://{url}"
    )
    client = sarvamai.SarvamAI(api_subscription_key=key, environment=where)
    return client.text_to_speech_streaming.connect(model="bulbul:v2", send_completion_event="true")


def test_spoken(port: int) -> None:
    """Two phrases, each with its end; a ping in between."""
    with connect(port) as speaking:
        speaking.configure("hi-IN", speaker="anushka", pace=1.2, **MULAW_8K)
        for text in ("Hello, Bob.", "Bye."):
            speaking.convert(text)
            speaking.flush()
            speaking.ping()
            sound = b""
            while isinstance(told := speaking.recv(), sarvamai.AudioOutput):
                sound += b64decode(told.data.audio)
            assert isinstance(told, sarvamai.EventResponse)
            assert told.data.event_type == "final"
            assert understood(decode(sound, MULAW), 8_000) == text


@pytest.mark.parametrize(
    "wrong", [{"speaker": "shubh"}, {"speech_sample_rate": 11_025}, {"pace": 9.0}]
)
def test_refused(port: int, wrong: dict[str, Any]) -> None:
    """It is told what is wrong, as its own server tells it."""
    with connect(port) as speaking:
        speaking.configure("en-IN", **{"speaker": "anushka", **MULAW_8K, **wrong})
        told = speaking.recv()
        assert isinstance(told, sarvamai.ErrorResponse)
        assert told.data.code == 422


def test_wrong_key(port: int) -> None:
    """A key that is not ours opens no socket."""
    with pytest.raises(Exception, match=r"403|initializing"), connect(port, "sk_wrong"):
        pass
