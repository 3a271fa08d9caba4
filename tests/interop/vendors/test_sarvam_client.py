"""Sarvam's own client understands our fake of its recognisers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.vendors.fakes import fake, pieces, silence, spoken

sarvamai = pytest.importorskip("sarvamai", reason="the package sarvamai is not installed")
environment = pytest.importorskip("sarvamai.environment", reason="as above")

KEY = "sarvam-key-of-a-test"


@pytest.fixture
def port() -> Iterator[int]:
    with fake("sarvam_recognizer", script=["book a table", "for two"], key=KEY) as number:
        yield number


def client(port: int, key: str = KEY) -> Any:
    url = f"127.0.0.1:{port}"
    where = environment.SarvamAIEnvironment(
        base=f"http://{url}", creative=f"http://{url}", production=f"ws://{url}"
    )
    return sarvamai.SarvamAI(api_subscription_key=key, environment=where)


def encoded(seconds: float, pause: float = 0.0) -> Iterator[str]:
    for piece in pieces(spoken(seconds) + silence(pause)):
        yield base64.b64encode(piece).decode()


def test_realtime(port: int) -> None:
    """It hears words grow, an utterance's end, and the end of the session, each of its type."""
    streaming = client(port).speech_to_text_realtime_streaming
    with streaming.connect(
        language_code="auto", encoding="linear16", sample_rate="16000", silence_duration_ms="300"
    ) as session:
        begun = session.recv()
        for audio in encoded(0.9, 0.4):
            session.send_realtime_audio_input(sarvamai.RealtimeAudioInput(audio=audio))
        heard = [session.recv() for _ in range(6)]
        session.send_realtime_ping(sarvamai.RealtimePing())
        pong = session.recv()
        session.send_realtime_end(sarvamai.RealtimeEnd())
        end = session.recv()
    assert isinstance(begun, sarvamai.RealtimeSessionBegin)
    assert isinstance(heard[0], sarvamai.RealtimeVadSpeechStart)
    assert [one.text for one in heard[1:4]] == ["book", "book a", "book a table"]
    assert isinstance(heard[4], sarvamai.RealtimeVadSpeechEnd)
    assert isinstance(heard[5], sarvamai.RealtimeTranscriptFinal)
    assert (heard[5].text, heard[5].language) == ("book a table", "hi-IN")
    assert isinstance(pong, sarvamai.RealtimePong)
    assert (end.total_utterances, end.audio_duration_s) == (1, 1.3)


def test_realtime_refusal(port: int) -> None:
    """A wrong key is told in an event of its type."""
    streaming = client(port, "another").speech_to_text_realtime_streaming
    with streaming.connect(language_code="hi-IN") as session:
        error = session.recv()
    assert isinstance(error, sarvamai.RealtimeError)
    assert (error.is_fatal, error.status_code) == (True, 401)


def test_classic(port: int) -> None:
    """It hears signals and, on a flush, the words."""
    streaming = client(port).speech_to_text_streaming
    with streaming.connect(
        language_code="en-IN",
        model="saaras:v4",
        sample_rate="16000",
        input_audio_codec="pcm_s16le",
        vad_signals="true",
        flush_signal="true",
    ) as session:
        for audio in encoded(0.9):
            session.transcribe(audio)
        session.flush()
        told = [session.recv() for _ in range(3)]
    signals = [one.data.signal_type for one in told[:2]]
    assert signals == ["START_SPEECH", "END_SPEECH"]
    assert told[2].type == "data"
    assert told[2].data.transcript == "book a table"


def test_classic_refusal(port: int) -> None:
    """A wrong key is refused at the handshake."""
    streaming = client(port, "another").speech_to_text_streaming
    with (
        pytest.raises(Exception, match="403"),
        streaming.connect(language_code="en-IN", input_audio_codec="pcm_s16le"),
    ):
        pass
