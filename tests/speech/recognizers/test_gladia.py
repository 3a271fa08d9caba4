"""Gladia: a session in two steps, utterances, and its fake."""

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
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Frame, Request
from rapida_tw.sim.vendors.base import Asked, Refusal, Reply
from rapida_tw.sim.vendors.gladia import Gladia
from rapida_tw.sim.vendors.listening import Trouble
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.gladia import (
    GladiaOptions,
    GladiaRecognizerProvider,
    GladiaWire,
)
from rapida_tw.speech.recognizers.wire import Complaint, Event, Final, Partial
from tests.speech.recognizers.pair import AskingNet, Pair, RecordingLine, asked, request_of

KEY = "gladia-key-of-a-test"
BASE = "https://api.gladia.io"


def wire(**options: Any) -> GladiaWire:
    return GladiaWire(replace(GladiaOptions(), **options), BASE, KEY)


def pair(*script: str, trouble: Trouble | None = None, **options: Any) -> Pair:
    vendor = Gladia(script, KEY)
    vendor.manners.troubles.append(trouble)
    return Pair(wire(**options), vendor)


def session(**options: Any) -> Asked:
    """What is asked for by HTTP."""
    net = AskingNet(Gladia(key=KEY))
    request_of(wire(**options), net)
    return net.asked[0]


def transcript(said: object, name: object = "1", final: object = True) -> dict[str, Any]:
    utterance = {"text": said, "words": [{"word": "a", "confidence": 0.5}]}
    return {"type": "transcript", "data": {"id": name, "is_final": final, "utterance": utterance}}


def told(gladia: GladiaWire, message: object) -> list[Event]:
    return list(gladia.received(json.dumps(message).encode(), False))


# -- the address -----------------------------------------------------------------------------------


def test_two_steps() -> None:
    """The key goes to the first; the second has the token that it was given."""
    net = AskingNet(Gladia(key=KEY))
    request = request_of(wire(), net)
    (first,) = net.asked
    assert (first.method, first.path, first.query) == ("POST", "/v2/live", {})
    assert first.headers["x-gladia-key"] == KEY
    assert request == Request("wss://api.gladia.io/v2/live?token=token-of-session-1")


def test_session() -> None:
    """What is heard, and which messages are wanted."""
    body = json.loads(session(language="en-US").body)
    wanted = body.pop("messages_config")
    assert body == {
        "encoding": "wav/pcm",
        "bit_depth": 16,
        "sample_rate": 16000,
        "channels": 1,
        "model": "solaria-1",
        "endpointing": 0.3,
        "language_config": {"languages": ["en"]},
    }
    assert [name for name in wanted if wanted[name]] == [
        "receive_partial_transcripts",
        "receive_final_transcripts",
        "receive_errors",
    ]


def test_options() -> None:
    """All of them, by the names that Gladia gives them."""
    one = session(
        region="eu-west", endpointing=200, threshold=0.7, keyword=("Rapida",), language=""
    )
    body = json.loads(one.body)
    assert one.query == {"region": ["eu-west"]}
    assert body["endpointing"] == 0.2
    assert body["pre_processing"] == {"speech_threshold": 0.7}
    assert body["realtime_processing"] == {
        "custom_vocabulary": True,
        "custom_vocabulary_config": {"vocabulary": ["Rapida"]},
    }
    assert body["language_config"] == {"languages": []}


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (401, False), (402, False), (429, True), (500, True)]
)
def test_refused(status: int, retryable: bool) -> None:
    """A session that is not given fails as a handshake would, with Gladia's own words."""
    vendor = Gladia(key=KEY)
    vendor.manners.refusals.append(status)
    with pytest.raises(VendorFailed, match=f"refused with {status}") as raised:
        request_of(wire(), AskingNet(vendor))
    assert (raised.value.code, raised.value.retryable) == (status, retryable)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "body", [b"", b"[]", {}, {"url": 7}, {"url": "file:///etc/passwd"}, {"url": "//host"}]
)
def test_no_address(body: Any) -> None:
    """An answer without an address is no session."""

    class Confused(Gladia):
        def answer(self, asked: Asked, reply: Reply) -> None:
            reply.whole(201, body)

    with pytest.raises(VendorFailed, match="no address"):
        request_of(wire(), AskingNet(Confused()))


# -- what it understands ---------------------------------------------------------------------------


