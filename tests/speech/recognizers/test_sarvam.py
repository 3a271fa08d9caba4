"""Sarvam: both of its recognisers, and their fake."""

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
from rapida_tw.sim.vendors.sarvam_recognizer import SarvamRecognizer
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.sarvam import SarvamRecognizerProvider, SarvamWire
from rapida_tw.speech.recognizers.sarvam_classic import SarvamClassicWire
from rapida_tw.speech.recognizers.sarvam_options import SarvamOptions
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Flushed,
    Partial,
    Ready,
)
from tests.speech.recognizers.pair import Pair, RecordingLine, asked, query_of, request_of

KEY = "sarvam-key"
BASE = "wss://api.sarvam.ai"
Wire = SarvamWire | SarvamClassicWire


def realtime(**options: Any) -> SarvamWire:
    return SarvamWire(replace(SarvamOptions(), **options), BASE, KEY)


def classic(**options: Any) -> SarvamClassicWire:
    return SarvamClassicWire(replace(SarvamOptions(realtime=False), **options), BASE, KEY)


def pair(wire: Wire, *script: str, trouble: Trouble | None = None) -> Pair:
    vendor = SarvamRecognizer(script)
    vendor.manners.troubles.append(trouble)
    return Pair(wire, vendor)


def told(wire: Wire, **fields: Any) -> list[Event]:
    return list(wire.received(json.dumps(fields).encode(), False))


# -- what they say ---------------------------------------------------------------------------------


def test_realtime_address() -> None:
    """Fields with underscores; the key in a header."""
    request = request_of(realtime(endpointing=250, threshold=0.4, prompt="A booking."))
    assert request.url.startswith(f"{BASE}/speech-to-text-realtime/ws?")
    assert request.headers == {"Api-Subscription-Key": KEY}
    assert query_of(request) == {
        "language_code": "en-IN",
        "model": "saaras:v3-realtime",
        "stream_type": "fast",
        "mode": "transcribe",
        "endpointing": "vad",
        "encoding": "linear16",
        "sample_rate": "16000",
        "silence_duration_ms": "250",
        "threshold": "0.4",
        "prompt": "A booking.",
    }


def test_classic_address() -> None:
    """The language with a dash, and flushing on."""
    request = request_of(classic(keyword=("New Delhi",)))
    assert request.url.startswith(f"{BASE}/speech-to-text/ws?")
    assert query_of(request) == {
        "language-code": "en-IN",
        "model": "saaras:v4",
        "mode": "transcribe",
        "sample_rate": "16000",
        "input_audio_codec": "pcm_s16le",
        "flush_signal": "true",
        "keyterms": '["New Delhi"]',
    }


@pytest.mark.parametrize(
    ("language", "is_realtime", "written"),
    [
        ("en-US", True, "en-IN"),
        ("hi", True, "hi-IN"),
        ("or-IN", False, "od-IN"),
        ("od-IN", True, "or-IN"),
        ("", True, "any"),
        ("unknown", False, "any"),
    ],
)
def test_language(language: str, is_realtime: bool, written: str) -> None:
    """All languages are India's; nothing chosen means that Sarvam finds out."""
    options = SarvamOptions(language=language, realtime=is_realtime)
    assert options.spoken("any") == written


def test_keywords_choose_the_model() -> None:
    """The only one that takes them."""
    assert SarvamOptions(keyword=("a",)).chosen_model() == "saaras:v4"
    assert SarvamOptions().chosen_model() == "saaras:v3-realtime"
    assert SarvamOptions(realtime=False).chosen_model() == "saaras:v4"


def test_audio() -> None:
    """Base64 in JSON, each in its own."""
    assert realtime().audio(b"\1\2\3") == Frame(b'{"event":"audio_input","audio":"AQID"}')
    message = json.loads(classic().audio(b"\1\2\3").payload)
    assert message == {"audio": {"data": "AQID", "encoding": "audio/wav", "sample_rate": 16000}}


def test_keep_alive() -> None:
    """Silence is inactivity, which ends a session."""
    both = pair(realtime())
    both.say(both.wire.keep_alive()[0])
    assert both.line.ended is None
    assert both.told == [Ready()]


def test_finalize() -> None:
    """Only the classic one can be told that an utterance is over."""
    assert realtime().finalize() == ()
    assert classic().finalize() == (Frame(b'{"type":"flush"}'),)


# -- what they understand --------------------------------------------------------------------------


def test_next_utterance_overtakes() -> None:
    """While one is made final the next has begun."""
    wire = realtime()
    assert told(wire, event="session.begin", request_id="1") == [Ready()]
    assert told(wire, event="vad.speech_start", utterance_idx=0) == []
    assert told(wire, event="transcript.partial", utterance_idx=0, text="one") == [Partial("one")]
    told(wire, event="vad.speech_start", utterance_idx=1)
    assert told(wire, event="transcript.partial", utterance_idx=1, text="two") == [
        Partial("one two")
    ]
    assert told(wire, event="transcript.final", utterance_idx=0, text="One.") == [
        Final("One."),
        Partial("two"),
    ]


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (
            {"code": "x", "is_fatal": True, "message": "Bad key", "status_code": 401},
            Complaint("Bad key", retryable=False),
        ),
        ({"code": "slow", "is_fatal": True, "message": "", "status_code": 429}, Complaint("slow")),
        (
            {"code": "invalid_config", "is_fatal": False, "message": "No."},
            Complaint("No.", fatal=False),
        ),
    ],
)
def test_realtime_error(error: dict[str, Any], complaint: Complaint) -> None:
    """It says itself whether it is the end."""
    assert told(realtime(), event="error", **error) == [complaint]


