"""Stories of placed calls whose callbacks, media and steering reach another node than has placed
them: one call, one end, whichever node hears of it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rapida_tw.calls.everywhere import Everywhere
from rapida_tw.calls.outstanding import LOOK_AFTER
from rapida_tw.carriers.rest_telephone import RestTelephone
from rapida_tw.errors import NotFound
from rapida_tw.service import carriers
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.habits import Habit, Reaction
from rapida_tw.sim.rest_faults import Fault
from rapida_tw.sim.switchboard import Ways
from rapida_tw.simulation.rest import VirtualCarrier
from rapida_tw.simulation.server import VirtualServer
from rapida_tw.simulation.web import VirtualWeb
from tests.calls.test_everywhere import Wire
from tests.simulation.outbound import ANSWER, GREETING, REPLIES, every, steered
from tests.simulation.outbound import story as one_node

__all__ = ("one_node",)  # a fixture
OTHER = "+15550100003"


class TwoNodes:
    """`house` places; what the carrier sends and connects goes to `callbacks` and `media`."""

    def __init__(self, house: VirtualCarrier) -> None:
        self.house = house
        self.here = house.server
        self.there = there = VirtualServer(REPLIES, {}, beside=house.server)
        control = carriers()[house.carrier].control
        assert control is not None
        there.telephones[house.carrier] = RestTelephone(control, there.net, there.clock, there.now)
        self.web = VirtualWeb(there)
        self.callbacks = self.media = self.web
        house.board.plug_in(Ways(there.clock, self, self._connect, there.metronome, there.now))
        wire = Wire()
        self.everywhere = {
            one.node: Everywhere(one.calls, one.placing, wire, one.clock, one.node)
            for one in (self.here, there)
        }

    def __call__(self, *of: Any, **more: Any) -> Any:
        return self.callbacks.http(*of, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.callbacks.http, name)

    def _connect(self, media: Any, line: Any) -> Deferred[object]:
        self.media.server.ears.scripts.append(self.house.script)
        return self.media.connect(line)


Story = Callable[..., TwoNodes]


@pytest.fixture
def story(one_node: Any) -> Iterator[Story]:
    made: list[TwoNodes] = []

    def make(habit: Habit | None = None) -> TwoNodes:
        made.append(TwoNodes(one_node(habit)))
        return made[-1]

    yield make
    for nodes in made:
        nodes.house.run(nodes.here.clock.seconds() + LOOK_AFTER + 70)
        assert nodes.web.leftovers() == []
        assert len(nodes.here.calls.outstanding) == len(nodes.there.calls.outstanding) == 0


# -- callbacks and media elsewhere ----------------------------------------------------------------


@every
def test_talk(story: Story) -> None:
    """Placed here, talked on there: one conversation, and this node's timer leaves it alone."""
    nodes = story()
    house = nodes.house
    house.script.append("hours")
    house.caller.says("hours", at=3.0, lasting=1.0)
    house.caller.hangs_up(at=60.0)
    house.place(ring_timeout=20)
    house.run(2.5)
    assert (len(nodes.here.calls), len(nodes.there.calls)) == (0, 1)
    house.run(59.0)
    assert house.outcome == ("active", "")
    assert house.dialogue[:3] == [GREETING, "hours", ANSWER]
    house.run(70.0)
    assert house.outcome == ("ended", "remote_hangup")
    assert house.events("call.failed") == []


@every
@pytest.mark.parametrize(
    ("reaction", "reason"), [(Reaction.BUSY, "busy"), (Reaction.NOBODY, "no_answer")]
)
def test_not_reached(story: Story, reaction: Reaction, reason: str) -> None:
    """A callback there ends the call that was placed here, at once and not by the ring timer."""
    nodes = story(Habit(reaction))
    nodes.house.place(ring_timeout=20)
    nodes.house.run(22.0)
    assert nodes.house.outcome == ("failed", reason)
    assert nodes.house.events("call.failed") == ["call.failed"]


@steered
def test_rings_there(story: Story) -> None:
    """Its states are in the history, whoever hears of them."""
    nodes = story(Habit(Reaction.NOBODY))
    nodes.house.place(ring_timeout=20)
    nodes.house.run(2.0)
    assert nodes.house.outcome == ("ringing", "")


