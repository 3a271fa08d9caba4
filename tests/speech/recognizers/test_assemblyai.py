"""AssemblyAI: turns, told once, and its fake."""

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
from rapida_tw.sim.vendors.assemblyai import AssemblyAI, AssemblyAISession
from rapida_tw.sim.vendors.listening import Trouble
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.assemblyai import (
    AssemblyAIOptions,
    AssemblyAIRecognizerProvider,
    AssemblyAIWire,
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
from tests.speech.recognizers.pair import Pair, query_of, request_of

KEY = "assemblyai-key"
BASE = "wss://streaming.assemblyai.com"


def wire(**options: Any) -> AssemblyAIWire:
    return AssemblyAIWire(replace(AssemblyAIOptions(), **options), BASE, KEY)


def pair(*script: str, trouble: Trouble | None = None, **options: Any) -> Pair:
    vendor = AssemblyAI(script)
    vendor.manners.troubles.append(trouble)
    return Pair(wire(**options), vendor)


def told(assembly: AssemblyAIWire, message: object) -> list[Event]:
    return list(assembly.received(json.dumps(message).encode(), False))


def turn(text: str, order: int = 0, end: bool = True, formatted: bool = False) -> dict[str, Any]:
    """As in the API reference."""
    words = [{"text": word, "confidence": 0.5, "word_is_final": True} for word in text.split()]
    return {
        "type": "Turn",
        "turn_order": order,
        "turn_is_formatted": formatted,
        "end_of_turn": end,
        "transcript": text,
        "words": words,
    }


# -- what it says ----------------------------------------------------------------------------------


def test_address() -> None:
    """The key alone in its header, without a scheme; what was not chosen is left to the model."""
    request = request_of(wire())
    assert request.url.startswith(f"{BASE}/v3/ws?")
    assert query_of(request) == {
        "speech_model": "universal-streaming-english",
        "sample_rate": "16000",
        "encoding": "pcm_s16le",
        "format_turns": "false",
    }
    assert request.headers == {"Authorization": KEY, "AssemblyAI-Version": "2025-05-12"}


def test_options() -> None:
    """All of them, by the names that AssemblyAI gives them."""
    options = {"endpointing": 200, "threshold": 0.3, "keyword": ("Rapida", "Twisted")}
    assert query_of(request_of(wire(language="es", punctuate=True, **options))) == {
        "speech_model": "universal-streaming-multilingual",
        "sample_rate": "16000",
        "encoding": "pcm_s16le",
        "format_turns": "true",
        "end_of_turn_confidence_threshold": "0.3",
        "min_turn_silence": "200",
        "keyterms_prompt": '["Rapida", "Twisted"]',
    }


def test_universal_3() -> None:
    """It formats without being asked, and takes a prompt and a language."""
    query = query_of(request_of(wire(model="u3-rt-pro", punctuate=True, prompt="A booking.")))
    assert "format_turns" not in query
    assert query["prompt"] == "A booking."
    assert query["language_codes"] == '["en"]'
    assert "language_codes" not in query_of(request_of(wire(model="u3-rt-pro", language="multi")))


def test_short_audio() -> None:
    """What is shorter than 50 ms would end the session: it is filled up with silence."""
    assert wire().audio(b"\1\2") == Frame(b"\1\2" + bytes(1598), binary=True)
    assert wire().audio(b"\1\2" * 1600) == Frame(b"\1\2" * 1600, binary=True)


# -- what it understands ---------------------------------------------------------------------------


def test_words_so_far() -> None:
    """Also those that may still change, which `transcript` lacks."""
    message = turn("book", end=False)
    message["words"].append({"text": "a", "word_is_final": False})
    assert told(wire(), message) == [Partial("book a")]


def test_end_of_turn() -> None:
    """Its words, and that the caller has finished."""
    assert told(wire(), turn("yes please")) == [Final("yes please", 0.5), TurnEnded()]


def test_told_twice() -> None:
    """The same turn in its written form is not told again; the next one is."""
    assembly = wire()
    told(assembly, turn("yes"))
    assert told(assembly, turn("Yes.", formatted=True)) == []
    assert told(assembly, turn("no", order=1)) == [Final("no", 0.5), TurnEnded()]


def test_written_form() -> None:
    """Who waits for it is told only that."""
    assembly = wire(punctuate=True)
    assert told(assembly, turn("yes")) == [Partial("yes")]
    assert told(assembly, turn("Yes.", formatted=True)) == [Final("Yes.", 0.5), TurnEnded()]


def test_asked_for() -> None:
    """An end that we asked for is no end of the caller's."""
    assembly = wire()
    assert assembly.finalize() == (Frame(b'{"type":"ForceEndpoint"}'),)
    assert told(assembly, turn("yes")) == [Final("yes", 0.5), Flushed()]
    assert told(assembly, turn("no", order=1)) == [Final("no", 0.5), TurnEnded()]


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"type": "Begin", "id": "1", "expires_at": 2}, Ready()),
        ({"type": "SpeechStarted", "timestamp": 3}, SpeechStarted()),
        (
            {"type": "Error", "error_code": 3008, "error": "Session Expired"},
            Complaint("Session Expired"),
        ),
        (
            {"type": "Error", "error_code": 3006},
            Complaint("it does not understand a message or an option", retryable=False),
        ),
        ({"error": "Not authorized"}, Complaint("Not authorized")),
        (
            {"type": "Warning", "warning_code": 1, "warning": "slow"},
            Complaint("slow", fatal=False),
        ),
    ],
)
def test_message(message: dict[str, Any], event: Event) -> None:
    """What each kind means to a call."""
    assert told(wire(), message) == [event]


