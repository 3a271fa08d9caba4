"""Fifty calls at once, by the webhook and by sockets, on one process."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rapida_tw.sim.phone import Reason
from tests.server.caller import Caller, talk
from tests.server.installation import Installation
from tests.server.process import ServerProcess, complaints

CALLS = 50


@dataclass(frozen=True, slots=True)
class Crowd:
    callers: list[Caller]
    live: list[Any]  # while all were on the phone
    live_after: list[Any]
    metrics: str  # then
    calls: dict[int, Any]  # by the caller's number
    seconds: list[float]  # of each recording
    status: int
    printed: str


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    """All hear the greeting; then the even ones hang up, and the odd ones are hung up."""
    installation = Installation(tmp_path_factory.mktemp("crowd"))
    recordings = installation.data / "recordings"
    with ServerProcess(installation) as server:
        installation.deploy(provider="asterisk", greeting="Hello, here I am. " * 10)
        assistant = installation.assistant()
        contexts = [installation.context(assistant, str(number)) for number in range(CALLS)]
        callers = [Caller(installation.audiosocket, context) for context in contexts]
        talk(callers, until=lambda: all(caller.loud > 50 for caller in callers))
        live = installation.data_of("/v1/calls?pageSize=100")
        for caller in callers[::2]:
            caller.hang_up()
        for call in live:
            if int(call["from"]) % 2:
                installation.data_of(f"/v1/calls/{call['id']}/hangup", "POST")
        talk(callers, until=lambda: all(caller.ending for caller in callers))

        def ended() -> dict[int, Any]:
            every = installation.data_of("/v1/conversations?pageSize=100")
            return {int(call["identifier"]): call for call in every if call["endReason"]}

        talk([], until=lambda: len(ended()) == CALLS)
        live_after, calls = installation.data_of("/v1/calls"), ended()
        metrics = installation.request("/metrics").body.decode()
        server.terminate()
        status = server.status()
        printed = server.printed()
    seconds = [_seconds(path) for path in recordings.iterdir()]
    return Crowd(callers, live, live_after, metrics, calls, seconds, status, printed)


def _seconds(recording: Path) -> float:
    with wave.open(str(recording)) as file:
        seconds: float = file.getnframes() / file.getframerate()
        return seconds


def test_all_at_once(crowd: Crowd) -> None:
    """All were on the phone together, every one of them talking with the assistant."""
    assert {int(call["from"]) for call in crowd.live} == set(range(CALLS))
    assert {call["status"] for call in crowd.live} == {"active"}


def test_all_hear(crowd: Crowd) -> None:
    """Each caller heard more than a second of the assistant's voice."""
    assert min(caller.loud for caller in crowd.callers) > 50


def test_all_end(crowd: Crowd) -> None:
    """Every call ended in its own way, and the server's book says so too."""
    reasons = {number: call["endReason"] for number, call in crowd.calls.items()}
    for number, caller in enumerate(crowd.callers):
        assert caller.ending is not None
        if number % 2:
            assert caller.ending.reason is Reason.SERVER_HUNG_UP
            assert reasons[number] == "hung_up_by_api"
        else:
            assert reasons[number] == "remote_hangup"
    assert {call["status"] for call in crowd.calls.values()} == {"ended"}


def test_nothing_left(crowd: Crowd) -> None:
    """Nobody is on the phone any more, and the counters agree."""
    assert crowd.live_after == []
    lines = crowd.metrics.splitlines()
    assert "rapida_calls_running 0" in lines
    assert f'rapida_calls_total{{carrier="asterisk"}} {CALLS}' in lines
    half = CALLS // 2
    for reason in ("remote_hangup", "hung_up_by_api"):
        assert f'rapida_calls_ended_total{{reason="{reason}",status="completed"}} {half}' in lines


def test_all_are_recorded(crowd: Crowd) -> None:
    """Each call has its recording, about as long as the second of greeting that was heard."""
    assert len(crowd.seconds) == CALLS
    assert min(crowd.seconds) > 0.8


def test_no_complaints(crowd: Crowd) -> None:
    """None of it troubled the server."""
    assert crowd.status == 0
    assert complaints(crowd.printed) == []