@steered
def test_media_here(story: Story) -> None:
    """Callbacks there and media here."""
    nodes = story()
    nodes.media = nodes.house.web
    nodes.house.caller.hangs_up(at=6.0)
    nodes.house.place()
    nodes.house.run(12.0)
    assert nodes.house.dialogue == [GREETING]
    assert nodes.house.outcome == ("ended", "remote_hangup")


# -- requests elsewhere ---------------------------------------------------------------------------


def told(steering: Deferred[Any]) -> list[Any]:
    answers: list[Any] = []
    steering.addCallbacks(answers.append, lambda failure: answers.append(failure.value))
    return answers


@steered
def test_given_up_elsewhere(story: Story) -> None:
    """Whoever asks the other node gives up a call that rings; another project may not."""
    nodes = story(Habit(Reaction.NOBODY))
    house = nodes.house
    house.place(ring_timeout=60)
    house.run(3.0)
    call, project = nodes.here.latest(), nodes.here.project_id
    other = told(nodes.everywhere["beside"].give_up(call, project + 1))
    house.run(5.0)
    assert [type(one) for one in other] == [NotFound]
    assert house.outcome == ("ringing", "")
    told(nodes.everywhere["beside"].give_up(call, project))
    house.run(8.0)
    assert house.outcome == ("failed", "cancelled")
    assert house.call.is_over
    assert house.call.by_server


@steered
def test_transfer(story: Story) -> None:
    """Asked for here, of a call whose media is there: by the name that this node was told."""
    nodes = story()
    house = nodes.house
    house.board.habits[OTHER.removeprefix("+")] = Habit(phone=Caller)
    house.place()
    house.run(4.0)
    call, project = nodes.here.latest(), nodes.here.project_id
    other = told(nodes.everywhere["virtual"].transfer(call, project + 1, OTHER))
    answers = told(nodes.everywhere["virtual"].transfer(call, project, OTHER))
    house.run(7.0)
    assert [type(one) for one in other] == [NotFound]
    assert answers == [None]
    assert house.outcome == ("ended", "transferred")


# -- an answer that was lost ----------------------------------------------------------------------


@every
def test_unsure_and_talked_on(story: Story) -> None:
    """Nobody here knows whether it exists; there it is talked on."""
    nodes = story()
    house = nodes.house
    house.rest.troubles.faults.append(Fault.LOST)
    house.caller.hangs_up(at=6.0)
    house.place(ring_timeout=20)
    house.run(90.0)
    assert house.dialogue == [GREETING]
    assert house.outcome == ("ended", "remote_hangup")
    assert len(house.board.calls) == 1


@every
def test_unsure_and_busy(story: Story) -> None:
    """The callback there is all that is ever heard of it."""
    nodes = story(Habit(Reaction.BUSY))
    house = nodes.house
    house.rest.troubles.faults.append(Fault.DONE_AND_CUT)
    house.place(ring_timeout=20)
    house.run(12.0)
    assert house.outcome == ("failed", "busy")


@every
def test_unsure_and_nothing(story: Story) -> None:
    """Neither callback nor media: the ring timer here ends it."""
    nodes = story(Habit(Reaction.NOBODY))
    house = nodes.house
    house.rest.troubles.faults.append(Fault.CUT)
    house.place(ring_timeout=20)
    house.run(40.0)
    assert house.outcome == ("failed", "unsure")
    assert house.board.calls == {}


# -- the end of a node ----------------------------------------------------------------------------


@steered
def test_drained(story: Story) -> None:
    """A node that stops gives up what rings, and leaves alone what is talked on elsewhere."""
    nodes = story()
    house = nodes.house
    house.caller.hangs_up(at=30.0)
    house.place()
    house.run(2.0)
    house.board.habit = Habit(Reaction.NOBODY)
    house.place()
    house.run(4.0)
    drained = told(nodes.here.calls.drain(5.0))
    house.run(10.0)
    assert drained == [None]
    assert house.outcome == ("failed", "cancelled")
    assert house.call.is_over
    assert len(nodes.there.calls) == 1
