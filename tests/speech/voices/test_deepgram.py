"""Deepgram: what is sent, what is understood, and what its refusals mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Frame, Nowhere, Request
from rapida_tw.options import read
from rapida_tw.speech.voices.deepgram import DeepgramOptions, DeepgramWire
from rapida_tw.speech.voices.provider import LINEAR_24K, MULAW_8K
from rapida_tw.speech.voices.wire import Audio, Complaint, Done, Event

KEY = "a-key"
FLUX = {"speak.voice.id": "flux-haley-en"}
SOUND = b"\0\1\2"


def wire_of(format: Any = MULAW_8K, **options: Any) -> DeepgramWire:
    chosen = read(DeepgramOptions, options, "speak.", "Deepgram")
    return DeepgramWire(chosen, KEY, "wss://api.deepgram.com", format)


def told(wire: DeepgramWire, kind: str, **fields: Any) -> list[Event]:
    return list(wire.received(json.dumps({"type": kind, **fields}).encode(), False))


def address(**options: Any) -> Request:
    found: list[Request] = []
    wire_of(**options).address(Nowhere()).addCallback(found.append)
    return found[0]


def test_address() -> None:
    """Where and with what it connects; the key is in a header."""
    query = "model=aura-2-thalia-en&encoding=mulaw&sample_rate=8000"
    assert address().url == f"wss://api.deepgram.com/v1/speak?{query}"
    assert address().headers == {"Authorization": f"Token {KEY}"}
    query = "model=flux-haley-en&encoding=linear16&sample_rate=24000&speed=1.2"
    url = address(format=LINEAR_24K, **FLUX, speed="1.2").url
    assert url == f"wss://api.deepgram.com/v2/speak?{query}"


def test_model() -> None:
    """What Deepgram calls a model is a voice, by whichever option it is named."""
    assert "model=aura-2-luna-en&" in address(**{"speak.model": "aura-2-luna-en"}).url
    assert "model=aura-luna-en&" in address(**{"speak.voice.id": "aura-luna-en"}).url


def test_said() -> None:
    """A phrase, and that it is whole."""
    assert wire_of().say("p1", "Hello.") == (
        Frame(b'{"type":"Speak","text":"Hello."}'),
        Frame(b'{"type":"Flush"}'),
    )
    assert wire_of().goodbye() == (Frame(b'{"type":"Close"}'),)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"speed": "2"}, "speed must be between 0.7 and 1.5"),
        ({"voice.id": ""}, "must not be empty"),
    ],
)
def test_bad_options(options: dict[str, Any], sentence: str) -> None:
    """What is out of its range is told."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        wire_of(**options)


def test_aura() -> None:
    """Sound without a label, and its end."""
    wire = wire_of()
    assert told(wire, "Metadata", request_id="r") == []
    assert wire.received(SOUND, True) == (Audio("", SOUND),)
    assert told(wire, "Flushed", sequence_id=0) == [Done("")]
    assert told(wire, "Cleared", sequence_id=1) == []


def test_flux() -> None:
    """Its `Flushed` only acknowledges; the sound is over with the turn's metadata."""
    wire = wire_of(**FLUX)
    for kind in ("Connected", "SpeechStarted", "Flushed"):
        assert told(wire, kind, speech_id="s1") == []
    assert wire.received(SOUND, True) == (Audio("", SOUND),)
    assert told(wire, "SpeechMetadata", speech_id="s1") == [Done("")]


@pytest.mark.parametrize(
    ("options", "stop", "end", "stopped"),
    [
        ({}, "Clear", "Flushed", "Cleared"),
        (FLUX, "Interrupt", "SpeechMetadata", "SpeechInterrupted"),
    ],
)
def test_cancelled(options: dict[str, Any], stop: str, end: str, stopped: str) -> None:
    """Until it is acknowledged, sound and ends are the cancelled phrase's."""
    wire = wire_of(**options)
    assert wire.cancel("p1") == (Frame(f'{{"type":"{stop}"}}'.encode()),)
    assert wire.received(SOUND, True) == ()
    assert told(wire, end) == []
    assert told(wire, stopped) == [Done("")]
    assert wire.received(SOUND, True) == (Audio("", SOUND),)
    assert told(wire, end) == [Done("")]


def test_nothing_to_stop() -> None:
    """Flux had come to the end by itself: that acknowledges, too."""
    wire = wire_of(**FLUX)
    assert told(wire, "Warning", code="NO_ACTIVE_SPEECH") == []
    wire.cancel("p1")
    assert told(wire, "Warning", code="NO_ACTIVE_SPEECH") == [Done("")]


def test_flushes() -> None:
    """Aura takes twenty a minute; one that was not taken will never be answered."""
    assert (wire_of().per_minute, wire_of(**FLUX).per_minute) == (20, 0)
    told_so = {"code": "TOO_MANY", "description": "Too many Flush messages"}
    expected = Complaint("", "TOO_MANY: Too many Flush messages", True)
    assert told(wire_of(), "Warning", **told_so) == [expected]
    assert told(wire_of(), "Warning", code="OTHER", description="careful") == []


@pytest.mark.parametrize(("code", "retryable"), [("NET-0001", True), ("DATA-0000", False)])
def test_errors(code: str, retryable: bool) -> None:
    """What would happen again is final."""
    expected = [Complaint("", f"{code}: no", retryable)]
    assert told(wire_of(**FLUX), "Error", code=code, description="no") == expected


def test_closed() -> None:
    """Its reason in its own words."""
    assert wire_of().closed(1008, "DATA-0000") == Complaint(
        "", "closed with 1008: DATA-0000", False
    )
    assert wire_of().closed(1011, "NET-0001") == Complaint("", "closed with 1011: NET-0001")


JSON = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.none())


@given(
    st.sampled_from(["Metadata", "Flushed", "Cleared", "Warning", "Error"]) | JSON,
    st.dictionaries(st.sampled_from(["code", "description", "sequence_id"]), JSON),
)
def test_any_message(kind: Any, fields: dict[str, Any]) -> None:
    """Never another exception than RemoteProtocolError."""
    try:
        told(wire_of(), kind, **fields)
    except RemoteProtocolError:
        return
