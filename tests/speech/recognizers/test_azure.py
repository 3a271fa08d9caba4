"""Azure Speech: its framing, its phrases, and its fake."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Frame
from rapida_tw.sim.vendors.azure_recognizer import AzureRecognizer, AzureSession
from rapida_tw.sim.vendors.base import Refusal
from rapida_tw.sim.vendors.listening import Trouble
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.azure import (
    AzureOptions,
    AzureRecognizerProvider,
    AzureWire,
    host_of,
)
from rapida_tw.speech.recognizers.wire import Complaint, Final, Partial
from tests.speech.recognizers.pair import Pair, RecordingLine, asked, query_of, request_of

KEY = "azure-key"
BASE = "wss://eastus.stt.speech.microsoft.com"


def wire(**options: object) -> AzureWire:
    """At one second past the epoch."""
    return AzureWire(replace(AzureOptions(), **options), BASE, KEY, lambda: 1.5)


def pair(*script: str, **options: object) -> Pair:
    return Pair(wire(**options), AzureRecognizer(script))


def headers_and_body(frame: Frame) -> tuple[list[str], bytes]:
    """Of one message, text or binary."""
    if frame.binary:
        length = int.from_bytes(frame.payload[:2], "big")
        head, body = frame.payload[2 : 2 + length], frame.payload[2 + length :]
        return head.decode().removesuffix("\r\n").split("\r\n"), body
    head, _, body = frame.payload.partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), body


def phrase(azure: AzureWire, body: object, path: str = "speech.phrase") -> list[object]:
    """What the wire makes of a message of its turn."""
    request = headers_and_body(azure.hello()[1])[0][1].partition(":")[2]
    message = f"X-RequestId:{request}\r\nPath:{path}\r\n\r\n{json.dumps(body)}"
    return list(azure.received(message.encode(), False))


# -- what it says ----------------------------------------------------------------------------------


def test_address() -> None:
    """The key is in a header, the language in the query; a custom model has an id."""
    request = request_of(wire(language="de-DE", model="my-model"))
    assert request.url.startswith(f"{BASE}/speech/recognition/conversation/cognitiveservices/v1?")
    assert query_of(request) == {
        "language": "de-DE",
        "format": "detailed",
        "profanity": "raw",
        "cid": "my-model",
    }
    assert request.headers["Ocp-Apim-Subscription-Key"] == KEY
    assert len(request.headers["X-ConnectionId"]) == 32
    assert KEY not in request.url


def test_hello() -> None:
    """First who we are, then how phrases end."""
    config, context = wire(endpointing=250, keyword=("Rapida",)).hello()
    lines, body = headers_and_body(config)
    stamp = "X-Timestamp:1970-01-01T00:00:01.500000Z"
    assert lines == ["Path:speech.config", stamp, "Content-Type:application/json"]
    assert json.loads(body)["context"]["audio"]["source"]["samplerate"] == "16000"
    lines, body = headers_and_body(context)
    assert lines[0] == "Path:speech.context"
    assert lines[1].startswith("X-RequestId:")
    pause = {"mode": "Custom", "segmentationSilenceTimeoutMs": 250}
    assert json.loads(body) == {
        "phraseDetection": {
            "language": "en-US",
            "mode": "CONVERSATION",
            "CONVERSATION": {"segmentation": pause},
        },
        "dgi": {"Groups": [{"Type": "Generic", "Items": [{"Text": "Rapida"}]}]},
    }


def test_first_audio() -> None:
    """A turn begins with the RIFF header that Microsoft's SDK was seen to send, at 16 kHz."""
    azure = wire()
    azure.hello()
    lines, body = headers_and_body(azure.audio(b"\1\2"))
    assert "Content-Type:audio/x-wav" in lines
    assert body == (
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\0\0\0\0\1\2"
    )


def test_more_audio() -> None:
    """What follows has the same id and nothing but sound."""
    azure = wire()
    azure.hello()
    first, _ = headers_and_body(azure.audio(b"\1\2"))
    lines, body = headers_and_body(azure.audio(b"\3\4"))
    assert lines == first[:3]
    assert lines[0] == "Path:audio"
    assert body == b"\3\4"


def test_goodbye() -> None:
    """The end of the audio is a message without any; none where none has begun."""
    azure = wire()
    azure.hello()
    assert azure.goodbye() == ()
    azure.audio(b"\1\2")
    assert headers_and_body(azure.goodbye()[0])[1] == b""


# -- what it understands ---------------------------------------------------------------------------


