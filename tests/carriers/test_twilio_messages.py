"""Twilio's Messages API as values: requests out, answers and webhooks in."""

from __future__ import annotations

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl

import pytest

from rapida_tw.account import Account
from rapida_tw.carriers.outbound import CarrierRefused, Reach, RestAnswer
from rapida_tw.carriers.twilio_messages import (
    OutgoingMessage,
    Sent,
    content_sid,
    number,
    read_sent,
    reason_of,
    send,
    sender_of,
)
from rapida_tw.carriers.twilio_whatsapp import (
    IncomingMessage,
    answer,
    apology,
    read_message,
    read_status,
)
from rapida_tw.errors import BadRequest, CapacityExceeded, MisconfiguredAssistant
from tests.carriers.asking import HOSTILE, parsed, post, shape

SID = "AC00000000000000000000000000000001"
TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = Account("twilio", {"account_sid": SID, "account_token": TOKEN})
HOOK = "https://voice.example.com/v1/talk/whatsapp/1?x-api-key=rpd-1"
PERSON, NUMBER = "+15550100001", "+14155238886"
INCOMING = {
    "SmsMessageSid": "SM1",
    "SmsSid": "SM1",
    "MessageSid": "SM1",
    "AccountSid": SID,
    "From": f"whatsapp:{PERSON}",
    "To": f"whatsapp:{NUMBER}",
    "Body": "Hello?\nAnybody there?",
    "NumMedia": "0",
    "ProfileName": "María",
    "WaId": "15550100001",
}

# -- out --------------------------------------------------------------------------------------


def sent_form(**more: Any) -> list[tuple[str, str]]:
    request = send(OutgoingMessage(ACCOUNT, NUMBER, PERSON, **more))
    return parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)


def test_request() -> None:
    """A form to the account's messages, by its SID and token; never twice."""
    request = send(OutgoingMessage(ACCOUNT, NUMBER, PERSON, "Grüße & 5 €"))
    assert request.url == f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages.json"
    assert (request.method, request.once) == ("POST", True)
    kind, _, token = request.headers["Authorization"].partition(" ")
    assert (kind, b64decode(token).decode()) == ("Basic", f"{SID}:{TOKEN}")
    assert TOKEN not in repr(request)


def test_text() -> None:
    """Text, and where its statuses go."""
    assert sent_form(text="Grüße & 5 €", status_url="https://x/event") == [
        ("From", f"whatsapp:{NUMBER}"),
        ("To", f"whatsapp:{PERSON}"),
        ("Body", "Grüße & 5 €"),
        ("StatusCallback", "https://x/event"),
    ]


def test_template() -> None:
    """A template has no body; its variables are JSON."""
    form = dict(sent_form(content_sid="HX1", variables={"1": 'Ma"ria'}))
    assert form["ContentSid"] == "HX1"
    assert form["ContentVariables"] == '{"1": "Ma\\"ria"}'
    assert "Body" not in form


def test_api_key() -> None:
    """An API key, where the credential has one, instead of the account's token."""
    fields = {"account_sid": SID, "api_key_sid": "SK1", "api_key_secret": "s"}
    request = send(OutgoingMessage(Account("twilio", fields), NUMBER, PERSON, "x"))
    assert b64decode(request.headers["Authorization"].split()[1]) == b"SK1:s"
    assert SID in request.url


@pytest.mark.parametrize("name", ["account_token", "auth_token", "authToken"])
def test_spellings(name: str) -> None:
    """The token in the spellings that people use."""
    account = Account("twilio", {"account_sid": SID, name: TOKEN})
    assert send(OutgoingMessage(account, NUMBER, PERSON, "x")).method == "POST"


@pytest.mark.parametrize(
    "fields",
    [{}, {"account_sid": SID}, {"account_token": TOKEN}]
    + [{"account_sid": sid, "account_token": TOKEN} for sid in ("SK1", "AC/../x", "AC1\r\nX: y")],
)
def test_no_account(fields: dict[str, str]) -> None:
    """What the account lacks, or what is no SID, is said before anything is sent."""
    with pytest.raises(MisconfiguredAssistant) as caught:
        send(OutgoingMessage(Account("twilio", fields), NUMBER, PERSON, "x"))
    assert TOKEN not in str(caught.value)


