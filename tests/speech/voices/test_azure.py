"""Azure's voices: what is sent, where to, and what refusals mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.net.base import Nowhere, Request
from rapida_tw.options import read
from rapida_tw.speech.base import Host
from rapida_tw.speech.voices.azure import (
    AzureSynthesizerProvider,
    AzureVoiceOptions,
    host_of,
    ssml,
)
from rapida_tw.speech.voices.provider import MULAW_8K
from rapida_tw.speech.voices.wire import VoiceRequest

KEY = "a-key"
REGION = {"subscription_key": KEY, "region": "East US"}


def options_of(**options: Any) -> AzureVoiceOptions:
    return read(AzureVoiceOptions, options, "speak.", "Azure Speech")


def request_of(fields: dict[str, str] = REGION, **options: Any) -> VoiceRequest:
    provider = AzureSynthesizerProvider(Host(Clock(), Path()))
    return provider.request(options_of(**options), Account("azure", fields), MULAW_8K)


def asked(request: VoiceRequest) -> Request:
    found: list[Request] = []
    request.request(Nowhere(), "Hello.").addCallback(found.append)
    return found[0]


def test_asked() -> None:
    """Where, in what form, and with which key."""
    request = asked(request_of())
    assert request.method == "POST"
    assert request.url == "https://eastus.tts.speech.microsoft.com/cognitiveservices/v1"
    assert request.headers == {
        "Ocp-Apim-Subscription-Key": KEY,
        "Content-Type": "application/ssml+xml",
        "X-Microsoft-OutputFormat": "raw-8khz-8bit-mono-mulaw",
        "User-Agent": "rapida_tw",
    }
    assert request.body.decode() == (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis"'
        ' xmlns:mstts="https://www.w3.org/2001/mstts" xml:lang="en-US">'
        '<voice name="en-US-JennyNeural">Hello.</voice></speak>'
    )
    reader = request_of().reader()
    assert (reader.encoding, reader.rate) == (Encoding.MULAW, 8_000)


def test_own_voice() -> None:
    """A voice of one's own has another host, and is a deployment."""
    assert asked(request_of(model="d 1")).url == (
        "https://eastus.voice.speech.microsoft.com/cognitiveservices/v1?deploymentId=d%201"
    )


@pytest.mark.parametrize(
    ("told", "region", "host"),
    [
        ("", "westeurope", "https://westeurope.tts.speech.microsoft.com"),
        ("westeurope", "", "https://westeurope.tts.speech.microsoft.com"),
        (
            "https://eastus.api.cognitive.microsoft.com",
            "",
            "https://eastus.tts.speech.microsoft.com",
        ),
        (
            "https://me.cognitiveservices.azure.com",
            "",
            "https://me.cognitiveservices.azure.com/tts",
        ),
        ("http://localhost:5000", "eastus", "http://localhost:5000"),
        ("wss://speech.example", "", "https://speech.example"),
        ("", "", ""),
    ],
)
def test_host(told: str, region: str, host: str) -> None:
    """By what Azure's portal shows, or by the region."""
    assert host_of(told, region) == host


def test_no_region() -> None:
    """Neither a region nor an endpoint is too little."""
    with pytest.raises(MisconfiguredAssistant, match="needs a region or an endpoint"):
        request_of({"key": KEY})
    for elsewhere in ("evil.example/", "evil.example#", "a.b"):
        with pytest.raises(MisconfiguredAssistant):  # the key would go there
            request_of({"key": KEY}, region=elsewhere)
    url = asked(request_of({"key": KEY}, region="uksouth")).url
    assert url.startswith("https://uksouth.tts.")


def test_expression() -> None:
    """Speed, style and language are part of the text."""
    body = ssml("Hi", options_of(speed="1.5", style='"glad"', language="en-GB")).decode()
    assert 'xml:lang="en-GB"' in body
    assert (
        '<mstts:express-as style=\'"glad"\'><prosody rate="1.5">Hi</prosody></mstts:express-as>'
    ) in body


@given(st.text(), st.text(max_size=8))
def test_any_text(text: str, style: str) -> None:
    """Whatever is to be said, it is well-formed XML, and nothing of it becomes markup."""
    body = ssml(text, options_of(style=f"x{style}"))
    assert len(list(ElementTree.fromstring(body).iter())) == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"speed": "3"}, "speed must be between 0.5 and 2"), ({"voice.id": ""}, "must not be empty")],
)
def test_bad_options(options: dict[str, Any], sentence: str) -> None:
    """What is out of its range is told."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        options_of(**options)


@pytest.mark.parametrize(
    ("status", "body", "said", "retryable"),
    [
        (400, "", "HTTP 400: it does not take the voice, or what is asked of it", False),
        (401, "", "HTTP 401: the key is wrong, or of another region", False),
        (401, '{"error":{"message":"expired"}}', "HTTP 401: expired", False),
        (429, "", "HTTP 429: too many requests at once, or the quota is used up", True),
        (502, "", "HTTP 502", True),
    ],
)
def test_refused(status: int, body: str, said: str, retryable: bool) -> None:
    """Its reason in its own words where it has some, and whether another moment may do."""
    complaint = request_of().refused(status, body)
    assert (complaint.reason, complaint.retryable) == (said, retryable)
