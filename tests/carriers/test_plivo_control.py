"""Plivo's REST API: what is asked, and what its answers mean."""

from __future__ import annotations

import pytest

from rapida_tw.account import Account
from rapida_tw.carriers.outbound import GONE, Placed, Reach, RemoteCall
from rapida_tw.carriers.plivo import PLIVO
from rapida_tw.carriers.plivo_control import PlivoControl
from rapida_tw.errors import NotSupported
from tests.carriers.asking import CONTEXT, HOST, post
from tests.carriers.orders import NOW, answer, document, order, refused

ACCOUNT = Account("plivo", {"auth_id": "MA1", "auth_token": "token"})
CONTROL = PlivoControl()
BASE = "https://api.plivo.com/v1/Account/MA1/"
UUID = "9834029e-58b6-11e1-b8b7-a5bd0e4e126f"


def test_place() -> None:
    """Plivo asks our webhook for its XML; the address tells whose call it is."""
    request = CONTROL.place(order("plivo", ACCOUNT, most_seconds=300.0, detection="end"), NOW)
    assert (request.method, request.url) == ("POST", f"{BASE}Call/")
    events = f"https://{HOST}/v1/talk/plivo/ctx/{CONTEXT}/event"
    assert document(request) == {
        "from": "15550100002",
        "to": "15550100001",
        "answer_url": f"https://{HOST}/v1/talk/plivo/call/123?context={CONTEXT}",
        "answer_method": "POST",
        "ring_url": events,
        "ring_method": "POST",
        "hangup_url": events,
        "hangup_method": "POST",
        "ring_timeout": 60,
        "time_limit": 300,
        "machine_detection": "true",
        "machine_detection_url": events,
        "machine_detection_method": "POST",
    }


def test_its_webhook() -> None:
    """The call that waits is found by the address that was given with the request."""
    url = document(CONTROL.place(order("plivo", ACCOUNT), NOW))["answer_url"]
    told = {"From": "15550100002", "CallUUID": UUID}
    assert PLIVO.read_call(post(url, told)).context_id == CONTEXT
    assert PLIVO.read_call(post(url.partition("?")[0], told)).context_id == ""


def test_hang_up() -> None:
    """Before its answer there is no call at Plivo, but a request for one."""
    placed = CONTROL.read_placed(answer(201, {"message": "call fired", "request_uuid": UUID}))
    assert placed == Placed(UUID, data={"request_uuid": UUID})
    for data, kind in ((placed.data, "Request"), ({}, "Call")):
        request = CONTROL.hang_up(RemoteCall(UUID, ACCOUNT, data=data), NOW)
        assert request is not None
        assert (request.method, request.url) == ("DELETE", f"{BASE}{kind}/{UUID}/")
    assert CONTROL.read(answer(404, {"error": "not found"})) is GONE


def test_steering() -> None:
    """Digits, and no transfer."""
    call = RemoteCall(UUID, ACCOUNT)
    request = CONTROL.send_digits(call, "12#", NOW)
    assert (request.url, document(request)) == (f"{BASE}Call/{UUID}/DTMF/", {"digits": "12#"})
    with pytest.raises(NotSupported):
        CONTROL.transfer(call, "+15550100003", NOW)


def test_refused() -> None:
    """In its words."""
    found = refused(CONTROL, 400, {"api_id": "x", "error": "from is not a valid number"})
    assert (found.status, found.reason) == ("configuration_failed", "from is not a valid number")
    assert found.reach is Reach.NOBODY
