"""Ends while somebody is on the phone: SIGTERM drains, a second one ends at once, `kill -9` loses
two seconds at most.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rapida_tw.sim.phone import Ending, Reason
from tests.server.caller import LOUD, VOICE, Caller, talk
from tests.server.installation import Answer, Installation
from tests.server.process import ServerProcess


@dataclass(frozen=True, slots=True)
class Drained:
    """What was seen of a server that was told to stop with a call on the phone."""

    readiness: Answer
    webhook: Answer
    late: Caller  # whose webhook was before the SIGTERM
    heard: int  # packets of the call in its last second before the goodbye
    goodbye: int  # packets with sound in them, after that
    ending: Ending | None
    status: int
    printed: str
    call: Any


@pytest.fixture(scope="module")
def drained(tmp_path_factory: pytest.TempPathFactory) -> Drained:
    installation = Installation(tmp_path_factory.mktemp("drained"))
    with ServerProcess(installation) as server:
        installation.deploy(provider="asterisk", greeting="Hello.")
        assistant = installation.assistant()
        late_context = installation.context(assistant, "late")
        caller = Caller(installation.audiosocket, installation.context(assistant, "caller"))
        talk([caller], until=lambda: caller.loud and caller.heard > caller.loud + 10)

        server.terminate()
        talk([caller], until=lambda: not installation.ready())
        heard, loud = caller.heard, caller.loud
        readiness = installation.request("/readiness/")
        webhook = installation.webhook(assistant)
        late = Caller(installation.audiosocket, late_context)
        talk([caller, late], until=lambda: late.ending)
        talk([caller], until=lambda: caller.loud > loud)
        heard = caller.heard - heard
        talk([caller], until=lambda: caller.ending)
        status = server.status()
    call = installation.remembered("caller")
    return Drained(
        readiness,
        webhook,
        late,
        heard,
        caller.loud - loud,
        caller.ending,
        status,
        server.printed(),
        call,
    )


def test_not_ready(drained: Drained) -> None:
    """A load balancer learns that no call is taken any more, and why."""
    assert drained.readiness.status == 503
    assert drained.readiness.json()["reason"] == "draining"


def test_new_calls_are_refused(drained: Drained) -> None:
    """The dialplan gets an empty body, which it cannot take for a context, and a reason."""
    assert (drained.webhook.status, drained.webhook.body) == (503, b"")
    assert drained.webhook.headers["x-rapida-error"] == "capacity-exceeded: draining"


def test_waiting_calls_are_refused(drained: Drained) -> None:
    """A call whose context was made before the stop is hung up, for another node to take."""
    assert drained.late.ending == Ending(Reason.SERVER_HUNG_UP)
    assert drained.late.heard == 0


def test_the_call_goes_on(drained: Drained) -> None:
    """Who is on the phone has the drain's second, with a packet every 20 ms."""
    assert drained.heard > 25


def test_goodbye(drained: Drained) -> None:
    """Then the closing message is heard to its end, and the server hangs up."""
    closing = [one for one in drained.call["messages"] if one["data"].get("kind") == "closing"]
    assert [one["text"].endswith("Goodbye.") for one in closing] == [True]
    assert not closing[0]["data"]["interrupted"]
    assert drained.goodbye > 100  # two seconds
    assert drained.ending == Ending(Reason.SERVER_HUNG_UP)


def test_ends_well(drained: Drained) -> None:
    """Everything was closed and written: exit 0, and the call's end is remembered."""
    assert drained.status == 0, drained.printed
    assert (drained.call["status"], drained.call["endReason"]) == ("ended", "server_shutdown")
    assert "Traceback" not in drained.printed


# -- a second SIGTERM -----------------------------------------------------------------------------

PATIENCE = 60  # seconds that the drain would take


