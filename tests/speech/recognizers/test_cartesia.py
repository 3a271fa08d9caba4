"""Cartesia's Ink, with turns and without, and its fake."""

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
from rapida_tw.sim.vendors.cartesia_recognizer import CartesiaRecognizer
from rapida_tw.sim.vendors.listening import Trouble
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.cartesia import (
    CartesiaOptions,
    CartesiaRecognizerProvider,
    InkTurnsWire,
    InkWire,
)
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Flushed,
    Partial,
    Ready,
    SpeechStarted,
    TurnEnded,
)
from tests.speech.recognizers.pair import Pair, RecordingLine, asked, query_of, request_of

KEY = "cartesia-key"
BASE = "wss://api.cartesia.ai"
Wire = InkTurnsWire | InkWire


def turns(**options: Any) -> InkTurnsWire:
    return InkTurnsWire(replace(CartesiaOptions(), **options), BASE, KEY)


def manual(**options: Any) -> InkWire:
    return InkWire(replace(CartesiaOptions(), **options), BASE, KEY)


def pair(wire: Wire, *script: str, trouble: Trouble | None = None) -> Pair:
    vendor = CartesiaRecognizer(script)
    vendor.manners.troubles.append(trouble)
    return Pair(wire, vendor)


def told(wire: Wire, kind: str, **fields: Any) -> list[Event]:
    return list(wire.received(json.dumps({"type": kind, **fields}).encode(), False))


# -- what they say ---------------------------------------------------------------------------------


def test_turns_address() -> None:
    """A language is not chosen; the end of a turn is."""
    request = request_of(turns(endpointing=700, threshold=0.1, keyword=("New York", "Rapida")))
    assert request.url.startswith(f"{BASE}/stt/turns/websocket?")
    assert request.headers == {"X-API-Key": KEY, "Cartesia-Version": "2026-03-01"}
    assert "keyterm=New%20York&keyterm=Rapida" in request.url
    assert query_of(request) == {
        "model": "ink-2",
        "encoding": "pcm_s16le",
        "sample_rate": "16000",
        "keyterm": "New York|Rapida",
        "turn_end_timeout_ms": "700",
        "turn_end_threshold": "0.1",
    }


def test_manual_address() -> None:
    """The language is, without its region."""
    request = request_of(manual(language="en-US", model="ink-whisper"))
    assert request.url.startswith(f"{BASE}/stt/websocket?")
    assert query_of(request) == {
        "model": "ink-whisper",
        "encoding": "pcm_s16le",
        "sample_rate": "16000",
        "language": "en",
    }


def test_commands() -> None:
    """Words to the one, JSON to the other, audio as it is to both."""
    assert manual().finalize() == (Frame(b"finalize"),)
    assert manual().goodbye() == (Frame(b"close"),)
    assert turns().finalize() == ()
    assert turns().goodbye() == (Frame(b'{"type":"close"}'),)
    assert manual().audio(b"\1\2") == turns().audio(b"\1\2") == Frame(b"\1\2", binary=True)


def test_silence_keeps_its_time() -> None:
    """A turn's silence lasts as long for Ink as it does for us."""
    wire = turns()
    (silence,) = wire.keep_alive()
    assert (silence,) == manual().keep_alive()
    assert silence.binary
    assert len(silence.payload) / 2 / wire.rate == wire.keep_alive_every


# -- what they understand --------------------------------------------------------------------------


def test_turn() -> None:
    """It starts, grows, and ends with all of its words."""
    wire = turns()
    assert told(wire, "connected", request_id="1") == [Ready()]
    assert told(wire, "turn.start") == [SpeechStarted()]
    assert told(wire, "turn.update", transcript="book a") == [Partial("book a")]
    assert told(wire, "turn.eager_end", transcript="book a table") == [Partial("book a table")]
    assert told(wire, "turn.resume") == []
    assert told(wire, "turn.end", transcript="Book a table.") == [
        Final("Book a table."),
        TurnEnded(),
    ]


def test_turn_without_words() -> None:
    """It ends, too."""
    assert told(turns(), "turn.end", transcript="") == [Partial(""), TurnEnded()]


def test_pieces_of_a_text() -> None:
    """They have their spaces in them; a word that may go on is not final."""
    wire = manual()
    assert told(wire, "transcript", text="Book a ta", is_final=True) == [
        Final("Book a"),
        Partial("ta"),
    ]
    assert told(wire, "transcript", text="bles", is_final=False) == [Partial("tables")]
    assert told(wire, "transcript", text="ble. ", is_final=True) == [Final("table."), Partial("")]
    assert told(wire, "transcript", text="", is_final=True) == [Partial("")]
    assert told(wire, "flush_done") == [Partial(""), Flushed()]


def test_last_word() -> None:
    """Nothing comes behind it: it is final."""
    wire = manual()
    assert told(wire, "transcript", text="ta", is_final=True) == [Partial("ta")]
    assert told(wire, "transcript", text="ble", is_final=True) == [Partial("table")]
    assert told(wire, "flush_done") == [Final("table"), Flushed()]


