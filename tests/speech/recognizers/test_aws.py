"""AWS Transcribe: signed addresses, events, and its fake."""

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
from rapida_tw.sim.vendors.aws_recognizer import AWSRecognizer
from rapida_tw.sim.vendors.base import Refusal
from rapida_tw.sim.vendors.listening import Trouble
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.aws import AWSOptions, AWSRecognizerProvider, AWSWire
from rapida_tw.speech.recognizers.wire import Complaint, Event, Final, Partial
from rapida_tw.wire.aws_events import Message, decode
from rapida_tw.wire.aws_signature import Credentials
from tests.speech.recognizers.pair import Pair, RecordingLine, asked, query_of, request_of

SECRET = "aws-secret"
KEYS = Credentials("AKIATEST", SECRET)
BASE = "wss://transcribestreaming.eu-west-1.amazonaws.com:8443"


def wire(base: str = BASE, keys: Credentials = KEYS, **options: Any) -> AWSWire:
    """On 22 December 2023."""
    chosen = replace(AWSOptions(), **options)
    return AWSWire(chosen, base, keys, "eu-west-1", lambda: 1_703_203_200.0)


def pair(*script: str, trouble: Trouble | None = None, **options: Any) -> Pair:
    vendor = AWSRecognizer(script)
    vendor.manners.troubles.append(trouble)
    return Pair(wire(**options), vendor)


def told(aws: AWSWire, body: object, **headers: str) -> list[Event]:
    named = {":message-type": "event", ":event-type": "TranscriptEvent"}
    named.update({f":{name.replace('_', '-')}": value for name, value in headers.items()})
    return list(aws.received(Message(named, json.dumps(body).encode()).encode(), True))


def results(*said: tuple[str, str, bool]) -> dict[str, Any]:
    items = [{"Content": "a", "Type": "pronunciation", "Confidence": 0.5}, {"Content": "."}]
    return {
        "Transcript": {
            "Results": [
                {
                    "ResultId": name,
                    "IsPartial": partial,
                    "Alternatives": [{"Transcript": text, "Items": items}],
                }
                for name, text, partial in said
            ]
        }
    }


# -- what it says ----------------------------------------------------------------------------------


def test_address() -> None:
    """Signed for five minutes, without the secret."""
    request = request_of(wire(model="mine", vocabulary="words"))
    assert request.url.startswith(f"{BASE}/stream-transcription-websocket?")
    query = query_of(request)
    assert len(query.pop("X-Amz-Signature")) == 64
    assert query == {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "AKIATEST/20231222/eu-west-1/transcribe/aws4_request",
        "X-Amz-Date": "20231222T000000Z",
        "X-Amz-Expires": "300",
        "X-Amz-SignedHeaders": "host",
        "language-code": "en-US",
        "media-encoding": "pcm",
        "sample-rate": "16000",
        "enable-partial-results-stabilization": "true",
        "partial-results-stability": "high",
        "language-model-name": "mine",
        "vocabulary-name": "words",
    }
    assert SECRET not in request.url


def test_audio() -> None:
    """An event; one without sound is the end."""
    headers = {
        ":message-type": "event",
        ":event-type": "AudioEvent",
        ":content-type": "application/octet-stream",
    }
    frame = wire().audio(b"\1\2")
    assert frame.binary
    assert decode(frame.payload) == Message(headers, b"\1\2")
    assert decode(wire().goodbye()[0].payload) == Message(headers, b"")


# -- what it understands ---------------------------------------------------------------------------


def test_results() -> None:
    """They grow until they are no longer partial."""
    aws = wire()
    assert told(aws, results(("1", "Book", True))) == [Partial("Book")]
    assert told(aws, results(("1", "Book it.", False), ("2", "For", True))) == [
        Final("Book it.", 0.5),
        Partial(""),
        Partial("For"),
    ]


@pytest.mark.parametrize(
    ("kind", "why", "retryable"),
    [
        ("BadRequestException", "No such language.", False),
        ("BadRequestException", "Your request timed out because no new audio", True),
        ("LimitExceededException", "Too many.", True),
        ("InternalFailureException", "Sorry.", True),
    ],
)
def test_exception(kind: str, why: str, retryable: bool) -> None:
    """Its type says whether it may pass; one type stands for two things."""
    headers = {"message_type": "exception", "exception_type": kind}
    assert told(wire(), {"Message": why}, **headers) == [Complaint(why, retryable=retryable)]


@pytest.mark.parametrize("body", [[], "x", {"Message": None}])
def test_error(body: object) -> None:
    """What is wrong may be in headers alone."""
    headers = {"message_type": "error", "error_code": "E1", "error_message": "Sorry."}
    assert told(wire(), body, **headers) == [Complaint("Sorry.")]


def test_unknown_event() -> None:
    """What is new is passed over."""
    assert told(wire(), {}, event_type="HealthEvent") == []


@pytest.mark.parametrize(("message", "binary"), [(b"{}", False), (b"", True), (bytes(20), True)])
def test_garbage(message: bytes, binary: bool) -> None:
    """What is no event."""
    with pytest.raises(RemoteProtocolError):
        wire().received(message, binary)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_field(value: object) -> None:
    """Whatever stands where something else should, it is understood or refused."""
    items = [{"Confidence": value}]
    for body in (
        *(value, {"Transcript": value}, {"Transcript": {"Results": value}}),
        *(
            {"Transcript": {"Results": [result]}}
            for result in (
                {"ResultId": value},
                {"IsPartial": value},
                {"Alternatives": value},
                {"Alternatives": [{"Transcript": value}]},
                {"Alternatives": [{"Transcript": "a", "Items": value}]},
                {"Alternatives": [{"Transcript": "a", "Items": items}]},
            )
        ),
    ):
        with suppress(RemoteProtocolError):
            told(wire(), body)
        told(wire(), body, message_type="exception")


