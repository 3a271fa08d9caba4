"""Twilio's REST API: what is asked, and what its answers mean."""

from __future__ import annotations

from base64 import b64encode
from xml.etree.ElementTree import fromstring

import pytest

from rapida_tw.account import Account
from rapida_tw.carriers.outbound import GONE, Placed, Reach, RemoteCall
from rapida_tw.carriers.twilio import TWILIO
from rapida_tw.carriers.twilio_control import TwilioControl
from rapida_tw.errors import NotSupported
from tests.carriers.asking import get, invitation
from tests.carriers.orders import CALLEE, CALLER, NOW, answer, form, order, refused

SID = "AC00000000000000000000000000000001"
CALL_SID = "CA00000000000000000000000000000001"
ACCOUNT = Account("twilio", {"account_sid": SID, "account_token": "token"})
ORDER = order("twilio", ACCOUNT)
CALL = RemoteCall(CALL_SID, ACCOUNT, caller=CALLER)
CONTROL = TwilioControl()
BASE = f"https://api.twilio.com/2010-04-01/Accounts/{SID}"


def test_place() -> None:
    """The call with its TwiML; each event of its life is asked for by itself."""
    request = CONTROL.place(ORDER, NOW)
    assert (request.method, request.url) == ("POST", f"{BASE}/Calls.json")
    assert (
        request.headers["Authorization"] == "Basic " + b64encode(f"{SID}:token".encode()).decode()
    )
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    fields = form(request)
    assert [value for name, value in fields if name == "StatusCallbackEvent"] == [
        *("initiated", "ringing", "answered", "completed")
    ]
    told = {name: value for name, value in fields if name != "StatusCallbackEvent"}
    twiml = told.pop("Twiml")
    assert told == {
        "To": CALLEE,
        "From": CALLER,
        "Timeout": "60",
        "StatusCallback": ORDER.event_url,
        "StatusCallbackMethod": "POST",
    }
    assert len(twiml) <= 4_000


def test_the_same_document() -> None:
    """A placed call is connected by the TwiML that an incoming one is answered with."""
    twiml = dict(form(CONTROL.place(ORDER, NOW)))["Twiml"]
    asked = invitation(CALLEE, carrier="twilio")
    assert twiml.encode() == TWILIO.answer(asked, get("https://x/")).body


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"ring_seconds": 29.2}, {"Timeout": "30"}),
        ({"ring_seconds": 9_999.0}, {"Timeout": "600"}),
        ({"most_seconds": 300.0}, {"TimeLimit": "300"}),
        ({"detection": "start"}, {"MachineDetection": "Enable", "AsyncAmd": "true"}),
        (
            {"detection": "end"},
            {
                "MachineDetection": "DetectMessageEnd",
                "AsyncAmdStatusCallback": ORDER.event_url,
                "AsyncAmdStatusCallbackMethod": "POST",
            },
        ),
        ({"callee": "sip:anna@example.com"}, {"To": "sip:anna@example.com"}),
    ],
)
def test_changes(changes: dict[str, object], fields: dict[str, str]) -> None:
    """Times in Twilio's bounds, and who answers is found out beside the call."""
    told = dict(form(CONTROL.place(order("twilio", ACCOUNT, **changes), NOW)))
    assert fields.items() <= told.items()


def test_placed() -> None:
    """Its SID is the call's name."""
    assert CONTROL.read_placed(answer(201, {"sid": CALL_SID, "status": "queued"})) == Placed(
        CALL_SID
    )


@pytest.mark.parametrize(
    ("status", "code", "meant", "retryable"),
    [
        (400, 21211, "bad_number", False),
        (400, 21217, "bad_number", False),
        (400, 21215, "configuration_failed", False),
        (400, 21210, "configuration_failed", False),
        (400, 99999, "configuration_failed", False),
        (400, 10004, "capacity_exceeded", True),
        (401, 20003, "authentication_failed", False),
        (404, 20404, "configuration_failed", False),
        (429, 20429, "capacity_exceeded", True),
    ],
)
def test_refused(status: int, code: int, meant: str, retryable: bool) -> None:
    """Its own codes say more than the status."""
    outcome = refused(CONTROL, status, {"code": code, "message": "words", "status": status})
    assert (outcome.status, outcome.reason, outcome.code) == (meant, "words", str(code))
    assert (outcome.retryable, outcome.reach) == (retryable, Reach.NOBODY)


def test_broken() -> None:
    """Whatever a 5xx says, the call may exist."""
    outcome = refused(CONTROL, 503, {"code": 10004, "message": "words"})
    assert (outcome.status, outcome.retryable, outcome.reach) == ("failed", False, Reach.UNKNOWN)


def test_hang_up() -> None:
    """One word for a call that rings and for one that runs."""
    request = CONTROL.hang_up(CALL, NOW)
    assert request is not None
    assert (request.method, request.url) == ("POST", f"{BASE}/Calls/{CALL_SID}.json")
    assert form(request) == [("Status", "completed")]


def test_gone() -> None:
    """A call that is over cannot be steered, and need not be."""
    assert CONTROL.read(answer(400, {"code": 21220})) is GONE


@pytest.mark.parametrize(
    ("target", "caller", "dial"),
    [
        ("+15550100003", CALLER, [("Dial", {"timeout": "30", "callerId": CALLER}), ("Number", {})]),
        ("+15550100003", "anonymous", [("Dial", {"timeout": "30"}), ("Number", {})]),
        ("sip:b@example.com", "", [("Dial", {"timeout": "30"}), ("Sip", {})]),
        (
            "+15550100003",
            '"><Say>',
            [("Dial", {"timeout": "30", "callerId": '"><Say>'}), ("Number", {})],
        ),
    ],
)
def test_transfer(target: str, caller: str, dial: list[tuple[str, dict[str, str]]]) -> None:
    """TwiML in which nothing that was said by others becomes an element."""
    call = RemoteCall(CALL_SID, ACCOUNT, caller=caller)
    ((name, twiml),) = form(CONTROL.transfer(call, target, NOW))
    elements = list(fromstring(twiml).iter())
    assert (name, [(one.tag, one.attrib) for one in elements]) == (
        "Twiml",
        [("Response", {}), *dial],
    )
    assert elements[-1].text == target


def test_digits() -> None:
    """`<Play digits>` would end the stream."""
    with pytest.raises(NotSupported):
        CONTROL.send_digits(CALL, "1", NOW)


def test_check() -> None:
    """The account itself; nothing is changed."""
    request = CONTROL.check(ACCOUNT, NOW)
    assert (request.method, request.url, request.body) == ("GET", f"{BASE}.json", b"")
