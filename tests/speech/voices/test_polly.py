"""Polly: what is sent, how it is signed, and what refusals mean."""

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
from rapida_tw.speech.voices.format import VoiceFormat
from rapida_tw.speech.voices.polly import PollyOptions, PollySynthesizerProvider
from rapida_tw.speech.voices.provider import LINEAR_16K, MULAW_8K
from rapida_tw.speech.voices.wire import VoiceRequest

FIELDS = {
    "access_key_id": "AKIAEXAMPLE",
    "secret_access_key": "a-secret-of-a-test",
    "region": "eu-west-1",
}
NOW = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC


def request_of(
    fields: dict[str, str] = FIELDS, format: VoiceFormat = MULAW_8K, **options: Any
) -> VoiceRequest:
    provider = PollySynthesizerProvider(Host(Clock(), Path(), now=lambda: NOW))
    chosen = read(PollyOptions, options, "speak.", "Amazon Polly")
    return provider.request(chosen, Account("polly", fields), format)


def asked(request: VoiceRequest) -> tuple[Request, dict[str, Any]]:
    found: list[Request] = []
    request.request(Nowhere(), "Hello.").addCallback(found.append)
    body: dict[str, Any] = json.loads(found[0].body)
    return found[0], body


def test_asked() -> None:
    """Where, in what form, and signed at that moment; the secret is nowhere in it."""
    request, body = asked(request_of())
    assert (request.method, request.url) == (
        "POST",
        "https://polly.eu-west-1.amazonaws.com/v1/speech",
    )
    assert body == {
        "Engine": "neural",
        "OutputFormat": "mulaw",
        "SampleRate": "8000",
        "Text": "Hello.",
        "TextType": "text",
        "VoiceId": "Joanna",
    }
    assert request.headers["X-Amz-Date"] == "20260921T141320Z"
    assert request.headers["Authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260921/eu-west-1/polly/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, Signature="
    )
    assert FIELDS["secret_access_key"] not in f"{request.headers}{request.body!r}"


def test_options() -> None:
    """Voice, engine, language, form and region."""
    options = {"speak.voice.id": "Kajal", "model": "generative", "language": "hi-IN"}
    keys = {name: value for name, value in FIELDS.items() if name != "region"}
    made = request_of(keys, LINEAR_16K, region="cn-north-1", **options)
    request, body = asked(made)
    assert request.url.startswith("https://polly.cn-north-1.amazonaws.com.cn/")
    assert (body["VoiceId"], body["Engine"], body["LanguageCode"]) == (
        "Kajal",
        "generative",
        "hi-IN",
    )
    assert (body["OutputFormat"], body["SampleRate"]) == ("pcm", "16000")
    reader = made.reader()
    assert (reader.encoding, reader.rate) == (Encoding.LINEAR16, 16_000)


def test_session_token() -> None:
    """Temporary keys come with a token, which is signed too."""
    request, _ = asked(request_of({**FIELDS, "session_token": "a-token"}))
    assert request.headers["X-Amz-Security-Token"] == "a-token"
    assert "x-amz-security-token" in request.headers["Authorization"]


@pytest.mark.parametrize("region", ["", "Ireland", "eu-west-1/x", "evil.example"])
def test_region(region: str) -> None:
    """It is part of a host's name: nothing else goes there."""
    with pytest.raises(MisconfiguredAssistant, match="needs a region"):
        request_of({**FIELDS, "region": region})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"model": "classic"}, "model must be one of standard"),
        ({"voice.id": ""}, "must not be empty"),
    ],
)
def test_bad_options(options: dict[str, Any], sentence: str) -> None:
    """What there is not."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        request_of(**options)


@pytest.mark.parametrize(
    ("status", "body", "said", "retryable"),
    [
        (403, '{"message":"wrong signature"}', "HTTP 403: wrong signature", False),
        (400, '{"message":"Rate exceeded"}', "HTTP 400: Rate exceeded", True),
        (400, '{"message":"no such voice"}', "HTTP 400: no such voice", False),
        (503, "", "HTTP 503", True),
    ],
)
def test_refused(status: int, body: str, said: str, retryable: bool) -> None:
    """Its reason in its own words, and whether another moment may do."""
    complaint = request_of().refused(status, body)
    assert (complaint.reason, complaint.retryable) == (said, retryable)