def test_detailed_phrase() -> None:
    """The best of its guesses, with its confidence."""
    body = {
        "RecognitionStatus": "Success",
        "Offset": 0,
        "NBest": [{"Confidence": 0.8, "Display": "Hello."}, {"Display": "Yellow."}],
    }
    assert phrase(wire(), body) == [Final("Hello.", 0.8)]


def test_simple_phrase() -> None:
    """Servers that do not know the detailed format tell one text."""
    body = {"RecognitionStatus": "Success", "DisplayText": "Hello."}
    assert phrase(wire(), body) == [Final("Hello.", 1.0)]


@pytest.mark.parametrize(
    "status", ["NoMatch", "InitialSilenceTimeout", "BabbleTimeout", "EndOfDictation"]
)
def test_phrase_without_words(status: str) -> None:
    """What was guessed so far was nothing."""
    assert phrase(wire(), {"RecognitionStatus": status}) == [Partial("")]


@pytest.mark.parametrize(
    ("status", "retryable"), [("Error", True), ("TooManyRequests", True), ("BadRequest", False)]
)
def test_phrase_that_failed(status: str, retryable: bool) -> None:
    """Azure fails in the shape of a phrase, too."""
    assert phrase(wire(), {"RecognitionStatus": status}) == [
        Complaint(f"it answers {status}", retryable=retryable)
    ]


def test_another_turn() -> None:
    """What is told of a turn that is over is not of this one."""
    message = b'X-RequestId:abc\r\nPath:speech.phrase\r\n\r\n{"RecognitionStatus":"Error"}'
    azure = wire()
    azure.hello()
    assert azure.received(message, False) == ()


@pytest.mark.parametrize(
    "garbage", [b"", b"Path:speech.phrase", b"no colon\r\n\r\n{}", b"Path:x\r\n\xff"]
)
def test_garbage(garbage: bytes) -> None:
    """A message that is none."""
    with pytest.raises(RemoteProtocolError):
        wire().received(garbage, False)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_field(value: object) -> None:
    """Whatever stands where a text or a number should, it is understood or refused."""
    for body in (
        {"RecognitionStatus": value},
        {"RecognitionStatus": "Success", "NBest": value},
        {"RecognitionStatus": "Success", "NBest": [{"Display": value, "Confidence": value}]},
        value,
    ):
        with suppress(RemoteProtocolError):
            phrase(wire(), body)


@pytest.mark.parametrize(
    ("code", "reason", "told", "retryable"),
    [
        (1007, "bad language", "bad language", False),
        (4429, "", "it closed the connection (4429)", True),
        (1006, "", "it closed the connection (1006)", True),
    ],
)
def test_closed(code: int, reason: str, told: str, retryable: bool) -> None:
    """Only what is wrong in itself stays wrong on another connection."""
    assert wire().closed(code, reason) == Complaint(told, retryable=retryable)


# -- with its fake ---------------------------------------------------------------------------------


def test_utterance() -> None:
    """Words grow, and a pause makes them final."""
    both = pair("book a table")
    both.speak(0.9)
    both.pause(0.4)
    assert both.partials == ["book", "book a", "book a table"]
    assert both.finals == ["book a table"]


def test_pause() -> None:
    """A phrase ends after the pause that was asked for, not before."""
    both = pair("yes", endpointing=500)
    both.speak(0.3)
    both.pause(0.4)
    assert not both.finals
    both.pause(0.2)
    assert both.finals == ["yes"]


def test_cough() -> None:
    """A sound without words is no final."""
    both = pair("")
    both.speak(0.3)
    both.pause(0.4)
    assert both.told == [Partial("")]


def test_azure_ends_the_turn() -> None:
    """The next words are of a new turn, which has its own header and wants the same pauses."""
    both = pair("one", "two")
    session = both.session
    assert isinstance(session, AzureSession)
    both.speak(0.3)
    session.end_turn()
    both.pause(0.2)
    both.speak(0.3)
    both.pause(0.4)
    assert both.finals == ["one", "two"]
    assert len(session.turns) == len(session.contexts) == 2
    assert session.contexts[0] == session.contexts[1]
    assert both.line.ended is None


def test_end_of_call() -> None:
    """The last words come although nobody paused."""
    both = pair("good bye")
    both.speak(0.6)
    both.goodbye()
    assert both.finals == ["good bye"]


@pytest.mark.parametrize(
    ("trouble", "ended"),
    [(Trouble.CLOSE, (4429, "Quota exceeded")), (Trouble.DROP, (1006, ""))],
)
def test_fake_goes(trouble: Trouble, ended: tuple[int, str]) -> None:
    """It can be told to close, or to be gone."""
    vendor = AzureRecognizer(["yes"])
    vendor.manners.troubles.append(trouble)
    both = Pair(wire(), vendor)
    both.speak(0.3)
    assert both.line.ended == ended