def test_own_server() -> None:
    """Another address of the API."""
    account = Account("twilio", {**ACCOUNT, "base_url": "http://127.0.0.1:1/"})
    url = send(OutgoingMessage(account, NUMBER, PERSON, "x")).url
    assert url.startswith("http://127.0.0.1:1/2010-04-01/")


# -- answers ----------------------------------------------------------------------------------


def test_sent() -> None:
    """Twilio's name of the message, and where it is."""
    assert read_sent(RestAnswer(201, {}, '{"sid": "SM9", "status": "accepted"}')) == Sent(
        "SM9", "accepted"
    )


@pytest.mark.parametrize(
    ("status", "body", "outcome", "reach", "retryable"),
    [
        (401, '{"code": 20003, "message": "Authenticate"}', "authentication_failed", "nobody", 0),
        (400, '{"code": 21211, "message": "no"}', "bad_number", "nobody", 0),
        (400, '{"code": 63016, "message": "window"}', "rejected", "nobody", 0),
        (429, '{"code": 20429, "message": "slow down"}', "capacity_exceeded", "nobody", 1),
        (503, '{"code": 20503, "message": "later"}', "failed", "unknown", 0),
        (502, "<html>Bad Gateway</html>", "failed", "unknown", 0),
        (500, "", "failed", "unknown", 0),
        (400, "[[[[", "rejected", "nobody", 0),
        (400, '["a"]', "rejected", "nobody", 0),
        (201, "{}", "failed", "unknown", 0),
        (201, "", "failed", "unknown", 0),
        (200, '{"sid": 5}', "failed", "unknown", 0),
    ],
)
def test_refused(status: int, body: str, outcome: str, reach: str, retryable: int) -> None:
    """What a refusal means: whether it may have been sent, and whether to try again."""
    with pytest.raises(CarrierRefused) as caught:
        read_sent(RestAnswer(status, {}, body))
    told = caught.value.outcome
    assert (told.status, told.reach, told.retryable) == (outcome, Reach(reach), bool(retryable))
    assert str(caught.value)


@pytest.mark.parametrize(("header", "seconds"), [("30", 30.0), ("x", None), ("9" * 9, 3600.0)])
def test_retry_after(header: str, seconds: float | None) -> None:
    """How long Twilio asks to wait, within reason."""
    with pytest.raises(CarrierRefused) as caught:
        read_sent(RestAnswer(429, {"retry-after": header}, "{}"))
    assert caught.value.retry_after == seconds


def test_reasons() -> None:
    """A code that we know is explained; of others Twilio's words are told."""
    assert "template" in reason_of("63016")
    assert reason_of("99", "its words") == "its words"
    assert reason_of("99") == "no reason was given"


# -- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["+15550100001", "whatsapp:+15550100001", "15550100001", " +1 (555) 010-0001 "]
)
def test_numbers(text: str) -> None:
    """As Twilio and as people write them."""
    assert number(text) == "+15550100001"


@pytest.mark.parametrize(
    "text",
    ["", "whatsapp:", "+1555", "+" + "1" * 16, "sip:a@b", "+1555010000x", "１５５５０１００００１"],
)
def test_no_numbers(text: str) -> None:
    """What can be none."""
    with pytest.raises(BadRequest):
        number(text)


def test_sender() -> None:
    """The WhatsApp number goes before the phone."""
    assert sender_of({"phone": PERSON, "whatsapp_number": NUMBER}) == NUMBER
    assert sender_of({"phone": PERSON, "whatsapp_number": ""}) == PERSON
    for options in ({}, {"phone": "nobody"}):
        with pytest.raises(MisconfiguredAssistant):
            sender_of(options)


def test_content_sid() -> None:
    """A template's name is HX and 32 digits."""
    assert content_sid("HX" + "a" * 32)
    for text in ("", "HX1", "HX" + "g" * 32, "AC" + "a" * 32):
        with pytest.raises(BadRequest):
            content_sid(text)


