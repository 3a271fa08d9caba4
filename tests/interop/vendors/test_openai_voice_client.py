"""OpenAI's own client understands our fake of its speech."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rapida_tw.sim.vendors.speaking import LINEAR, decode, understood
from tests.interop.vendors.fakes import fake

openai = pytest.importorskip("openai", reason="the package openai is not installed")

KEY = "openai-key-of-a-test"
TEXT = "Hello, Bob."


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with fake("openai_voice", key=KEY) as number:
        yield number


def client(port: int, key: str = KEY) -> Any:
    return openai.OpenAI(api_key=key, base_url=f"http://127.0.0.1:{port}/v1", max_retries=0)


def speak(port: int, **changed: Any) -> bytes:
    fields = {
        "model": "gpt-4o-mini-tts",
        "voice": "alloy",
        "input": TEXT,
        "response_format": "pcm",
        **changed,
    }
    with client(port).audio.speech.with_streaming_response.create(**fields) as response:
        return b"".join(response.iter_bytes())


def test_pcm(port: int) -> None:
    """It streams the sound, 24 kHz without a header."""
    assert understood(decode(speak(port, speed=1.5), LINEAR), 24_000) == TEXT


def test_wav(port: int) -> None:
    """It reads the header of a WAV."""
    with wave.open(io.BytesIO(speak(port, response_format="wav"))) as file:
        assert file.getframerate() == 24_000
        sound = np.frombuffer(file.readframes(10**9), "<i2").astype(np.int16)
    assert understood(sound, 24_000) == TEXT


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"model": "gpt-2"}, "BadRequestError"),
        ({"voice": "bob"}, "BadRequestError"),
        ({"input": "a" * 4097}, "BadRequestError"),
        ({"speed": 5.0}, "BadRequestError"),
        ({"response_format": "midi"}, "BadRequestError"),
    ],
)
def test_refused(port: int, wrong: dict[str, Any], kind: str) -> None:
    """It is told what is wrong, as its own server tells it."""
    with pytest.raises(getattr(openai, kind)) as caught:
        speak(port, **wrong)
    assert caught.value.body["message"]


def test_wrong_key(port: int) -> None:
    """A key that is not ours is one that it knows as such."""
    with pytest.raises(openai.AuthenticationError) as caught:
        client(port, "sk-wrong").audio.speech.create(
            model="tts-1", voice="alloy", input=TEXT, response_format="pcm"
        )
    assert caught.value.code == "invalid_api_key"
