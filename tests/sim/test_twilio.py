from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.phone import CallFailed, Ending, Reason
from rapida_tw.sim.twilio import TwilioCall, TwilioNumber, signature

TOKEN = "0123456789abcdef0123456789abcdef"
CALL = {"CallSid": "CA00000000000000000000000000000001"}
CONTEXT = "voice.example.com/v1/talk/twilio/ctx/7d8f4c0e-2a5b-4b5e-9d3a-0c1d2e3f4a5b"
VOICE_URL = "https://voice.example.com/v1/talk/twilio/call/123456789?x-api-key=rpd-test-key"
NOW = 1_767_323_045.678
HUNG_UP = Ending(Reason.CALLER_HUNG_UP)

# Computed with Twilio's own library; the first is the example of its documentation.
SIGNATURES = [
    (
        "https://example.com/myapp.php?foo=1&bar=2",
        {
            "CallSid": "CA1234567890ABCDE",
            "Caller": "+14158675310",
            "Digits": "1234",
            "From": "+14158675310",
            "To": "+18005551212",
        },
        "L/OH5YylLD5NRKLltdqwSvS0BnU=",
    ),
    (f"wss://{CONTEXT}", {}, "VY3zFdQS+joMY/bscfqtQpBE3Jk="),
    ("https://voice.example.com/hook", CALL, "AtvzZ350HMYAIKJjJrL3bPXiHeA="),
    ("https://voice.example.com:8443/hook", CALL, "AtvzZ350HMYAIKJjJrL3bPXiHeA="),
    ("http://voice.example.com:8080/hook", CALL, "zm6PP8bqzoDEfEMgYNjiF7sVGZQ="),
    (
        "https://voice.example.com/hook",
        {"b": "1", "A": "2", "a": "3", "B": "4"},
        "+/8bmgLSCPNm5RfLsYWRiyHg+iI=",
    ),
    ("https://user:pw@voice.example.com/hook", {}, "LihHgPLbKPcE0daAG+Z1QxzUBxs="),
]


@pytest.mark.parametrize(("url", "fields", "expected"), SIGNATURES)
def test_signature(url: str, fields: dict[str, str], expected: str) -> None:
    """Twilio's own library signs the same."""
    token = "12345" if "example.com/myapp" in url else TOKEN
    assert signature(token, url, fields) == expected


def fields(request: HttpRequest) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))


def document(url: str = f"wss://{CONTEXT}", more: str = "") -> HttpAnswer:
    body = (
        f'<Response><Connect><Stream url="{url}" statusCallback="https://{CONTEXT}/event" {more}>'
        '<Parameter name="assistant_id" value="1"/></Stream></Connect></Response>'
    )
    return HttpAnswer(200, {"content-type": "text/xml"}, body.encode())


def test_webhook() -> None:
    """A new call is a form with everything that Twilio tells, empty fields too."""
    call = TwilioCall(TwilioNumber(VOICE_URL), "+15550100001", "+15550100002")
    request = call.webhook(NOW)
    assert (request.method, request.url) == ("POST", VOICE_URL)
    told = fields(request)
    assert told["CallSid"] == call.call_sid
    assert len(call.call_sid) == 34
    assert (told["From"], told["To"]) == ("+15550100001", "+15550100002")
    assert (told["CallStatus"], told["Direction"]) == ("ringing", "inbound")
    assert told["FromCity"] == ""
    assert "X-Twilio-Signature" not in request.headers


def test_signed_webhook() -> None:
    """With a token it is signed over the URL and all fields."""
    request = TwilioCall(TwilioNumber(VOICE_URL, auth_token=TOKEN)).webhook(NOW)
    expected = signature(TOKEN, VOICE_URL, fields(request))
    assert request.headers["X-Twilio-Signature"] == expected


def test_get() -> None:
    """By GET the fields are in the query, which is signed as it is."""
    number = TwilioNumber(VOICE_URL, method="GET", auth_token=TOKEN)
    request = TwilioCall(number).webhook(NOW)
    assert (request.method, request.body) == ("GET", b"")
    assert request.url.startswith(f"{VOICE_URL}&CallSid=CA")
    assert request.headers["X-Twilio-Signature"] == signature(TOKEN, request.url)


