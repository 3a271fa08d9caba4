"""A hundred and twenty calls at once by the sockets of all carriers; they come and go."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from rapida_tw.sim.caller import Caller
from rapida_tw.sim.farm import CARRIERS
from rapida_tw.transports.reading import ON_ARRIVAL
from tests.server.installation import Installation
from tests.server.process import ServerProcess, complaints
from tests.server.town import CONVERSATION, Town, answered, asking, outcome

CALLS = 120  # at one time
LATER = 60  # who take the places of those who leave
EPOLL = "anon_inode:[eventpoll]"


@dataclass(frozen=True, slots=True)
class Crowd:
    callers: list[Caller]
    complaints: list[dict[str, int]]  # of their carriers
    before: Counter[str]  # descriptors, after one call and after all of them
    meanwhile: Counter[str]
    all_there: list[str]  # the metrics, when all were on the phone
    all_gone: list[str]
    status: int
    printed: str


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    installation = Installation(tmp_path_factory.mktemp("crowd"))
    with ServerProcess(installation) as server, Town(installation) as town:
        installation.deploy(**CONVERSATION)
        callee = town.callee()
        names = [*CARRIERS]
        callers: list[Caller] = []
        calling: list[Any] = []

        def come(count: int) -> None:
            for _ in range(count):
                caller = asking()
                calling.append(town.call(names[len(callers) % len(names)], caller, callee))
                callers.append(caller)
                town.turn()

        def leave(those: list[Any]) -> None:
            for one in those:
                outcome(one).hang_up()

        def metrics() -> list[str]:
            return installation.request("/metrics").body.decode().splitlines()

        def nobody() -> bool:
            return "rapida_calls_running 0" in metrics()

        come(1)
        town.talk(lambda: callers[0].heard, what=lambda: calling)
        leave(calling)
        town.talk(lambda: not town.connected and nobody())
        before = server.descriptors()
        for _ in range(10):
            town.turn(0.02)
            before &= server.descriptors()  # the least: what was asked by HTTP is being closed
        callers.clear()
        calling.clear()

        come(CALLS)
        town.talk(lambda: all(map(answered, callers)), 30, lambda: calling)
        all_there = metrics()
        meanwhile = server.descriptors()
        leave(calling[: 2 * LATER : 2])
        come(LATER)
        town.talk(lambda: all(map(answered, callers)), 30, lambda: calling)
        lines = [outcome(one) for one in calling]
        leave(calling)
        town.talk(lambda: not town.connected and nobody())
        town.talk(lambda: not server.descriptors() - before, what=server.descriptors)
        all_gone = metrics()
        server.terminate()
        status = server.status()
    return Crowd(
        callers,
        [dict(line.complaints) for line in lines],
        before,
        meanwhile,
        all_there,
        all_gone,
        status,
        server.printed(),
    )


def test_all_at_once(crowd: Crowd) -> None:
    """So many were on the phone together, more than are read on arrival: the beat read, too."""
    assert CALLS > ON_ARRIVAL
    assert f"rapida_calls_running {CALLS}" in crowd.all_there
    assert crowd.meanwhile[EPOLL] == crowd.before[EPOLL] + 1


def test_all_are_answered(crowd: Crowd) -> None:
    """Each heard the greeting and an answer soon, also those who came while others left."""
    assert len(crowd.callers) == CALLS + LATER
    for caller in crowd.callers:
        (turn,) = caller.turns
        assert turn.latency is not None
        assert turn.latency < 2.0
    assert crowd.complaints == [{}] * (CALLS + LATER)


def test_nothing_left(crowd: Crowd) -> None:
    """Afterwards nobody is on the phone; that no descriptor is left has been waited for."""
    assert "rapida_calls_running 0" in crowd.all_gone
    for place, carrier in enumerate(CARRIERS):
        count = (CALLS + LATER) // len(CARRIERS) + (place == 0)  # the one before them
        assert f'rapida_calls_total{{carrier="{carrier}"}} {count}' in crowd.all_gone


def test_no_complaints(crowd: Crowd) -> None:
    """None of it troubled the server."""
    assert crowd.status == 0
    assert complaints(crowd.printed) == []
