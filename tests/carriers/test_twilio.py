"""Twilio's webhooks: what is read of them, and the TwiML they are answered with."""

from __future__ import annotations

from urllib.parse import parse_qsl
from xml.etree.ElementTree import canonicalize

import pytest
from twilio.twiml.voice_response import Connect, VoiceResponse

from rapida_tw.carriers.base import CarrierEvent, IncomingCall, WebhookRequest
from rapida_tw.carriers.twilio import TWILIO
from rapida_tw.carriers.twilio_media import TwilioMedia
from rapida_tw.errors import (
    AssistantNotFound,
    BadRequest,
    CallError,
    CapacityExceeded,
    ContextNotFound,
    Forged,
    MisconfiguredAssistant,
    Unauthenticated,
    Unavailable,
)
from tests.carriers.asking import DATA, HOSTILE, get, invitation, parsed, post, shape

CALL = "https://voice.example.com/v1/talk/twilio/call/123"
SID = "CA00000000000000000000000000000001"
ASKED = post(CALL, {})


def read(**fields: str) -> IncomingCall:
    return TWILIO.read_call(post(CALL, {"From": "+15550100001"} | fields))


def event(**fields: str) -> CarrierEvent:
    return TWILIO.read_event(post(f"{CALL}?x-api-key=rpd-1", fields))


# -- a call -----------------------------------------------------------------------------------


def test_call() -> None:
    """The webhook of a call, as Twilio sends it."""
    body = (DATA / "twilio" / "call.txt").read_text().strip()
    call = TWILIO.read_call(post(CALL, parse_qsl(body, keep_blank_values=True)))
    assert call == IncomingCall(
        "twilio", "+15550100001", "+15550100002", SID, media=TwilioMedia.format
    )


def test_get() -> None:
    """The same in a query."""
    call = TWILIO.read_call(get(f"{CALL}?From=%2B15550100001&To=%2B15550100002&CallSid={SID}"))
    assert call == IncomingCall(
        "twilio", "+15550100001", "+15550100002", SID, media=TwilioMedia.format
    )


def test_no_caller() -> None:
    """A bare GET is no call; the answer is a 422 (PRODUCT, row 36)."""
    with pytest.raises(BadRequest, match="From") as caught:
        TWILIO.read_call(get(CALL))
    assert TWILIO.apology(caught.value).status == 422


@pytest.mark.parametrize(
    "number",
    [
        *("", "anonymous", "Anonymous", "Restricted", "unknown", "sip:anonymous@anonymous.invalid"),
        *("+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"),
    ],
)
def test_withheld(number: str) -> None:
    """A caller who shows no number is a caller; Twilio spells it on the keypad."""
    assert read(From=number).caller == ""


@pytest.mark.parametrize("number", ["client:alice", "sip:bob@example.com", "266696687"])
def test_other_callers(number: str) -> None:
    """Not every caller is a number."""
    assert read(From=number).caller == number


def test_unprintable() -> None:
    """A SIP caller chooses its name freely: no control character gets any further."""
    assert read(From="+1555\r\n\0\x1b01").caller == "+155501"


@pytest.mark.parametrize("field", ["From", "To", "CallSid"])
def test_too_long(field: str) -> None:
    """Nobody's number has 129 characters."""
    with pytest.raises(BadRequest, match=field):
        read(**{field: "1" * 129})


@pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
def test_over(status: str) -> None:
    """A status callback that was sent to the wrong address does not become a call."""
    with pytest.raises(BadRequest, match="over"):
        read(CallStatus=status)


# -- the answer -------------------------------------------------------------------------------


def test_answer() -> None:
    """The documented TwiML, byte for byte."""
    document = TWILIO.answer(invitation(carrier="twilio"), ASKED)
    assert (document.status, document.content_type) == (200, "text/xml")
    assert document.body == (DATA / "twilio" / "answer.xml").read_bytes().strip()
    assert document.body.startswith(b"<?xml ")


def test_answer_as_the_library_writes_it() -> None:
    """Twilio's own library builds the same document."""
    given = invitation(caller="Zoë \"<&>' +1", carrier="twilio")
    connect = Connect()
    stream = connect.stream(
        url=given.media_url,
        name="123__456",
        status_callback=given.event_url,
        status_callback_method="POST",
        status_callback_event="initiated ringing answered completed",
    )
    stream.parameter(name="assistant_id", value="123")
    stream.parameter(name="client_number", value=given.incoming.caller)
    theirs = VoiceResponse()
    theirs.append(connect)
    ours = TWILIO.answer(given, ASKED).body.decode()
    assert canonicalize(ours) == canonicalize(str(theirs))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_injection(hostile: str) -> None:
    """No caller's number becomes an element, or makes the document unreadable."""
    document = TWILIO.answer(invitation(caller=hostile), ASKED)
    assert shape(document) == ["Response", "Connect", "Stream", "Parameter", "Parameter"]
    number = parsed(document)[0][0][1].attrib["value"]
    assert number == "".join(c for c in hostile if c not in "\0\x0b\x1f\ufffe\ud800")


