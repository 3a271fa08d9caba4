from __future__ import annotations

import json
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest

from rapida_tw.sim.http import HttpAnswer
from rapida_tw.sim.phone import CallFailed, Ending, Reason
from rapida_tw.sim.vonage import Application, VonageCall
from rapida_tw.sim.vonage_ncco import read_ncco
from rapida_tw.sim.web_token import signed

NOW = 1_767_323_045.678
SECRET = "test-signature-secret-0123456789abcdef"
ANSWER_URL = "https://voice.test/v1/talk/vonage/call/7?x-api-key=rpd-key"
EVENT_URL = "https://voice.test/v1/talk/vonage/ctx/c/event"
ENDPOINT = {
    "type": "websocket",
    "uri": "wss://voice.test/v1/talk/vonage/ctx/c",
    "content-type": "audio/l16;rate=16000",
    "headers": {"assistant_id": "7"},
}
CONNECT = {"action": "connect", "eventUrl": [EVENT_URL], "endpoint": [ENDPOINT]}


def answer(document: Any, status: int = 200, kind: str = "application/json") -> HttpAnswer:
    return HttpAnswer(status, {"content-type": kind}, json.dumps(document).encode())


def connect(**changed: Any) -> list[dict[str, Any]]:
    return [{**CONNECT, "endpoint": [{**ENDPOINT, **changed}]}]


def test_token() -> None:
    """Claims in their order, compact, signed with HS256: the vector of the protocol's notes."""
    claims = {
        "iat": 1767323045,
        "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
        "iss": "Vonage",
        "payload_hash": "2edabc954b7711c3a6e40d0758e265e25989cd4b4240a2e259cbd3d03e9668e5",
        "api_key": "a1b2c3d4",
        "application_id": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
    }
    assert signed(claims, SECRET).endswith(".JKEOdOv3YUgoLpiU8gxODuE95nfO_i7-0EccHGEmmPw")


def test_webhook_by_get() -> None:
    """The answer URL is asked with the call in its query, behind what was there."""
    call = VonageCall(Application(ANSWER_URL))
    request = call.webhook(NOW)
    query = dict(parse_qsl(urlsplit(request.url).query))
    assert (request.method, request.body) == ("GET", b"")
    assert query["x-api-key"] == "rpd-key"
    assert (query["from"], query["to"]) == ("15550100001", "15550100002")
    assert (query["uuid"], query["conversation_uuid"]) == (call.uuid, call.conversation_uuid)
    assert request.headers == {}


def test_webhook_by_post() -> None:
    """Or with the same in a JSON body, whose hash is signed."""
    application = Application(ANSWER_URL, "POST", signature_secret=SECRET)
    request = VonageCall(application).webhook(NOW)
    assert request.url == ANSWER_URL
    assert json.loads(request.body)["endpoint_type"] == "phone"
    token = request.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, SECRET, ["HS256"], options={"verify_iat": False})
    assert claims["payload_hash"] == sha256(request.body).hexdigest()
    assert claims["iat"] == int(NOW)


def test_legs() -> None:
    """The caller's leg and the socket's have different names, one conversation."""
    call = VonageCall(Application(ANSWER_URL))
    assert len({call.uuid, call.socket_uuid, call.conversation_uuid}) == 3
    assert call.conversation_uuid.startswith("CON-")


def test_secrets_are_not_shown() -> None:
    """Neither key nor secret is in a repr."""
    shown = repr(Application(ANSWER_URL, signature_secret=SECRET))
    assert "rpd-key" not in shown
    assert SECRET not in shown


def test_invited() -> None:
    """The NCCO's address is dialled at its rate, with the headers to come back."""
    media = VonageCall(Application(ANSWER_URL)).invited(answer([CONNECT]), NOW)
    assert media.url == ENDPOINT["uri"]
    assert media.dialect.rate == 16_000
    assert media.headers == ()


@pytest.mark.parametrize(
    ("authorization", "header"),
    [({"type": "custom", "value": "Bearer abc"}, "Bearer abc"), ({"type": "vonage"}, "Bearer ey")],
)
def test_authorization(authorization: dict[str, str], header: str) -> None:
    """The socket is opened with the authorization that was asked for."""
    call = VonageCall(Application(ANSWER_URL, signature_secret=SECRET))
    media = call.invited(answer(connect(authorization=authorization)), NOW)
    ((name, value),) = media.headers
    assert name == "Authorization"
    assert value.startswith(header)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (answer([CONNECT], status=503), "HTTP 503"),
        (answer([CONNECT], kind="text/html"), "not JSON"),
        (HttpAnswer(200, {"content-type": "application/json"}, b"[{"), "no JSON"),
    ],
)
def test_bad_answers(given: HttpAnswer, why: str) -> None:
    """What is no NCCO at all ends the call."""
    with pytest.raises(CallFailed, match=why):
        VonageCall(Application(ANSWER_URL)).invited(given, NOW)


