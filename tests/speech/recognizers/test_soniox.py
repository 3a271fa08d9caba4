"""Soniox: tokens and marks, and its fake."""

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
from rapida_tw.sim.vendors.soniox import Soniox, SonioxSession
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.soniox import (
    SonioxOptions,
    SonioxRecognizerProvider,
    SonioxWire,
)
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Flushed,
    Partial,
    TurnEnded,
)
from tests.speech.recognizers.pair import Pair, RecordingLine, asked, request_of

KEY = "soniox-key"
BASE = "wss://stt-rt.soniox.com"


def wire(**options: Any) -> SonioxWire:
    return SonioxWire(replace(SonioxOptions(), **options), BASE, KEY)


def pair(*script: str, trouble: Trouble | None = None, **options: Any) -> Pair:
    vendor = Soniox(script)
    vendor.manners.troubles.append(trouble)
    return Pair(wire(**options), vendor)


def told(soniox: SonioxWire, *tokens: dict[str, Any], **fields: Any) -> list[Event]:
    return list(soniox.received(json.dumps({"tokens": tokens, **fields}).encode(), False))


def final(said: str) -> dict[str, Any]:
    return {"text": said, "confidence": 0.5, "is_final": True}


def guess(said: str) -> dict[str, Any]:
    return {"text": said, "confidence": 0.5, "is_final": False}


# -- what it says ----------------------------------------------------------------------------------


def test_address() -> None:
    """The key is in a header, and not in the first message, where it was before."""
    request = request_of(wire())
    assert request.url == f"{BASE}/transcribe-websocket"
    assert request.headers == {"Authorization": f"Bearer {KEY}"}
    assert KEY.encode() not in wire().hello()[0].payload


def test_hello() -> None:
    """What is heard, and how."""
    assert json.loads(wire(language="en-US").hello()[0].payload) == {
        "model": "stt-rt-v5",
        "audio_format": "pcm_s16le",
        "sample_rate": 16000,
        "num_channels": 1,
        "enable_endpoint_detection": False,
        "language_hints": ["en"],
    }


def test_options() -> None:
    """All of them, by the names that Soniox gives them."""
    more = {"keyword": ("Rapida",), "prompt": "A booking.", "language": ""}
    config = json.loads(wire(turns=True, endpointing=700, **more).hello()[0].payload)
    assert config["enable_endpoint_detection"] is True
    assert config["max_endpoint_delay_ms"] == 700
    assert config["context"] == {"text": "A booking.", "terms": ["Rapida"]}
    assert "language_hints" not in config


def test_controls() -> None:
    """The end of the audio is a text without any."""
    assert wire().finalize() == (Frame(b'{"type":"finalize"}'),)
    assert wire().keep_alive() == (Frame(b'{"type":"keepalive"}'),)
    assert wire().goodbye() == (Frame(b""),)
    assert wire().audio(b"\1\2") == Frame(b"\1\2", binary=True)


# -- what it understands ---------------------------------------------------------------------------


def test_tokens() -> None:
    """Those that are final come once, the others come again."""
    soniox = wire()
    assert told(soniox, guess(" Loo")) == [Partial("Loo")]
    assert told(soniox, final(" Boo"), guess("k a")) == [Partial("Book a")]
    assert told(soniox, final("k"), guess(" a"), guess(" ta")) == [Partial("Book a ta")]
    assert told(soniox, final(" it."), final("<fin>")) == [Final("Book it.", 0.5), Flushed()]
    assert told(soniox, final("<fin>")) == [Partial(""), Flushed()]


def test_no_answer() -> None:
    """Words for which nobody waited any longer are not told with those of the next turn."""
    soniox = wire()
    told(soniox, final(" Book"), guess(" it"))
    soniox.finalize()
    told(soniox, final(" For"), final(" two"))
    soniox.finalize()
    assert told(soniox, final("<fin>")) == [Final("For two", 0.5), Flushed()]


def test_end_of_turn() -> None:
    """What comes behind it is of the next."""
    soniox = wire(turns=True)
    assert soniox.turns
    assert told(soniox, final(" Yes."), final("<end>"), final(" And")) == [
        Final("Yes.", 0.5),
        TurnEnded(),
        Partial("And"),
    ]


def test_nothing_new() -> None:
    """Progress, the end, and what is new in a message."""
    for fields in ({"total_audio_proc_ms": 100}, {"finished": True}, {"mood": "good"}):
        assert told(wire(), **fields) == []


