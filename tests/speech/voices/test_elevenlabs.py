"""ElevenLabs: what is sent, what is understood, and what its refusals mean."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Nowhere, Request
from rapida_tw.options import read
from rapida_tw.speech.base import Word
from rapida_tw.speech.voices.elevenlabs import ElevenLabsOptions, ElevenLabsWire
from rapida_tw.speech.voices.provider import LINEAR_16K, MULAW_8K
from rapida_tw.speech.voices.wire import Audio, Complaint, Done, Event, Words
from tests.contracts.voice_case import Call

KEY = "a-key"


def wire_of(format: Any = MULAW_8K, **options: Any) -> ElevenLabsWire:
    chosen = read(ElevenLabsOptions, options, "speak.", "ElevenLabs")
    return ElevenLabsWire(chosen, KEY, "https://api.elevenlabs.io", format)


def address(wire: ElevenLabsWire) -> Request:
    found: list[Request] = []
    wire.address(Nowhere()).addCallback(found.append)
    return found[0]


def told(wire: ElevenLabsWire, **fields: Any) -> list[Event]:
    return list(wire.received(json.dumps(fields).encode(), False))


def aligned(text: str, start: int = 0, lasting: int = 100) -> dict[str, Any]:
    """Each character lasts so many ms."""
    return {
        "chars": list(text),
        "charStartTimesMs": [start + lasting * place for place in range(len(text))],
        "charDurationsMs": [lasting] * len(text),
    }


def test_address() -> None:
    """Where and with what it connects; the key is in a header."""
    request = address(wire_of())
    assert request.url == (
        "wss://api.elevenlabs.io/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/multi-stream-input"
        "?model_id=eleven_flash_v2_5&output_format=ulaw_8000&inactivity_timeout=180"
        "&sync_alignment=true&auto_mode=true"
    )
    assert request.headers == {"xi-api-key": KEY}


def test_options() -> None:
    """Voice and model, and a language for models that take one."""
    url = address(wire_of(LINEAR_16K, **{"speak.voice.id": "a/b", "language": "de-AT"})).url
    assert "/a%2Fb/" in url
    assert "&language_code=de" in url
    assert "output_format=pcm_16000" in url
    url = address(wire_of(model="eleven_multilingual_v2", language="de")).url
    assert "language_code" not in url
    assert "apply_text_normalization=off" in address(wire_of(apply_text_normalization="off")).url


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"speed": "2"}, "speed must be between 0.7 and 1.2"),
        ({"stability": 1.5}, "stability must be between 0 and 1"),
        ({"model": "eleven_v3"}, "eleven_v3 does not speak over this WebSocket"),
        ({"voice.id": ""}, "must not be empty"),
        ({"apply_text_normalization": "maybe"}, "must be auto, on or off"),
    ],
)
def test_bad_options(options: dict[str, Any], sentence: str) -> None:
    """What is out of its range is told."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        wire_of(**options)


def test_said() -> None:
    """A phrase opens its context, is flushed with a space at its end, and closes it."""
    frames = wire_of(speed=1.1, style=0).say("p1", "Hello, Bob!")
    assert [frame.payload for frame in frames] == [
        b'{"text":" ","context_id":"p1","voice_settings":{"style":0.0,"speed":1.1}}',
        b'{"text":"Hello, Bob! ","context_id":"p1","flush":true}',
        b'{"context_id":"p1","close_context":true}',
    ]
    assert wire_of().say("p1", "Hi")[0].payload == b'{"text":" ","context_id":"p1"}'
    assert wire_of().goodbye()[0].payload == b'{"close_socket":true}'


def test_sound_and_words() -> None:
    """Times begin with the sound of their message; a word may go on in the next one."""
    wire = wire_of()
    wire.say("p1", "Hi you")
    sound = b64encode(bytes(2400)).decode()  # 300 ms
    first = told(wire, audio=sound, contextId="p1", isFinal=None, alignment=aligned("Hi "))
    assert first == [Audio("p1", bytes(2400)), Words("p1", (Word("Hi", 0.0, 0.2),))]
    assert told(wire, audio=sound, contextId="p1", alignment=aligned("yo")) == [
        Audio("p1", bytes(2400))
    ]
    assert told(wire, audio=sound, context_id="p1", alignment=aligned("u", 50)) == [
        Audio("p1", bytes(2400))
    ]
    (words, done) = told(wire, isFinal=True, contextId="p1", audio=None)
    assert isinstance(words, Words)
    (word,) = words.words
    assert word == Word("you", pytest.approx(0.3), pytest.approx(0.75))
    assert done == Done("p1")


