"""A real Asterisk is the trunk of calls that are asked for over the API."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.interop.asterisk import Asterisk, wait_until
from tests.interop.callers import metric
from tests.interop.server import Server
from tests.interop.sip.placed import Placed, place, trunk
from tests.interop.sip.test_asterisk_outbound import PASSWORD

LOGIN = {"sip_username": "rapida", "sip_password": PASSWORD}


@pytest.fixture(scope="module")
def calls(server: Server, asterisk: Asterisk) -> Mapping[str, Placed]:
    """To those who answer and to those who do not, at the same time."""
    address = f"127.0.0.1:{asterisk.sip}"
    assistant = trunk(server, address, **LOGIN)
    stranger = trunk(server, address, **{**LOGIN, "sip_password": "wrong"})
    numbers = {
        "leaves": "15550601",
        "stays": "15550550",
        "is transferred": "15550551",
        "is busy": "15550486",
        "rings": "15550480",
        "does not exist": "15550404",
    }
    made = {
        name: place(server, assistant, number, ring_timeout=5) for name, number in numbers.items()
    }
    return {**made, "wrong password": place(server, stranger, "15550602")}


def test_they_hang_up(calls: Mapping[str, Placed]) -> None:
    """A person answers, says a word and hangs up."""
    conversation = calls["leaves"].over()
    assert (conversation["status"], conversation["endReason"]) == ("ended", "remote_hangup")
    assert metric(conversation, "call.disconnected_by") == "user"
    assert float(metric(conversation, "media.packets_sent")) > 20


def test_we_hang_up(calls: Mapping[str, Placed], asterisk: Asterisk) -> None:
    """By the API, while they listen."""
    call = calls["stays"]
    call.wait_for("active")
    call.ask("hangup")
    assert call.over()["endReason"] == "hung_up_by_api"
    gone(asterisk, "15550550")


def test_transfer(calls: Mapping[str, Placed], asterisk: Asterisk) -> None:
    """By REFER: Asterisk calls who is to take over, and who was called talks on with them."""
    call = calls["is transferred"]
    call.wait_for("active")
    call.ask("transfer", to="15550559")
    conversation = call.over()
    assert (conversation["status"], conversation["endReason"]) == ("ended", "transferred")
    channels = asterisk.cli("core show channels concise")
    assert "15550559" in channels
    assert "15550551" in channels


@pytest.mark.parametrize(
    ("name", "reason", "code", "words"),
    [
        ("is busy", "busy", "486", "Busy"),
        ("rings", "no_answer", "", "nobody answered"),
        ("does not exist", "bad_number", "404", "Not Found"),
        ("wrong password", "authentication_failed", "401", "Unauthorized"),
    ],
)
def test_not_answered(
    calls: Mapping[str, Placed], name: str, reason: str, code: str, words: str
) -> None:
    """Why, in the words of all carriers and in Asterisk's own."""
    call = calls[name]
    conversation = call.over()
    assert (conversation["status"], conversation["endReason"]) == ("failed", reason)
    [failed] = call.events("call.failed")
    assert failed["code"] == code
    assert words in failed["detail"]


def test_stopped_ringing(calls: Mapping[str, Placed], asterisk: Asterisk) -> None:
    """What nobody answered rings no more."""
    calls["rings"].over()
    gone(asterisk, "15550480")


def gone(asterisk: Asterisk, number: str) -> None:
    """Nobody is called by that number any more."""
    wait_until(
        lambda: number not in asterisk.cli("core show channels concise"), 10, f"{number} is gone"
    )
