"""Speechmatics: utterances put together of words and punctuation, and its fake."""

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
from rapida_tw.sim.vendors.speechmatics import Speechmatics, SpeechmaticsSession
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.speechmatics import (
    SpeechmaticsOptions,
    SpeechmaticsRecognizerProvider,
    SpeechmaticsWire,
)
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Flushed,
    Partial,
    Ready,
)
from tests.speech.recognizers.pair import Pair, RecordingLine, asked, request_of

KEY = "speechmatics-key"
BASE = "wss://eu.rt.speechmatics.com"


def wire(**options: Any) -> SpeechmaticsWire:
    return SpeechmaticsWire(replace(SpeechmaticsOptions(), **options), BASE, KEY)


def pair(*script: str, trouble: Trouble | None = None, **options: Any) -> Pair:
    vendor = Speechmatics(script)
    vendor.manners.troubles.append(trouble)
    return Pair(wire(**options), vendor)


def told(matics: SpeechmaticsWire, message: str, **fields: Any) -> list[Event]:
    return list(matics.received(json.dumps({"message": message, **fields}).encode(), False))


def word(said: str, **more: Any) -> dict[str, Any]:
    return {"type": "word", "alternatives": [{"content": said, "confidence": 0.5}], **more}


def mark(said: str, attached: str) -> dict[str, Any]:
    return {**word(said, attaches_to=attached), "type": "punctuation"}


# -- what it says ----------------------------------------------------------------------------------


def test_address() -> None:
    """The key in its header; all else is said when the socket is open."""
    request = request_of(wire())
    assert request.url == f"{BASE}/v2"
    assert request.headers == {"Authorization": f"Bearer {KEY}"}


def test_hello() -> None:
    """What is heard, and how."""
    (start,) = wire(language="en-GB", endpointing=400, keyword=("Rapida",)).hello()
    assert json.loads(start.payload) == {
        "message": "StartRecognition",
        "audio_format": {"type": "raw", "encoding": "pcm_s16le", "sample_rate": 16000},
        "transcription_config": {
            "language": "en",
            "output_locale": "en-GB",
            "model": "enhanced",
            "enable_partials": True,
            "max_delay": 1.0,
            "max_delay_mode": "flexible",
            "conversation_config": {"end_of_utterance_silence_trigger": 0.4},
            "additional_vocab": [{"content": "Rapida"}],
        },
    }


def test_older_server() -> None:
    """The model's old name stands in place of the new one; a long pause needs a longer delay."""
    (start,) = wire(operating_point="standard", endpointing=1500).hello()
    config = json.loads(start.payload)["transcription_config"]
    assert config["operating_point"] == "standard"
    assert "model" not in config
    assert config["max_delay"] == 1.7


def test_end_of_utterance() -> None:
    """It is at the end of the audio that was sent, silence that keeps alive included."""
    matics = wire()
    matics.audio(bytes(3200))
    matics.keep_alive()
    (force,) = matics.finalize()
    assert json.loads(force.payload) == {"message": "ForceEndOfUtterance", "timestamp": 0.2}


def test_goodbye() -> None:
    """It says how many messages of audio there were."""
    matics = wire()
    matics.audio(bytes(3200))
    matics.audio(bytes(3200))
    (end,) = matics.goodbye()
    assert json.loads(end.payload) == {"message": "EndOfStream", "last_seq_no": 2}


# -- what it understands ---------------------------------------------------------------------------