def test_other_spellings() -> None:
    """Durations have two names, and an alignment may be missing."""
    wire = wire_of()
    wire.say("p1", "Hi")
    alignment = aligned("Hi ")
    alignment["charsDurationsMs"] = alignment.pop("charDurationsMs")
    assert told(wire, contextId="p1", alignment=alignment) == [Words("p1", (Word("Hi", 0.0, 0.2),))]
    assert told(wire, contextId="p1", alignment=None) == []
    assert told(wire, type="flush_done", context_id="p1") == []


def test_strangers() -> None:
    """What belongs to no phrase of ours, or to one that has ended, is nothing."""
    wire = wire_of()
    wire.say("p1", "Hi")
    assert told(wire, audio="AAAA", contextId="p7") == []
    assert told(wire, isFinal=True, contextId="p1") == [Done("p1")]
    assert told(wire, audio="AAAA", contextId="p1") == []


@pytest.mark.parametrize(
    ("error", "message", "retryable"),
    [
        ("max_active_conversations", "Maximum simultaneous contexts exceeded (5).", True),
        ("system_busy", "Try again", True),
        ("invalid_api_key", "Invalid API key", False),
        ("quota_exceeded", "This request exceeds your quota", False),
        ("voice_not_found", "A voice with voice_id x does not exist.", False),
    ],
)
def test_errors(error: str, message: str, retryable: bool) -> None:
    """What another connection does not change is final."""
    told_of = told(wire_of(), error=error, message=message, code=1008)
    assert told_of == [Complaint("", f"{error}: {message}", retryable)]
    assert wire_of().closed(1008, message).retryable is (retryable)


def test_idle() -> None:
    """Closing for idleness is nothing that lasts."""
    reason = "Have not received a new text input within the timeout of 180 seconds."
    complaint = wire_of().closed(1008, reason)
    assert complaint.retryable
    assert reason in complaint.reason


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"audio": "#", "contextId": "p1"}',
        b'{"audio": 17, "contextId": "p1"}',
        b'{"contextId": {}}',
        b'{"contextId": "p1", "alignment": []}',
        b'{"contextId": "p1", "alignment": {"chars": "Hi"}}',
        b'{"contextId": "p1", "alignment": {"chars": [1]}}',
        b'{"contextId": "p1", "alignment": {"charStartTimesMs": ["0"]}}',
        b'{"contextId": "p1", "alignment": {"charDurationsMs": [NaN]}}',
        b'{"contextId": "p1", "isFinal": "yes"}',
    ],
)
def test_garbage(message: bytes) -> None:
    """What is malformed is told as such."""
    wire = wire_of()
    wire.say("p1", "Hi")
    with pytest.raises(RemoteProtocolError):
        wire.received(message, False)
    with pytest.raises(RemoteProtocolError):
        wire.received(b"{}", True)


def test_five_contexts() -> None:
    """However often it is interrupted, the vendor never has to complain of too many contexts."""
    call = Call("elevenlabs")
    call.start()
    call.manners.speed = 1.0
    for _ in range(12):
        call.begin("A phrase that is interrupted.", 0.14).saying.cancel()
    assert call.say("Now.").complete
    assert call.vendor.complaints == []
    call.stop()
    call.close()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(["audio", "isFinal", "alignment", "error", "message"]), JSON),
    st.dictionaries(st.sampled_from([*aligned("")]), JSON),
)
@example({"error": ["x"]}, {})
def test_any_message(fields: dict[str, Any], alignment: dict[str, Any]) -> None:
    """Never another exception than RemoteProtocolError."""
    wire = wire_of()
    wire.say("p1", "Hi")
    for message in (fields, {**fields, "alignment": alignment}):
        try:
            told(wire, contextId="p1", **message)
        except RemoteProtocolError:
            continue
