"""Sarvam: what is sent, what is understood, and what its refusals mean."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Frame, Nowhere, Request
from rapida_tw.options import read
from rapida_tw.sim.vendors.speaking import wav
from rapida_tw.speech.voices.provider import LINEAR_16K, MULAW_8K
from rapida_tw.speech.voices.sarvam import SarvamVoiceOptions, SarvamVoiceWire
from rapida_tw.speech.voices.wire import Audio, Complaint, Done, Event

KEY = "a-key"
SOUND = bytes(range(16))


def options_of(**options: Any) -> SarvamVoiceOptions:
    return read(SarvamVoiceOptions, options, "speak.", "Sarvam")


def wire_of(format: Any = MULAW_8K, **options: Any) -> SarvamVoiceWire:
    return SarvamVoiceWire(options_of(**options), KEY, "wss://api.sarvam.ai", format)


def told(wire: SarvamVoiceWire, kind: str, **data: Any) -> list[Event]:
    return list(wire.received(json.dumps({"type": kind, "data": data}).encode(), False))


def sound(wire: SarvamVoiceWire, payload: bytes) -> list[Event]:
    return told(wire, "audio", audio=b64encode(payload).decode(), content_type="audio/wav")


def settings(**options: Any) -> dict[str, Any]:
    (frame,) = wire_of(**options).hello()
    message = json.loads(frame.payload)
    assert message["type"] == "config"
    data: dict[str, Any] = message["data"]
    return data


def test_address() -> None:
    """Where and with what it connects; the key is in a header."""
    found: list[Request] = []
    wire_of().address(Nowhere()).addCallback(found.append)
    query = "model=bulbul%3Av3&send_completion_event=true"
    assert found[0].url == f"wss://api.sarvam.ai/text-to-speech/ws?{query}"
    assert found[0].headers == {"Api-Subscription-Key": KEY}


def test_settings() -> None:
    """The first message; what is not given is the vendor's."""
    assert settings() == {
        "target_language_code": "en-IN",
        "language_code": "en-IN",
        "speaker": "shubh",
        "speech_sample_rate": 8000,
        "output_audio_codec": "mulaw",
    }
    given = {"speed": "2.5", "pitch": "0.5", "loudness": "2", "speak.voice.id": "Vidya"}
    changed = settings(format=LINEAR_16K, model="bulbul:v2", language="hi", **given)
    assert changed["speaker"] == "vidya"
    assert (changed["pace"], changed["pitch"], changed["loudness"]) == (2.5, 0.5, 2.0)
    assert changed["language_code"] == "hi-IN"
    assert (changed["output_audio_codec"], changed["speech_sample_rate"]) == ("linear16", 16_000)


@pytest.mark.parametrize(
    ("told_so", "sent"), [("en-US", "en-IN"), ("or-IN", "od-IN"), ("ta_IN", "ta-IN"), ("", "en-IN")]
)
def test_language(told_so: str, sent: str) -> None:
    """All of them are India's."""
    assert settings(language=told_so)["target_language_code"] == sent


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"speed": "2.5"}, "speed must be between 0.5 and 2"),
        ({"pitch": "0.1"}, "bulbul:v3 does not take pitch"),
        ({"model": "bulbul:v2", "temperature": "0.5"}, "bulbul:v2 does not take temperature"),
        ({"temperature": "0"}, r"temperature must be between 0\.01 and 1"),
        ({"model": "bulbul:v4-flash"}, "bulbul:v4-flash needs a voice.id"),
    ],
)
def test_bad_options(options: dict[str, Any], sentence: str) -> None:
    """What the model does not take, or is out of its range."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        options_of(**options)


def test_said() -> None:
    """A phrase, and that it is whole; nothing but closing stops it."""
    assert wire_of().say("p1", "Hello.") == (
        Frame(b'{"type":"text","data":{"text":"Hello."}}'),
        Frame(b'{"type":"flush"}'),
    )
    assert wire_of().cancel("p1") is None
    assert wire_of().keep_alive() == (Frame(b'{"type":"ping"}'),)


def test_understood() -> None:
    """Sound, and its end."""
    wire = wire_of()
    assert sound(wire, SOUND) == [Audio("", SOUND)]
    assert sound(wire, b"\x01") == [Audio("", b"\x01")]
    assert told(wire, "event", event_type="final") == [Done("")]
    assert told(wire, "event", event_type="other") == []
    assert told(wire, "news") == []


def test_short() -> None:
    """So little sound that it might be the beginning of a header is sound, all the same."""
    wire = wire_of()
    assert sound(wire, b"RI") == []
    assert told(wire, "event", event_type="final") == [Audio("", b"RI"), Done("")]


def test_wav() -> None:
    """A header is taken off, and believed; the next phrase may come without one."""
    wire = wire_of(LINEAR_16K)
    assert sound(wire, wav(SOUND, 22_050)) == [Audio("", SOUND)]
    assert (wire.encoding, wire.rate) == (Encoding.LINEAR16, 22_050)
    wire.say("p2", "Hello.")
    assert sound(wire, SOUND) == [Audio("", SOUND)]
    assert wire.rate == 16_000


@pytest.mark.parametrize(
    ("code", "retryable"), [(422, False), (403, False), (429, True), (503, True), (None, True)]
)
def test_errors(code: int | None, retryable: bool) -> None:
    """What would happen again is final."""
    said = f"{code}: no" if code else "no"
    expected = [Complaint("", said, retryable)]
    assert told(wire_of(), "error", message="no", code=code) == expected


def test_closed() -> None:
    """By its code."""
    assert wire_of().closed(1003, "key") == Complaint("", "closed with 1003: key", False)
    assert wire_of().closed(1006, "") == Complaint("", "closed with 1006")


JSON = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.none())


@given(
    st.sampled_from(["audio", "event", "error"]) | JSON,
    st.dictionaries(st.sampled_from(["audio", "event_type", "message", "code"]), JSON) | JSON,
)
def test_any_message(kind: Any, data: Any) -> None:
    """Never another exception than RemoteProtocolError."""
    try:
        wire_of().received(json.dumps({"type": kind, "data": data}).encode(), False)
    except RemoteProtocolError:
        return
