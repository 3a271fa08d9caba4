"""Rime: what is sent, and what refusals mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.net.base import Nowhere, Request
from rapida_tw.options import read
from rapida_tw.speech.base import Host
from rapida_tw.speech.voices.provider import LINEAR_24K, MULAW_8K
from rapida_tw.speech.voices.rime import RimeOptions, RimeSynthesizerProvider
from rapida_tw.speech.voices.wire import VoiceRequest

KEY = "a-key"


def request_of(format: Any = MULAW_8K, **options: Any) -> VoiceRequest:
    provider = RimeSynthesizerProvider(Host(Clock(), Path()))
    chosen = read(RimeOptions, options, "speak.", "Rime")
    return provider.request(chosen, Account("rime", {"key": KEY}), format)


def asked(request: VoiceRequest) -> tuple[Request, dict[str, Any]]:
    found: list[Request] = []
    request.request(Nowhere(), "Hello.").addCallback(found.append)
    body: dict[str, Any] = json.loads(found[0].body)
    return found[0], body


def test_asked() -> None:
    """Where, in what form; the key is in a header."""
    request, body = asked(request_of())
    assert (request.method, request.url) == ("POST", "https://users.rime.ai/v1/rime-tts")
    assert request.headers == {
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/json",
        "Accept": "audio/x-mulaw",
    }
    assert body == {
        "speaker": "cove",
        "modelId": "mistv2",
        "samplingRate": 8000,
        "text": "Hello.",
    }
    made = request_of(LINEAR_24K)
    assert asked(made)[0].headers["Accept"] == "audio/pcm"
    assert (made.reader().encoding, made.reader().rate) == (Encoding.LINEAR16, 24_000)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("mistv2", {"lang": "spa", "speedAlpha": 0.8}),
        ("mistv3", {"lang": "es", "timeScaleFactor": 0.8}),
        ("arcana", {"lang": "spa", "speedAlpha": 1.25}),
    ],
)
def test_models(model: str, fields: dict[str, Any]) -> None:
    """Each writes languages and speeds in its own way."""
    _, body = asked(request_of(model=model, language="es-MX", speed="1.25"))
    assert {name: body[name] for name in fields} == fields
    assert set(body) == {"speaker", "modelId", "samplingRate", "text", *fields}


def test_language() -> None:
    """One that Rime has no name for is left to the voice."""
    assert "lang" not in asked(request_of(language="tlh"))[1]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"speed": "3"}, "speed must be between 0.5 and 2"), ({"model": ""}, "must not be empty")],
)
def test_bad_options(options: dict[str, Any], sentence: str) -> None:
    """What is out of its range is told."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        request_of(**options)


@pytest.mark.parametrize(
    ("status", "body", "said", "retryable"),
    [
        (400, '{"error":"no such speaker"}', "HTTP 400: no such speaker", False),
        (401, "unauthorized", "HTTP 401: unauthorized", False),
        (429, "", "HTTP 429", True),
        (500, "", "HTTP 500", True),
    ],
)
def test_refused(status: int, body: str, said: str, retryable: bool) -> None:
    """Its reason in its own words, and whether another moment may do."""
    complaint = request_of().refused(status, body)
    assert (complaint.reason, complaint.retryable) == (said, retryable)