def test_utterance() -> None:
    """Words come final one by one; they are told as one at the end."""
    matics = wire()
    assert told(matics, "RecognitionStarted", id="1") == [Ready()]
    assert told(matics, "AddPartialTranscript", results=[word("book")]) == [Partial("book")]
    assert told(matics, "AddTranscript", results=[word("Book")]) == [Partial("Book")]
    assert told(matics, "AddPartialTranscript", results=[word("a")]) == [Partial("Book a")]
    told(matics, "AddTranscript", results=[word("it")])
    assert told(matics, "AddTranscript", results=[mark(".", "previous")]) == [Partial("Book it.")]
    assert told(matics, "EndOfUtterance", metadata={}) == [Final("Book it.", 0.5)]
    assert told(matics, "EndOfUtterance", metadata={}) == [Partial("")]


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([word("a"), mark(",", "previous"), word("b")], "a, b"),
        ([mark("¿", "next"), word("que"), mark("?", "previous")], "¿que?"),
        ([word("a"), mark("-", "both"), word("b")], "a-b"),
        ([word("a"), mark("&", "none"), word("b")], "a & b"),
    ],
)
def test_punctuation(results: list[dict[str, Any]], said: str) -> None:
    """It is attached to the words that it belongs to."""
    assert told(wire(), "AddTranscript", results=results) == [Partial(said)]


def test_language_without_spaces() -> None:
    """Words are written together where the language does so."""
    matics = wire()
    told(matics, "RecognitionStarted", language_pack_info={"word_delimiter": ""})
    assert told(matics, "AddTranscript", results=[word("你"), word("好")]) == [Partial("你好")]


def test_asked_for() -> None:
    """The end of the utterance is the answer, with words or without."""
    matics = wire()
    matics.finalize()
    told(matics, "AddTranscript", results=[word("yes")])
    assert told(matics, "EndOfUtterance") == [Final("yes", 0.5), Flushed()]
    matics.finalize()
    assert told(matics, "EndOfUtterance") == [Partial(""), Flushed()]


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        ("not_authorised", False),
        ("invalid_config", False),
        ("timelimit_exceeded", False),
        ("quota_exceeded", True),
        ("idle_timeout", True),
        ("job_error", True),
    ],
)
def test_error(kind: str, retryable: bool) -> None:
    """Its type says whether it may pass."""
    assert told(wire(), "Error", type=kind, reason="No.") == [Complaint("No.", retryable=retryable)]
    assert told(wire(), "Error", type=kind) == [Complaint(kind, retryable=retryable)]


def test_warning() -> None:
    """It is no more than one."""
    assert told(wire(), "Warning", reason="Soon.") == [Complaint("Soon.", fatal=False)]


def test_passed_over() -> None:
    """What says nothing to us, and what is new."""
    for message in ("AudioAdded", "Info", "LanguageInfo", ""):
        assert told(wire(), message) == []


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_field(value: object) -> None:
    """Whatever stands where something else should, it is understood or refused."""
    results = [{"type": value, "alternatives": value, "attaches_to": value}]
    nested = [{"type": "word", "alternatives": [{"content": value, "confidence": value}]}]
    for kind in ("RecognitionStarted", "AddPartialTranscript", "AddTranscript", "Error", value):
        for given_results in (value, results, nested):
            matics = wire()
            message = {"message": kind, "results": given_results, "type": value, "reason": value}
            message["language_pack_info"] = value
            with suppress(RemoteProtocolError):
                matics.received(json.dumps(message).encode(), False)
            with suppress(RemoteProtocolError):
                told(matics, "EndOfUtterance")


@pytest.mark.parametrize(("code", "retryable"), [(4001, False), (4005, True), (1011, True)])
def test_closed(code: int, retryable: bool) -> None:
    """The code says whether it may pass."""
    assert wire().closed(code, "No") == Complaint("No", retryable=retryable)


# -- with its fake ---------------------------------------------------------------------------------


def test_heard() -> None:
    """Words grow, and a pause makes them one."""
    both = pair("book a table")
    both.speak(0.9)
    both.pause(0.6)
    assert both.partials[:3] == ["book", "book a", "book a table"]
    assert both.finals == ["book a table."]


