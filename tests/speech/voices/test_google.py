"""Google's voices: what is sent, what is read, and what refusals mean."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Nowhere, Request
from rapida_tw.options import read
from rapida_tw.sim.vendors.speaking import MULAW, wav
from rapida_tw.speech.base import Host
from rapida_tw.speech.voices.google import (
    GoogleRequest,
    GoogleSynthesizerProvider,
    GoogleVoiceOptions,
)
from rapida_tw.speech.voices.provider import MULAW_8K
from rapida_tw.speech.voices.wire import VoiceRequest

KEY = "a-key"
SOUND = bytes(range(40))


def options_of(**options: Any) -> GoogleVoiceOptions:
    return read(GoogleVoiceOptions, options, "speak.", "Google")


def request_of(**options: Any) -> VoiceRequest:
    provider = GoogleSynthesizerProvider(Host(Clock(), Path()))
    return provider.request(options_of(**options), Account("google", {"key": KEY}), MULAW_8K)


def asked(request: VoiceRequest) -> tuple[Request, dict[str, Any]]:
    found: list[Request] = []
    request.request(Nowhere(), "Hello.").addCallback(found.append)
    body: dict[str, Any] = json.loads(found[0].body)
    return found[0], body


def test_asked() -> None:
    """Where, in what form; the key is in a header."""
    request, body = asked(request_of())
    assert request.method == "POST"
    assert request.url == "https://texttospeech.googleapis.com/v1/text:synthesize"
    assert request.headers == {"x-goog-api-key": KEY, "Content-Type": "application/json"}
    assert body == {
        "input": {"text": "Hello."},
        "voice": {"languageCode": "en-US", "name": "en-US-Chirp3-HD-Charon"},
        "audioConfig": {"audioEncoding": "MULAW", "sampleRateHertz": 8000},
    }


def test_token() -> None:
    """With a service account, the request waits for its token."""
    token: Deferred[Any] = Deferred()
    request = GoogleRequest(options_of(), lambda: token, "https://g", MULAW_8K)
    found: list[Request] = []
    request.request(Nowhere(), "Hello.").addCallback(found.append)
    assert found == []
    token.callback({"Authorization": "Bearer token"})
    assert found[0].headers["Authorization"] == "Bearer token"


@pytest.mark.parametrize(
    ("options", "voice"),
    [
        ({"language": "de-DE"}, {"languageCode": "de-DE"}),
        (
            {"voice.id": "de-DE-Chirp3-HD-Kore"},
            {"languageCode": "de-DE", "name": "de-DE-Chirp3-HD-Kore"},
        ),
        (
            {"voice.id": "Kore", "model": "gemini-2.5-flash-tts", "language": "hi-IN"},
            {"languageCode": "hi-IN", "name": "Kore", "modelName": "gemini-2.5-flash-tts"},
        ),
    ],
)
def test_voice(options: dict[str, str], voice: dict[str, str]) -> None:
    """A voice has a language of its own; a language has voices."""
    assert options_of(**options).voice == voice


def test_expression() -> None:
    """Speed and pitch."""
    _, body = asked(request_of(speed="1.5", pitch="-2"))
    assert (body["audioConfig"]["speakingRate"], body["audioConfig"]["pitch"]) == (1.5, -2.0)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"speed": "4"}, r"speed must be between 0\.25 and 2"),
        ({"pitch": "30"}, "pitch must be between -20 and 20"),
    ],
)
def test_bad_options(options: dict[str, Any], sentence: str) -> None:
    """What is out of its range is told."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        options_of(**options)


def read_back(body: bytes) -> tuple[bytes, Encoding, int]:
    request = GoogleRequest(options_of(), lambda: succeed({}), "https://g", MULAW_8K)
    reader = request.reader()
    assert b"".join(map(reader.feed, (body[:7], body[7:]))) == b""
    return reader.finish(), reader.encoding, reader.rate


def test_sound() -> None:
    """The WAV is taken out of the JSON, and its header off the sound."""
    content = b64encode(wav(SOUND, 8_000, MULAW)).decode()
    body = json.dumps({"audioContent": content}).encode()
    assert read_back(body) == (SOUND, Encoding.MULAW, 8_000)
    content = b64encode(wav(SOUND, 24_000)).decode()
    body = json.dumps({"audioContent": content}).encode()
    assert read_back(body) == (SOUND, Encoding.LINEAR16, 24_000)
    assert read_back(b"{}")[0] == b""


@given(
    st.binary(max_size=60)
    | st.binary(max_size=60).map(
        lambda data: json.dumps({"audioContent": b64encode(b"RIFF" + data).decode()}).encode()
    )
)
def test_any_answer(body: bytes) -> None:
    """Never another exception than RemoteProtocolError."""
    try:
        read_back(body)
    except RemoteProtocolError:
        return


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (403, False), (429, True), (503, True)]
)
def test_refused(status: int, retryable: bool) -> None:
    """Its reason in its own words, and whether another moment may do."""
    body = json.dumps({"error": {"code": status, "message": "no", "status": "X"}})
    complaint = request_of().refused(status, body)
    assert (complaint.reason, complaint.retryable) == (f"HTTP {status}: no", retryable)