def test_fake_talks_garbage() -> None:
    """And to talk what nobody understands."""
    vendor = AzureRecognizer(["yes"])
    vendor.manners.troubles.append(Trouble.GARBAGE)
    both = Pair(wire(), vendor)
    with pytest.raises(RemoteProtocolError):
        both.speak(0.3)


def test_unknown_message() -> None:
    """What is new is passed over."""
    vendor = AzureRecognizer(["yes"])
    vendor.manners.troubles.append(Trouble.UNKNOWN)
    both = Pair(wire(), vendor)
    both.speak(0.3)
    both.pause(0.4)
    assert both.finals == ["yes"]


REFUSED = [
    ({"key": "other"}, 401),
    ({"base": f"{BASE}/v2"}, 404),
    ({"language": "english"}, 400),
]


@pytest.mark.parametrize(("wrong", "status"), REFUSED)
def test_fake_refuses(wrong: dict[str, str], status: int) -> None:
    """A wrong key, a wrong path, a wrong language."""
    options = AzureOptions(language=wrong.get("language", "en-US"))
    azure = AzureWire(options, wrong.get("base", BASE), wrong.get("key", KEY), lambda: 0.0)
    answer = AzureRecognizer().connect(asked(request_of(azure)), RecordingLine(Clock()))
    assert isinstance(answer, Refusal)
    assert answer.status == status


ID = "0" * 32
STAMP = "X-Timestamp:2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "message",
    [
        Frame(f"Path:speech.context\r\nX-RequestId:{ID}\r\n\r\n{{}}".encode()),
        Frame(f"Path:speech.context\r\n{STAMP}\r\nX-RequestId:a-b\r\n\r\n{{}}".encode()),
        Frame(f"Path:speech.guess\r\n{STAMP}\r\nX-RequestId:{ID}\r\n\r\n{{}}".encode()),
        Frame(f"Path:audio\r\n{STAMP}\r\nX-RequestId:{ID}\r\n\r\n".encode()),
        Frame(b"\x00\xff" + f"Path:audio\r\nX-RequestId:{ID}\r\n{STAMP}\r\n".encode(), True),
        Frame(
            b"\x00\x58" + f"Path:audio\r\nX-RequestId:{ID}\r\n{STAMP}\r\n".encode() + b"ab", True
        ),
    ],
    ids=["no stamp", "id with dashes", "unknown path", "audio as text", "length", "no header"],
)
def test_fake_is_strict(message: Frame) -> None:
    """It closes where the service would."""
    both = pair()
    both.say(message)
    assert both.line.ended is not None
    assert both.line.ended[0] == 1007


# -- the provider ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "region", "host"),
    [
        ("", "eastus", "wss://eastus.stt.speech.microsoft.com"),
        ("westeurope", "", "wss://westeurope.stt.speech.microsoft.com"),
        (
            "https://uksouth.api.cognitive.microsoft.com",
            "",
            "wss://uksouth.stt.speech.microsoft.com",
        ),
        ("https://x.api.cognitive.azure.us", "", "wss://x.stt.speech.azure.us"),
        ("https://me.cognitiveservices.azure.com", "", "wss://me.cognitiveservices.azure.com/stt"),
        ("ws://127.0.0.1:5000", "eastus", "ws://127.0.0.1:5000"),
        ("", "", ""),
    ],
)
def test_host(told: str, region: str, host: str) -> None:
    """Whatever Azure's portal shows leads to where speech is recognised."""
    assert host_of(told, region) == host


@pytest.mark.parametrize(
    ("fields", "options", "wrong"),
    [
        ({"subscription_key": KEY}, {}, "a region or an endpoint"),
        ({"subscription_key": KEY, "region": "x.evil.example/"}, {}, "a region or an endpoint"),
        ({"region": "eastus"}, {}, "subscription_key"),
        ({"key": KEY, "region": "eastus"}, {"listen.endpointing": 50}, "between 100 and 5000"),
    ],
)
def test_misconfigured(
    fields: dict[str, str], options: dict[str, object], wrong: str, host: Host
) -> None:
    """What is missing is said before there is a call."""
    with pytest.raises(MisconfiguredAssistant, match=wrong):
        AzureRecognizerProvider(host).open(options, Account("azure-speech-service", fields))


def test_region_as_people_write_it(host: Host) -> None:
    """East US is eastus."""
    account = Account("azure-speech-service", {"key": KEY, "region": "East US"})
    make = AzureRecognizerProvider(host).wire(AzureOptions(), account)
    assert request_of(make()).url.startswith(BASE)
