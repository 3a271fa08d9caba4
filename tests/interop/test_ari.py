"""A real Asterisk places calls for the server by ARI, in both modes, through a PJSIP trunk."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import HTTPError

import numpy as np
import pytest
from numpy.typing import NDArray

from rapida_tw.models.receptionist import receptionist
from tests.interop.asterisk import Asterisk, _samples, wait_until
from tests.interop.callers import metric, said
from tests.interop.server import Server
from tests.interop.sound import spurts, talk_time

STASIS: Mapping[str, str] = {"transfer_context": "rapida-transfer"}
WEBSOCKET = {**STASIS, "media": "websocket"}
DIALPLAN = {"context": "rapida-outbound", "dialplan_transfer": "yes"}
DIALPLAN_WEBSOCKET = {"context": "rapida-outbound-ws"}
MODES = {
    "stasis": STASIS,
    "stasis-websocket": WEBSOCKET,
    "dialplan": DIALPLAN,
    "dialplan-websocket": DIALPLAN_WEBSOCKET,
}
_numbers = itertools.count(1)


class Called:
    """A call that the server was asked for, and the telephone that it leads to."""

    def __init__(self, server: Server, asterisk: Asterisk, number: str, call_id: str) -> None:
        self.number = number
        self.id = call_id
        self._server = server
        self._asterisk = asterisk

    def conversation(self, seconds: float = 60) -> Mapping[str, Any]:
        """What is remembered of it, once it is over."""
        return self._server.conversation(self.number, seconds)

    def told(self, name: str) -> list[Mapping[str, Any]]:
        """Such events of its history."""
        return [one for one in self.conversation()["events"] if one["name"] == name]

    def heard(self) -> NDArray[np.int16]:
        """What was heard by who was called, once they have hung up."""
        over = f'"over {self.number[1:]}"'

        def recorded() -> bool:
            for line in self._asterisk.log().splitlines():
                if over in line:
                    channel = line.partition('NoOp("')[2].partition('"')[0]
                    return f"End MixMonitor Recording {channel}" in self._asterisk.log()
            return False

        wait_until(recorded, 60, f"{self.number} has hung up", self._asterisk.log)
        return _samples(self._asterisk.folder / "rec" / f"{self.number[1:]}-heard.wav")

    def wait_for_audio(self) -> None:
        """Until the assistant talks."""
        self._server.wait_for_words(self.number, "luna")

    def ask(self, action: str, **document: Any) -> None:
        """Steer it over the API."""
        self._server.send("POST", f"/v1/calls/{self.id}/{action}", document)


Dial = Callable[..., Called]


@pytest.fixture(scope="module")
def dial(server: Server, asterisk: Asterisk) -> Dial:
    """Has an assistant call a fresh number of a kind, with options of the call."""
    value = {
        "ari_url": f"http://127.0.0.1:{asterisk.ari}/",
        "ari_user": "rapida",
        "ari_password": "choose-a-password",
        "trunk": "gateway",
    }
    credential = server.send(
        "POST", "/v1/credentials", {"name": "pbx", "provider": "asterisk", "value": value}
    )
    made: dict[str, str] = {}
    for mode, options in MODES.items():
        assistant = server.send("POST", "/v1/assistants", receptionist()["assistant"])["id"]
        deployment = {
            **receptionist()["deployment"],
            "provider": "asterisk",
            "credentialId": credential["id"],
            "options": {"phone": "+15550009999", **options},
        }
        server.send("PUT", f"/v1/assistants/{assistant}/phone-deployment", deployment)
        made[mode] = assistant

    def call(kind: str, mode: str = "stasis", **options: Any) -> Called:
        number = f"+1555{kind}{next(_numbers):04d}"
        document = {"assistantId": made[mode], "toNumber": number, "options": options}
        placed = server.send("POST", "/v1/calls", document)
        return Called(server, asterisk, number, placed["id"])

    return call


@pytest.fixture(scope="module")
def calls(dial: Dial) -> Mapping[str, Called]:
    """Those that do not mind each other, at the same time."""
    return {
        **{f"{mode} listens": dial("1", mode) for mode in MODES},
        "says goodbye": dial("2"),
        "presses": dial("3"),
        "stasis wants a person": dial("4"),
        "dialplan wants a person": dial("4", "dialplan"),
        **{
            f"{mode} {kind}": dial(kind, mode)
            for mode in ("stasis", "dialplan")
            for kind in ("486", "404", "603")
        },
        "stasis 480": dial("480", ring_timeout=5),
        "dialplan 480": dial("480", "dialplan", ring_timeout=5),
    }


@pytest.mark.parametrize("mode", MODES)
def test_heard(calls: Mapping[str, Called], mode: str) -> None:
    """Who is called hears the greeting, and hangs up."""
    call = calls[f"{mode} listens"]
    assert talk_time(call.heard()) > 2
    conversation = call.conversation()
    assert conversation["status"] == "ended"
    assert metric(conversation, "call.disconnected_by") == "user"


def test_server_hangs_up(calls: Mapping[str, Called]) -> None:
    """The assistant says goodbye, and the telephone is hung up by it, not left in silence."""
    call = calls["says goodbye"]
    assert metric(call.conversation(90), "call.disconnected_by") == "assistant"
    assert len(spurts(call.heard())) > 1


def test_digits_of_theirs(calls: Mapping[str, Called]) -> None:
    """Keys that they press reach the assistant, through the bridge."""
    assert "open every day" in said(calls["presses"].conversation(90), "assistant")


@pytest.mark.parametrize("mode", ["stasis", "dialplan"])
def test_transfer(calls: Mapping[str, Called], mode: str) -> None:
    """They are put through to a person, and hear them; the conversation ends as transferred."""
    call = calls[f"{mode} wants a person"]
    conversation = call.conversation(90)
    assert "putting you through" in said(conversation, "assistant")
    heard = call.heard()
    [ended] = call.told("call.ended")
    assert ended["data"]["reason"] == "transferred"
    assert talk_time(heard) > 3


def test_transfer_refused(dial: Dial, calls: Mapping[str, Called]) -> None:
    """Who is to take the call is busy: that is said, and the call goes on."""
    call = dial("5")
    call.wait_for_audio()
    with pytest.raises(HTTPError) as refused:
        call.ask("transfer", to="15550486")
    assert b"User busy" in refused.value.read()
    call.ask("dtmf", digits="1")
    call.ask("hangup")
    assert call.conversation()["status"] == "ended"


@pytest.mark.parametrize("mode", ["stasis", "dialplan"])
@pytest.mark.parametrize(
    ("kind", "reason", "code"),
    [
        ("486", "busy", "17"),
        ("404", "bad_number", "1"),
        ("603", "rejected", "21"),
        ("480", "no_answer", "19"),
    ],
)
def test_not_answered(
    calls: Mapping[str, Called], mode: str, kind: str, reason: str, code: str
) -> None:
    """Why nobody answered, in Asterisk's words."""
    call = calls[f"{mode} {kind}"]
    conversation = call.conversation(90)
    assert conversation["status"] == "failed"
    [failed] = call.told("call.failed")
    assert (failed["data"]["reason"], failed["data"]["code"]) == (reason, code)