def test_closed() -> None:
    """A violated policy stays one on another connection."""
    assert wire().closed(1008, "No") == Complaint("No", retryable=False)
    assert wire().closed(1006, "") == Complaint("it closed the connection (1006)")


# -- with its fake ---------------------------------------------------------------------------------


def test_heard() -> None:
    """Words grow, and a pause makes them final."""
    both = pair("book a table", "for two")
    for _ in range(2):
        both.speak(0.9)
        both.pause(0.5)
    assert both.partials[:3] == ["book", "book a", "book a table"]
    assert both.finals == ["book a table", "for two"]


def test_end_of_call() -> None:
    """What was said last is told, and the stream ends."""
    both = pair("bye")
    both.speak(0.3)
    both.goodbye()
    assert both.finals == ["bye"]
    assert both.line.ended == (1000, "")


def test_patience() -> None:
    """It waits 15 seconds for audio, and silence is audio."""
    both = pair("yes")
    both.wait(14)
    both.say(both.wire.keep_alive()[0])
    both.wait(14)
    assert both.line.ended is None
    both.wait(2)
    assert [one.retryable for one in both.told if isinstance(one, Complaint)] == [True]
    assert both.line.ended is not None


def test_failing_fake() -> None:
    """It can be told to fail, and to talk garbage."""
    both = pair("yes", trouble=Trouble.ERROR)
    both.speak(0.3)
    assert both.kinds == ["Complaint"]
    both = pair("yes", trouble=Trouble.GARBAGE)
    with pytest.raises(RemoteProtocolError):
        both.speak(0.3)


@pytest.mark.parametrize(
    ("base", "keys", "status"),
    [
        (BASE, Credentials("AKIATEST", "other"), 403),
        (f"{BASE}/v1", KEYS, 0),
        ("wss://transcribestreaming.eu-west-1.amazonaws.com", KEYS, 0),
    ],
)
def test_signature(base: str, keys: Credentials, status: int) -> None:
    """The fake comes to the same, whatever the path and the port; not with another secret."""
    answer = AWSRecognizer().connect(asked(request_of(wire(base, keys))), RecordingLine(Clock()))
    assert (answer.status if isinstance(answer, Refusal) else 0) == status


def test_bent_address() -> None:
    """Nothing of what was signed can be changed."""
    url = request_of(wire()).url
    for old, new in (("en-US", "en-GB"), ("300", "299"), (":8443", ":8444"), ("high", "low")):
        request = replace(request_of(wire()), url=url.replace(old, new))
        answer = AWSRecognizer().connect(asked(request), RecordingLine(Clock()))
        assert isinstance(answer, Refusal)
        assert answer.status == 403


@pytest.mark.parametrize(
    "message",
    [
        Frame(b"{}"),
        Frame(bytes(16), True),
        Frame(Message({":message-type": "event", ":event-type": "Text"}).encode(), True),
        Frame(wire().audio(b"ab").payload[:-1], True),
    ],
    ids=["text", "no event", "another event", "cut off"],
)
def test_fake_is_strict(message: Frame) -> None:
    """It ends the stream."""
    both = pair()
    both.say(message)
    assert both.kinds == ["Complaint"]
    assert both.line.ended is not None


def test_wrong_language() -> None:
    """It is told in an exception, for good."""
    both = pair(language="english")
    both.wait(0)
    (complaint,) = both.told
    assert isinstance(complaint, Complaint)
    assert not complaint.retryable


# -- the provider ----------------------------------------------------------------------------------

FIELDS = {"access_key_id": "AKIATEST", "secret_access_key": SECRET}


@pytest.mark.parametrize(
    ("fields", "options", "wrong"),
    [
        ({}, {}, "needs a access_key_id"),
        ({"access_key_id": "AKIATEST"}, {}, "needs a secret_access_key"),
        (FIELDS, {}, "needs a region"),
        ({**FIELDS, "region": "us-east-1.evil.example/"}, {}, "needs a region"),
        ({**FIELDS, "region": "us-east-1"}, {"stability": "some"}, "low, medium, high"),
    ],
)
def test_misconfigured(
    fields: dict[str, str], options: dict[str, object], wrong: str, host: Host
) -> None:
    """What cannot be right is said before there is a call."""
    with pytest.raises(MisconfiguredAssistant, match=wrong):
        AWSRecognizerProvider(host).open(options, Account("aws", fields))


@pytest.mark.parametrize(
    ("region", "end"), [("us-gov-west-1", ".amazonaws.com"), ("cn-north-1", ".amazonaws.com.cn")]
)
def test_region(region: str, end: str, host: Host) -> None:
    """It is a part of the host's name."""
    account = Account("aws", {**FIELDS, "region": region})
    make = AWSRecognizerProvider(host).wire(AWSOptions(), account)
    url = request_of(make()).url
    assert url.startswith(f"wss://transcribestreaming.{region}{end}:8443/")
