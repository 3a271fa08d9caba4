"""A switchboard's faults, and the ways of its callbacks: the same for every carrier."""

from __future__ import annotations

from typing import Any

import pytest

from rapida_tw.sim.call_steps import Over, Stage
from rapida_tw.sim.habits import Habit, Reaction
from rapida_tw.sim.rest_faults import Fault
from rapida_tw.sim.switchboard import Delivery, digits_of
from tests.sim.outgoing import Client, Told, fields
from tests.sim.test_exotel_rest import Exotel
from tests.sim.test_twilio_rest import EVENTS, ORDER, Twilio
from tests.sim.test_vonage_rest import Vonage

MAKERS = {"twilio": Twilio, "vonage": Vonage, "exotel": Exotel}
# Whether the call exists, whether an answer came, whether the connection was cut.
BEFALLEN = [
    (Fault.UNANSWERED, False, 0, False),
    (Fault.CUT, False, 0, True),
    (Fault.LOST, True, 0, False),
    (Fault.DONE_AND_CUT, True, 0, True),
    (Fault.UNAVAILABLE, False, 503, False),
    (Fault.HTML, False, 502, False),
    (Fault.TOO_MANY, False, 429, False),
]
_every = pytest.mark.parametrize("carrier", MAKERS)


def make(carrier: str, habit: Habit | None = None) -> Any:
    return MAKERS[carrier](habit)


@_every
@pytest.mark.parametrize(("fault", "exists", "status", "cut"), BEFALLEN)
def test_fault(carrier: str, fault: Fault, exists: bool, status: int, cut: bool) -> None:
    """Each does to a request what it says, and to that one alone; it is no mistake of ours."""
    client = make(carrier, Habit(Reaction.BUSY))
    client.rest.troubles.faults.append(fault)
    told: Told = client.create()
    assert (told.status, told.dropped, bool(client.board.calls)) == (status, cut, exists)
    assert client.rest.troubles.complaints == {}
    assert client.create().status in (200, 201)
    client.run(5.0)
    assert {call.over for call in client.board.calls.values()} == {Over.BUSY}


@_every
def test_empty(carrier: str) -> None:
    """An empty body has the status that there would have been; the call exists."""
    client = make(carrier)
    client.rest.troubles.faults.append(Fault.EMPTY)
    told = client.create()
    assert (told.status, told.body) == (200 if carrier == "exotel" else 201, b"")
    assert len(client.board.calls) == 1
    client.board.stop()


@_every
def test_too_many(carrier: str) -> None:
    """A 429 says when to come again, in the carrier's own form."""
    client = make(carrier)
    client.rest.troubles.faults.append(Fault.TOO_MANY)
    told = client.create()
    assert told.headers["Retry-After"] == "30"
    assert told.json


# -- callbacks -------------------------------------------------------------------------------------


def sequence(client: Client) -> list[str]:
    return [fields(one)["SequenceNumber"] for one in client.asked if one.url == EVENTS]


def busy(delivery: Delivery) -> Twilio:
    twilio = Twilio(Habit(Reaction.BUSY, after=0.5))
    twilio.board.deliver(delivery)
    assert twilio.send("/Calls.json", ORDER).status == 201
    return twilio


def test_shuffled() -> None:
    """Late callbacks overtake each other; all of them arrive."""
    twilio = busy(Delivery(late=3.0, seed=2))
    twilio.run(8.0)
    assert sequence(twilio) != ["0", "1", "2"]
    assert sorted(sequence(twilio)) == ["0", "1", "2"]
    assert twilio.board.leftovers() == []


def test_copies() -> None:
    """Each may come twice."""
    twilio = busy(Delivery(copies=2))
    twilio.run(4.0)
    assert sequence(twilio) == ["0", "0", "1", "1", "2", "2"]


def test_replay() -> None:
    """All that was told can be told again, in its order."""
    twilio = busy(Delivery())
    twilio.run(4.0)
    twilio.board.replay()
    assert sequence(twilio) == ["0", "1", "2"] * 2


def test_retries() -> None:
    """What was not taken is tried again, as often as the carrier does."""
    twilio = busy(Delivery(retries=2))
    twilio.deaf = True
    twilio.run(10.0)
    assert sequence(twilio).count("0") == 3
    assert {status for _, status in twilio.board.answers} == {0}


def test_habits() -> None:
    """Whoever has a habit of their own keeps to it, however the number is written."""
    twilio = Twilio(Habit(Reaction.BUSY))
    twilio.board.habits["15550100001"] = Habit(Reaction.FAILED)
    twilio.placed()
    twilio.placed(To="+15550100009")
    twilio.run(5.0)
    assert [one.over for one in twilio.board.calls.values()] == [Over.FAILED, Over.BUSY]
    assert digits_of("09800000001") == digits_of("9800000001")


def test_longest() -> None:
    """A call has its TimeLimit from the answer on."""
    twilio = Twilio(Habit(after=1.0))
    twilio.placed(TimeLimit="5")
    twilio.run(6.4)
    assert twilio.board.latest.stage is Stage.ANSWERED
    twilio.run(0.5)
    assert twilio.board.latest.over is Over.COMPLETED