def test_one_answer() -> None:
    """What comes in pieces behind a finalize is told as one."""
    wire = manual()
    wire.finalize()
    assert told(wire, "transcript", text="Book a ta", is_final=True) == [Partial("Book a ta")]
    assert told(wire, "transcript", text="ble. ", is_final=True) == [Partial("Book a table.")]
    assert told(wire, "flush_done") == [Final("Book a table."), Flushed()]
    assert told(wire, "transcript", text="For two", is_final=True) == [
        Final("For"),
        Partial("two"),
    ]


@pytest.mark.parametrize("wire", [turns, manual])
@pytest.mark.parametrize(("status", "retryable"), [(400, False), (429, True), (500, True)])
def test_error(wire: Any, status: int, retryable: bool) -> None:
    """The status says whether it may pass."""
    assert told(wire(), "error", status_code=status, title="No", message="never") == [
        Complaint("No: never", retryable=retryable)
    ]


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_field(value: object) -> None:
    """Whatever stands where something else should, it is understood or refused."""
    for kind in ("turn.update", "turn.end", "transcript", "error", value):
        for name in ("transcript", "text", "is_final", "status_code", "title"):
            message = json.dumps({"type": kind, name: value}).encode()
            for wire in (turns(), manual()):
                with suppress(RemoteProtocolError):
                    wire.received(message, False)


@pytest.mark.parametrize("wire", [turns, manual])
def test_closed(wire: Any) -> None:
    """A violated policy stays one on another connection."""
    assert wire().closed(1006, "") == Complaint("it closed the connection (1006)")
    assert wire().closed(1008, "No") == Complaint("No", retryable=False)


# -- with their fake -------------------------------------------------------------------------------


def test_heard_turn() -> None:
    """Ink tells when the caller has finished."""
    both = pair(turns(), "book a table")
    both.speak(0.9)
    both.pause(0.4)
    assert both.partials == ["book", "book a", "book a table", "book a table"]
    assert both.kinds == ["Ready", "SpeechStarted", "Final", "TurnEnded"]
    assert both.finals == ["book a table"]


def test_finalised() -> None:
    """We tell, and get the words whole although they come in pieces."""
    both = pair(manual(), "book a table", "for two")
    both.speak(0.9)
    assert both.partials == ["book", "book a", "book a table"]
    assert not both.finals
    both.finalize()
    both.speak(0.9)
    both.finalize()
    assert both.finals == ["book a table", "for two"]
    assert both.kinds == ["Final", "Flushed"] * 2


@pytest.mark.parametrize("wire", [turns, manual])
def test_end_of_call(wire: Any) -> None:
    """It is closed orderly."""
    both = pair(wire(), "bye")
    both.speak(0.3)
    both.goodbye()
    assert both.line.ended == (1000, "")


@pytest.mark.parametrize("wire", [turns, manual])
def test_failing_fake(wire: Any) -> None:
    """It can be told to fail."""
    both = pair(wire(), "yes", trouble=Trouble.ERROR)
    both.speak(0.3)
    assert Complaint("Internal error: Something went wrong") in both.told
    assert both.line.ended == (1011, "Internal error")


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        (InkWire(CartesiaOptions(), BASE, "other"), 401),
        (InkWire(CartesiaOptions(), f"{BASE}/v1", KEY), 404),
        (InkWire(CartesiaOptions(language="fr"), BASE, KEY), 400),
        (InkTurnsWire(CartesiaOptions(model="ink-whisper"), BASE, KEY), 400),
        (InkTurnsWire(CartesiaOptions(model="nova"), BASE, KEY), 400),
    ],
)
def test_fake_refuses(wire: Wire, status: int) -> None:
    """A key, a path, a language, models that have no turns or do not exist."""
    answer = CartesiaRecognizer().connect(asked(request_of(wire)), RecordingLine(Clock()))
    assert isinstance(answer, Refusal)
    assert answer.status == status


@pytest.mark.parametrize(
    ("wire", "message"),
    [(manual, b"flush"), (turns, b"finalize"), (turns, b'{"type":"finalize"}')],
)
def test_fake_is_strict(wire: Any, message: bytes) -> None:
    """Each knows its own commands only."""
    both = pair(wire())
    both.say(Frame(message))
    assert both.line.ended == (1008, "Invalid message")


# -- the provider ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"endpointing": 100}, "between 640 and 11200"),
        ({"threshold": 0.9}, "between 0.05 and 0.5"),
        ({"model": "ink-whisper", "keyword": "a"}, "takes none"),
        ({"keyword": ["a"] * 101}, "at most 100"),
    ],
)
def test_misconfigured(options: dict[str, object], wrong: str, host: Host) -> None:
    """What Ink would refuse is said before there is a call."""
    with pytest.raises(MisconfiguredAssistant, match=wrong):
        CartesiaRecognizerProvider(host).open(options, Account("cartesia", {"key": KEY}))


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (CartesiaOptions(), InkTurnsWire),
        (CartesiaOptions(turns=False), InkWire),
        (CartesiaOptions(model="ink-whisper"), InkWire),
    ],
)
def test_which_of_them(options: CartesiaOptions, kind: type, host: Host) -> None:
    """Turns, where the model can and nobody minds."""
    make = CartesiaRecognizerProvider(host).wire(options, Account("cartesia", {"key": KEY}))
    assert isinstance(make(), kind)