def test_invited() -> None:
    """The media goes where the TwiML says, signed over the wss URL."""
    call = TwilioCall(TwilioNumber(VOICE_URL, auth_token=TOKEN))
    media = call.invited(document(), NOW)
    assert media.url == f"wss://{CONTEXT}"
    assert dict(media.headers)["X-Twilio-Signature"] == "VY3zFdQS+joMY/bscfqtQpBE3Jk="
    assert media.subprotocols == ()
    assert call.stream is not None
    assert call.stream.parameters == {"assistant_id": "1"}


def test_unsigned_media() -> None:
    """Without a token neither is the socket signed."""
    media = TwilioCall(TwilioNumber(VOICE_URL)).invited(document(), NOW)
    assert "X-Twilio-Signature" not in dict(media.headers)


def test_tls() -> None:
    """Twilio dials wss alone."""
    plain = document("ws://127.0.0.1:9007/c")
    with pytest.raises(CallFailed):
        TwilioCall(TwilioNumber(VOICE_URL)).invited(plain, NOW)
    number = TwilioNumber(VOICE_URL, tls=False)
    assert TwilioCall(number).invited(plain, NOW).url == "ws://127.0.0.1:9007/c"


def test_stream_events() -> None:
    """Beginning and end of the stream are told to its own address."""
    call = TwilioCall(TwilioNumber(VOICE_URL, auth_token=TOKEN))
    call.invited(document(more='name="1__2"'), NOW)
    for event, requests in (
        ("stream-started", call.started(NOW)),
        ("stream-stopped", call.ended(HUNG_UP, NOW)),
    ):
        (request,) = requests
        told = fields(request)
        assert request.url == f"https://{CONTEXT}/event"
        assert (told["StreamEvent"], told["StreamName"]) == (event, "1__2")
        assert (told["CallSid"], told["StreamSid"]) == (call.call_sid, call.stream_sid)
        assert told["Timestamp"] == "2026-01-02T03:04:05.678Z"
        assert request.headers["X-Twilio-Signature"] == signature(TOKEN, request.url, told)


def test_stream_error() -> None:
    """A server that broke the WebSocket protocol is told of its error."""
    call = TwilioCall(TwilioNumber(VOICE_URL))
    call.invited(document(more='statusCallbackMethod="GET"'), NOW)
    (request,) = call.ended(Ending(Reason.BAD_FRAME), NOW)
    assert request.method == "GET"
    assert "StreamEvent=stream-error" in request.url
    assert "StreamError=31924" in request.url


def test_completed() -> None:
    """The number's own callback gets the call's end, its minutes rounded up."""
    status_url = "https://voice.example.com/v1/talk/twilio/ctx/{contextId}/event"
    call = TwilioCall(TwilioNumber(VOICE_URL, status_url=status_url))
    call.webhook(NOW)
    call.invited(document(), NOW)
    _, request = call.ended(HUNG_UP, NOW + 61)
    told = fields(request)
    assert request.url == status_url
    assert (told["CallStatus"], told["CallDuration"], told["Duration"]) == ("completed", "61", "2")
    assert told["Timestamp"] == "Fri, 02 Jan 2026 03:05:06 +0000"


def test_nobody_to_tell() -> None:
    """Without addresses nothing is reported."""
    call = TwilioCall(TwilioNumber(VOICE_URL))
    body = f'<Response><Connect><Stream url="wss://{CONTEXT}"/></Connect></Response>'
    call.invited(HttpAnswer(200, {"content-type": "text/xml"}, body.encode()), NOW)
    assert (list(call.started(NOW)), list(call.ended(HUNG_UP, NOW))) == ([], [])


def test_secrets() -> None:
    """A number may be logged."""
    assert "rpd-test-key" not in repr(TwilioNumber(VOICE_URL, auth_token=TOKEN))
    assert TOKEN not in repr(TwilioNumber(VOICE_URL, auth_token=TOKEN))