@pytest.mark.parametrize(
    ("actions", "why"),
    [
        ({}, "no list"),
        ([], "no list"),
        ([{"action": "dance"}], "no action"),
        ([{"action": "talk", "text": "We are closed."}], "hears: We are closed."),
        ([CONNECT, CONNECT], "two connect"),
        ([{"action": "connect", "endpoint": []}], "exactly one"),
        ([{"action": "connect", "endpoint": [ENDPOINT, ENDPOINT]}], "exactly one"),
        (connect(type="phone"), "no WebSocket"),
        (connect(uri="https://voice.test/"), "address"),
        (connect(uri="wss:///ctx"), "address"),
        (connect(**{"content-type": "audio/l16;rate=44100"}), "content-type"),
        ([{**CONNECT, "endpoint": [{"type": "websocket", "uri": "wss://x/"}]}], "content-type"),
        (connect(headers={"long": "x" * 502}), "513 bytes of headers"),
        (connect(headers=["a"]), "headers"),
        (connect(authorization={"type": "basic"}), "authorization"),
        ([{**CONNECT, "eventUrl": EVENT_URL}], "eventUrl"),
        ([{**CONNECT, "eventUrl": ["/event"]}], "eventUrl"),
        ([{**CONNECT, "eventMethod": "PUT"}], "eventMethod"),
    ],
)
def test_bad_nccos(actions: Any, why: str) -> None:
    """What Vonage would not take ends the call, and says why."""
    with pytest.raises(CallFailed, match=why):
        read_ncco(actions)


def test_largest_headers() -> None:
    """512 bytes of headers are taken."""
    assert read_ncco(connect(headers={"long": "x" * 501})).headers["long"] == "x" * 501


def events(call: VonageCall, ending: Ending) -> list[tuple[str, str, str]]:
    """What is told after the call: to whom, of which leg, which status."""
    told = []
    for request in call.ended(ending, NOW + 12):
        body = json.loads(request.body)
        told.append((request.url, body["uuid"], body["status"]))
    return told


def invited_call() -> VonageCall:
    call = VonageCall(Application(ANSWER_URL, event_url="https://voice.test/events"))
    call.invited(answer([CONNECT]), NOW)
    return call


def test_started() -> None:
    """Each leg reports that it was answered, to its own address."""
    call = invited_call()
    first, second = call.started(NOW)
    assert (first.url, second.url) == (EVENT_URL, "https://voice.test/events")
    body = json.loads(first.body)
    assert (body["status"], body["to"]) == ("answered", ENDPOINT["uri"])
    assert body["headers"] == {"assistant_id": "7"}
    assert body["timestamp"] == "2026-01-02T03:04:05.678Z"


def test_caller_hung_up() -> None:
    """The socket's leg completes, then the caller's."""
    call = invited_call()
    assert events(call, Ending(Reason.CALLER_HUNG_UP)) == [
        (EVENT_URL, call.socket_uuid, "completed"),
        ("https://voice.test/events", call.uuid, "completed"),
    ]


def test_server_closed() -> None:
    """A socket that the server closed was disconnected first."""
    call = invited_call()
    statuses = [status for _, _, status in events(call, Ending(Reason.SERVER_HUNG_UP))]
    assert statuses == ["disconnected", "completed", "completed"]


def test_bill() -> None:
    """Durations are seconds, as text."""
    call = invited_call()
    call.started(NOW)
    (first, _) = call.ended(Ending(Reason.CALLER_HUNG_UP), NOW + 12)
    assert json.loads(first.body)["duration"] == "12"


def test_events_by_get() -> None:
    """An eventMethod GET gets what is text, in the query."""
    call = VonageCall(Application(ANSWER_URL))
    call.invited(answer([{**CONNECT, "eventMethod": "GET"}]), NOW)
    (event,) = call.ended(Ending(Reason.CALLER_HUNG_UP), NOW)
    assert dict(parse_qsl(urlsplit(event.url).query))["status"] == "completed"
