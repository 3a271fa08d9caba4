"""`story`: a Simulation over one transport, which must leave nothing behind and log no error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import txaio
from twisted.logger import LogEvent, globalLogPublisher

from rapida_tw.simulation import Simulation
from tests.simulation.transports import SLACK, Slack

Story = Callable[..., Simulation]


@pytest.fixture
def slack(transport: str) -> Slack:
    return SLACK[transport]


@pytest.fixture
def story(transport: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """Makes the test's one Simulation; when the test is over, its call is too, without a trace."""
    told: list[Simulation] = []
    errors: list[str] = []

    def observe(event: LogEvent) -> None:
        if "log_failure" in event:
            errors.append(event["log_failure"].getTraceback())

    def make(**options: Any) -> Simulation:
        sim = Simulation(transport=transport, **options)
        # Autobahn asks txaio for time, not the reactor that it is given.
        monkeypatch.setattr(txaio.config, "loop", sim.clock)
        told.append(sim)
        return sim

    globalLogPublisher.addObserver(observe)
    try:
        yield make
        for sim in told:
            check_end(sim)
    finally:
        globalLogPublisher.removeObserver(observe)
    assert errors == []


def check_end(sim: Simulation) -> None:
    """The caller hangs up, if they have not; the carrier reports, and nothing is left."""
    if sim.caller.ending is None:
        sim.line.hang_up()
    sim.run(sim.clock.seconds() + sim.settled)
    net = sim.server.net
    assert net.leftovers() == []
    net.stop()  # kept connections are the server's, not the call's
    sim.run(sim.clock.seconds() + 1.0)
    assert sim.leftovers() == []
    assert [status for status in sim.reports if status >= 300] == []
    if sim.sip is not None:
        assert sim.phone.complaints == {}