def test_wrong_trunk(dial: Dial) -> None:
    """What Asterisk cannot dial is said to who asked."""
    with pytest.raises(HTTPError) as refused:
        dial("1", trunk="nowhere")
    assert b"Allocation failed" in refused.value.read()


def test_nothing_left(calls: Mapping[str, Called], asterisk: Asterisk) -> None:
    """When all is over, Asterisk has no bridge and no channel of ours."""
    for call in calls.values():
        call.conversation(90)
    wait_until(lambda: "rapida-" not in asterisk.cli("bridge show all"), 60, "no bridge is left")
    wait_until(
        lambda: (
            "UnicastRTP" not in asterisk.cli("core show channels")
            and "0 active channels" in asterisk.cli("core show channels")
        ),
        60,
        "no channel is left",
        lambda: asterisk.cli("core show channels"),
    )


def test_digits_of_ours(dial: Dial, asterisk: Asterisk, calls: Mapping[str, Called]) -> None:
    """Digits that the API asks for are pressed at the other end."""
    call = dial("5")
    call.wait_for_audio()
    call.ask("dtmf", digits="42#")
    pressed = [f"DTMF end '{digit}' received on PJSIP/called" for digit in "42#"]
    wait_until(lambda: all(line in asterisk.log() for line in pressed), 20, "they are pressed")
    call.ask("hangup")
    assert talk_time(call.heard()) > 0.5


def test_stopped_ringing(dial: Dial, asterisk: Asterisk) -> None:
    """A call that is not wanted any more stops ringing."""
    call = dial("480")
    wait_until(lambda: "Ringing" in asterisk.cli("core show channels"), 10, "it rings")
    call.ask("hangup")
    number = call.number[1:]
    wait_until(lambda: number not in asterisk.cli("core show channels concise"), 10, "it is quiet")
    assert call.conversation()["status"] == "failed"


def test_music(dial: Dial, calls: Mapping[str, Called]) -> None:
    """While it rings at who is to take the call, there is music; nobody answers, and it is over."""
    call = dial("5")
    call.wait_for_audio()
    with pytest.raises(TimeoutError):
        call.ask("transfer", to="15550480")
    call.ask("hangup")
    music = [end - begin for begin, end in spurts(call.heard(), pause=2.0)]
    assert max(music) > 10


def test_verified(server: Server, asterisk: Asterisk) -> None:
    """A credential is tried out; the wrong password is told."""
    for password, good in (("choose-a-password", True), ("wrong", False)):
        value = {
            "ari_url": f"http://127.0.0.1:{asterisk.ari}",
            "ari_user": "rapida",
            "ari_password": password,
        }
        document = {"name": f"verified {good}", "provider": "asterisk", "value": value}
        made = server.send("POST", "/v1/credentials", document)
        told = server.send("POST", f"/v1/credentials/{made['id']}/verify", {})
        assert told["verified"] is good, told
