"""We call through a real Asterisk, and are called where we have registered with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.interop.asterisk import Asterisk, wait_until
from tests.interop.callers import metric
from tests.interop.server import Server
from tests.interop.sound import talk_time
from tests.process import ended, started

PASSWORD = "choose-a-password"  # that `rapida dialplan` leaves to be chosen
SOON = 90  # seconds; trunks are looked at twice a minute


class Dialled:
    """A process that calls one number; see dialler.py."""

    def __init__(
        self,
        asterisk: Asterisk,
        folder: Path,
        number: str,
        *,
        user: str = "rapida",
        password: str = PASSWORD,
        talking: float = 6,
        patience: float = 30,
    ) -> None:
        trunk = {
            "sip_server": f"127.0.0.1:{asterisk.sip}",
            "sip_username": user,
            "sip_password": password,
        }
        self._folder = folder
        command = [sys.executable, "-m", "tests.interop.sip.dialler", json.dumps(trunk), number]
        command += [str(talking), str(patience)]
        root = Path(__file__).parents[3]
        self._process = started(command, folder / "told", folder / "errors", cwd=root)

    def wait(self) -> list[dict[str, Any]]:
        """All that has happened."""
        try:
            status = self._process.wait(90)
        finally:
            self.stop()
        assert status == 0, (self._folder / "errors").read_text("utf-8", "replace")
        lines = (self._folder / "told").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def stop(self) -> None:
        ended(self._process)


@pytest.fixture(scope="module")
def dialled(
    asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Dialled]]:
    """Calls to those who answer and to those who do not, at the same time."""

    def dial(number: str, **options: Any) -> Dialled:
        return Dialled(asterisk, tmp_path_factory.mktemp("dialler"), number, **options)

    calls = {
        "answers": dial("15550001"),
        "is hung up": dial("15550002", talking=1),
        "is busy": dial("15550486"),
        "rings": dial("15550480", patience=4),
        "does not exist": dial("nobody-there"),
        "wrong password": dial("15550003", password="wrong"),
    }
    yield calls
    for call in calls.values():
        call.stop()


def test_answered(dialled: Mapping[str, Dialled]) -> None:
    """Asterisk asks for the password, and gets it; the person is heard, and hangs up."""
    told = dialled["answers"].wait()
    assert {"what": "answered", "encoding": "MULAW"} in told
    assert told[-1]["what"] == "over"
    assert told[-1]["why"] == "remote_hangup"
    assert told[-1]["heard"] > 0.5


def test_hung_up(dialled: Mapping[str, Dialled]) -> None:
    """Our BYE ends it."""
    assert dialled["is hung up"].wait()[-1]["why"] == "we hung up"


def test_busy(dialled: Mapping[str, Dialled]) -> None:
    """A busy line is one."""
    assert dialled["is busy"].wait()[-1] == {"what": "failed", "status": "busy", "code": 486}


def test_no_answer(dialled: Mapping[str, Dialled], asterisk: Asterisk) -> None:
    """It rings, nobody answers, and CANCEL stops it."""
    told = dialled["rings"].wait()
    assert {"what": "ringing"} in told
    assert told[-1]["status"] == "cancelled"
    wait_until(lambda: "15550480@" not in asterisk.cli("core show channels"), 20, "it is quiet")


def test_bad_number(dialled: Mapping[str, Dialled]) -> None:
    """What the dialplan does not have is a bad number."""
    told = dialled["does not exist"].wait()[-1]
    assert (told["status"], told["code"]) == ("bad_number", 404)


def test_wrong_password(dialled: Mapping[str, Dialled]) -> None:
    """It is tried once, and refused."""
    told = dialled["wrong password"].wait()[-1]
    assert told["status"] == "forbidden"


def test_registered(asterisk: Asterisk, server: Server) -> None:
    """A trunk that wants it is registered with; its calls are its assistant's."""
    assistant = json.loads(server.rapida("assistant", "create", "--name", "line", "--json"))["id"]
    values = {
        "sip_server": f"127.0.0.1:{asterisk.sip}",
        "sip_username": "line",
        "sip_password": "line-password",
        "sip_register": "true",
    }
    given = [part for name, value in values.items() for part in ("--set", f"{name}={value}")]
    named = "--provider", "sip", "--name", "line"
    credential = json.loads(server.rapida("credential", "create", *named, *given, "--json"))["id"]
    given = ["--credential", credential, "--greeting", "Good morning. You have called the line."]
    server.rapida("deployment", "set", assistant, "--carrier", "sip", *given)
    wait_until(lambda: "line/sip:" in asterisk.cli("pjsip show contacts"), SOON, "registered")
    call = asterisk.call("registered", "Wait(6)").wait()
    assert talk_time(call.heard()) > 1
    conversation = server.conversation(call.caller)
    assert conversation["assistantId"] == assistant
    assert metric(conversation, "call.disconnected_by") == "user"
