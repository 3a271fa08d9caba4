"""What stories of placed calls share: the carriers, and that nothing is left of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rapida_tw.sim.habits import Habit
from rapida_tw.sim.rest_carriers import REST_CARRIERS
from rapida_tw.simulation.rest import VirtualCarrier

GREETING = "Hello. How can I help you today?"
ANSWER = "We open at nine and close at ten."
REPLIES = {"replies": [["hours", ANSWER]], "otherwise": "Pardon?"}
LIFE = ("call.queued", "channel_created", "call.ringing", "call.answered", "call.connected")
STEERED = ("twilio", "vonage")  # Exotel has nothing to hang up or to transfer with
_SETTLED = 70.0  # seconds in which everything is over, connections that are kept too

Story = Callable[..., VirtualCarrier]
every = pytest.mark.parametrize("carrier", REST_CARRIERS)
steered = pytest.mark.parametrize("carrier", STEERED)


@pytest.fixture
def story(carrier: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """Makes a carrier; when its call is over nothing is left, and it has nothing to object to."""
    made: list[VirtualCarrier] = []

    def make(habit: Habit | None = None, **more: Any) -> VirtualCarrier:
        house = VirtualCarrier(carrier, REPLIES, GREETING, habit, **more)
        monkeypatch.setattr("txaio.config.loop", house.server.clock)
        made.append(house)
        return house

    yield make
    for house in made:
        _check(house)


def _check(house: VirtualCarrier) -> None:
    for call in house.board.calls.values():
        if call.line is not None:
            call.line.hang_up()
        assert call.errors == []
        assert [line.complaints for line in call.lines if line.complaints] == []
    house.run(house.server.clock.seconds() + _SETTLED)
    assert house.rest.troubles.complaints == {}
    assert {status for _, status in house.board.answers} <= {200, 201, 204}
    left = house.leftovers()
    assert left == [], left
