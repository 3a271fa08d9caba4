"""The fake of Cartesia's speech: contexts, and what it refuses."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.sim.vendors.base import Asked, Refusal
from rapida_tw.sim.vendors.cartesia_voice import Cartesia
from rapida_tw.sim.vendors.speaking import LINEAR, decode, understood
from tests.speech.recognizers.pair import RecordingLine

SETTINGS = {
    "model_id": "sonic-3",
    "voice": {"mode": "id", "id": "a0e99841-438c-4a64-b679-ae501e7d6091"},
    "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 8000},
}
HEADERS = {"x-api-key": "cartesia-key", "cartesia-version": "2026-03-01"}


def connect(headers: dict[str, str], path: str = "/tts/websocket") -> Any:
    return Cartesia().connect(Asked("GET", path, {}, headers), RecordingLine(Clock()))


class Client:
    def __init__(self) -> None:
        self.clock = Clock()
        self.line = RecordingLine(self.clock)
        session = Cartesia().connect(Asked("GET", "/tts/websocket", {}, HEADERS), self.line)
        assert not isinstance(session, Refusal)
        self.session = session
        session.opened()

    def say(self, text: str, context: str = "a", more: bool = False, **changed: Any) -> None:
        named = {"context_id": context, "transcript": text, "continue": more}
        self.send({**SETTINGS, **named, **changed})

    def send(self, fields: dict[str, Any]) -> None:
        self.session.received(json.dumps(fields).encode(), False)

    def wait(self, seconds: float = 2.0) -> None:
        self.clock.pump([0.01] * round(seconds / 0.01))

    def told(self, kind: str) -> list[dict[str, Any]]:
        told = [json.loads(frame.payload) for frame in self.line.sent]
        return [one for one in told if one["type"] == kind]

    def heard(self, context: str = "a") -> str:
        chunks = [one for one in self.told("chunk") if one["context_id"] == context]
        sound = b"".join(b64decode(one["data"]) for one in chunks)
        return understood(decode(sound, LINEAR), 8_000)


def test_continued() -> None:
    """Inputs of a context come one after the other, and its end behind the last."""
    client = Client()
    client.say("One ", more=True, add_timestamps=True)
    client.say("two.", more=True, add_timestamps=True)
    client.wait()
    assert (client.heard(), client.told("done")) == ("One two.", [])
    client.say("", add_timestamps=True)
    assert len(client.told("done")) == 1
    starts = [one["word_timestamps"]["start"] for one in client.told("timestamps")]
    assert [start for one in starts for start in one] == [0.0, pytest.approx(0.24)]


def test_side_by_side() -> None:
    """Contexts do not wait for each other."""
    client = Client()
    for context in "ab":
        client.say("Hello.", context)
    client.wait(0.15)
    assert {one["context_id"] for one in client.told("chunk")} == {"a", "b"}


def test_cancelled() -> None:
    """A cancelled context says nothing more; its name can be used again."""
    client = Client()
    client.say("Hello. " * 10)
    client.wait(0.15)
    client.send({"context_id": "a", "cancel": True})
    client.send({"context_id": "b", "cancel": True})
    chunks = len(client.told("chunk"))
    client.wait()
    assert len(client.told("chunk")) == chunks
    assert client.told("done") == client.told("error") == []
    client.say("Again.")
    client.wait()
    assert len(client.told("done")) == 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"model_id": "sonic-9"}, "model_not_found"),
        ({"voice": {"mode": "id", "id": "x"}}, "voice_not_found"),
        ({"voice": "bob"}, "bad_request"),
        ({"transcript": None}, "bad_request"),
        ({"output_format": {"container": "wav"}}, "bad_request"),
        ({"language": "tlh"}, "language_not_supported"),
        ({"max_buffer_delay_ms": 6000}, "bad_request"),
        ({"generation_config": {"volume": 3}}, "bad_request"),
        ({"context_id": ""}, "bad_request"),
        ({"colour": "blue"}, "bad_request"),
    ],
)
def test_refused(changed: dict[str, Any], code: str) -> None:
    """What the real one does not take is an error, and the socket stays open."""
    client = Client()
    client.say("Hello.", **changed)
    (error,) = client.told("error")
    assert error["error_code"] == code
    assert error["done"]
    client.say("Hello.", "b")
    client.wait()
    assert client.heard("b") == "Hello."


def test_other_settings() -> None:
    """Within a context the settings stay the same."""
    client = Client()
    client.say("One ", more=True)
    client.say("two.", language="de")
    assert client.told("error")[0]["context_id"] == "a"


def test_handshake() -> None:
    """A key, a version and the right path; the key as either header."""
    assert not isinstance(connect(HEADERS), Refusal)
    bearer = {"authorization": "Bearer cartesia-key", "cartesia-version": "2026-03-01"}
    assert not isinstance(connect(bearer), Refusal)
    assert connect({**HEADERS, "x-api-key": "no"}).status == 401
    assert connect({"x-api-key": "cartesia-key"}).status == 400
    assert connect(HEADERS, "/stt/websocket").status == 404


def test_idle() -> None:
    """Without a message for five minutes it closes; nothing waits then."""
    client = Client()
    client.say("Hello.")
    client.wait()
    client.clock.advance(297)
    assert client.line.ended is None
    client.clock.advance(2)
    assert client.line.ended == (1000, "")
    client.session.closed(1000)
    assert client.clock.getDelayedCalls() == []
