"""baresip, a softphone, is called: it hears, presses keys, is held and transferred."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.error import HTTPError

import pytest

from tests.interop.asterisk import wait_until
from tests.interop.callers import metric
from tests.interop.server import Server
from tests.interop.sip.baresip import Phone
from tests.interop.sip.conftest import Calling
from tests.interop.sip.placed import CALLER, Placed, fresh_number, place, trunk
from tests.interop.sound import talk_time

STREET = "harbour street"  # of the answer to the key 3


@dataclass(frozen=True, slots=True)
class Called:
    """A softphone that has picked up, and its call."""

    phone: Phone
    call: Placed


@pytest.fixture(scope="module")
def answering(baresip: Calling) -> Calling:
    """Makes softphones that pick up by themselves."""

    def make(number: str, more: str = "", rate: int = 16_000) -> Phone:
        return baresip(f"<sip:{number}@127.0.0.1>;regint=0;answermode=auto", more, rate)

    return make


@pytest.fixture(scope="module")
def called(server: Server, answering: Calling) -> Mapping[str, Called]:
    """Calls at the same time, to phones that are picked up."""

    def call() -> Called:
        number = fresh_number()
        phone = answering(number)
        assistant = trunk(server, f"127.0.0.1:{phone.port}")
        return Called(phone, place(server, assistant, number))

    calls = {name: call() for name in ("talks", "is held", "is transferred")}
    for one in calls.values():
        one.phone.wait_for("CALL_ESTABLISHED")
    for one in calls.values():
        wait_until(lambda at=one: talk_time(at.phone.heard()) > 1, 20, "the greeting is heard")
    return calls


def test_transfer_refused(called: Mapping[str, Called]) -> None:
    """Where nobody takes over, who asked is told why, and the call goes on."""
    phone, call = called["is held"].phone, called["is transferred"].call
    with pytest.raises(HTTPError) as refused:
        call.ask("transfer", to=f"sip:nobody@127.0.0.1:{phone.port}")
    assert b"404 Not Found" in refused.value.read()
    assert call.status() == "active"


def test_keys(called: Mapping[str, Called], server: Server) -> None:
    """Keys go both ways as telephone-events; who hangs up is remembered."""
    phone, call = called["talks"].phone, called["talks"].call
    assert CALLER in phone.log()
    phone.press("3")
    server.wait_for_words(call.number, STREET)
    call.ask("dtmf", digits="42#")
    wait_until(lambda: pressed(phone) == "42#", 10, "the keys", phone.log)
    phone.hang_up()
    conversation = call.over()
    assert (conversation["status"], conversation["endReason"]) == ("ended", "remote_hangup")
    assert metric(conversation, "call.disconnected_by") == "user"


def pressed(phone: Phone) -> str:
    """The keys that it has got."""
    return "".join(one["param"] for one in phone.events() if one["type"] == "CALL_DTMF_START")


def test_hold(called: Mapping[str, Called]) -> None:
    """While the API holds the call nothing is said to them; after that they are answered."""
    phone, call = called["is held"].phone, called["is held"].call
    call.ask("hold", on=True)
    wait_until(lambda: quiet(phone), 10, "nobody talks any more")
    before = talk_time(phone.heard())
    call.ask("say", text="This is for later.")
    assert quiet(phone)
    assert talk_time(phone.heard()) - before < 0.1
    call.ask("hold", on=False)
    phone.press("3")
    wait_until(lambda: talk_time(phone.heard()) > before + 0.5, 10, "it goes on")
    call.ask("hangup")
    phone.wait_for("CALL_CLOSED")
    conversation = call.over()
    assert conversation["endReason"] == "hung_up_by_api"
    assert [one.get("by") for one in call.events("hold.started")] == ["assistant"]
    assert len(call.events("hold.ended")) == 1


def quiet(phone: Phone) -> bool:
    """Is it said nothing for a second, though it hears on?"""
    before = phone.heard()
    time.sleep(1)
    since = phone.heard()[len(before) :]
    return len(since) > 0 and talk_time(since) == 0


def test_transfer(called: Mapping[str, Called], answering: Calling) -> None:
    """By REFER they call who is to take over, and the call with us is done."""
    call = called["is transferred"].call
    person = answering("person")
    call.ask("transfer", to=f"sip:person@127.0.0.1:{person.port}")
    person.wait_for("CALL_ESTABLISHED")
    conversation = call.over()
    assert (conversation["status"], conversation["endReason"]) == ("ended", "transferred")
    assert metric(conversation, "call.status") == "completed"
    assert not person.has("CALL_CLOSED")
