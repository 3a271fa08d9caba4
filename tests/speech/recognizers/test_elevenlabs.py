"""ElevenLabs' Scribe: commits of ours and of its own, and its fake."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Frame
from rapida_tw.sim.vendors.elevenlabs_recognizer import ElevenLabsRecognizer, ScribeSession
from rapida_tw.sim.vendors.listening import Trouble
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.elevenlabs import (
    ElevenLabsOptions,
    ElevenLabsRecognizerProvider,
    ElevenLabsWire,
)
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Flushed,
    Partial,
    Ready,
)
from tests.speech.recognizers.pair import Pair, query_of, request_of

KEY = "elevenlabs-key"
BASE = "wss://api.elevenlabs.io"


def wire(**options: Any) -> ElevenLabsWire:
    return ElevenLabsWire(replace(ElevenLabsOptions(), **options), BASE, KEY)


def pair(*script: str, trouble: Trouble | None = None, **options: Any) -> Pair:
    vendor = ElevenLabsRecognizer(script)
    vendor.manners.troubles.append(trouble)
    return Pair(wire(**options), vendor)


def told(scribe: ElevenLabsWire, kind: str, **fields: Any) -> list[Event]:
    return list(scribe.received(json.dumps({"message_type": kind, **fields}).encode(), False))


# -- what it says ----------------------------------------------------------------------------------


def test_address() -> None:
    """By itself it commits nothing; the language without its region."""
    request = request_of(wire(language="en-US"))
    assert request.url.startswith(f"{BASE}/v1/speech-to-text/realtime?")
    assert request.headers == {"xi-api-key": KEY}
    assert query_of(request) == {
        "model_id": "scribe_v2_realtime",
        "audio_format": "pcm_16000",
        "commit_strategy": "manual",
        "language_code": "en",
    }


def test_options() -> None:
    """A silence after which it commits; a field for each keyword."""
    options = {"keyword": ("Rapida", "Twisted"), "filler_words": False, "language": ""}
    assert query_of(request_of(wire(endpointing=400, threshold=0.6, **options))) == {
        "model_id": "scribe_v2_realtime",
        "audio_format": "pcm_16000",
        "commit_strategy": "vad",
        "keyterms": "Rapida|Twisted",
        "no_verbatim": "true",
        "vad_silence_threshold_secs": "0.4",
        "vad_threshold": "0.6",
    }


def test_audio() -> None:
    """Base64 in JSON; a commit is a chunk without any."""
    chunk = {"message_type": "input_audio_chunk", "sample_rate": 16000}
    heard = json.loads(wire().audio(b"\1\2\3").payload)
    assert heard == {**chunk, "audio_base_64": "AQID", "commit": False}
    (commit,) = wire().finalize()
    assert json.loads(commit.payload) == {**chunk, "audio_base_64": "", "commit": True}
    assert wire(endpointing=300).finalize() == ()


# -- what it understands ---------------------------------------------------------------------------


def test_words() -> None:
    """They grow, and are final with the commit."""
    scribe = wire()
    assert told(scribe, "session_started", session_id="1") == [Ready()]
    assert told(scribe, "partial_transcript", text=" book") == [Partial("book")]
    scribe.finalize()
    assert told(scribe, "committed_transcript", text="Book. ") == [Final("Book."), Flushed()]
    assert told(scribe, "committed_transcript", text="It.") == [Final("It.")]


def test_nothing_to_commit() -> None:
    """Too little was heard to be committed: all has been told."""
    scribe = wire()
    assert told(scribe, "commit_throttled", error="Ignored") == []
    scribe.finalize()
    assert told(scribe, "commit_throttled", error="Ignored") == [Flushed()]


def test_committed_silence() -> None:
    """It has no words."""
    scribe = wire()
    scribe.finalize()
    assert told(scribe, "committed_transcript", text="") == [Partial(""), Flushed()]


PASSING = (
    *("error", "transcriber_error", "rate_limited", "queue_overflow", "resource_exhausted"),
    *("session_time_limit_exceeded", "chunk_size_exceeded", "insufficient_audio_activity"),
)
LASTING = (
    *("auth_error", "quota_exceeded", "unaccepted_terms", "unaccepted_terms_error"),
    *("invalid_request", "input_error"),
)


@pytest.mark.parametrize("kind", [*PASSING, *LASTING])
def test_error(kind: str) -> None:
    """The kind says whether it may pass."""
    retryable = kind in PASSING
    assert told(wire(), kind, error="Sorry.") == [Complaint("Sorry.", retryable=retryable)]
    assert told(wire(), kind) == [Complaint(kind, retryable=retryable)]


def test_passed_over() -> None:
    """The same words with more about them, and what is new."""
    for kind in ("committed_transcript_with_timestamps", "edited_transcript", ""):
        assert told(wire(), kind, text="book") == []


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_field(value: object) -> None:
    """Whatever stands where something else should, it is understood or refused."""
    for kind in ("partial_transcript", "committed_transcript", "error", value):
        with suppress(RemoteProtocolError):
            message = {"message_type": kind, "text": value, "error": value}
            wire().received(json.dumps(message).encode(), False)


@pytest.mark.parametrize(
    ("code", "reason", "complaint"),
    [
        (1000, "", Complaint("it closed the connection (1000)")),
        (1008, "auth_error", Complaint("auth_error", retryable=False)),
    ],
)
def test_closed(code: int, reason: str, complaint: Complaint) -> None:
    """A violated policy stays one on another connection."""
    assert wire().closed(code, reason) == complaint


# -- with its fake ---------------------------------------------------------------------------------


def test_committed_by_us() -> None:
    """Words grow, and are final when we say so, not before."""
    both = pair("book a table")
    both.speak(0.9)
    both.pause(2.0)
    assert both.partials == ["book", "book a", "book a table"]
    assert not both.finals
    both.finalize()
    assert both.kinds == ["Ready", "Final", "Flushed"]


def test_committed_by_scribe() -> None:
    """Or after a silence."""
    both = pair("book a table", endpointing=400)
    both.speak(0.9)
    both.pause(0.5)
    assert both.finals == ["book a table"]
    assert both.kinds == ["Ready", "Final"]


def test_commit_of_nothing() -> None:
    """Each is answered."""
    both = pair("yes")
    both.pause(0.2)
    both.finalize()
    both.pause(0.3)
    both.finalize()
    assert both.kinds == ["Ready", "Flushed", "Flushed"]


def test_keep_alive() -> None:
    """It is silence, and no voice."""
    both = pair("yes")
    for frame in both.wire.keep_alive() * 4:
        both.say(frame)
    session = both.session
    assert isinstance(session, ScribeSession)
    assert session.chunks == [0.1] * 4
    assert both.told == [Ready()]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [({"key": "other"}, "1008"), ({"model": "scribe_v1"}, "scribe_v1"), ({"language": "1"}, "1")],
)
def test_fake_refuses(wrong: dict[str, str], kind: str) -> None:
    """After the handshake, in a message that is named after it."""
    options: Any = dict(wrong)
    key = options.pop("key", KEY)
    scribe = ElevenLabsWire(replace(ElevenLabsOptions(), **options), BASE, key)
    with pytest.raises(AssertionError, match=kind):
        Pair(scribe, ElevenLabsRecognizer())


@pytest.mark.parametrize(
    "message",
    [
        Frame(b"\0\0", True),
        Frame(b"{"),
        Frame(b'{"message_type":"commit"}'),
        Frame(b'{"message_type":"input_audio_chunk","audio_base_64":"!"}'),
        Frame(b'{"message_type":"input_audio_chunk","audio_base_64":"","sample_rate":8000}'),
    ],
    ids=["binary", "no JSON", "unknown", "base64", "rate"],
)
def test_fake_is_strict(message: Frame) -> None:
    """It says what is wrong, and closes."""
    both = pair()
    both.say(message)
    assert both.line.ended == (1011, "input_error")
    assert both.kinds == ["Ready", "Complaint"]


def test_failing_fake() -> None:
    """It can be told to fail."""
    both = pair("yes", trouble=Trouble.ERROR)
    both.speak(0.3)
    assert Complaint("The transcriber failed.") in both.told


# -- the provider ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"endpointing": 100}, "between 300 and 3000"),
        ({"threshold": 1}, "between 0.1 and 0.9"),
        ({"keyword": "a" * 21}, "20 characters"),
        ({"keyword": ["a"] * 51}, "at most 50"),
    ],
)
def test_misconfigured(options: dict[str, object], wrong: str, host: Host) -> None:
    """What Scribe would refuse is said before there is a call."""
    with pytest.raises(MisconfiguredAssistant, match=wrong):
        ElevenLabsRecognizerProvider(host).open(options, Account("elevenlabs", {"key": KEY}))