@dataclass(frozen=True, slots=True)
class Hurried:
    """What was seen of a server that was told a second time while it was draining."""

    goodbye: int  # packets with sound in them, after the second time
    ending: Ending | None
    status: int
    printed: str
    call: Any


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Hurried:
    installation = Installation(
        tmp_path_factory.mktemp("hurried"), SERVER__DRAIN_SECONDS=str(PATIENCE)
    )
    with ServerProcess(installation) as server:
        installation.deploy(provider="asterisk", greeting="Hello.")
        caller = Caller(
            installation.audiosocket, installation.context(installation.assistant(), "caller")
        )
        talk([caller], until=lambda: caller.loud and caller.heard > caller.loud + 10)
        server.terminate()
        talk([caller], until=lambda: not installation.ready())
        loud = caller.loud
        server.terminate()
        server.terminate()
        talk([caller], until=lambda: caller.ending)
        status = server.status()
    call = installation.remembered("caller")
    return Hurried(caller.loud - loud, caller.ending, status, server.printed(), call)


def test_second_time(hurried: Hurried) -> None:
    """Who says it twice does not wait for the calls: they are hung up, without last words."""
    assert hurried.ending == Ending(Reason.SERVER_HUNG_UP)
    assert hurried.goodbye == 0


def test_second_time_ends_well(hurried: Hurried) -> None:
    """Nothing is lost: exit 0, no traceback, and the call's end is remembered."""
    assert hurried.status == 0, hurried.printed
    assert "Traceback" not in hurried.printed
    assert (hurried.call["status"], hurried.call["endReason"]) == ("ended", "server_shutdown")


# -- kill -9 --------------------------------------------------------------------------------------

SECONDS = 4.0  # of the call
LOST = 2.2  # seconds that the file may trail the call


@dataclass(frozen=True, slots=True)
class Killed:
    """What a killed server leaves, and what the next start makes of it."""

    sent: float  # seconds that the caller has spoken
    recording: Path
    after_kill: Any
    after_start: Any
    printed: str


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    installation = Installation(tmp_path_factory.mktemp("killed"))
    with ServerProcess(installation) as server:
        greeting = "This greeting is long enough to go on until the very end of it all. " * 2
        installation.deploy(provider="asterisk", greeting=greeting, greetingInterruptible=False)
        context = installation.context(installation.assistant(), "caller")
        caller = Caller(installation.audiosocket, context)
        caller.saying = VOICE
        talk([caller], until=lambda: caller.heard * 0.02 >= SECONDS)
        server.kill()
    caller.hang_up()
    (recording,) = (installation.data / "recordings").iterdir()
    after_kill = installation.remembered("caller")
    with ServerProcess(installation) as server:
        id = after_kill["id"]
        talk([], until=lambda: installation.data_of(f"/v1/conversations/{id}")["endReason"])
        after_start = installation.data_of(f"/v1/conversations/{id}")
        server.terminate()
        server.status()
        printed = server.printed()
    return Killed(caller.sent * 0.02, recording, after_kill, after_start, printed)


def _tracks(recording: Path) -> tuple[int, NDArray[np.int16]]:
    with wave.open(str(recording)) as file:
        frames = file.readframes(file.getnframes())
        assert len(frames) == 4 * file.getnframes()  # the header promises what is there
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        return file.getframerate(), np.frombuffer(frames, "<i2").reshape(-1, 2)


def test_recording_can_be_played(killed: Killed) -> None:
    """The file is whole up to two seconds before the kill."""
    rate, tracks = _tracks(killed.recording)
    seconds = len(tracks) / rate
    assert SECONDS - LOST < seconds < killed.sent + 1


@pytest.mark.parametrize("side", [0, 1])
def test_recording_has_both_sides(killed: Killed, side: int) -> None:
    """The caller and the assistant, who both spoke all the time, are heard in all of it."""
    _, tracks = _tracks(killed.recording)
    pieces = np.abs(tracks[: len(tracks) // 320 * 320, side].astype(int)).reshape(-1, 320)
    assert np.mean(pieces.max(axis=1) > LOUD) > 0.8


def test_journal_is_kept(killed: Killed) -> None:
    """What had happened until then was in the database already."""
    assert killed.after_kill["status"] == "active"
    names = [event["name"] for event in killed.after_kill["events"]]
    assert {"webhook", "call.connected"} <= set(names)


def test_next_start_closes_the_call(killed: Killed) -> None:
    """No call stays on the phone for ever in the history of a server that died."""
    assert killed.after_start["status"] == "failed"
    assert killed.after_start["endReason"] == "server_crashed"
    assert "cut off by the last stop: 1 calls" in killed.printed