def test_classic_data() -> None:
    """An utterance; in answer to a flush, all there was."""
    wire = classic()
    assert told(wire, type="data", data={"transcript": "one "}) == [Final("one")]
    wire.finalize()
    assert told(wire, type="data", data={"transcript": ""}) == [Flushed()]
    assert told(wire, type="data", data={"transcript": ""}) == []
    assert told(wire, type="error", data={"error": "no", "code": "1"}) == [Complaint("no")]
    assert told(wire, type="events", data={"signal_type": "START_SPEECH"}) == []


@pytest.mark.parametrize(
    ("code", "reason", "complaint"),
    [
        (4000, "Invalid model", Complaint("Invalid model", retryable=False)),
        (1003, "Invalid API key", Complaint("Invalid API key", retryable=False)),
        (1003, "Rate limit exceeded", Complaint("Rate limit exceeded")),
        (1011, "", Complaint("it closed the connection (1011)")),
    ],
)
def test_closed(code: int, reason: str, complaint: Complaint) -> None:
    """One code stands for a wrong key and for too many calls, which passes."""
    assert realtime().closed(code, reason) == classic().closed(code, reason) == complaint


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_field(value: object) -> None:
    """Whatever stands where something else should, it is understood or refused."""
    for event in ("transcript.partial", "transcript.final", "error", value):
        for name in ("utterance_idx", "text", "is_fatal", "message", "status_code"):
            with suppress(RemoteProtocolError):
                told(realtime(), event=event, **{name: value})
    for data in (value, {"transcript": value}, {"error": value}):
        for kind in ("data", "error", value):
            with suppress(RemoteProtocolError):
                told(classic(), type=kind, data=data)


# -- with their fake -------------------------------------------------------------------------------


def test_realtime_utterance() -> None:
    """Words grow, and a pause makes them final."""
    both = pair(realtime(), "book a table", "for two")
    for _ in range(2):
        both.speak(0.9)
        both.pause(0.4)
    assert both.partials[:3] == ["book", "book a", "book a table"]
    assert both.finals == ["book a table", "for two"]


def test_end_of_call() -> None:
    """What was said last is told before the session ends."""
    both = pair(realtime(), "bye")
    both.speak(0.3)
    both.goodbye()
    assert both.finals == ["bye"]
    assert both.line.ended == (1000, "")


def test_classic_utterance() -> None:
    """Nothing is told before its end, which we may tell."""
    both = pair(classic(), "book a table")
    both.speak(0.9)
    assert not both.told
    both.finalize()
    assert both.told == [Final("book a table"), Flushed()]


@pytest.mark.parametrize("wire", [realtime, classic])
def test_errors_of_the_fake(wire: Any) -> None:
    """It fails in its own words, and closes."""
    both = pair(wire(), "yes", trouble=Trouble.ERROR)
    both.speak(0.3)
    assert Complaint("Internal server error") in both.told
    assert both.line.ended == (1011, "Internal server error")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"model": "nova"}, 4000), ({"language": "fr"}, 4000), ({"key": "other"}, 1003)],
)
def test_realtime_fake_refuses(wrong: dict[str, str], code: int) -> None:
    """It says why, after the handshake."""
    key = wrong.pop("key", KEY)
    options: Any = wrong
    with pytest.raises(AssertionError, match=str(code)):
        Pair(SarvamWire(replace(SarvamOptions(), **options), BASE, key), SarvamRecognizer())


@pytest.mark.parametrize(
    ("wrong", "ended"), [({"model": "nova"}, "Invalid model"), ({"language": "fr"}, "language")]
)
def test_classic_fake_refuses(wrong: dict[str, str], ended: str) -> None:
    """In a message of its own kind."""
    options: Any = wrong
    both = pair(classic(**options))
    (complaint,) = both.told
    assert isinstance(complaint, Complaint)
    assert ended in complaint.reason


def test_wrong_key() -> None:
    """The classic one refuses it at the handshake."""
    wire = SarvamClassicWire(SarvamOptions(realtime=False), BASE, "other")
    answer = SarvamRecognizer().connect(asked(request_of(wire)), RecordingLine(Clock()))
    assert isinstance(answer, Refusal)
    assert answer.status == 403


@pytest.mark.parametrize("wire", [realtime, classic])
@pytest.mark.parametrize(
    "message", [Frame(b"\0\0", True), Frame(b"{"), Frame(b'{"event":"x","type":"x"}')]
)
def test_fake_is_strict(wire: Any, message: Frame) -> None:
    """Binary audio, no JSON, unknown messages."""
    both = pair(wire())
    both.say(message)
    assert both.line.ended is not None
    assert both.line.ended[0] == 4000


# -- the provider ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "options", "wrong"),
    [
        ({}, {}, "needs a key"),
        ({"key": KEY}, {"mode": "sing"}, "mode must be one of"),
        ({"key": KEY}, {"model": "saaras:v3", "keyword": "a"}, "only saaras:v4"),
        ({"key": KEY}, {"threshold": "7"}, "between 0 and 1"),
    ],
)
def test_misconfigured(
    fields: dict[str, str], options: dict[str, object], wrong: str, host: Host
) -> None:
    """What Sarvam would refuse is said before there is a call."""
    with pytest.raises(MisconfiguredAssistant, match=wrong):
        SarvamRecognizerProvider(host).open(options, Account("sarvamai", fields))


@pytest.mark.parametrize(("text", "kind"), [("true", SarvamWire), ("false", SarvamClassicWire)])
def test_which_of_them(text: str, kind: type, host: Host) -> None:
    """By an option, which may be a text."""
    provider = SarvamRecognizerProvider(host)
    account = Account("sarvamai", {"api_subscription_key": KEY})
    make = provider.wire(SarvamOptions(realtime=text == "true"), account)
    assert isinstance(make(), kind)
