"""What Twilio's REST API does not take, or takes without a word."""

from __future__ import annotations

from typing import Any

import pytest

from rapida_tw.sim.call_steps import Stage
from tests.sim.outgoing import basic
from tests.sim.test_twilio_rest import BASE, ORDER, SID, STREAM, TOKEN, Twilio

REFUSED = [
    ({"To": None}, 21201),
    ({"To": "5550100001"}, 21211),
    ({"To": "+1 555 0100"}, 21211),
    ({"From": None}, 21213),
    ({"From": "anonymous"}, 21212),
    ({"From": "+15550100099"}, 21210),
    ({"Twiml": None}, 21205),
    ({"Twiml": None, "Url": "voice.example.com/x"}, 21205),
    ({"Twiml": f"<Response>{' ' * 4_000}</Response>"}, 21658),
    ({"StatusCallback": "https://my_host.example.com/x"}, 21609),
    ({"Timeout": "601"}, 20001),
    ({"Timeout": "sixty"}, 20001),
    ({"MachineDetection": "enable"}, 20001),
    ({"StatusCallbackMethod": "PUT"}, 20001),
    ({"SendDigits": "1,2"}, 21218),
]


@pytest.mark.parametrize(("changes", "code"), REFUSED)
def test_refused(changes: dict[str, Any], code: int) -> None:
    """A call that Twilio would not place is refused in its own form, and noted."""
    twilio = Twilio(numbers=frozenset({ORDER["From"]}))
    told = twilio.create(**changes)
    assert (told.status, told.json["code"], told.json["status"]) == (400, code, 400)
    assert told.json["more_info"].endswith(f"/{code}")
    assert twilio.board.calls == {}
    assert sum(twilio.rest.troubles.complaints.values()) == 1


SWALLOWED = [
    {"StatusCallbackEvents": "ringing"},
    {"StatusCallbackEvent": "initiated ringing answered completed"},
    {"Url": "https://voice.example.com/x"},
    {"AsyncAmd": "true"},
    {"MachineDetection": "Enable", "AsyncAmd": "true"},
    {"Twiml": "<Response><Dail/></Response>"},
    {"Twiml": STREAM.replace("wss:", "ws:")},
    {"Twiml": STREAM.replace("ctx/1", "ctx/1?key=1")},
]


@pytest.mark.parametrize("changes", SWALLOWED)
def test_swallowed(changes: dict[str, Any]) -> None:
    """What Twilio would take without a word is noted all the same."""
    twilio = Twilio()
    assert twilio.create(**changes).status == 201
    assert twilio.rest.troubles.complaints
    twilio.board.stop()


def test_wrong_token() -> None:
    """401 with 20003, in place of anything else."""
    twilio = Twilio()
    headers = basic(SID, "wrong")
    told = twilio.ask(twilio.rest, "POST", f"{BASE}/Calls.json", form=ORDER, headers=headers)
    assert (told.status, told.json["code"]) == (401, 20003)
    assert twilio.board.calls == {}


def test_api_key() -> None:
    """An API key and its secret stand for the account."""
    twilio = Twilio(keys=(("SK1", TOKEN),))
    assert twilio.send(".json", None, user="SK1").json["status"] == "active"


@pytest.mark.parametrize("path", ["/Calls/CA1.json", "/Calls", "/Nothing.json"])
def test_unknown(path: str) -> None:
    """404 with 20404."""
    told = Twilio().send(path, None)
    assert (told.status, told.json["code"]) == (404, 20404)


UPDATES = [
    ({"Status": "canceled"}, 21218),
    ({"Status": "busy"}, 21218),
    ({"Twiml": STREAM, "Url": "https://voice.example.com/x"}, 21220),
    ({}, 21218),
]


@pytest.mark.parametrize(("form", "code"), UPDATES)
def test_refused_updates(form: dict[str, Any], code: int) -> None:
    """Neither may a call in progress be changed in every way."""
    twilio = Twilio()
    sid = twilio.placed()
    twilio.run(4.0)
    told = twilio.send(f"/Calls/{sid}.json", form)
    assert (told.status, told.json["code"]) == (400, code)
    assert twilio.board.latest.stage is Stage.ANSWERED
    twilio.board.stop()
