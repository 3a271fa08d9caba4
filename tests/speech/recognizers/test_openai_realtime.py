"""OpenAI's transcription sessions: items that overtake each other, and their fake."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Frame
from rapida_tw.sim.vendors.base import Refusal
from rapida_tw.sim.vendors.listening import Trouble
from rapida_tw.sim.vendors.openai_recognizer import OpenAIRecognizer
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.openai_realtime import (
    OpenAIRealtimeOptions,
    OpenAIRealtimeRecognizerProvider,
    OpenAIRealtimeWire,
)
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Flushed,
    Partial,
    Ready,
    Say,
)
from tests.speech.recognizers.pair import Pair, RecordingLine, asked, request_of

KEY = "openai-key"
BASE = "wss://api.openai.com/v1"
HEARD = "conversation.item.input_audio_transcription."


def wire(**options: Any) -> OpenAIRealtimeWire:
    return OpenAIRealtimeWire(replace(OpenAIRealtimeOptions(), **options), BASE, KEY)


def pair(*script: str, trouble: Trouble | None = None, **options: Any) -> Pair:
    vendor = OpenAIRecognizer(script)
    vendor.manners.troubles.append(trouble)
    return Pair(wire(**options), vendor)


def told(openai: OpenAIRealtimeWire, kind: str, **fields: Any) -> list[Event]:
    return list(openai.received(json.dumps({"type": kind, **fields}).encode(), False))


def session(**options: Any) -> dict[str, Any]:
    """What is asked for, as soon as the vendor has spoken."""
    (say,) = told(wire(**options), "session.created")
    assert isinstance(say, Say)
    message = json.loads(say.frames[0].payload)
    assert message["type"] == "session.update"
    assert message["session"]["type"] == "transcription"
    heard: dict[str, Any] = message["session"]["audio"]["input"]
    return heard


# -- what it says ----------------------------------------------------------------------------------


def test_address() -> None:
    """No model: with one in the URL it would be a conversation."""
    request = request_of(wire())
    assert request.url == f"{BASE}/realtime?intent=transcription"
    assert request.headers == {"Authorization": f"Bearer {KEY}"}


def test_live_session() -> None:
    """A model that hears live refuses turn detection; G.711 needs no conversion."""
    assert session(keyword=("Rapida",), prompt="A booking.") == {
        "format": {"type": "audio/pcmu"},
        "transcription": {
            "model": "gpt-live-transcribe",
            "language": "en",
            "prompt": "A booking.",
            "keywords": ["Rapida"],
        },
        "turn_detection": None,
    }


def test_session_in_pieces() -> None:
    """The others must have it, or would hear nothing."""
    options = {"model": "gpt-transcribe", "language": "", "noise_reduction": "near_field"}
    assert session(endpointing=200, threshold=0.7, **options) == {
        "format": {"type": "audio/pcmu"},
        "transcription": {"model": "gpt-transcribe"},
        "turn_detection": {"type": "server_vad", "threshold": 0.7, "silence_duration_ms": 200},
        "noise_reduction": {"type": "near_field"},
    }


def test_audio() -> None:
    """Base64 in JSON."""
    expected = b'{"type":"input_audio_buffer.append","audio":"AQID"}'
    assert wire().audio(b"\1\2\3") == Frame(expected)


def test_finalize() -> None:
    """Only models that hear live are told; the others have found the end before."""
    assert wire().finalize() == (Frame(b'{"type":"input_audio_buffer.commit"}'),)
    assert wire(model="gpt-transcribe").finalize() == ()


# -- what it understands ---------------------------------------------------------------------------


def test_ready() -> None:
    """Audio is taken when the session is as we want it."""
    assert told(wire(), "session.updated", session={}) == [Ready()]


def test_live_words() -> None:
    """They grow while they are spoken, and are final with the commit."""
    openai = wire()
    assert told(openai, f"{HEARD}delta", item_id="a", delta="book") == [Partial("book")]
    assert told(openai, f"{HEARD}delta", item_id="a", delta=" it") == [Partial("book it")]
    openai.finalize()
    assert told(openai, "input_audio_buffer.committed", item_id="a") == []
    assert told(openai, f"{HEARD}completed", item_id="a", transcript="Book it.") == [
        Final("Book it."),
        Partial(""),
        Flushed(),
    ]
    assert told(openai, f"{HEARD}completed", item_id="b", transcript="Yes.") == [
        Final("Yes."),
        Partial(""),
    ]


def test_overtaken() -> None:
    """Texts come in the order in which they were spoken."""
    openai = wire()
    for item in "ab":
        told(openai, "input_audio_buffer.committed", item_id=item)
    assert told(openai, f"{HEARD}completed", item_id="b", transcript="two") == [Partial("two")]
    assert told(openai, f"{HEARD}completed", item_id="a", transcript="one") == [
        Final("one"),
        Final("two"),
        Partial(""),
    ]


def test_nothing_to_commit() -> None:
    """An error that says that all is told already."""
    openai = wire()
    openai.finalize()
    error = {"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty"}
    assert told(openai, "error", error=error) == [Flushed()]
    assert told(openai, "error", error=error) == []


def test_failed_item() -> None:
    """Its words are lost; the others, and the answer to what was asked, are not."""
    openai = wire()
    told(openai, "session.updated")
    for item in "ab":
        told(openai, "input_audio_buffer.committed", item_id=item)
    openai.finalize()
    told(openai, f"{HEARD}completed", item_id="b", transcript="two")
    error = {"type": "server_error", "message": "no luck"}
    assert told(openai, f"{HEARD}failed", item_id="a", error=error) == [
        Complaint("no luck", fatal=False),
        Final("two"),
        Partial(""),
        Flushed(),
    ]


@pytest.mark.parametrize(
    ("error", "ready", "complaint"),
    [
        (
            {"type": "invalid_request_error", "code": "invalid_value", "message": "Bad model."},
            False,
            Complaint("Bad model.", retryable=False),
        ),
        ({"type": "server_error", "message": "Sorry."}, False, Complaint("Sorry.")),
        ({"type": "server_error", "message": "Sorry."}, True, Complaint("Sorry.", fatal=False)),
        ({"code": "session_expired"}, True, Complaint("session_expired")),
        ({"code": "insufficient_quota"}, True, Complaint("insufficient_quota", retryable=False)),
    ],
)
def test_error(error: dict[str, str], ready: bool, complaint: Complaint) -> None:
    """Most leave the session open; a wrong option is found before it has begun."""
    openai = wire()
    if ready:
        told(openai, "session.updated")
    assert told(openai, "error", error=error) == [complaint]


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_field(value: object) -> None:
    """Whatever stands where something else should, it is understood or refused."""
    for kind in (f"{HEARD}delta", f"{HEARD}completed", f"{HEARD}failed", "error", "", value):
        for name in ("item_id", "delta", "transcript", "error"):
            with suppress(RemoteProtocolError):
                wire().received(json.dumps({"type": kind, name: value}).encode(), False)


@pytest.mark.parametrize(
    ("code", "reason", "complaint"),
    [
        (1001, "going away", Complaint("going away")),
        (1008, "", Complaint("it closed the connection (1008)", retryable=False)),
    ],
)
def test_closed(code: int, reason: str, complaint: Complaint) -> None:
    """A violated policy stays one on another connection."""
    assert wire().closed(code, reason) == complaint


# -- with its fake ---------------------------------------------------------------------------------


def test_utterance() -> None:
    """Words grow as they are spoken, and are final when the turn seems over."""
    both = pair("book a table")
    both.speak(0.9)
    assert both.partials == ["book", "book a", "book a table"]
    assert not both.finals
    both.finalize()
    assert both.kinds == ["Say", "Ready", "Final", "Flushed"]
    assert both.finals == ["book a table"]


def test_utterance_in_pieces() -> None:
    """Of other models nothing comes before a pause, and then all."""
    both = pair("book a table", model="gpt-transcribe")
    both.speak(0.9)
    assert not both.partials
    both.pause(0.4)
    assert both.finals == ["book a table"]


def test_finalize_nothing() -> None:
    """What is asked for in silence is answered, without words."""
    both = pair("yes")
    both.pause(0.05)
    both.finalize()
    assert both.kinds == ["Say", "Ready", "Flushed"]
    both.pause(0.5)
    both.finalize()
    assert both.kinds == ["Say", "Ready", "Flushed", "Flushed"]


def test_silence_is_not_committed() -> None:
    """Of what the server has cut itself nothing is committed: it would imagine words."""
    both = pair("yes", model="gpt-transcribe")
    both.speak(0.3)
    both.pause(1.0)
    both.finalize()
    assert both.finals == ["yes"]


def test_two_utterances() -> None:
    """The second is another item."""
    both = pair("yes", "no")
    for _ in range(2):
        both.speak(0.3)
        both.finalize()
    assert both.finals == ["yes", "no"]


def test_expired() -> None:
    """A session does not last for ever."""
    both = pair("yes", trouble=Trouble.ERROR)
    both.speak(0.3)
    assert Complaint("Too long.") in both.told


@pytest.mark.parametrize(
    ("key", "base", "status"), [("other", BASE, 401), (KEY, "wss://api.openai.com/v2", 404)]
)
def test_fake_refuses(key: str, base: str, status: int) -> None:
    """A wrong key, a wrong path."""
    openai = OpenAIRealtimeWire(OpenAIRealtimeOptions(), base, key)
    answer = OpenAIRecognizer().connect(asked(request_of(openai)), RecordingLine(Clock()))
    assert isinstance(answer, Refusal)
    assert answer.status == status
    assert "error" in json.loads(answer.body)


INPUT = {"transcription": {"model": "gpt-transcribe"}}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "input_audio_buffer.append", "audio": "!"},
        {"type": "input_audio_buffer.finish"},
        {"type": "session.update", "session": {"type": "realtime"}},
        {"type": "session.update", "session": {"type": "transcription", "voice": "marin"}},
        {
            "type": "session.update",
            "session": {
                "type": "transcription",
                "audio": {"input": {**INPUT, "format": {"type": "audio/pcm", "rate": 16000}}},
            },
        },
    ],
    ids=["base64", "unknown", "conversation", "parameter", "rate"],
)
def test_fake_is_strict(message: dict[str, Any]) -> None:
    """It answers with an error, and the session goes on."""
    both = pair("yes")
    both.say(Frame(json.dumps(message).encode()))
    assert both.kinds[-1] == "Complaint"
    assert both.line.ended is None


def test_fake_knows_its_models() -> None:
    """Live ones refuse turn detection, and none is made up."""
    for model, detection in (("gpt-live-transcribe", {"type": "server_vad"}), ("nova-3", None)):
        both = pair("yes")
        heard = {"transcription": {"model": model}, "turn_detection": detection}
        update = {"type": "transcription", "audio": {"input": heard}}
        both.say(Frame(json.dumps({"type": "session.update", "session": update}).encode()))
        assert both.kinds[-1] == "Complaint"


# -- the provider ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"model": "gpt-realtime-whisper", "prompt": "a"}, "takes no prompt"),
        ({"model": "gpt-4o-transcribe", "keyword": "a,b"}, "takes no keyword"),
        ({"noise_reduction": "much"}, "near_field, far_field"),
        ({"threshold": 3}, "between 0 and 1"),
        ({"endpointing": 1}, "between 100 and 10000"),
    ],
)
def test_misconfigured(options: dict[str, object], wrong: str, host: Host) -> None:
    """What the vendor would refuse is said before there is a call."""
    account = Account("openai-realtime", {"key": KEY})
    with pytest.raises(MisconfiguredAssistant, match=wrong):
        OpenAIRealtimeRecognizerProvider(host).open(options, account)
