"""Ends of a server while calls by WebSocket are on the phone: SIGTERM, and `kill -9`."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rapida_tw.calls.calls import GOODBYE
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.farm import CARRIERS
from rapida_tw.sim.phone import Reason
from tests.server.caller import LOUD
from tests.server.installation import Installation
from tests.server.process import ServerProcess
from tests.server.test_websocket_signatures import Upgrade
from tests.server.town import GREETING, Town, outcome
from tests.simulation.sockets import MuteCarrier

CALLING = ("twilio", "vonage", "asterisk")
CLOSED = b"\x88\x02\x03\xe8"  # a close frame with 1000
MUTED, LATE = "1555880", "1555990"  # numbers


@dataclass(frozen=True, slots=True)
class Drained:
    """What was seen of a server that was told to stop with calls on the phone."""

    callers: dict[str, Caller]
    last: dict[str, bytes]  # that each was sent
    late: str  # why a call that was announced before got no socket
    fresh: str  # why a new one was not taken
    books: dict[str, Any]  # by the number that called
    status: int
    printed: str


@pytest.fixture(scope="module")
def drained(tmp_path_factory: pytest.TempPathFactory) -> Drained:
    installation = Installation(tmp_path_factory.mktemp("drained"), SERVER__DRAIN_SECONDS="0.2")
    with ServerProcess(installation) as server, Town(installation) as town:
        installation.deploy(greeting=GREETING)
        callers = {name: Caller() for name in CALLING}
        calling = {
            name: town.call(name, caller, town.callee(number=f"155500{place}"))
            for place, (name, caller) in enumerate(callers.items())
        }
        muted = Caller()
        town.call(MuteCarrier(CARRIERS["twilio"](town.callee(number=MUTED))), muted)
        media = town.announce(CARRIERS["twilio"](town.callee(number=LATE)))
        callee = town.callee()

        def quiet() -> bool:
            """The greeting is over, for long enough to tell it from what comes."""
            heard = [(outcome(calling[name]), caller) for name, caller in callers.items()]
            return all(
                caller.heard and line.now > caller.heard_until + 0.4 for line, caller in heard
            )

        town.talk(quiet, what=lambda: calling)
        server.terminate()
        town.talk(lambda: not installation.ready())
        late = town.call(Upgrade(media, ""), Caller())
        fresh = town.call("twilio", Caller(), callee)
        town.talk(lambda: late.called and fresh.called)
        town.talk(lambda: not town.connected)
        status = server.status()
        lines: dict[str, Any] = {name: outcome(one) for name, one in calling.items()}
    books = installation.rapida("conversations", "list")
    return Drained(
        callers,
        {name: line.transport.latest for name, line in lines.items()},
        outcome(late).getErrorMessage(),  # type: ignore[union-attr]
        outcome(fresh).getErrorMessage(),  # type: ignore[union-attr]
        {book["identifier"].removeprefix("+"): book for book in books},
        status,
        server.printed(),
    )


@pytest.mark.parametrize("carrier", CALLING)
def test_goodbye(drained: Drained, carrier: str) -> None:
    """Who is on the phone hears the closing message to its end, and then the socket is closed."""
    caller = drained.callers[carrier]
    _, goodbye = caller.heard
    assert abs(goodbye.lasting - 0.06 * len(GOODBYE)) < 0.5
    assert caller.ending is not None
    assert caller.ending.reason is Reason.SERVER_HUNG_UP
    # Asterisk closes at our word, and may have gone before our close frame comes.
    closed = (CLOSED, b'{"command":"HANGUP"}') if carrier == "asterisk" else CLOSED
    assert drained.last[carrier].endswith(closed)


def test_new_calls_are_refused(drained: Drained) -> None:
    """A new call hears an apology; one that was announced before gets no socket."""
    assert "the answer ends the call: Sorry" in drained.fresh
    assert "HTTP 503" in drained.late


def test_ends_well(drained: Drained) -> None:
    """Everything was closed and written: exit 0, and the calls' end is remembered."""
    assert drained.status == 0, drained.printed
    assert "Traceback" not in drained.printed
    for number in ("1555000", "1555001", "1555002"):
        book = drained.books[number]
        assert (book["status"], book["endReason"]) == ("ended", "server_shutdown")