def test_forced() -> None:
    """Or we do, at the right place."""
    both = pair("book a table")
    both.speak(0.9)
    both.finalize()
    assert both.kinds == ["Ready", "Final", "Flushed"]
    session = both.session
    assert isinstance(session, SpeechmaticsSession)
    assert session.forced == [0.9]


def test_forced_in_silence() -> None:
    """It is answered all the same."""
    both = pair()
    both.pause(0.3)
    both.finalize()
    assert both.kinds == ["Ready", "Flushed"]


def test_end_of_call() -> None:
    """What was said last is told."""
    both = pair("bye")
    both.speak(0.3)
    both.goodbye()
    assert both.finals == ["bye."]
    assert both.line.ended == (1000, "")


def test_failing_fake() -> None:
    """It can be told to fail."""
    both = pair("yes", trouble=Trouble.ERROR)
    both.speak(0.3)
    assert Complaint("An error while transcribing") in both.told
    assert both.line.ended == (4013, "job_error")


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"language": "tlh"}, "4004"), ({"model": "nova"}, "4004")],
)
def test_fake_knows_its_models(options: dict[str, str], kind: str) -> None:
    """A language, a model that it does not have."""
    with pytest.raises(AssertionError, match=kind):
        pair(**options)


def start(**config: Any) -> Frame:
    form = {"type": "raw", "encoding": "pcm_s16le", "sample_rate": 16000}
    message = {"message": "StartRecognition", "audio_format": form}
    return Frame(json.dumps({**message, "transcription_config": config}).encode())


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (start(max_delay=0.2), "invalid_config"),
        (start(colour="blue"), "invalid_config"),
        (
            start(max_delay=1, conversation_config={"end_of_utterance_silence_trigger": 1.5}),
            "invalid_config",
        ),
        (Frame(b"{"), "invalid_message"),
        (Frame(bytes(320), True), "protocol_error"),
        (Frame(b'{"message":"EndOfStream","last_seq_no":0}'), "protocol_error"),
    ],
    ids=["delay", "unknown", "trigger", "no JSON", "audio first", "end first"],
)
def test_fake_is_strict(message: Frame, kind: str) -> None:
    """Before a session has begun, it ends as the real one does."""
    line = RecordingLine(Clock())
    session = Speechmatics().connect(asked(request_of(wire())), line)
    assert not isinstance(session, Refusal)
    session.received(message.payload, message.binary)
    assert line.ended is not None
    assert line.ended[1] == kind


def test_numbers_of_audio() -> None:
    """The last one must be right."""
    both = pair()
    both.pause(0.2)
    both.say(Frame(b'{"message":"EndOfStream","last_seq_no":7}'))
    assert both.line.ended == (1003, "protocol_error")


@pytest.mark.parametrize(
    ("base", "key", "status"), [(BASE, "other", 401), (f"{BASE}/v1", KEY, 404)]
)
def test_fake_refuses(base: str, key: str, status: int) -> None:
    """A wrong key, a wrong path."""
    matics = SpeechmaticsWire(SpeechmaticsOptions(), base, key)
    answer = Speechmatics().connect(asked(request_of(matics)), RecordingLine(Clock()))
    assert isinstance(answer, Refusal)
    assert answer.status == status


# -- the provider ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"endpointing": 3000}, "between 100 and 2000"),
        ({"region": "eu.evil.example/"}, "part of the host"),
    ],
)
def test_misconfigured(options: dict[str, object], wrong: str, host: Host) -> None:
    """What cannot be right is said before there is a call."""
    account = Account("speechmatics", {"key": KEY})
    with pytest.raises(MisconfiguredAssistant, match=wrong):
        SpeechmaticsRecognizerProvider(host).open(options, account)


def test_region(host: Host) -> None:
    """Another one is another host."""
    provider = SpeechmaticsRecognizerProvider(host)
    make = provider.wire(SpeechmaticsOptions(region="us"), Account("speechmatics", {"key": KEY}))
    assert request_of(make()).url == "wss://us.rt.speechmatics.com/v2"
