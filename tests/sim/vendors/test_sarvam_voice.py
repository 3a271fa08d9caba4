"""The fake of Sarvam's speech: what it speaks, and what it refuses."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.sim.vendors.base import Asked, Refusal
from rapida_tw.sim.vendors.sarvam_voice import SarvamVoice
from rapida_tw.sim.vendors.speaking import LINEAR, decode, understood
from tests.speech.recognizers.pair import RecordingLine

HEADERS = {"api-subscription-key": "sarvam-key"}
QUERY = {"model": ["bulbul:v3"], "send_completion_event": ["true"]}
SETTINGS = {
    "language_code": "en-IN",
    "speaker": "shubh",
    "speech_sample_rate": 8000,
    "output_audio_codec": "linear16",
}


class Client:
    def __init__(self, headed: bool = False, **query: Any) -> None:
        self.clock = Clock()
        self.line = RecordingLine(self.clock)
        asked = Asked("GET", "/text-to-speech/ws", {**QUERY, **query}, HEADERS)
        session = SarvamVoice(headed=headed).connect(asked, self.line)
        assert not isinstance(session, Refusal)
        self.session = session
        session.opened()

    def send(self, kind: str, **data: Any) -> None:
        self.session.received(json.dumps({"type": kind, "data": data}).encode(), False)

    def say(self, *texts: str) -> None:
        for text in texts:
            self.send("text", text=text)
        self.send("flush")
        self.clock.pump([0.01] * 200)

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(frame.payload) for frame in self.line.sent]

    @property
    def sound(self) -> bytes:
        pieces = [one["data"]["audio"] for one in self.told if one["type"] == "audio"]
        return b"".join(map(b64decode, pieces))


def test_flushed() -> None:
    """Texts are one phrase up to their flush, and its end is told when that was asked for."""
    client = Client()
    client.send("config", **SETTINGS)
    client.say("Hello, ", "Bob.")
    assert understood(decode(client.sound, LINEAR), 8_000) == "Hello, Bob."
    assert client.told[-1]["data"]["event_type"] == "final"
    client = Client(send_completion_event=["false"])
    client.send("config", **SETTINGS)
    client.say("Hello.")
    assert client.told[-1]["type"] == "audio"


def test_headed() -> None:
    """Linear sound may come as a WAV."""
    client = Client(headed=True)
    client.send("config", **SETTINGS)
    client.say("Hello.")
    assert client.sound.startswith(b"RIFF")
    assert client.sound.count(b"RIFF") == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"language_code": "en-US"},
        {"speaker": "anushka"},
        {"output_audio_codec": "mp3"},
        {"speech_sample_rate": 11_025},
        {"pace": 3},
        {"pitch": 1},
        {"colour": "blue"},
    ],
)
def test_refused(changed: dict[str, Any]) -> None:
    """What the real one does not take is an error, and the end."""
    client = Client()
    client.send("config", **{**SETTINGS, **changed})
    assert client.told[0]["data"]["code"] == 422
    assert client.line.ended is not None
    client.say("Hello.")
    assert len(client.told) == 1


@pytest.mark.parametrize("kind", ["text", "flush", "clear"])
def test_not_configured(kind: str) -> None:
    """The configuration comes first."""
    client = Client()
    client.send(kind, text="Hello.")
    assert client.told[0]["type"] == "error"


@pytest.mark.parametrize("text", ["", "a" * 2501, None])
def test_texts(text: Any) -> None:
    """Some, and not too much."""
    client = Client()
    client.send("config", **SETTINGS)
    client.send("text", text=text)
    assert client.told[0]["type"] == "error"


def test_handshake() -> None:
    """A key and the right path; a model is refused behind it."""

    def status(path: str = "/text-to-speech/ws", **headers: str) -> int:
        asked = Asked("GET", path, QUERY, headers)
        refusal = SarvamVoice().connect(asked, RecordingLine(Clock()))
        assert isinstance(refusal, Refusal)
        return refusal.status

    assert status() == 403
    assert status("/speech-to-text/ws", **HEADERS) == 404
    assert Client(model=["bulbul:v9"]).told[0]["data"]["code"] == 400


def test_idle() -> None:
    """Without a message for a minute it closes; nothing waits then."""
    client = Client()
    client.clock.advance(59)
    client.send("ping")
    client.clock.advance(59)
    assert client.line.ended is None
    client.clock.advance(1)
    assert client.line.ended == (1000, "idle")
    client.session.closed(1000)
    assert client.clock.getDelayedCalls() == []
