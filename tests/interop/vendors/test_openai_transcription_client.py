"""OpenAI's own client understands our fake of its transcriptions."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.vendors.fakes import RATE, fake, silence, spoken

openai = pytest.importorskip("openai", reason="the package openai is not installed")

KEY = "openai-key-of-a-test"
MODEL = "gpt-4o-mini-transcribe"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with fake("openai_transcription", script=["book a table"] * 20, key=KEY) as number:
        yield number


def transcribe(port: int, audio: bytes, key: str = KEY, **options: Any) -> Any:
    """By the client, which writes form and file in its own way; the file by the library's."""
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(RATE)
        recording.writeframes(audio)
    client = openai.OpenAI(api_key=key, base_url=f"http://127.0.0.1:{port}/v1", max_retries=0)
    with client:
        made = client.audio.transcriptions.create(
            file=("turn.wav", file.getvalue()), **{"model": MODEL, **options}
        )
        return list(made) if options.get("stream") else made


VOICE = silence(0.2) + spoken(1.0) + silence(0.2)


def test_text(port: int) -> None:
    """The words, and the probabilities of their tokens."""
    told = transcribe(port, VOICE, language="en", include=["logprobs"], response_format="json")
    assert told.text == "Book a table."
    assert [token.token for token in told.logprobs] == ["Book", "a", "table."]
    assert told.usage.total_tokens == 19


def test_stream(port: int) -> None:
    """Words piece by piece, and all of them at the end."""
    *deltas, done = transcribe(port, VOICE, stream=True)
    assert [one.type for one in deltas] == ["transcript.text.delta"] * 3
    assert "".join(one.delta for one in deltas) == done.text == "Book a table."
    assert done.type == "transcript.text.done"


def test_whisper(port: int) -> None:
    """Segments, and words where nobody spoke, which it doubts itself."""
    told = transcribe(port, VOICE, model="whisper-1", response_format="verbose_json")
    assert (told.text, told.duration) == ("Book a table.", pytest.approx(1.4))
    assert told.segments[0].no_speech_prob < 0.1
    nobody = transcribe(port, silence(1.0), model="whisper-1", response_format="verbose_json")
    assert nobody.text == "Thank you."
    assert nobody.segments[0].no_speech_prob > 0.6


def test_errors(port: int) -> None:
    """A wrong key, a model that is not there, a format that the model has not."""
    with pytest.raises(openai.AuthenticationError):
        transcribe(port, VOICE, key="another")
    with pytest.raises(openai.NotFoundError):
        transcribe(port, VOICE, model="gpt-9")
    with pytest.raises(openai.BadRequestError) as caught:
        transcribe(port, VOICE, response_format="verbose_json")
    assert "not compatible" in caught.value.message
