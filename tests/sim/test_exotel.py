from __future__ import annotations

import json
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from rapida_tw.sim.exotel import ExotelCall, Flow
from rapida_tw.sim.exotel_media import ExotelMedia
from rapida_tw.sim.http import HttpAnswer
from rapida_tw.sim.phone import CallFailed, Ending, Reason
from tests.sim.desk import RecordingDesk

NOW = 1_756_104_428.0  # 12:17:08 in India
FLOW = Flow(
    "https://voice.test/v1/talk/exotel/call/7?x-api-key=rpd-key",
    "https://voice.test/passthru",
    "https://voice.test/status",
)
STREAM = "wss://voice.test/v1/talk/exotel/ctx/c"


def answer(document: Any, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": "application/json"}, json.dumps(document).encode())


def query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def test_webhook() -> None:
    """The dynamic URL is asked with GET: national numbers, India's time, no account."""
    call = ExotelCall(FLOW)
    request = call.webhook(NOW)
    asked = query(request.url)
    assert request.method == "GET"
    assert asked["x-api-key"] == "rpd-key"
    assert (asked["CallFrom"], asked["CallTo"]) == ("09800000001", "08000000002")
    assert (asked["CallSid"], asked["Direction"]) == (call.call_sid, "incoming")
    assert asked["Created"] == "Mon, 25 Aug 2025 12:17:08"
    assert asked["CurrentTime"] == "2025-08-25 12:17:08"
    assert "AccountSid" not in asked


def test_invited() -> None:
    """The JSON's url is dialled as it is."""
    media = ExotelCall(FLOW).invited(answer({"url": STREAM}), NOW)
    assert (media.url, media.headers) == (STREAM, ())


def test_user() -> None:
    """A user in the address becomes HTTP Basic, and is not in the address any more."""
    media = ExotelCall(FLOW).dialled("wss://user:pass@voice.test/ctx")
    assert media.url == "wss://voice.test/ctx"
    assert media.headers == (("Authorization", "Basic dXNlcjpwYXNz"),)


def test_custom_parameters() -> None:
    """The query's fields come back in the start message, but not the sample rate."""
    media = ExotelCall(FLOW).dialled(STREAM + "?sample-rate=16000&key=value")
    desk = RecordingDesk(media.dialect)
    media.dialect.opened(desk)
    assert desk.told()[1]["start"]["custom_parameters"] == {"key": "value"}
    assert media.url.endswith("?sample-rate=16000&key=value")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (answer({"url": STREAM}, 404), "HTTP 404"),
        (HttpAnswer(200, {}, b"<Response/>"), "no JSON"),
        (answer({}), "no url"),
        (answer([STREAM]), "no url"),
        (answer({"url": 7}), "no url"),
        (answer({"url": "https://voice.test/"}), "no WebSocket's address"),
        (answer({"url": STREAM + "?a=1&b=2&c=3&d=4"}), "4 custom parameters"),
        (answer({"url": f"{STREAM}?a={'x' * 256}"}), "257 characters"),
    ],
)
def test_bad_answers(given: HttpAnswer, why: str) -> None:
    """What Exotel would not take ends the call, and says why."""
    with pytest.raises(CallFailed, match=why):
        ExotelCall(FLOW).invited(given, NOW)


@pytest.mark.parametrize(
    ("reason", "status", "by"),
    [
        (Reason.SERVER_HUNG_UP, "completed", "bot"),
        (Reason.CALLER_HUNG_UP, "cancelled", "user"),
        (Reason.CUT, "cancelled", "user"),
    ],
)
def test_passthru(reason: Reason, status: str, by: str) -> None:
    """After the stream the flow goes on with a GET that says how it ended."""
    call = ExotelCall(FLOW)
    call.invited(answer({"url": STREAM}), NOW)
    call.started(NOW)
    request = call.ended(Ending(reason), NOW + 28)[0]
    told = query(request.url)
    assert request.method == "GET"
    assert told["CallSid"] == call.call_sid
    assert told["Stream[StreamSID]"] == call.stream_sid
    assert (told["Stream[Status]"], told["Stream[DisconnectedBy]"]) == (status, by)
    assert (told["Stream[Duration]"], told["Stream[StreamUrl]"]) == ("28", STREAM)


def test_status_callback() -> None:
    """The call's end is told in a multipart form."""
    call = ExotelCall(FLOW)
    call.started(NOW)
    request = call.ended(Ending(Reason.CALLER_HUNG_UP), NOW + 28)[1]
    kind = request.headers["Content-Type"]
    parts = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
    fields = {
        part.get_param("name", header="content-disposition"): part.get_payload()
        for part in parts.get_payload()
    }
    assert request.method == "POST"
    assert fields["CallSid"] == call.call_sid
    assert (fields["Status"], fields["Legs[0][Status]"]) == ("completed", "completed")
    assert fields["ConversationDuration"] == "28"


def test_nobody_is_told() -> None:
    """Without addresses nothing is told."""
    call = ExotelCall(Flow(STREAM))
    assert [*call.started(NOW), *call.ended(Ending(Reason.CALLER_HUNG_UP), NOW)] == []


def test_strict() -> None:
    """The flow's strictness is its stream's."""
    media = ExotelCall(Flow(STREAM, strict=True)).dialled(STREAM)
    assert isinstance(media.dialect, ExotelMedia)
    assert media.dialect._smallest == 3_200
