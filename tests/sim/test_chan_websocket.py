from __future__ import annotations

import re
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from rapida_tw.sim.asterisk import Dialplan
from rapida_tw.sim.chan_websocket import ChanWebSocketCall, DialString, Way
from rapida_tw.sim.http import HttpAnswer
from rapida_tw.sim.phone import CallFailed, Ending, Reason
from tests.sim.desk import RecordingDesk

CONTEXT = "66bc093d-34ab-4436-8e47-83e4fa85f361"
PLAN = Dialplan("https://voice.test", "7", "rpd-key", caller="+1555")
SOCKET = "wss://voice.test/v1/talk/asterisk/ctx"


def answer(body: str = CONTEXT, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": "text/plain"}, body.encode())


def test_webhook() -> None:
    """Phase 1 is the published dialplan's CURL(), with the caller's own channel."""
    urls = [ChanWebSocketCall(PLAN).webhook(0.0).url for _ in range(2)]
    asked = re.escape("https://voice.test/v1/talk/asterisk/call/7?from=%2B1555&channel_id=")
    for url in urls:
        assert re.fullmatch(asked + r"1795196486\.[0-9]+&x-api-key=rpd-key", url)
    assert urls[0] != urls[1]


@pytest.mark.parametrize(
    ("way", "url"),
    [
        (Way.QUERY, f"{SOCKET}?contextId={CONTEXT}"),
        (Way.PATH, f"{SOCKET}/{CONTEXT}"),
        (Way.VARIABLE, SOCKET),
    ],
)
def test_ways(way: Way, url: str) -> None:
    """The context goes into the query, into the path, or into MEDIA_START."""
    call = ChanWebSocketCall(PLAN, DialString(way=way))
    media = call.invited(answer(), 0.0)
    assert (media.url, call.context) == (url, UUID(CONTEXT))
    assert media.subprotocols == ("media",)
    desk = RecordingDesk(media.dialect)
    media.dialect.opened(desk)
    variables = desk.told()[0]["channel_variables"]
    assert variables.get("RAPIDA_CONTEXT_ID") == (CONTEXT if way is Way.VARIABLE else None)


def test_dial_string() -> None:
    """Codec, form of control, subprotocol and user are as the client object has them."""
    dial = DialString("slin16", plain=True, subprotocols=(), user="name:pass")
    media = ChanWebSocketCall(PLAN, dial).invited(answer(), 0.0)
    assert media.dialect.rate == 16_000
    assert media.subprotocols == ()
    assert media.headers == (("Authorization", "Basic bmFtZTpwYXNz"),)
    desk = RecordingDesk(media.dialect)
    media.dialect.opened(desk)
    assert str(desk.said[0]).startswith("MEDIA_START ")


def test_refused() -> None:
    """An empty body or an error goes to the dialplan's error branch."""
    for refusal in (answer(""), answer("", 404), answer("no")):
        with pytest.raises(CallFailed):
            ChanWebSocketCall(PLAN).invited(refusal, 0.0)


def test_tells() -> None:
    """A dialplan that tells posts how Dial() ended to the context's address."""
    call = ChanWebSocketCall(PLAN, DialString(tells=True))
    call.invited(answer(), 0.0)
    (request,) = call.ended(Ending(Reason.SERVER_HUNG_UP), 9.0)
    assert request.url == f"https://voice.test/v1/talk/asterisk/ctx/{CONTEXT}/event"
    assert dict(parse_qsl(request.body.decode()))["dialstatus"] == "ANSWER"
    silent = ChanWebSocketCall(PLAN)
    assert [*silent.started(0.0), *silent.ended(Ending(Reason.CUT), 0.0)] == []
