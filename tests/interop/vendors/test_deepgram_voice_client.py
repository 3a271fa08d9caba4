"""Deepgram's own client understands our fake of its speech."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rapida_tw.sim.vendors.speaking import MULAW, decode, understood
from tests.interop.vendors.fakes import fake

deepgram = pytest.importorskip("deepgram", reason="the package deepgram-sdk is not installed")

KEY = "deepgram-key-of-a-test"
MULAW_8K: dict[str, Any] = {"encoding": "mulaw", "sample_rate": 8000}
TEXT = "Hello, Bob."


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with fake("deepgram_voice", key=KEY) as number:
        yield number


def client(port: int, key: str = KEY) -> Any:
    from deepgram.environment import DeepgramClientEnvironment

    url = f"127.0.0.1:{port}"
    environment = DeepgramClientEnvironment(
        base=f"http://{url}", production=f"ws://{url}", agent=f"ws://{url}", agent_rest=url
    )
    return deepgram.DeepgramClient(api_key=key, environment=environment)


def phrase(connection: Any, end: str) -> tuple[str, list[str]]:
    """What is heard up to that message, and the kinds of all."""
    sound, kinds = b"", []
    while not kinds or kinds[-1] != end:
        told = connection.recv()
        if isinstance(told, bytes):
            sound += told
        else:
            kinds.append(told.type)
    return understood(decode(sound, MULAW), 8_000), kinds


def test_aura(port: int) -> None:
    """A phrase, one that is cleared, and the next."""
    from deepgram.speak.v1.types import SpeakV1Text

    with client(port).speak.v1.connect(model="aura-2-thalia-en", **MULAW_8K) as connection:
        for text in ("Hello, ", "Bob."):
            connection.send_text(SpeakV1Text(type="Speak", text=text))
        connection.send_flush()
        assert phrase(connection, "Flushed") == (TEXT, ["Metadata", "Flushed"])
        connection.send_text(SpeakV1Text(type="Speak", text="Never mind. " * 20))
        connection.send_flush()
        connection.send_clear()
        assert phrase(connection, "Cleared") == ("", ["Cleared"])
        connection.send_text(SpeakV1Text(type="Speak", text=TEXT))
        connection.send_flush()
        assert phrase(connection, "Flushed") == (TEXT, ["Flushed"])
        connection.send_close()
        assert list(connection) == []


def test_flux(port: int) -> None:
    """A turn, and one that is interrupted."""
    from deepgram.speak.v2.types import SpeakV2Speak

    with client(port).speak.v2.connect(model="flux-haley-en", **MULAW_8K) as connection:
        connection.send_speak(SpeakV2Speak(type="Speak", text=TEXT))
        connection.send_flush()
        heard, kinds = phrase(connection, "SpeechMetadata")
        assert heard == TEXT
        assert kinds == ["Connected", "SpeechStarted", "Flushed", "SpeechMetadata"]
        connection.send_speak(SpeakV2Speak(type="Speak", text="Never mind. " * 20))
        connection.send_flush()
        connection.send_interrupt()
        assert phrase(connection, "SpeechInterrupted")[1][-1] == "SpeechInterrupted"
        connection.send_interrupt()
        assert connection.recv().code == "NO_ACTIVE_SPEECH"


@pytest.mark.parametrize(("key", "model"), [("dg_wrong", "aura-2-thalia-en"), (KEY, "aura-9")])
def test_refused(port: int, key: str, model: str) -> None:
    """Neither another key nor an unknown model opens a socket."""
    with (
        pytest.raises(Exception, match=r"400|401|credentials|initializing"),
        client(port, key).speak.v1.connect(model=model, **MULAW_8K),
    ):
        pass
