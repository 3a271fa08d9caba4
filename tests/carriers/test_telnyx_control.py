"""Telnyx' Call Control: what is asked, and what its answers mean."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from rapida_tw.account import Account
from rapida_tw.carriers.outbound import GONE, Placed, Reach, RemoteCall
from rapida_tw.carriers.telnyx_control import TelnyxControl
from rapida_tw.errors import MisconfiguredAssistant
from tests.carriers.asking import CONTEXT, HOST
from tests.carriers.orders import CALLEE, CALLER, NOW, answer, document, order, refused

FIELDS = {"api_key": "KEY1", "connection_id": "7"}
ACCOUNT = Account("telnyx", FIELDS)
CONTROL = TelnyxControl()
BASE = "https://api.telnyx.com/v2"
ID = "v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg"


def test_place() -> None:
    """The media comes to our socket in the codec that it speaks."""
    request = CONTROL.place(order("telnyx", ACCOUNT), NOW)
    assert (request.method, request.url) == ("POST", f"{BASE}/calls")
    assert request.headers["Authorization"] == "Bearer KEY1"
    url = f"{HOST}/v1/talk/telnyx/ctx/{CONTEXT}"
    assert document(request) == {
        "connection_id": "7",
        "to": CALLEE,
        "from": CALLER,
        "timeout_secs": 60,
        "webhook_url": f"https://{url}/event",
        "webhook_url_method": "POST",
        "stream_url": f"wss://{url}",
        "stream_track": "inbound_track",
        "stream_codec": "PCMU",
        "stream_bidirectional_mode": "rtp",
        "stream_bidirectional_codec": "PCMU",
        "client_state": b64encode(CONTEXT.encode()).decode(),
        "command_id": CONTEXT,
    }


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"ring_seconds": 1.0, "most_seconds": 1.0}, {"timeout_secs": 5, "time_limit_secs": 30}),
        ({"detection": "start"}, {"answering_machine_detection": "detect"}),
        ({"detection": "end"}, {"answering_machine_detection": "greeting_end"}),
        ({"options": {"connection_id": "8"}}, {"connection_id": "8"}),
    ],
)
def test_changes(changes: dict[str, Any], fields: dict[str, Any]) -> None:
    """Times in Telnyx' bounds; the deployment's application before the account's."""
    told = document(CONTROL.place(order("telnyx", ACCOUNT, **changes), NOW))
    assert fields.items() <= told.items()


def test_no_application() -> None:
    """Without one no call can be placed."""
    with pytest.raises(MisconfiguredAssistant, match="connection_id"):
        CONTROL.place(order("telnyx", Account("telnyx", {"api_key": "KEY1"})), NOW)


def test_placed() -> None:
    """The control id steers it, the leg's is another name."""
    told = {"data": {"call_control_id": ID, "call_leg_id": "leg", "is_alive": False}}
    assert CONTROL.read_placed(answer(200, told)) == Placed(ID, ("leg",))


def test_steering() -> None:
    """Commands to the call."""
    call = RemoteCall(ID, ACCOUNT, caller=CALLER)
    ending = CONTROL.hang_up(call, NOW)
    assert ending is not None
    moving, sending = CONTROL.transfer(call, CALLEE, NOW), CONTROL.send_digits(call, "1", NOW)
    assert [(one.url.rpartition("/")[2], document(one)) for one in (ending, moving, sending)] == [
        ("hangup", {}),
        ("transfer", {"to": CALLEE, "from": CALLER}),
        ("send_dtmf", {"digits": "1"}),
    ]
    assert ending.url == f"{BASE}/calls/{ID}/actions/hangup"


@pytest.mark.parametrize(
    ("status", "code", "meant"),
    [
        (401, "10009", "authentication_failed"),
        (422, "10016", "bad_number"),
        (422, "10015", "configuration_failed"),
        (429, "10011", "capacity_exceeded"),
    ],
)
def test_refused(status: int, code: str, meant: str) -> None:
    """By the first of its errors."""
    errors = [{"code": code, "title": "Title", "detail": "Detail"}, {"code": "1"}]
    found = refused(CONTROL, status, {"errors": errors})
    assert (found.status, found.reason, found.code) == (meant, "Title: Detail", code)
    assert found.reach is Reach.NOBODY


def test_gone() -> None:
    """A call that has ended is no error."""
    assert CONTROL.read(answer(422, {"errors": [{"code": "90018", "title": "ended"}]})) is GONE
