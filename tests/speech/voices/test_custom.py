"""A voice by rules: its messages, its mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.options import read
from rapida_tw.speech.base import Host
from rapida_tw.speech.voices.custom import CustomOptions, CustomVoiceProvider
from rapida_tw.speech.voices.format import VoiceFormat
from rapida_tw.speech.voices.wire import Audio, Complaint, Done, VoiceWire

ACCOUNT = Account("custom", {"baseUrl": "wss://tts.example"})
TEXT = {
    "id": {"$var": "packet.message_id"},
    "say": {"$var": "packet.text"},
    "voice": {"$var": "config.voice.id"},
}
REQUESTS: list[Any] = [
    {"when": {"packet": "text"}, "send": {"body": TEXT}},
    {"when": {"packet": "done"}, "send": {"frame": "text", "body": "end"}},
]
INTERRUPT = {
    "when": {"packet": "interrupt"},
    "send": {"body": {"stop": {"$var": "packet.message_id"}}},
}
RESPONSES: list[Any] = [
    {
        "when": {"path": "sound"},
        "emit": {"audio": {"$decode": "base64", "value": {"$path": "sound"}}},
    },
    {"when": {"path": "over", "equals": True}, "emit": {"done": True}},
    {"when": {"path": "fault"}, "emit": {"error": {"$path": "fault"}}},
]
LABELLED: list[Any] = [
    {"when": {"path": "sound"}, "emit": {"audio": {"$frame": True}, "message_id": "x"}},
    RESPONSES[1],
]


def wire(requests: object = REQUESTS, responses: object = RESPONSES, **options: Any) -> VoiceWire:
    provider = CustomVoiceProvider(Host(Clock(), Path()))
    rules = {"request_rules": requests, "response_rules": responses}
    chosen = read(CustomOptions, {**rules, **options}, "speak.", "custom")
    return provider.wire(chosen, ACCOUNT, VoiceFormat(Encoding.LINEAR16, 16_000))()


def test_said() -> None:
    """A phrase, and that it is whole."""
    text, end = wire(**{"speak.voice.id": "anna"}).say("p1", "Hello.")
    assert json.loads(text.payload) == {"id": "p1", "say": "Hello.", "voice": "anna"}
    assert end == (b"end", False)


def test_cancel() -> None:
    """By its rule; without one only closing helps."""
    assert wire().cancel("p1") is None
    (stop,) = wire([*REQUESTS, INTERRUPT]).cancel("p1") or ()
    assert json.loads(stop.payload) == {"stop": "p1"}


@pytest.mark.parametrize(
    ("message", "events"),
    [
        (b'{"sound":"AQI="}', [Audio("", b"\x01\x02")]),
        (b'{"over":true}', [Done("")]),
        (b'{"sound":"AQI=","over":true}', [Audio("", b"\x01\x02"), Done("")]),
        (b'{"fault":"no"}', [Complaint("", "the custom voice: no")]),
        (b"{}", []),
    ],
)
def test_received(message: bytes, events: list[object]) -> None:
    """What the rules make of a message."""
    assert list(wire().received(message, False)) == events


def test_sound_that_is_text() -> None:
    """Audio that nobody has decoded."""
    with pytest.raises(RemoteProtocolError, match="decode"):
        list(wire(responses=LABELLED).received(b'{"sound":"AQI="}', False))


def test_contexts() -> None:
    """Several phrases on one socket only where messages say whose they are."""
    assert wire().contexts == 1
    assert wire(responses=LABELLED).contexts > 1


@pytest.mark.parametrize(
    ("requests", "responses"),
    [(REQUESTS[1:], RESPONSES), (REQUESTS, RESPONSES[:1]), (REQUESTS, RESPONSES[1:])],
)
def test_misconfigured(requests: object, responses: object) -> None:
    """Text must be sent, and sound and its end understood."""
    with pytest.raises(MisconfiguredAssistant):
        wire(requests, responses)


def test_rehearsed() -> None:
    """A rule that cannot be carried out is found before a call."""
    bad = [{"when": {"packet": "text"}, "send": {"body": {"$var": "packet.audio.bytes"}}}]
    with pytest.raises(MisconfiguredAssistant, match=r"packet\.audio\.bytes"):
        wire(bad)
