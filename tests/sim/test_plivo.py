from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.phone import CallFailed, Ending, Reason
from rapida_tw.sim.plivo import PlivoCall, PlivoNumber, PlivoStream, read_stream, signature

TOKEN, NONCE = "plivo-test-token", "12345678901234567890"
HOOK = "https://voice.example.com/v1/talk/plivo/call/123456789"
URL = "wss://voice.example.com/v1/talk/plivo/ctx/c"
FIELDS = {
    "CallUUID": "0b5a9b4e-0000-4000-8000-000000000001",
    "From": "15550100001",
    "To": "15550100002",
    "CallStatus": "ringing",
    "Direction": "inbound",
    "Event": "StartApp",
}
HUNG_UP = Ending(Reason.CALLER_HUNG_UP)


@pytest.mark.parametrize(
    ("method", "query", "expected"),
    [
        ("POST", "", "vB51cdaBA2pBuYVVPjxXAZhYQFEeAdtRKFd1+bi9Nfo="),
        ("POST", "?x-api-key=k&a=1", "PCePj7vs9esXDsa9yNf0K2uxVoH3M3XaWlQv1MbSaYY="),
        ("GET", "?x-api-key=k&a=1", "NewPjzMOLFVV1QSXPfsdv4fkS3y8r/24cDCN2nU43kQ="),
    ],
)
def test_signature(method: str, query: str, expected: str) -> None:
    """Computed with Plivo's own library."""
    assert signature(TOKEN, method, HOOK + query, FIELDS, NONCE) == expected


def fields(request: HttpRequest) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))


STREAM = f'<Stream bidirectional="true" contentType="audio/x-mulaw;rate=8000">{URL}</Stream>'


def answer(stream: str = STREAM) -> HttpAnswer:
    body = f"<Response>{stream}</Response>".encode()
    return HttpAnswer(200, {"content-type": "application/xml"}, body)


def test_webhook() -> None:
    """A new call is a form, signed with a nonce where there is a token."""
    call = PlivoCall(PlivoNumber(HOOK, auth_token=TOKEN), "15550100001", "15550100002")
    request = call.webhook(0.0)
    told = fields(request)
    assert (request.method, request.url) == ("POST", HOOK)
    assert told == {**FIELDS, "CallUUID": call.call_uuid}
    nonce = request.headers["X-Plivo-Signature-V3-Nonce"]
    signed = request.headers["X-Plivo-Signature-V3"]
    assert signed == signature(TOKEN, "POST", HOOK, told, nonce)


def test_unsigned() -> None:
    """Without a token nothing is."""
    assert set(PlivoCall(PlivoNumber(HOOK)).webhook(0.0).headers) == {"User-Agent", "Content-Type"}


def test_read_stream() -> None:
    """Everything that a `<Stream>` can say is understood."""
    attributes = (
        'bidirectional="true" keepCallAlive="true" audioTrack="inbound"'
        ' contentType="audio/x-l16; rate=16000" extraHeaders="assistant_id=123,context=abc"'
        ' statusCallbackUrl="https://x.test/event" statusCallbackMethod="GET"'
    )
    stream = read_stream(answer(f"<Stream {attributes}>\n  {URL}\n</Stream>"))
    assert stream == PlivoStream(
        URL,
        "audio/x-l16",
        16_000,
        True,
        "https://x.test/event",
        "GET",
        {"assistant_id": "123", "context": "abc"},
    )


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (STREAM.replace("true", "false"), "without bidirectional"),
        (STREAM.replace("<Stream", '<Stream audioTrack="both"'), "audioTrack 'both'"),
        (STREAM.replace("8000", "44100"), "contentType 'audio/x-mulaw;rate=44100'"),
        (STREAM.replace("<Stream", '<Stream extraHeaders="a"'), "extraHeaders 'a'"),
        (STREAM.replace("wss", "ws"), "is not wss"),
        (STREAM.replace(URL, ""), "is not wss"),
        ("<Speak>Sorry</Speak><Hangup/>", "ends the call: Sorry"),
    ],
)
def test_wrong(stream: str, why: str) -> None:
    """What leads to no stream says why."""
    with pytest.raises(CallFailed, match=why):
        read_stream(answer(stream))


def test_callbacks() -> None:
    """The stream's beginning and end, and the call's, go where each is to be told."""
    number = PlivoNumber(HOOK, hangup_url="https://x.test/hangup")
    call = PlivoCall(number)
    call.invited(answer(), 0.0)
    assert list(call.started(0.0)) == []
    told = STREAM.replace("<Stream", '<Stream statusCallbackUrl="https://x.test/event"')
    call.invited(answer(told), 0.0)
    (started,) = call.started(0.0)
    stopped, hung_up = call.ended(HUNG_UP, 0.0)
    assert [fields(one)["Event"] for one in (started, stopped, hung_up)] == [
        "StartStream",
        "StopStream",
        "Hangup",
    ]
    assert (started.url, hung_up.url) == ("https://x.test/event", "https://x.test/hangup")
    assert fields(started)["StreamID"] == call.stream_id
    assert fields(hung_up)["CallStatus"] == "completed"
