"""The fake of Deepgram's speech: flushes, clearing, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.sim.vendors.base import Asked, Refusal
from rapida_tw.sim.vendors.deepgram_voice import DeepgramVoice
from rapida_tw.sim.vendors.speaking import LINEAR, decode, understood
from tests.speech.recognizers.pair import RecordingLine

HEADERS = {"authorization": "Token deepgram-key"}
QUERY = {"model": ["aura-2-thalia-en"], "encoding": ["linear16"], "sample_rate": ["8000"]}
FLUX = {"model": ["flux-haley-en"]}


def connect(path: str = "/v1/speak", headers: dict[str, str] = HEADERS, **query: Any) -> Any:
    asked = Asked("GET", path, {**QUERY, **query}, headers)
    return DeepgramVoice().connect(asked, RecordingLine(Clock()))


class Client:
    def __init__(self, path: str = "/v1/speak", **query: Any) -> None:
        self.clock = Clock()
        self.line = RecordingLine(self.clock)
        session = DeepgramVoice().connect(
            Asked("GET", path, {**QUERY, **query}, HEADERS), self.line
        )
        assert not isinstance(session, Refusal)
        self.session = session
        session.opened()

    def send(self, kind: str, **fields: Any) -> None:
        self.session.received(json.dumps({"type": kind, **fields}).encode(), False)

    def say(self, *texts: str) -> None:
        for text in texts:
            self.send("Speak", text=text)
        self.send("Flush")

    def wait(self, seconds: float = 2.0) -> None:
        self.clock.pump([0.01] * round(seconds / 0.01))

    @property
    def told(self) -> list[str]:
        """Kinds of what was sent; sound in a row once."""
        kinds = [
            "sound" if frame.binary else json.loads(frame.payload)["type"]
            for frame in self.line.sent
        ]
        return [kind for at, kind in enumerate(kinds) if kind != "sound" or kinds[at - 1] != kind]

    @property
    def heard(self) -> str:
        sound = b"".join(frame.payload for frame in self.line.sent if frame.binary)
        return understood(decode(sound, LINEAR), 8_000)


def test_flushed() -> None:
    """Texts are one phrase up to their flush; nothing is spoken without it."""
    client = Client()
    client.send("Speak", text="Hello, ")
    client.wait()
    assert client.told == ["Metadata"]
    client.say("Bob.")
    client.say("Bye.")
    client.wait()
    assert client.heard == "Hello, Bob.Bye."
    assert client.told == ["Metadata", "sound", "Flushed", "sound", "Flushed"]


def test_cleared() -> None:
    """What was not spoken yet is gone; without anything to clear it is acknowledged as well."""
    client = Client()
    client.say("Hello. " * 10)
    client.say("More.")
    client.wait(0.15)
    client.send("Clear")
    sent = len(client.line.sent)
    client.wait()
    assert client.told == ["Metadata", "sound", "Cleared"]
    assert len(client.line.sent) == sent
    client.send("Clear")
    assert client.told[-1] == "Cleared"
    sequence = [json.loads(frame.payload).get("sequence_id") for frame in client.line.sent[-1:]]
    assert sequence == [1]


def test_flux() -> None:
    """A turn begins and ends with its id; an interruption of nothing is a warning."""
    client = Client("/v2/speak", **FLUX)
    client.say("Hello.")
    client.wait()
    told = ["Connected", "SpeechStarted", "Flushed", "sound", "SpeechMetadata"]
    assert client.told == told
    client.send("Interrupt")
    assert client.told == [*told, "Warning"]
    client.say("Hello. " * 10)
    client.wait(0.15)
    client.send("Interrupt")
    assert client.told[-1] == "SpeechInterrupted"


def test_flushes() -> None:
    """Twenty a minute; those beyond are not taken."""
    client = Client()
    for _ in range(21):
        client.send("Flush")
    assert client.told == ["Metadata", *["Flushed"] * 20, "Warning"]
    client.clock.advance(60)
    client.send("Flush")
    assert client.told[-1] == "Flushed"


def test_closed_by_the_client() -> None:
    """What was flushed is spoken first."""
    client = Client()
    client.say("Hello.")
    client.send("Close")
    assert client.line.ended is None
    client.wait()
    assert client.heard == "Hello."
    assert client.line.ended == (1000, "")
    client.session.closed(1000)
    assert client.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    "message",
    [b"hello", b'{"type":"Speak"}', b'{"type":"Sing"}', b'{"type":"Speak","text":"a","b":1}'],
)
def test_garbage(message: bytes) -> None:
    """What it does not understand ends the connection."""
    client = Client()
    client.session.received(message, False)
    assert client.line.ended is not None
    assert client.line.ended[0] == 1008


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"path": "/v1/listen"}, 404),
        ({"headers": {"authorization": "Bearer deepgram-key"}}, 401),
        ({"model": ["flux-haley-en"]}, 400),
        ({"path": "/v2/speak"}, 400),
        ({"encoding": ["mp3"]}, 400),
        ({"encoding": ["mulaw"], "sample_rate": ["24000"]}, 400),
        ({"speed": ["9"]}, 400),
        ({"container": ["wav"]}, 400),
        ({"colour": ["blue"]}, 400),
    ],
)
def test_refused(changed: dict[str, Any], status: int) -> None:
    """A key, a model of the right kind, and a form that it has."""
    assert connect(**changed).status == status
