"""OpenAI and servers like it: what is asked, what of the answer is sound, what refusals mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.net.base import Nowhere, Request
from rapida_tw.options import read
from rapida_tw.speech.base import Host
from rapida_tw.speech.voices.format import VoiceFormat, choose
from rapida_tw.speech.voices.openai import (
    CompatibleSynthesizerProvider,
    GroqSynthesizerProvider,
    OpenAISynthesizerProvider,
)
from rapida_tw.speech.voices.provider import LINEAR_24K
from rapida_tw.speech.voices.wire import VoiceRequest

KEY = "a-key"
Kind = type[OpenAISynthesizerProvider]


def request_of(kind: Kind, fields: dict[str, str] | None = None, **options: Any) -> VoiceRequest:
    provider = kind(Host(Clock(), Path()))
    chosen = read(kind.options, options, "speak.", kind.vendor)
    format = choose(chosen, None, kind.formats, kind.vendor)
    return provider.request(
        chosen, Account("it", {"key": KEY} if fields is None else fields), format
    )


def asked(request: VoiceRequest) -> tuple[Request, dict[str, Any]]:
    found: list[Request] = []
    request.request(Nowhere(), "Hello.").addCallback(found.append)
    body: dict[str, Any] = json.loads(found[0].body)
    return found[0], body


def test_openai() -> None:
    """Sound without a header is asked for; the key is in a header."""
    request, body = asked(request_of(OpenAISynthesizerProvider))
    assert (request.method, request.url) == ("POST", "https://api.openai.com/v1/audio/speech")
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert body == {
        "model": "gpt-4o-mini-tts",
        "voice": "alloy",
        "response_format": "pcm",
        "input": "Hello.",
    }


def test_options() -> None:
    """Voice, model, speed, and how to speak."""
    options = {"speak.voice.id": "sage", "model": "tts-1", "speed": "1.5", "instructions": "Sing."}
    _, body = asked(request_of(OpenAISynthesizerProvider, **options))
    assert (body["voice"], body["model"], body["speed"]) == ("sage", "tts-1", 1.5)
    assert body["instructions"] == "Sing."


def test_groq() -> None:
    """It has another address, other voices, and WAV alone."""
    request, body = asked(request_of(GroqSynthesizerProvider))
    assert request.url == "https://api.groq.com/openai/v1/audio/speech"
    assert (body["voice"], body["response_format"]) == ("autumn", "wav")


def test_a_server_of_ones_own() -> None:
    """Its address is needed, a key is not; it may send another rate."""
    fields = {"base_url": "http://127.0.0.1:8880/v1/"}
    request, _ = asked(request_of(CompatibleSynthesizerProvider, fields))
    assert request.url == "http://127.0.0.1:8880/v1/audio/speech"
    assert "Authorization" not in request.headers
    with pytest.raises(MisconfiguredAssistant, match="needs a base_url"):
        request_of(CompatibleSynthesizerProvider, {})
    options = {"speak.audio.sample_rate": "22050"}
    reader = request_of(CompatibleSynthesizerProvider, fields, **options).reader()
    assert (reader.encoding, reader.rate) == (Encoding.LINEAR16, 22_050)


def test_the_leg_decides_nothing() -> None:
    """It cannot be asked for the leg's rate, and so is not taken to send it."""
    leg = AudioFormat(Encoding.LINEAR16, 8_000)
    made: list[VoiceFormat] = []

    class Watched(CompatibleSynthesizerProvider):
        def request(self, options: Any, account: Account, format: VoiceFormat) -> VoiceRequest:
            made.append(format)
            return super().request(options, account, format)

    Watched(Host(Clock(), Path())).open({}, Account("it", {"base_url": "http://x"}), leg)
    assert made == [LINEAR_24K]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"speed": "5"}, "speed must be between 0.25 and 4"),
        ({"voice.id": ""}, "must not be empty"),
        ({"audio.sample_rate": "8000"}, "does not offer"),
    ],
)
def test_bad_options(options: dict[str, Any], sentence: str) -> None:
    """What is out of its range is told."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        request_of(OpenAISynthesizerProvider, **options)


@pytest.mark.parametrize(
    ("status", "body", "said", "retryable"),
    [
        (401, '{"error":{"message":"Wrong key"}}', "HTTP 401: Wrong key", False),
        (429, '{"error":{"message":"Slow down"}}', "HTTP 429: Slow down", True),
        (
            429,
            '{"error":{"message":"No money","code":"insufficient_quota"}}',
            "HTTP 429: No money",
            False,
        ),
        (400, '{"detail":"no such voice"}', "HTTP 400: no such voice", False),
        (422, '{"detail":[{"msg":"x"}]}', 'HTTP 422: {"detail":[{"msg":"x"}]}', False),
        (503, "<h1>Down</h1>", "HTTP 503: <h1>Down</h1>", True),
        (500, "[]", "HTTP 500: []", True),
        (502, "", "HTTP 502", True),
    ],
)
def test_refused(status: int, body: str, said: str, retryable: bool) -> None:
    """Its reason in its own words, and whether another moment may do."""
    complaint = request_of(OpenAISynthesizerProvider).refused(status, body)
    assert (complaint.reason, complaint.retryable) == (said, retryable)
