"""A recogniser by rules: its messages, its options, its mistakes."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Nowhere
from rapida_tw.options import read
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.custom import CustomOptions, CustomRecognizerProvider
from rapida_tw.speech.recognizers.wire import Complaint, Final, Partial, RecognizerWire

ACCOUNT = Account("custom", {"baseUrl": "wss://stt.example/v1", "headers": '{"X-Key": "s"}'})
REQUESTS: list[Any] = [
    {"when": {"packet": "turn_change"}, "send": {"body": {"turn": {"$var": "packet.context_id"}}}},
    {
        "when": {"packet": "audio"},
        "send": {"frame": "binary", "body": {"$var": "packet.audio.bytes"}},
    },
    {"when": {"packet": "finish"}, "send": {"frame": "text", "body": "flush"}},
]
RESPONSES: list[Any] = [
    {
        "when": {"path": "type", "equals": "words"},
        "emit": {
            "script": {"$path": "text"},
            "interim": {"$path": "more"},
            "confidence": {"$path": "sure"},
        },
    },
    {"when": {"path": "fault"}, "emit": {"error": {"$path": "fault"}}},
]
RULES = {"request_rules": REQUESTS, "response_rules": RESPONSES}


def wire(account: Account = ACCOUNT, **options: Any) -> RecognizerWire:
    provider = CustomRecognizerProvider(Host(Clock(), Path()))
    chosen = read(CustomOptions, {**RULES, **options}, "listen.", "custom")
    return provider.wire(chosen, account)()


def test_address() -> None:
    """Where and with which headers its credential says, and the deployment's query."""
    asked = wire(query_params={"lang": "en", "n": 1}).address(Nowhere())
    request = asked.result  # type: ignore[attr-defined]
    assert request.url == "wss://stt.example/v1?lang=en&n=1"
    assert request.headers == {"X-Key": "s"}
    assert "X-Key" not in repr(request)


def test_life() -> None:
    """Each turn has a name of its own; the sound is sent as the rule says."""
    one = wire()
    (hello,) = one.hello()
    assert one.audio(b"\x01\x02") == (b"\x01\x02", True)
    flush, again = one.finalize()
    assert flush == (b"flush", False)
    assert json.loads(hello.payload)["turn"] != json.loads(again.payload)["turn"]
    assert one.goodbye() == []


def test_no_finish() -> None:
    """A vendor that decides alone is asked nothing."""
    assert wire(request_rules=REQUESTS[1:2]).finalize() == ()


def test_sound_in_text() -> None:
    """As base64, or as a WAV file in base64."""
    body = {
        "raw": {"$var": "packet.audio.base64"},
        "wav": {"$var": "packet.audio.wav_base64"},
        "rate": {"$var": "config.audio.sample_rate"},
    }
    rules = [{"when": {"packet": "audio"}, "send": {"body": body}}]
    one = wire(request_rules=rules, audio_sample_rate="8000")
    said = json.loads(one.audio(b"\x01\x02").payload)
    assert b64decode(said["raw"]) == b"\x01\x02"
    assert b64decode(said["wav"])[:4] == b"RIFF"
    assert b64decode(said["wav"])[-2:] == b"\x01\x02"
    assert said["rate"] == 8000


@pytest.mark.parametrize(
    ("message", "events"),
    [
        (b'{"type":"words","text":"hi","more":true,"sure":1}', [Partial("hi")]),
        (b'{"type":"words","text":"hi","more":false,"sure":0.5}', [Final("hi", 0.5)]),
        (b'{"type":"words","text":"hi","more":0,"sure":7}', [Final("hi", 1.0)]),
        (b'{"fault":"quota"}', [Complaint("the custom recogniser: quota")]),
        (b'{"type":"hello"}', []),
        (b"not JSON", []),
    ],
)
def test_received(message: bytes, events: list[object]) -> None:
    """What the rules make of a message."""
    assert list(wire().received(message, False)) == events


@pytest.mark.parametrize(
    "text", [b'{"type":"words","text":3,"more":0,"sure":1}', b'{"type":"words"}']
)
def test_broken(text: bytes) -> None:
    """A message that lacks what its rule needs."""
    with pytest.raises(RemoteProtocolError):
        list(wire().received(text, False))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"request_rules": []}, "one request rule for audio"),
        ({"response_rules": RESPONSES[1:]}, "emits script"),
        ({"request_rules": "[{]"}, "JSON list"),
        ({"request_rules": [{"when": {"packet": "x"}, "send": {"body": 1}}]}, "when.packet"),
        (
            {"request_rules": [{"when": {"packet": "audio"}, "send": {"body": {"$var": "x"}}}]},
            "no variable x",
        ),
        ({"audio_encoding": "mp3"}, "LINEAR16 or MuLaw8"),
        ({"audio.sample_rate": 100}, "sample_rate"),
    ],
)
def test_misconfigured(options: dict[str, Any], told: str) -> None:
    """Every mistake is found before a call."""
    with pytest.raises(MisconfiguredAssistant, match=told):
        wire(**options)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "baseUrl"),
        ({"baseUrl": "ftp://stt.example"}, "wss://"),
        ({"baseUrl": "wss://x", "apiCompatibility": "http_v2"}, "http_v2 is not supported"),
        ({"baseUrl": "wss://x", "headers": "[1]"}, "headers"),
        ({"baseUrl": "wss://x", "headers": "{"}, "headers"),
        ({"baseUrl": "wss://x", "apiCompatibility": "grpc"}, "apiCompatibility"),
    ],
)
def test_account(fields: dict[str, str], told: str) -> None:
    """So is a credential that does not say where it is."""
    with pytest.raises(MisconfiguredAssistant, match=told):
        wire(Account("custom", fields))


def test_format() -> None:
    """What the deployment asks for."""
    one = wire(audio_encoding="MuLaw8", audio_sample_rate=8000)
    assert (one.encoding, one.rate) == (Encoding.MULAW, 8000)
