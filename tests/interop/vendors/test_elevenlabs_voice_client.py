"""ElevenLabs' own client understands our fake of its speech.

It speaks over `/stream-input` alone; the messages of `/multi-stream-input`, which our adapter uses,
are held against the client's own models of them, in both directions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from rapida_tw.sim.vendors.speaking import MULAW, decode, understood
from tests.contracts.voice_case import Call
from tests.interop.certificate import self_signed
from tests.interop.vendors.fakes import fake

elevenlabs = pytest.importorskip("elevenlabs", reason="the package elevenlabs is not installed")

KEY = "elevenlabs-key-of-a-test"
VOICE = "JBFqnCBsd6RMkjVDRZzb"
TEXT = ("Hello, ", "Bob. ")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("tls")
    certificate = self_signed(folder)
    with (
        pytest.MonkeyPatch.context() as patch,
        fake("elevenlabs_voice", certificate, key=KEY) as number,
    ):
        patch.setenv("SSL_CERT_FILE", str(certificate.certificate))
        yield number


def speak(port: int, key: str = KEY, voice: str = VOICE, **changed: Any) -> bytes:
    client = elevenlabs.ElevenLabs(api_key=key, base_url=f"https://127.0.0.1:{port}")
    fields = {"model_id": "eleven_flash_v2_5", "output_format": "ulaw_8000", **changed}
    return b"".join(client.text_to_speech.convert_realtime(voice, text=iter(TEXT), **fields))


def test_one_context(port: int) -> None:
    """It hears all of a text that it sends in pieces."""
    settings = elevenlabs.VoiceSettings(stability=0.4, speed=1.1)
    sound = speak(port, voice_settings=settings)
    assert understood(decode(sound, MULAW), 8_000) == "".join(TEXT).strip()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"key": "wrong"}, "Invalid API key"), ({"voice": "nobody"}, "does not exist")],
)
def test_refused(port: int, wrong: dict[str, Any], told: str) -> None:
    """It is told what is wrong, and with which code."""
    with pytest.raises(elevenlabs.core.ApiError) as caught:
        speak(port, **wrong)
    assert caught.value.status_code == 1008
    assert told in str(caught.value.body)


@pytest.fixture
def call() -> Iterator[Call]:
    """Our adapter before the fake."""
    begun = Call("elevenlabs", None, {"speed": "1.1", "stability": "0.3"})
    try:
        yield begun
        begun.stop()
    finally:
        begun.close()


def test_many_contexts(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message of ours, and each of the fake's, is one that the client has a model of."""
    sent: list[dict[str, Any]] = []
    call.start()
    (line,) = call.net.site.open
    monkeypatch.setattr(line, "send", lambda told: (sent.append(told), type(line).send(line, told)))
    call.begin("Hello, Bob!", 0.15).saying.cancel()
    call.say("How are you?")
    call.voice.stop()
    call.wait(1.0)
    types = elevenlabs.types
    for _, message in call.vendor.heard:
        types.WebsocketTtsClientMessageMulti.model_validate(message, strict=True)
        assert set(message) <= fields_of(types.WebsocketTtsClientMessageMulti) | {"context_id"}
    kinds = [types.AudioOutputMulti, types.FinalOutputMulti]
    assert sent
    for told in sent:
        kind = kinds[bool(told.get("isFinal"))]
        kind.model_validate(json.loads(json.dumps(told)), strict=True)
        assert set(told) <= fields_of(kind)


def fields_of(model: Any) -> set[str]:
    """Names as they are on the wire."""
    return {field.alias or name for name, field in model.model_fields.items()}