def test_long_parameter() -> None:
    """Name and value stay below the 500 characters that Twilio takes."""
    number = parsed(TWILIO.answer(invitation(caller="1" * 2000), ASKED))[0][0][1]
    assert len(number.attrib["name"] + number.attrib["value"]) == 499


# -- apologies --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [MisconfiguredAssistant(), CapacityExceeded(), Unavailable(), CallError()]
)
def test_spoken(error: CallError) -> None:
    """Whoever calls an assistant in trouble hears a sentence."""
    error.spoken = "We are closed."
    document = TWILIO.apology(error)
    assert (document.status, document.content_type) == (200, "text/xml")
    assert shape(document) == ["Response", "Say", "Hangup"]
    assert parsed(document)[0].text == "We are closed."


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadRequest("From is missing"), 422),
        (AssistantNotFound(), 422),
        (ContextNotFound(), 422),
        (Unauthenticated(), 403),
        (Forged(), 403),
    ],
)
def test_refused(error: CallError, status: int) -> None:
    """A mistake in the set-up shows in Twilio's console; nothing is spoken."""
    document = TWILIO.apology(error)
    assert document.status == status
    assert shape(document) == ["Response", "Reject"]
    assert document.headers == {"X-Rapida-Error": error.reason}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_spoken_text(hostile: str) -> None:
    """The assistant's words are words."""
    error = Unavailable()
    error.spoken = hostile
    assert shape(TWILIO.apology(error)) == ["Response", "Say", "Hangup"]


def test_long_sentence() -> None:
    """An error message of a book's length is cut."""
    error = Unavailable()
    error.spoken = "a" * 10_000
    assert len(parsed(TWILIO.apology(error))[0].text or "") == 1000


# -- events -----------------------------------------------------------------------------------

EVENTS = [
    ("stream.started", {"StreamEvent": "stream-started", "StreamSid": "MZ1"}),
    ("stream.stopped", {"StreamEvent": "stream-stopped", "CallStatus": "completed"}),
    ("stream.error", {"StreamEvent": "stream-error", "StreamError": "31921"}),
    ("recording.completed", {"RecordingStatus": "completed", "RecordingSid": "RE1"}),
    (
        "machine.machine_end_beep",
        {"AnsweredBy": "machine_end_beep", "MachineDetectionDuration": "3"},
    ),
    ("status.ringing", {"CallStatus": "ringing", "CallbackSource": "call-progress-events"}),
    (
        "status.in-progress",
        {
            "CallStatus": "in-progress",
            "AnsweredBy": "human",
            "MachineDetectionDuration": "3",
            "CallbackSource": "call-progress-events",
        },
    ),
    ("status.no-answer", {"CallStatus": "no-answer", "SequenceNumber": "3"}),
    ("message.delivered", {"MessageStatus": "delivered", "SmsStatus": "delivered"}),
    ("message.received", {"SmsStatus": "received", "Body": "Hi"}),
]


@pytest.mark.parametrize(("name", "fields"), EVENTS, ids=[name for name, _ in EVENTS])
def test_event(name: str, fields: dict[str, str]) -> None:
    """One address takes callbacks of five kinds; their fields tell them apart."""
    told = event(**fields, CallSid=SID)
    assert (told.name, told.call_ids) == (name, (SID,))
    assert told.data == fields | {"CallSid": SID}


def test_no_secrets() -> None:
    """Neither our key nor a token of Twilio's gets into the history."""
    data = event(CallStatus="ringing", CallToken="secret", AccountSid="AC1").data
    assert data == {"CallStatus": "ringing", "AccountSid": "AC1"}


def test_event_without_a_call() -> None:
    """A message belongs to no call."""
    assert event(MessageStatus="sent").call_ids == ()


@pytest.mark.parametrize("fields", [{}, {"CallSid": SID}, {"CallbackSource": "x"}])
def test_no_event(fields: dict[str, str]) -> None:
    """Nothing that could be understood."""
    with pytest.raises(BadRequest):
        event(**fields)


def test_names_are_words() -> None:
    """What a stranger posts does not become the name of anything."""
    name = event(CallStatus="<b>\r\nX " + "y" * 999).name
    assert name.startswith("status.b")
    assert name.isprintable()
    assert " " not in name
    assert len(name) < 60


def test_bare_request() -> None:
    """No content at all raises nothing but a BadRequest."""
    for ask in (TWILIO.read_call, TWILIO.read_event):
        with pytest.raises(BadRequest):
            ask(WebhookRequest("GET", "/"))
