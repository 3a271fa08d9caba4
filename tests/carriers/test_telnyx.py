"""Telnyx: webhooks of both front ends, and their signature."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rapida_tw.carriers.base import IncomingCall, WebhookRequest
from rapida_tw.carriers.telnyx import TELNYX
from rapida_tw.errors import BadRequest, Forged, NotSupported, Unauthenticated
from tests.carriers.asking import DATA, HOSTILE, get, invitation, parsed, post, post_json, shape

CALL = "https://voice.example.com/v1/talk/telnyx/call/123"
CONTROL = "v3:T02llQxIyaRkhfRKxgAP8nY511EhFLizdvdUKJiSw8d6A9BborherQ"
FORM = {"CallSid": CONTROL, "From": "+15550100001", "To": "+15550100002", "CallStatus": "ringing"}


def control(event: str, **payload: Any) -> WebhookRequest:
    """A webhook of Call Control."""
    payload = {"call_control_id": CONTROL, "call_leg_id": "leg", **payload}
    data = {"record_type": "event", "event_type": event, "id": "1", "payload": payload}
    return post_json(CALL, json.dumps({"data": data, "meta": {"attempt": 1}}).encode())


# -- webhooks ---------------------------------------------------------------------------------


def test_call() -> None:
    """A TeXML form; events may use the older name of the call."""
    call = TELNYX.read_call(post(CALL, {**FORM, "CallSidLegacy": "v2:old"}))
    assert call == IncomingCall(
        "telnyx", "+15550100001", "+15550100002", CONTROL, aliases=("v2:old",)
    )


def test_call_of_call_control() -> None:
    """The same in JSON."""
    asked = control("call.initiated", **{"from": "+15550100001"}, to="+15550100002")
    call = TELNYX.read_call(asked)
    assert call == IncomingCall("telnyx", "+15550100001", "+15550100002", CONTROL, aliases=("leg",))


@pytest.mark.parametrize(
    "asked",
    [
        get(CALL),
        post_json(CALL, b'{"data":[]}'),
        post_json(CALL, b'{"data":{"payload":7}}'),
        control("call.hangup", **{"from": "+1"}),
        control("call.initiated"),
        control("call.initiated", **{"from": "+1"}, direction="outgoing"),
    ],
)
def test_no_call(asked: WebhookRequest) -> None:
    """Without a caller; another event; a call of our own."""
    with pytest.raises(BadRequest):
        TELNYX.read_call(asked)


def test_answer() -> None:
    """TeXML with one codec for both directions."""
    document = TELNYX.answer(invitation(carrier="telnyx"), post(CALL, FORM))
    assert (document.status, document.content_type) == (200, "text/xml")
    assert document.body == (DATA / "telnyx" / "answer.xml").read_bytes().strip()


def test_answer_to_call_control() -> None:
    """It wants commands, which we do not give yet: an apology."""
    document = TELNYX.answer(invitation(), control("call.initiated"))
    assert document.headers == {"X-Rapida-Error": "not-supported"}
    assert shape(document) == ["Response", "Say", "Hangup"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_injection(hostile: str) -> None:
    """Whatever the address holds, there is one stream in the document."""
    document = TELNYX.answer(invitation(hostile, hostile), post(CALL, FORM))
    assert shape(document) == ["Response", "Connect", "Stream"]


def test_apology() -> None:
    """As TwiML has it."""
    spoken, refused = TELNYX.apology(NotSupported()), TELNYX.apology(Unauthenticated())
    assert (spoken.status, parsed(spoken)[0].text) == (200, NotSupported.spoken)
    assert (refused.status, shape(refused)) == (403, ["Response", "Reject"])


@pytest.mark.parametrize(
    ("name", "event", "payload"),
    [
        ("status.initiated", "call.initiated", {}),
        ("status.hangup", "call.hangup", {"hangup_cause": "normal_clearing"}),
        ("machine.human", "call.machine.detection.ended", {"result": "human"}),
        ("machine.unknown", "call.machine.detection.ended", {}),
        ("machine.greeting.ended", "call.machine.greeting.ended", {}),
        ("stream.failed", "streaming.failed", {"failure_reason": "connection_failed"}),
        ("recording.saved", "call.recording.saved", {}),
        ("call.dtmf.received", "call.dtmf.received", {"digit": "1"}),
    ],
)
def test_event_of_call_control(name: str, event: str, payload: dict[str, str]) -> None:
    """Names are ours where there is one, else Telnyx's own; the payload lies flat."""
    told = TELNYX.read_event(control(event, **payload))
    assert (told.name, told.call_ids) == (name, (CONTROL,))
    assert told.data == {
        "record_type": "event",
        "event_type": event,
        "id": "1",
        "call_control_id": CONTROL,
        "call_leg_id": "leg",
        **payload,
    }


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("stream.started", {"StreamEvent": "stream-started"}),
        ("stream.failed", {"StreamEvent": "stream-failed", "CallStatus": "completed"}),
        ("status.completed", {"CallStatus": "completed"}),
        ("recording.completed", {"RecordingStatus": "completed"}),
    ],
)
def test_event_of_texml(name: str, fields: dict[str, str]) -> None:
    """Forms like Twilio's."""
    told = TELNYX.read_event(post(f"{CALL}?x-api-key=k", {**fields, "CallSid": CONTROL}))
    assert (told.name, told.call_ids) == (name, (CONTROL,))
    assert told.data == {**fields, "CallSid": CONTROL}


