"""Google's own client, by HTTP, understands our fake of its speech."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rapida_tw.sim.vendors.speaking import MULAW, decode, understood
from tests.interop.vendors.fakes import fake

speech = pytest.importorskip(
    "google.cloud.texttospeech_v1", reason="google-cloud-texttospeech is not installed"
)

KEY = "google-key-of-a-test"
TEXT = "Hello, Bob."
CHARON = "en-US-Chirp3-HD-Charon"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with fake("google_voice", key=KEY) as number:
        yield number


def speak(port: int, key: str = KEY, name: str = CHARON, **audio: Any) -> bytes:
    from google.auth.api_key import Credentials
    from google.cloud.texttospeech_v1.services.text_to_speech.transports import (
        TextToSpeechRestTransport,
    )

    transport = TextToSpeechRestTransport(
        host=f"127.0.0.1:{port}", credentials=Credentials(key), url_scheme="http"
    )
    config = {"audio_encoding": speech.AudioEncoding.MULAW, "sample_rate_hertz": 8000, **audio}
    with speech.TextToSpeechClient(transport=transport) as client:
        answer = client.synthesize_speech(
            input=speech.SynthesisInput(text=TEXT),
            voice=speech.VoiceSelectionParams(language_code="en-US", name=name),
            audio_config=speech.AudioConfig(**config),
            retry=None,
        )
    content: bytes = answer.audio_content
    return content


def test_spoken(port: int) -> None:
    """A WAV."""
    content = speak(port)
    assert content.startswith(b"RIFF")
    assert understood(decode(content[44:], MULAW), 8_000) == TEXT


@pytest.mark.parametrize(
    "wrong", [{"name": "Bob"}, {"speaking_rate": 9.0}, {"pitch": 3.0}, {"key": "wrong"}]
)
def test_refused(port: int, wrong: dict[str, Any]) -> None:
    """It is told what is wrong, as its own server tells it."""
    from google.api_core.exceptions import BadRequest

    with pytest.raises(BadRequest):
        speak(port, **wrong)