def test_waiting_socket(drained: Drained) -> None:
    """A socket that was open and had not started is cut off, which is its call's end."""
    book = drained.books[MUTED]
    assert (book["status"], book["endReason"]) == ("failed", "never-started")


# -- kill -9 --------------------------------------------------------------------------------------

SECONDS = 3.0  # of the calls
LOST = 2.2  # seconds that the files may trail them


@dataclass(frozen=True, slots=True)
class Killed:
    """What a killed server leaves, and what the next start makes of it."""

    recordings: list[Path]
    books: list[Any]
    after: list[Any]  # after the next start
    endings: list[Reason | None]  # as the callers saw it
    printed: str


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    installation = Installation(tmp_path_factory.mktemp("killed"))
    greeting = "This greeting is long enough to go on until the very end of it all. " * 2
    with ServerProcess(installation) as server, Town(installation) as town:
        installation.deploy(greeting=greeting, greetingInterruptible=False)
        callers = [Caller() for _ in CALLING]
        for name, caller in zip(CALLING, callers, strict=True):
            caller.says("all the time", at=0.0, lasting=10.0)
            town.call(name, caller)
        town.talk(lambda: all(caller.heard_until > SECONDS for caller in callers))
        books = [
            installation.data_of(f"/v1/conversations/{book['id']}")
            for book in installation.data_of("/v1/conversations")
        ]
        server.kill()
        town.talk(lambda: all(caller.ending for caller in callers))
    recordings = sorted((installation.data / "recordings").iterdir())
    with ServerProcess(installation) as server, Town(installation) as town:
        after: list[Any] = []

        def closed() -> bool:
            after[:] = installation.data_of("/v1/conversations")
            return all(book["endReason"] for book in after)

        town.talk(closed)
        server.terminate()
        server.status()
    endings = [caller.ending.reason if caller.ending else None for caller in callers]
    return Killed(recordings, books, after, endings, server.printed())


def test_callers_are_cut_off(killed: Killed) -> None:
    """The kernel closes for the server that is no more."""
    assert set(killed.endings) <= {Reason.SERVER_CLOSED, Reason.CONNECTION_LOST}


def test_recordings_can_be_played(killed: Killed) -> None:
    """Each file is whole up to two seconds before the kill, and both sides are in it."""
    assert len(killed.recordings) == len(CALLING)
    for recording in killed.recordings:
        with wave.open(str(recording)) as file:
            frames = file.readframes(file.getnframes())
            assert len(frames) == 4 * file.getnframes()  # the header promises what is there
            seconds = file.getnframes() / file.getframerate()
        assert SECONDS - LOST < seconds < SECONDS + 2
        tracks = np.abs(np.frombuffer(frames, "<i2").reshape(-1, 2).astype(int))
        pieces = tracks[: len(tracks) // 320 * 320].reshape(-1, 320, 2).max(axis=1)
        assert np.mean(pieces > LOUD, axis=0).min() > 0.8


def test_journal_is_kept(killed: Killed) -> None:
    """What had happened until then was in the database already."""
    assert sorted(book["carrier"] for book in killed.books) == sorted(CALLING)
    for book in killed.books:
        assert book["status"] == "active"
        assert {"webhook", "call.connected"} <= {event["name"] for event in book["events"]}


def test_next_start_closes_the_calls(killed: Killed) -> None:
    """No call stays on the phone for ever in the history of a server that died."""
    assert {(book["status"], book["endReason"]) for book in killed.after} == {
        ("failed", "server_crashed")
    }
    assert "cut off by the last stop: 3 calls" in killed.printed
