"""The fake of ElevenLabs' speech: contexts, their limit, and what ends a socket."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.sim.vendors.base import Asked, Refusal
from rapida_tw.sim.vendors.elevenlabs_voice import ElevenLabs
from rapida_tw.sim.vendors.speaking import MULAW, decode, understood
from tests.speech.recognizers.pair import RecordingLine

VOICE = "JBFqnCBsd6RMkjVDRZzb"
QUERY = {"model_id": "eleven_flash_v2_5", "output_format": "ulaw_8000"}


class Client:
    def __init__(self, kind: str = "multi-stream-input", voice: str = VOICE, **query: str) -> None:
        self.clock = Clock()
        self.vendor = ElevenLabs()
        self.line = RecordingLine(self.clock)
        asked = Asked(
            "GET",
            f"/v1/text-to-speech/{voice}/{kind}",
            {name: [value] for name, value in {**QUERY, **query}.items()},
            {"xi-api-key": self.vendor.key},
        )
        session = self.vendor.connect(asked, self.line)
        assert not isinstance(session, Refusal)
        self.session = session
        session.opened()

    def send(self, **fields: Any) -> None:
        self.session.received(json.dumps(fields).encode(), False)

    def wait(self, seconds: float = 2.0) -> None:
        self.clock.pump([0.01] * round(seconds / 0.01))

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(frame.payload) for frame in self.line.sent]

    def heard(self, context: str | None = None) -> str:
        told = [one for one in self.told if one.get("contextId") == context]
        sound = b"".join(b64decode(one["audio"]) for one in told if one.get("audio"))
        return understood(decode(sound, MULAW), 8_000)

    @property
    def ended(self) -> list[str]:
        return [one.get("contextId", "") for one in self.told if one.get("isFinal")]

    @property
    def error(self) -> str:
        assert self.line.ended is not None
        assert self.line.ended[0] == 1008
        return str(self.told[-1]["error"])


def test_flushed_and_closed() -> None:
    """What was flushed sounds to its end; the end of a context is told when it is closed."""
    client = Client()
    client.send(text=" ", context_id="a", voice_settings={"speed": 1.1})
    client.send(text="Hello. ", context_id="a", flush=True)
    client.wait()
    assert (client.heard("a"), client.ended) == ("Hello.", [])
    client.send(context_id="a", close_context=True)
    assert client.ended == ["a"]


def test_closed_at_once() -> None:
    """Closing does not cut off what was flushed, and loses what was not."""
    client = Client()
    for context, flush in (("a", True), ("b", False)):
        client.send(text=" ", context_id=context)
        client.send(text="Hello. ", context_id=context, flush=flush)
        client.send(context_id=context, close_context=True)
        client.send(text="More. ", context_id=context)
    client.wait()
    assert (client.heard("a"), client.heard("b")) == ("Hello.", "")
    assert client.ended == ["b", "a"]


def test_automatic() -> None:
    """With auto_mode each text sounds without a flush."""
    client = Client(auto_mode="true")
    client.send(text=" ", context_id="a")
    client.send(text="One. ", context_id="a")
    client.send(text="Two. ", context_id="a")
    client.wait()
    assert client.heard("a") == "One.Two."


def test_limit() -> None:
    """A sixth context ends the socket; an ended one makes room."""
    client = Client()
    for context in "abcde":
        client.send(text=" ", context_id=context)
    client.send(context_id="a", close_context=True)
    client.send(text=" ", context_id="f")
    assert client.line.ended is None
    client.send(text=" ", context_id="g")
    assert client.error == "max_active_conversations"


@pytest.mark.parametrize(
    ("query", "messages", "error"),
    [
        ({"model_id": "eleven_v3"}, [], "model_not_found"),
        ({"output_format": "pcm_11025"}, [], "invalid_output_format"),
        ({"inactivity_timeout": "181"}, [], "invalid_parameters"),
        (
            {"model_id": "eleven_multilingual_v2", "language_code": "de"},
            [],
            "unsupported_language",
        ),
        ({"voice": "nobody"}, [{"text": " "}], "voice_not_found"),
        ({}, [{"text": " ", "voice_settings": {"speed": 3}}], "invalid_voice_settings"),
        ({}, [{"text": " ", "voice_settings": {"pitch": 1}}], "invalid_voice_settings"),
        (
            {},
            [{"text": " "}, {"text": "Hi ", "voice_settings": {"speed": 1}}],
            "invalid_message",
        ),
        ({"kind": "stream-input"}, [{"text": "Hello "}], "invalid_message"),
        ({"kind": "stream-input"}, [{"text": " "}, {"text": ""}, {"text": "a"}], "invalid_message"),
    ],
)
def test_refused(query: dict[str, str], messages: list[dict[str, Any]], error: str) -> None:
    """What the real one does not take ends the socket with 1008, and a message that says why."""
    client = Client(**query)
    for message in messages:
        client.send(**message)
    assert client.error == error


def test_no_json() -> None:
    """Nor what is no JSON, or binary."""
    for message, binary in ((b"hello", False), (b"{}", True), (b"[]", False)):
        client = Client()
        client.session.received(message, binary)
        assert client.error == "invalid_message"


def test_idle() -> None:
    """A socket without text is closed after its time; a text keeps it open."""
    client = Client(inactivity_timeout="30")
    client.wait(29)
    client.send(text="", context_id="a")
    client.wait(29)
    assert client.line.ended is None
    client.wait(2)
    assert client.line.ended is not None
    assert client.line.ended[0] == 1008
    assert "30 seconds" in client.line.ended[1]


def test_goodbye() -> None:
    """The socket is closed when all that was flushed has sounded."""
    client = Client()
    client.send(text=" ", context_id="a")
    client.send(text="Bye. ", context_id="a", flush=True)
    client.send(close_socket=True)
    assert client.line.ended is None
    client.wait()
    assert (client.heard("a"), client.line.ended) == ("Bye.", (1000, ""))


def test_gone() -> None:
    """When the client is gone, nothing waits any more."""
    client = Client()
    client.send(text=" ", context_id="a")
    client.send(text="Bye. ", context_id="a", flush=True)
    client.session.closed(1006)
    assert client.clock.getDelayedCalls() == []