def test_no_event() -> None:
    """Nothing that could be understood."""
    for asked in (get(CALL), control(""), post_json(CALL, b'{"data":{"event_type":[]}}')):
        with pytest.raises(BadRequest):
            TELNYX.read_event(asked)


# -- the signature ----------------------------------------------------------------------------

PUBLIC = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
BODY = b'{"data":{"event_type":"call.initiated"}}'
TIME = 1767323045
SIGNATURE = (
    "KPWBy3vGJT5AyhXVkjwukhGTmZ0av0QIi1XgrbS1gmYv6fWO1CgprrvKSDYxYBj9LxAK/3eMFfjouhw6E4yWBw=="
)


def verify(
    body: bytes = BODY,
    signature: str = SIGNATURE,
    time: str = str(TIME),
    now: float = TIME,
    key: str = PUBLIC,
) -> bool:
    headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": time}
    request = WebhookRequest("POST", "/", headers=headers, body=body, url=CALL)
    return TELNYX.verify(request, {"public_key": key}, now)


def test_vector() -> None:
    """The protocol notes' example."""
    assert verify()


def test_signed_form() -> None:
    """TeXML's forms are signed alike."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    body = b"CallSid=v3%3A1&From=%2B15550100001"
    signature = b64encode(private.sign(b"%d|%s" % (TIME, body))).decode()
    assert verify(body, signature)


@pytest.mark.parametrize("late", [-300, 300])
def test_window(late: int) -> None:
    """Five minutes either way."""
    assert verify(now=TIME + late)
    with pytest.raises(Forged):
        verify(now=TIME + late * 1.01)


FORGERIES: dict[str, dict[str, Any]] = {
    "another body": {"body": BODY + b" "},
    "another time": {"time": str(TIME + 1)},
    "no time": {"time": ""},
    "a time of words": {"time": "now"},
    "a time of other digits": {"time": "²"},
    "a huge time": {"time": "9" * 5000},
    "another signature": {"signature": b64encode(bytes(64)).decode()},
    "a short signature": {"signature": "AAAA"},
    "no base64": {"signature": "€"},
    "a key that is none": {"key": "AAAA"},
    "a key that is no base64": {"key": "€"},
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged(name: str) -> None:
    """A signature of something else, or a key that we cannot use."""
    with pytest.raises(Forged):
        verify(**FORGERIES[name])


@pytest.mark.parametrize("given", [{"signature": ""}, {"key": ""}, {"body": b""}])
def test_nothing_proven(given: dict[str, Any]) -> None:
    """Unsigned, no key, or a GET: of a query the signature says nothing."""
    assert verify(**given) is False
