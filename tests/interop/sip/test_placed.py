"""SIPp is called through trunks: by whom the phone is picked up, and by whom it is not."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from rapida_tw.client import CallNotStartedError, Rapida
from tests.interop.asterisk import wait_until
from tests.interop.callers import metric, said
from tests.interop.server import Server, free_port
from tests.interop.sip.conftest import Sipping
from tests.interop.sip.placed import CALLER, Placed, fresh_number, place, trunk
from tests.interop.sip.sipp import Sipp

WHOLE = ["call.queued", "channel_created", "call.ringing", "call.answered", "call.connected"]
FULL = "503 Service Unavailable"
RING = 5  # seconds, the shortest that may be asked for
LOGIN = {"sip_username": "luna", "sip_password": "right-password"}
REFUSALS = {
    "486 Busy Here": ("busy", "no_answer", True),
    "600 Busy Everywhere": ("busy", "no_answer", True),
    "480 Temporarily Unavailable": ("no_answer", "no_answer", True),
    "603 Decline": ("rejected", "failed", False),
    "404 Not Found": ("bad_number", "failed", False),
    "488 Not Acceptable Here": ("media_failed", "failed", False),
    "403 Forbidden": ("authentication_failed", "failed", False),
}


ANY = "Subject: nothing"
CHALLENGE = 'Proxy-Authenticate: Digest realm="trunk.example.com", nonce="0815"'

Begin = Callable[..., tuple[str, Sipp]]


@dataclass(frozen=True, slots=True)
class Dialled:
    """A call, and SIPp that is called."""

    call: Placed
    run: Sipp


@pytest.fixture(scope="module")
def called(sipp: Sipping, server: Server) -> Begin:
    """Begins a scenario that is called, and has an assistant who calls it."""

    def begin(scenario: str, login: Mapping[str, str] = {}, **keys: str) -> tuple[str, Sipp]:
        run = sipp(scenario, **keys).wait_until_bound()
        return trunk(server, f"127.0.0.1:{run.port}", **login), run

    return begin


@pytest.fixture(scope="module")
def dialled(called: Begin, server: Server) -> Mapping[str, Dialled]:
    """Calls that do not mind each other, at the same time."""

    def dial(
        scenario: str, login: Mapping[str, str] = {}, ring: int = RING, **keys: str
    ) -> Dialled:
        assistant, run = called(scenario, login, **keys)
        return Dialled(place(server, assistant, ring_timeout=ring), run)

    wrong = {**LOGIN, "sip_password": "wrong-password"}
    asked = "407 Proxy Authentication Required"
    return {
        **{status: dial("called_refuses", status=status, more=ANY) for status in REFUSALS},
        "full": dial("called_refuses", status=FULL, more="Retry-After: 120"),
        "rings": dial("called_rings"),
        "is given up": dial("called_rings", ring=60),
        "stays": dial("called_stays"),
        "right password": dial("called_asks", LOGIN),
        "wrong password": dial("called_asks", wrong),
        "no password": dial("called_refuses", status=asked, more=CHALLENGE),
    }


@pytest.fixture(scope="module", autouse=True)
def silent(server: Server) -> Iterator[Placed]:
    """A call through a trunk that says nothing at all."""
    with socket.socket(type=socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        assistant = trunk(server, f"127.0.0.1:{nobody.getsockname()[1]}")
        yield place(server, assistant, ring_timeout=RING)


@pytest.fixture(scope="module", autouse=True)
def told(called: Begin, server: Server) -> Iterator[Future[str]]:
    """What `rapida call --wait` prints of a call whose far side hangs up."""
    assistant, run = called("called_leaves")
    whom = "--assistant", assistant, "--to", fresh_number()
    with ThreadPoolExecutor() as beside:
        yield beside.submit(server.rapida, "call", *whom, "--wait", "--api-key", server.api_key)
    run.wait()


@pytest.mark.parametrize("status", REFUSALS)
def test_refused(dialled: Mapping[str, Dialled], status: str) -> None:
    """Whatever the trunk says is told in the words of all carriers, and in its own."""
    reason, became, again = REFUSALS[status]
    call = dialled[status].call
    conversation = call.over()
    code, _, words = status.partition(" ")
    assert (conversation["status"], conversation["endReason"]) == ("failed", reason)
    assert metric(conversation, "call.status") == became
    [failed] = call.events("call.failed")
    assert (failed["code"], failed["detail"], failed["retryable"]) == (code, words, again)
    assert conversation["metadata"]["provider_status_code"] == code
    assert call.story() == WHOLE[:2]
    dialled[status].run.wait()


def test_full(dialled: Mapping[str, Dialled]) -> None:
    """When a trunk that is full wants to be asked again is known."""
    [failed] = after(dialled["full"]).events("call.failed")
    assert (failed["reason"], failed["code"]) == ("unreachable", "503")
    assert failed["retryable"] is True
    assert failed["retry_after"] == 120


def after(dialled: Dialled) -> Placed:
    """The call, when it is over."""
    dialled.call.over()
    return dialled.call


def test_no_answer(dialled: Mapping[str, Dialled]) -> None:
    """It rings as long as it may, and CANCEL stops that."""
    conversation = dialled["rings"].call.over()
    assert conversation["endReason"] == "no_answer"
    assert metric(conversation, "call.status") == "no_answer"
    assert dialled["rings"].call.story() == WHOLE[:3]
    assert len(dialled["rings"].run.wait().requests("CANCEL")) == 1


def test_given_up(dialled: Mapping[str, Dialled]) -> None:
    """A call that is not wanted any more stops ringing."""
    one = dialled["is given up"]
    one.call.wait_for("ringing")
    one.call.ask("hangup")
    assert one.call.over()["endReason"] == "cancelled"
    assert len(one.run.wait().requests("CANCEL")) == 1


@pytest.mark.parametrize("name", ["stays", "right password"])
def test_hung_up(dialled: Mapping[str, Dialled], name: str) -> None:
    """Who answers is greeted, with sound, until the API has them hung up on."""
    one = dialled[name]
    one.call.wait_for("active")
    wait_until(lambda: "luna" in said(one.call.document(), "assistant"), 20, "the greeting")
    one.call.ask("hangup")
    conversation = one.call.over()
    assert (conversation["status"], conversation["endReason"]) == ("ended", "hung_up_by_api")
    assert metric(conversation, "call.status") == "completed"
    assert float(metric(conversation, "media.packets_sent")) > 50
    assert one.call.story() == WHOLE
    [bye] = one.run.wait().requests("BYE")
    assert bye.header("Reason").startswith("Q.850;cause=16")
    [invite, *_] = one.run.requests("INVITE")
    assert CALLER in invite.header("From")
    assert invite.first.startswith(f"INVITE sip:{one.call.number}@127.0.0.1")


@pytest.mark.parametrize("name", ["wrong password", "no password"])
def test_not_let_in(dialled: Mapping[str, Dialled], name: str) -> None:
    """A password that is wrong or missing is the credential's mistake, and tried once."""
    conversation = dialled[name].call.over()
    assert conversation["endReason"] == "authentication_failed"
    assert len(dialled[name].run.wait().requests("INVITE")) == 1 + (name == "wrong password")
    assert "right-password" not in json.dumps(conversation)


def test_command(told: Future[str]) -> None:
    """`rapida call --wait` tells of it until they have hung up."""
    printed = told.result()
    assert "completed (remote_hangup)" in printed
    assert "assistant: " in printed


def test_client(server: Server) -> None:
    """A trunk that is not there: who asks by the client hears it, and which call that was."""
    client = Rapida(server.api_key, server.url)
    assistant = trunk(server, f"127.0.0.1:{free_port()}", sip_transport="tcp")
    number = fresh_number()
    with pytest.raises(CallNotStartedError) as refused:
        client.calls.create(assistant, number)
    conversation = Placed(server, number, refused.value.conversation_id).over()
    assert (conversation["status"], conversation["endReason"]) == ("failed", "unreachable")


def test_silent_trunk(silent: Placed) -> None:
    """A trunk that says nothing at all has not rung anybody up."""
    assert silent.over()["endReason"] == "unreachable"
    [failed] = silent.events("call.failed")
    assert failed["reach"] == "nobody"