@pytest.mark.parametrize("kind", ["Termination", "Heartbeat", "Silence", ""])
def test_passed_over(kind: str) -> None:
    """What says nothing to us, and what is new."""
    assert told(wire(), {"type": kind}) == []


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_field(value: object) -> None:
    """Whatever stands where something else should, it is understood or refused."""
    for name in ("type", "turn_order", "end_of_turn", "transcript", "words"):
        with suppress(RemoteProtocolError):
            told(wire(), {**turn("yes"), name: value})
    for name in ("text", "confidence"):
        with suppress(RemoteProtocolError):
            told(wire(), {**turn("yes"), "words": [{name: value}]})


@pytest.mark.parametrize(
    ("code", "reason", "complaint"),
    [
        (1008, "", Complaint("the key is wrong, or the account may not", retryable=False)),
        (3009, "Too many", Complaint("Too many")),
        (1006, "", Complaint("it closed the connection (1006)")),
    ],
)
def test_closed(code: int, reason: str, complaint: Complaint) -> None:
    """Its reason; where it gives none, what its code means."""
    assert wire().closed(code, reason) == complaint


# -- with its fake ---------------------------------------------------------------------------------


def test_turn() -> None:
    """Words grow; the turn ends by itself after a pause."""
    both = pair("book a table")
    both.speak(0.9)
    both.pause(0.5)
    assert both.partials == ["book", "book a", "book a table"]
    assert both.kinds == ["Ready", "Final", "TurnEnded"]
    assert both.finals == ["book a table"]


def test_force() -> None:
    """It ends at once when it is asked to."""
    both = pair("book a table")
    both.speak(0.9)
    both.finalize()
    assert both.kinds == ["Ready", "Final", "Flushed"]


def test_two_forms() -> None:
    """Both forms of a turn come, and it is told once."""
    for punctuate, said in ((False, "yes"), (True, "yes.")):
        both = pair("yes", punctuate=punctuate)
        both.speak(0.3)
        both.pause(0.5)
        assert both.finals == [said]


def test_start_of_speech() -> None:
    """Universal-3 tells it."""
    both = pair("yes", model="u3-rt-pro")
    both.speak(0.3)
    assert both.kinds == ["Ready", "SpeechStarted"]


def test_terminate() -> None:
    """The session ends orderly, and costs no more."""
    both = pair("yes")
    both.speak(0.3)
    both.goodbye()
    assert both.finals == ["yes"]
    assert both.line.ended == (1000, "")


@pytest.mark.parametrize(
    ("trouble", "ended"),
    [
        (Trouble.ERROR, (3005, "Server Error")),
        (Trouble.CLOSE, (3008, "Session Expired: Maximum session duration exceeded")),
    ],
)
def test_fake_fails(trouble: Trouble, ended: tuple[int, str]) -> None:
    """It can be told to fail, with a message or without."""
    both = pair("yes", trouble=trouble)
    both.speak(0.3)
    assert both.line.ended == ended
    assert (Complaint("Server Error") in both.told) is (trouble is Trouble.ERROR)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (Frame(bytes(640), True), 3007),
        (Frame(bytes(40_000), True), 3007),
        (Frame(b"hello"), 3006),
        (Frame(b'{"type":"Finalize"}'), 3006),
    ],
    ids=["20 ms", "over a second", "no JSON", "unknown"],
)
def test_fake_is_strict(message: Frame, code: int) -> None:
    """It ends the session as the real one does."""
    both = pair()
    both.say(message)
    assert both.line.ended is not None
    assert both.line.ended[0] == code


def test_too_fast() -> None:
    """Audio of eleven seconds in no time."""
    both = pair()
    both.pause(11)
    assert both.line.ended == (3007, "Audio Transmission Rate Exceeded")


def test_wrong_key() -> None:
    """It is told after the handshake."""
    with pytest.raises(AssertionError, match="1008"):
        Pair(AssemblyAIWire(AssemblyAIOptions(), BASE, "other"), AssemblyAI())


def test_wrong_model() -> None:
    """And so is a model that does not exist."""
    with pytest.raises(AssertionError, match="speech_model"):
        pair(model="nova-3")


def test_pieces() -> None:
    """They are of 100 ms."""
    both = pair()
    both.pause(0.5)
    session = both.session
    assert isinstance(session, AssemblyAISession)
    assert session.pieces == [0.1] * 5


# -- the provider ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "options", "wrong"),
    [
        ({}, {}, "needs a key"),
        ({"key": KEY}, {"listen.threshold": 2}, "between 0 and 1"),
        ({"key": KEY}, {"listen.endpointing": "soon"}, "a whole number"),
    ],
)
def test_misconfigured(
    fields: dict[str, str], options: dict[str, object], wrong: str, host: Host
) -> None:
    """What is missing or wrong is said before there is a call."""
    with pytest.raises(MisconfiguredAssistant, match=wrong):
        AssemblyAIRecognizerProvider(host).open(options, Account("assemblyai", fields))
