"""Exotel's REST API: both ways to place a call, and what its answers mean."""

from __future__ import annotations

from typing import Any

import pytest

from rapida_tw.account import Account
from rapida_tw.carriers.base import WebhookRequest
from rapida_tw.carriers.exotel import EXOTEL
from rapida_tw.carriers.exotel_control import ExotelControl
from rapida_tw.carriers.outbound import Placed, Reach, RemoteCall
from rapida_tw.errors import MisconfiguredAssistant, NotSupported
from tests.carriers.asking import CONTEXT
from tests.carriers.orders import CALLEE, NOW, answer, form, order, refused

FIELDS = {"account_sid": "acct", "api_key": "key", "api_secret": "token"}
ACCOUNT = Account("exotel", FIELDS)
CONTROL = ExotelControl()
COMMON = {
    "From": CALLEE,
    "CallerId": "08000000002",
    "CallType": "trans",
    "CustomField": CONTEXT,
    "TimeOut": "60",
    "StatusCallbackContentType": "application/json",
    "StatusCallbackEvents[0]": "terminal",
}


def placed(account: Account = ACCOUNT, **changes: Any) -> tuple[str, dict[str, str]]:
    request = CONTROL.place(order("exotel", account, caller="08000000002", **changes), NOW)
    fields = dict(form(request))
    assert fields.pop("StatusCallback").endswith("/event")
    return request.url, fields


def test_to_our_socket() -> None:
    """Straight, without a flow."""
    url, fields = placed()
    assert url == "https://api.exotel.com/v1/Accounts/acct/Calls/connect.json"
    stream = fields.pop("StreamUrl")
    assert stream == f"wss://voice.example.com/v1/talk/exotel/ctx/{CONTEXT}"
    assert fields == COMMON | {
        "StreamType": "bidirectional",
        "StatusCallbackEvents[1]": "answered",
        "StatusCallbackEvents[2]": "ringing",
    }


def test_rate() -> None:
    """As in the answer to an applet."""
    assert placed(options={"sample_rate": "16000"})[1]["StreamUrl"].endswith("?sample-rate=16000")


def test_to_a_flow() -> None:
    """The flow's applet asks us where the socket is; the CustomField says whose call it is."""
    _, fields = placed(options={"app_id": 29281}, most_seconds=99_999.0)
    assert fields == COMMON | {
        "Url": "http://my.exotel.com/acct/exoml/start_voice/29281",
        "TimeLimit": "14400",
    }


def test_the_applet_asks() -> None:
    """Our own context comes back; anything else in a CustomField is somebody else's."""
    for custom, context in ((CONTEXT, CONTEXT), (CONTEXT.upper(), CONTEXT), ("order 7", "")):
        told = {"CallFrom": "0980", "CallSid": "c", "CustomField": custom}
        asked = WebhookRequest("GET", "/", told)
        assert EXOTEL.read_call(asked).context_id == context


@pytest.mark.parametrize("app", ["x", "1/../2", "1?a=b", "1" * 30])
def test_no_flow(app: str) -> None:
    """A flow has a number."""
    with pytest.raises(MisconfiguredAssistant, match="app_id"):
        placed(options={"app_id": app})


def test_address_too_long() -> None:
    """Exotel would refuse it."""
    with pytest.raises(MisconfiguredAssistant, match="no address"):
        placed(media_url="wss://voice.example.com/" + "a" * 600)


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        ({}, "https://api.exotel.com/"),
        ({"subdomain": "api.in.exotel.com"}, "https://api.in.exotel.com/"),
        ({"subdomain": "@api.in.exotel.com"}, "https://api.in.exotel.com/"),
        ({"region": "Mumbai"}, "https://api.in.exotel.com/"),
        ({"base_url": "https://fake.test", "region": "in"}, "https://fake.test/"),
    ],
)
def test_region(fields: dict[str, str], host: str) -> None:
    """Each account has a host of its own."""
    assert placed(Account("exotel", FIELDS | fields))[0].startswith(host)


@pytest.mark.parametrize("host", ["evil.test", "evilexotel.com", "api.exotel.com/evil", "a b"])
def test_no_region(host: str) -> None:
    """The key is sent to no host that is not Exotel's."""
    with pytest.raises(MisconfiguredAssistant, match="subdomain"):
        placed(Account("exotel", FIELDS | {"subdomain": host}))


def test_placed() -> None:
    """Its keys are spelt in two ways."""
    for body in ({"Call": {"Sid": "c1", "Status": "in-progress"}}, {"call": {"sid": "c1"}}):
        assert CONTROL.read_placed(answer(200, body)) == Placed("c1")


@pytest.mark.parametrize(
    ("status", "message", "meant"),
    [
        (400, "Invalid parameter From: not a valid phone number", "bad_number"),
        (400, "Invalid parameter CallerId: number unknown", "configuration_failed"),
        (401, "Authentication failed", "authentication_failed"),
        (402, "Balance", "configuration_failed"),
        (403, "Call to 098 cannot be made because of TRAI NDNC regulations", "rejected"),
        (403, "The feature is off", "configuration_failed"),
        (429, "Too many", "capacity_exceeded"),
    ],
)
def test_refused(status: int, message: str, meant: str) -> None:
    """A RestException of theirs."""
    body = {"RestException": {"Status": status, "Message": message, "Code": 34001}}
    found = refused(CONTROL, status, body)
    assert (found.status, found.reason, found.code) == (meant, message, "34001")
    assert found.reach is Reach.NOBODY


def test_nothing_else() -> None:
    """No hang-up, no transfer, no digits."""
    call = RemoteCall("c1", ACCOUNT)
    assert CONTROL.hang_up(call, NOW) is None
    with pytest.raises(NotSupported):
        CONTROL.transfer(call, CALLEE, NOW)
    with pytest.raises(NotSupported):
        CONTROL.send_digits(call, "1", NOW)


def test_check() -> None:
    """XML will do."""
    assert CONTROL.check(ACCOUNT, NOW).url.endswith("/v1/Accounts/acct/ActiveStreams")
    assert CONTROL.read(answer(200, "<TwilioResponse/>")) == {}