# -- webhooks ---------------------------------------------------------------------------------


def incoming(**changes: str) -> IncomingMessage:
    return read_message(post(HOOK, INCOMING | changes))


def test_message() -> None:
    """Who writes what to whom; lines stay lines, and the key is in nothing."""
    message = incoming()
    assert (message.sid, message.sender, message.recipient) == ("SM1", PERSON, NUMBER)
    assert message.text == message.as_text() == "Hello?\nAnybody there?"
    assert message.profile == {"ProfileName": "María", "WaId": "15550100001"}
    assert "rpd-1" not in repr(message)


def test_media() -> None:
    """What is attached is told in words."""
    message = incoming(
        Body="", NumMedia="2", MediaContentType0="audio/ogg", MediaContentType1="application/pdf"
    )
    assert message.as_text() == (
        "[the user sent a voice message, which cannot be seen here]\n"
        "[the user sent a file, which cannot be seen here]"
    )


def test_place() -> None:
    """So is a location."""
    message = incoming(Body="", Latitude="52.5", Longitude="13.4", Label="Museum")
    assert message.as_text() == "[the user sent a location: Museum, 52.5, 13.4]"


def test_button() -> None:
    """A button that was pressed is what it says."""
    assert incoming(Body="", ButtonText="Yes").text == "Yes"


@pytest.mark.parametrize("count", ["-1", "x", "", "9999999999", "²"])
def test_bad_counts(count: str) -> None:
    """A count of attachments that is none is no attachment."""
    assert incoming(NumMedia=count).media == ()


def test_many_media() -> None:
    """Of very many the first ten count."""
    assert len(incoming(NumMedia="999").media) == 10


def test_long_text() -> None:
    """A text is cut where WhatsApp itself cuts, and what cannot be seen is taken out."""
    assert len(incoming(Body="x" * 10_000).text) == 4_096
    assert incoming(Body="a\x00b\u202ec\x1b[0m").text == "abc[0m"


@pytest.mark.parametrize(
    "changes",
    [
        {"MessageSid": "", "SmsSid": "", "SmsMessageSid": ""},
        {"From": ""},
        {"From": "whatsapp:nobody"},
        {"To": ""},
        {"MessageSid": "S" * 200},
    ],
)
def test_no_message(changes: dict[str, str]) -> None:
    """What is no message."""
    with pytest.raises(BadRequest):
        incoming(**changes)


def test_status() -> None:
    """What became of a message, and why."""
    status = read_status(
        post(HOOK, {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "63016"})
    )
    assert (status.sid, status.status, status.code, status.failed) == (
        *("SM1", "undelivered", "63016"),
        True,
    )
    assert "24 hours" in status.reason


def test_ranks() -> None:
    """The states in their order."""
    words = ["queued", "sending", "sent", "delivered", "read"]
    found = [
        read_status(post(HOOK, {"MessageSid": "SM1", "MessageStatus": one})).rank for one in words
    ]
    assert found == sorted(set(found))


@pytest.mark.parametrize("fields", [{}, {"MessageSid": "SM1"}, {"MessageStatus": "sent"}])
def test_no_status(fields: dict[str, str]) -> None:
    """What is no status."""
    with pytest.raises(BadRequest):
        read_status(post(HOOK, fields))


def test_answer() -> None:
    """Messages, and none."""
    assert shape(answer()) == ["Response"]
    texts = [one.text for one in parsed(answer("One & two", "Three")).findall("Message")]
    assert texts == ["One & two", "Three"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile(text: str) -> None:
    """No text of a model's becomes an element."""
    assert shape(answer(text)) == ["Response", "Message"]


def test_apology() -> None:
    """A 200, or nobody would read it; with the reason for our operators."""
    error = CapacityExceeded("full")
    told = apology(error)
    assert (told.status, told.headers["X-Rapida-Error"]) == (200, "capacity-exceeded")
    assert parsed(told).findtext("Message") == error.spoken
