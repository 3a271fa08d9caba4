"""The fake of OpenAI's speech: its formats, its events, and what it refuses."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.sim.vendors.base import Asked, Reply
from rapida_tw.sim.vendors.openai_voice import OpenAI
from rapida_tw.sim.vendors.speaking import LINEAR, decode, understood

FIELDS = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Hi.", "response_format": "pcm"}


class Kept:
    """A Reply that keeps what it is told."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.body = b""
        self.over = ""
        self.gone = False

    def head(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.headers = status, headers or {}

    def write(self, data: bytes) -> None:
        self.body += data

    def end(self) -> None:
        self.over = "ended"

    def whole(self, status: int, body: bytes | str | Mapping[str, Any] | list[Any]) -> None:
        raise NotImplementedError

    def drop(self) -> None:
        self.over = "dropped"


_conforms: type[Reply] = Kept


def ask(vendor: OpenAI | None = None, key: str = "openai-key", **changed: Any) -> Kept:
    reply = Kept()
    headers = {"authorization": f"Bearer {key}"}
    fields = {name: value for name, value in {**FIELDS, **changed}.items() if value is not None}
    asked = Asked("POST", "/v1/audio/speech", {}, headers, json.dumps(fields).encode())
    (vendor or OpenAI()).answer(asked, reply)
    reply.clock.pump([0.01] * 100)
    return reply


def test_pcm() -> None:
    """16 bit at 24 kHz, without a header."""
    reply = ask()
    assert (reply.status, reply.over) == (200, "ended")
    assert understood(decode(reply.body, LINEAR), 24_000) == "Hi."


def test_events() -> None:
    """As server-sent events, the sound is in base64."""
    reply = ask(stream_format="sse")
    events = [json.loads(line[6:]) for line in reply.body.decode().split("\n\n") if line]
    sound = b"".join(b64decode(event["audio"]) for event in events[:-1])
    assert understood(decode(sound, LINEAR), 24_000) == "Hi."
    assert events[-1]["type"] == "speech.audio.done"


def test_another_make() -> None:
    """A server that sends WAV whatever it is asked for."""
    reply = ask(OpenAI(kind="wav", rate=16_000))
    assert reply.body.startswith(b"RIFF")
    assert understood(decode(reply.body[44:], LINEAR), 16_000) == "Hi."


def test_gone() -> None:
    """It notices that the client is gone, and stops."""
    vendor = OpenAI()
    vendor.manners.speed = 1.0
    reply = Kept()
    body = json.dumps({**FIELDS, "input": "Hello. " * 20}).encode()
    headers = {"authorization": "Bearer openai-key"}
    vendor.answer(Asked("POST", "/v1/audio/speech", {}, headers, body), reply)
    reply.clock.pump([0.01] * 30)
    reply.gone = True
    sent = len(reply.body)
    reply.clock.pump([0.01] * 30)
    assert (len(reply.body), vendor.manners.stopped) == (sent, 1)
    assert reply.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"key": "wrong"}, 401),
        ({"model": "gpt-2"}, 400),
        ({"voice": "bob"}, 400),
        ({"voice": None}, 400),
        ({"input": ""}, 400),
        ({"input": "a" * 4097}, 400),
        ({"speed": 5}, 400),
        ({"speed": "fast"}, 400),
        ({"response_format": "midi"}, 400),
        ({"language": "de"}, 400),
        ({"model": "tts-1", "stream_format": "sse"}, 400),
        ({"model": "canopylabs/orpheus-v1-english", "voice": "autumn"}, 400),
    ],
)
def test_refused(changed: dict[str, Any], status: int) -> None:
    """What the real one does not take, with a sentence."""
    reply = ask(**changed)
    assert (reply.status, reply.over) == (status, "ended")
    assert json.loads(reply.body)["error"]["message"]