def test_utterance() -> None:
    """It grows until it is final; the next may have begun by then."""
    gladia = wire()
    assert told(gladia, transcript(" book", "1", False)) == [Partial("book")]
    assert told(gladia, transcript(" for", "2", False)) == [Partial("book for")]
    assert told(gladia, transcript(" Book it.", "1")) == [Final("Book it.", 0.5), Partial("for")]
    assert told(gladia, transcript(" For two.", "2")) == [Final("For two.", 0.5), Partial("")]


def test_error() -> None:
    """Its message is somewhere."""
    assert told(wire(), {"type": "error", "data": {"message": "No."}}) == [Complaint("No.")]
    assert told(wire(), {"type": "error", "error": {"message": "No."}}) == [Complaint("No.")]


def test_passed_over() -> None:
    """What says nothing to us, and what is new."""
    for kind in ("audio_chunk", "speech_start", "start_session", ""):
        assert told(wire(), {"type": kind, "data": {}}) == []
    assert told(wire(), {"type": "transcript", "data": None}) == []


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_field(value: object) -> None:
    """Whatever stands where something else should, it is understood or refused."""
    utterance = {"text": "a", "words": value, "confidence": value}
    odd = {"type": "transcript", "data": {"id": "1", "is_final": True, "utterance": utterance}}
    for message in (
        *(transcript(value), transcript("a", value), transcript("a", "1", value), odd),
        *({"type": value}, {"type": "error", "data": value, "error": value}),
        {"type": "transcript", "data": {"utterance": value}},
    ):
        with suppress(RemoteProtocolError):
            told(wire(), message)


@pytest.mark.parametrize(
    ("code", "retryable"), [(4400, False), (4408, True), (4429, True), (4500, True), (1008, False)]
)
def test_closed(code: int, retryable: bool) -> None:
    """Its codes are HTTP's, more or less."""
    assert wire().closed(code, "No") == Complaint("No", retryable=retryable)


# -- with its fake ---------------------------------------------------------------------------------


def test_heard() -> None:
    """Words grow, and a pause makes them final."""
    both = pair("book a table", "for two")
    for _ in range(2):
        both.speak(0.9)
        both.pause(0.4)
    assert both.partials[:3] == ["book", "book a", "book a table"]
    assert both.finals == ["book a table", "for two"]


def test_end_of_call() -> None:
    """What was said last is told, and the session ends."""
    both = pair("bye")
    both.speak(0.3)
    both.goodbye()
    assert both.finals == ["bye"]
    assert both.line.ended == (1000, "")


def test_keep_alive() -> None:
    """An empty piece of audio."""
    both = pair()
    both.say(both.wire.keep_alive()[0])
    assert both.line.ended is None


def test_failing_fake() -> None:
    """It can be told to fail."""
    both = pair("yes", trouble=Trouble.ERROR)
    both.speak(0.3)
    assert Complaint("Internal error") in both.told
    assert both.line.ended == (4500, "Internal error")


@pytest.mark.parametrize(
    ("options", "wrong"), [({"model": "nova"}, "solaria-1"), ({"language": "english"}, "language")]
)
def test_fake_refuses(options: dict[str, Any], wrong: str) -> None:
    """What it does not have, it does not make a session of."""
    with pytest.raises(VendorFailed, match=wrong):
        session(**options)


def test_wrong_key() -> None:
    """Neither for a stranger."""
    with pytest.raises(VendorFailed, match="key not found"):
        request_of(wire(), AskingNet(Gladia(key="another")))


def test_wrong_token() -> None:
    """A socket is of a session."""
    request = Request("wss://api.gladia.io/v2/live?token=mine")
    assert isinstance(Gladia().connect(asked(request), RecordingLine(Clock())), Refusal)


@pytest.mark.parametrize("message", [b"{", b'{"type":"pause_recording"}'])
def test_fake_is_strict(message: bytes) -> None:
    """It closes."""
    both = pair()
    both.say(Frame(message))
    assert both.line.ended is not None
    assert both.line.ended[0] == 4400


# -- the provider ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"endpointing": 5}, "between 10 and 10000"),
        ({"threshold": 2}, "between 0 and 1"),
        ({"region": "moon"}, "us-west or eu-west"),
    ],
)
def test_misconfigured(options: dict[str, object], wrong: str, host: Host) -> None:
    """What Gladia would refuse is said before there is a call."""
    with pytest.raises(MisconfiguredAssistant, match=wrong):
        GladiaRecognizerProvider(host).open(options, Account("gladia", {"key": KEY}))
