from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.phone import CallFailed, Ending, Reason
from rapida_tw.sim.telnyx import TelnyxCall, TelnyxNumber, TelnyxStream, read_texml, signature

KEY = bytes(range(32))
HOOK = "https://voice.example.com/v1/talk/telnyx/call/123456789?x-api-key=k"
URL = "wss://voice.example.com/v1/talk/telnyx/ctx/c"
NOW = 1_767_323_045.678
STREAM = f'<Connect><Stream url="{URL}" bidirectionalMode="rtp"/></Connect>'


def fields(request: HttpRequest) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))


def answer(stream: str = STREAM) -> HttpAnswer:
    body = f"<Response>{stream}</Response>".encode()
    return HttpAnswer(200, {"content-type": "application/xml"}, body)


def test_signature() -> None:
    """An Ed25519 signature of time and body, as Telnyx's documentation has it."""
    body = b'{"data":{"event_type":"call.initiated"}}'
    assert signature(KEY, 1_767_323_045, body) == (
        "KPWBy3vGJT5AyhXVkjwukhGTmZ0av0QIi1XgrbS1gmYv6fWO1CgprrvKSDYxYBj9LxAK/3eMFfjouhw6E4yWBw=="
    )


def test_webhook() -> None:
    """A new call is a form much like Twilio's, signed where there is a key."""
    call = TelnyxCall(TelnyxNumber(HOOK, signing_key=KEY), "+15550100001", "+15550100002")
    request = call.webhook(NOW)
    told = fields(request)
    assert (request.method, request.url) == ("POST", HOOK)
    assert (told["CallSid"], told["From"]) == (call.call_control_id, "+15550100001")
    assert request.headers["telnyx-timestamp"] == "1767323045"
    signed = request.headers["telnyx-signature-ed25519"]
    assert signed == signature(KEY, 1_767_323_045, request.body)


def test_unsigned() -> None:
    """Without a key nothing is."""
    headers = TelnyxCall(TelnyxNumber(HOOK)).webhook(NOW).headers
    assert set(headers) == {"User-Agent", "Content-Type"}


def test_read_texml() -> None:
    """Everything that a `<Stream>` can say is understood."""
    attributes = (
        'bidirectionalCodec="PCMA" name="1__2"'
        ' statusCallback="https://x.test/event" statusCallbackMethod="GET"'
    )
    stream = read_texml(answer(STREAM.replace("<Stream", f"<Stream {attributes}")))
    assert stream == TelnyxStream(URL, "PCMA", "1__2", "https://x.test/event", "GET")
    assert read_texml(answer()) == TelnyxStream(URL, "PCMU")


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (STREAM.replace("rtp", "mp3"), "bidirectionalMode 'mp3'"),
        (STREAM.replace('bidirectionalMode="rtp"', ""), "bidirectionalMode None"),
        (STREAM.replace("<Stream", '<Stream bidirectionalCodec="OPUS"'), "'OPUS'"),
        (STREAM.replace("wss", "ws"), "is not wss"),
        ("<Say>Sorry</Say><Hangup/>", "ends the call: Sorry"),
    ],
)
def test_wrong(stream: str, why: str) -> None:
    """What leads to no stream says why."""
    with pytest.raises(CallFailed, match=why):
        read_texml(answer(stream))


def test_callbacks() -> None:
    """The stream's beginning and end, and the call's, go where each is to be told."""
    call = TelnyxCall(TelnyxNumber(HOOK, status_url="https://x.test/status"))
    call.invited(answer(), NOW)
    assert list(call.started(NOW)) == []
    told = STREAM.replace("<Stream", '<Stream statusCallback="https://x.test/event"')
    assert call.invited(answer(told), NOW).url == URL
    (started,) = call.started(NOW)
    stopped, completed = call.ended(Ending(Reason.CALLER_HUNG_UP), NOW)
    assert (started.url, completed.url) == ("https://x.test/event", "https://x.test/status")
    assert fields(started)["StreamEvent"] == "stream-started"
    assert fields(stopped)["StreamEvent"] == "stream-stopped"
    assert fields(stopped)["StreamSid"] == call.stream_id
    assert fields(completed)["CallStatus"] == "completed"
