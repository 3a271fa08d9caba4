"""The fake of Google's speech: what it speaks, and what it refuses."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest

from rapida_tw.sim.vendors.google_voice import GoogleVoice
from rapida_tw.sim.vendors.speaking import MULAW, decode, understood
from tests.sim.vendors.requests import HttpCase

VOICE = {"languageCode": "en-US", "name": "en-US-Chirp3-HD-Charon"}
AUDIO = {"audioEncoding": "MULAW", "sampleRateHertz": 8000}
FIELDS = {"input": {"text": "Hello."}, "voice": VOICE, "audioConfig": AUDIO}
HEADERS = {"x-goog-api-key": "google-key"}


def ask(
    path: str = "/v1/text:synthesize", headers: dict[str, str] = HEADERS, **changed: Any
) -> HttpCase:
    return HttpCase(GoogleVoice(), path, json.dumps({**FIELDS, **changed}).encode(), headers)


@pytest.mark.parametrize("headers", [HEADERS, {"authorization": "Bearer google-key"}])
def test_spoken(headers: dict[str, str]) -> None:
    """A WAV; for an API key and for a token."""
    content = b64decode(ask(headers=headers).json["audioContent"])
    assert content.startswith(b"RIFF")
    assert understood(decode(content[44:], MULAW), 8_000) == "Hello."


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"path": "/v1/voices"}, 404),
        ({"headers": {}}, 400),
        ({"input": {"text": ""}}, 400),
        ({"input": {"text": "é" * 2501}}, 400),
        ({"voice": {"languageCode": "tlh"}}, 400),
        ({"voice": {**VOICE, "languageCode": "de-DE"}}, 400),
        ({"voice": {**VOICE, "name": "Bob"}}, 400),
        ({"audioConfig": {**AUDIO, "audioEncoding": "MIDI"}}, 400),
        ({"audioConfig": {**AUDIO, "speakingRate": 9}}, 400),
        ({"audioConfig": {**AUDIO, "pitch": 1}}, 400),
        ({"audioConfig": {**AUDIO, "colour": "blue"}}, 400),
        ({"colour": "blue"}, 400),
    ],
)
def test_refused(changed: dict[str, Any], status: int) -> None:
    """With a sentence."""
    case = ask(**changed)
    assert case.status == status
    assert case.json["error"]["message"]