@pytest.mark.parametrize(
    ("code", "retryable"), [(400, False), (401, False), (402, False), (429, True), (503, True)]
)
def test_error(code: int, retryable: bool) -> None:
    """Its code says whether it may pass."""
    complaint = Complaint("No.", retryable=retryable)
    assert told(wire(), error_code=code, error_message="No.") == [complaint]
    complaint = Complaint(f"error {code}", retryable=retryable)
    assert told(wire(), error_code=code) == [complaint]


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_field(value: object) -> None:
    """Whatever stands where something else should, it is understood or refused."""
    for name in ("text", "is_final", "confidence"):
        for mark in ("<end>", "<fin>", value):
            with suppress(RemoteProtocolError):
                told(wire(), {**final("a"), name: value}, {**final("b"), "text": mark})
    for name in ("tokens", "error_code", "error_message"):
        with suppress(RemoteProtocolError):
            wire().received(json.dumps({name: value}).encode(), False)


def test_closed() -> None:
    """A violated policy stays one on another connection."""
    assert wire().closed(1008, "No") == Complaint("No", retryable=False)
    assert wire().closed(1006, "") == Complaint("it closed the connection (1006)")


# -- with its fake ---------------------------------------------------------------------------------


def test_finalised() -> None:
    """Words grow, and are final when we ask."""
    both = pair("book a table", "for two")
    both.speak(0.9)
    assert both.partials == ["book", "book a", "book a table"]
    both.pause(1.0)
    assert not both.finals
    both.finalize()
    both.speak(0.6)
    both.finalize()
    assert both.finals == ["book a table", "for two"]
    assert both.kinds == ["Final", "Flushed"] * 2


def test_turns() -> None:
    """Soniox tells their ends, where it is asked to."""
    both = pair("book a table", turns=True)
    both.speak(0.9)
    both.pause(0.6)
    assert both.finals == ["book a table"]
    assert both.kinds == ["Final", "TurnEnded"]


def test_end_of_call() -> None:
    """What was said last becomes final, and the connection is closed orderly."""
    both = pair("bye")
    both.speak(0.3)
    both.goodbye()
    assert both.partials[-1] == "bye"
    assert both.line.ended == (1000, "")


def test_failing_fake() -> None:
    """It can be told to fail."""
    both = pair("yes", trouble=Trouble.ERROR)
    both.speak(0.3)
    assert [one.retryable for one in both.told if isinstance(one, Complaint)] == [True]
    assert both.line.ended is not None


@pytest.mark.parametrize(
    ("options", "key", "wrong"),
    [({}, "other", "Incorrect API key"), ({"model": "nova"}, KEY, "Invalid model")],
)
def test_fake_refuses(options: dict[str, Any], key: str, wrong: str) -> None:
    """In its answer to the first message."""
    both = Pair(SonioxWire(replace(SonioxOptions(), **options), BASE, key), Soniox())
    (complaint,) = both.told
    assert isinstance(complaint, Complaint)
    assert wrong in complaint.reason
    assert not complaint.retryable
    assert both.line.ended is not None


def test_wrong_path() -> None:
    """There is nothing."""
    soniox = SonioxWire(SonioxOptions(), f"{BASE}/v1", KEY)
    answer = Soniox().connect(asked(request_of(soniox)), RecordingLine(Clock()))
    assert isinstance(answer, Refusal)


@pytest.mark.parametrize("message", [Frame(b'{"type":"stop"}'), Frame(b"{")])
def test_fake_is_strict(message: Frame) -> None:
    """Messages that it does not know."""
    both = pair()
    both.say(message)
    assert both.kinds == ["Complaint"]
    assert both.line.ended is not None


def test_audio_comes_second() -> None:
    """The configuration is first."""
    line = RecordingLine(Clock())
    session = Soniox().connect(asked(request_of(wire())), line)
    assert isinstance(session, SonioxSession)
    session.received(bytes(320), True)
    assert line.ended is not None


# -- the provider ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"turns": True, "endpointing": 100}, "between 500 and 3000"),
        ({"endpointing": 700}, "turns, which are off"),
    ],
)
def test_misconfigured(options: dict[str, object], wrong: str, host: Host) -> None:
    """What Soniox would refuse is said before there is a call."""
    with pytest.raises(MisconfiguredAssistant, match=wrong):
        SonioxRecognizerProvider(host).open(options, Account("soniox", {"key": KEY}))
