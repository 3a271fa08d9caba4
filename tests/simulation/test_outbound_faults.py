"""Stories of calls whose carrier refuses, fails or does not answer: nobody is dialled twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from twisted.python.failure import Failure

from rapida_tw.carriers.outbound import CarrierRefused
from rapida_tw.errors import VendorFailed
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.habits import Habit, Reaction
from rapida_tw.sim.rest_faults import Fault
from rapida_tw.simulation.rest import VirtualCarrier
from rapida_tw.simulation.server import done
from tests.simulation.outbound import GREETING, Story, every, steered, story

__all__ = ("story",)  # a fixture


def asked(house: VirtualCarrier) -> int:
    """How often the carrier was asked for a call."""
    return sum(
        one.method == "POST" and one.path.endswith(("/Calls.json", "/v1/calls", "/connect.json"))
        for one in house.server.net.asked
    )


def refusal(answers: list[Any]) -> Exception:
    """Why the request for a call failed."""
    (answer,) = answers
    assert isinstance(answer, Failure), answer
    assert isinstance(answer.value, Exception)
    return answer.value


# -- refused: surely nobody was dialled -----------------------------------------------------------


@every
def test_wrong_token(story: Story) -> None:
    """An account that the carrier does not know: said at once, and not tried again."""
    house = story()
    changes = {"twilio": "token", "exotel": "api_token", "vonage": "application_id"}
    account: Any = house.rest.account
    house.rest.account = replace(account, **{changes[house.carrier]: "another"})
    answers = house.place()
    house.run(2.0)
    error = refusal(answers)
    assert isinstance(error, CarrierRefused)
    assert error.outcome.status == "authentication_failed"
    assert house.outcome == ("failed", "authentication_failed")
    assert asked(house) == 1
    assert house.rest.troubles.complaints
    house.rest.troubles.complaints.clear()


@every
def test_too_many(story: Story) -> None:
    """A carrier that wants half a minute is not waited for; it may be tried again later."""
    house = story()
    house.rest.troubles.faults.append(Fault.TOO_MANY)
    answers = house.place()
    house.run(5.0)
    error = refusal(answers)
    assert isinstance(error, CarrierRefused)
    assert (error.outcome.status, error.outcome.retryable) == ("capacity_exceeded", True)
    assert (asked(house), house.board.calls) == (1, {})
    assert house.kept("metadata")["retryable"] == "true"


@every
def test_too_many_for_a_moment(story: Story) -> None:
    """One that wants a second is asked once more; one call is placed."""
    house = story(Habit(Reaction.BUSY))
    house.rest.troubles.retry_after = 1
    house.rest.troubles.faults.append(Fault.TOO_MANY)
    answers = house.place()
    house.run(10.0)
    assert [answer.status for answer in answers] == ["queued"]
    assert (asked(house), len(house.board.calls)) == (2, 1)
    assert house.outcome == ("failed", "busy")


@every
def test_unknown_number(story: Story) -> None:
    """The carrier's own words are in the history."""
    house = story()
    house.callee = "+10"
    answers = house.place()
    house.run(2.0)
    (complaint,) = house.rest.troubles.complaints
    words = str(refusal(answers))
    assert house.kept("metadata")["call_error"] in words
    assert house.outcome == ("failed", "bad_number")
    assert complaint
    house.rest.troubles.complaints.clear()


@every
def test_unreached(story: Story) -> None:
    """A carrier that takes no connection: the call failed at once, nobody can have been dialled."""
    house = story()
    host = {"twilio": "api.twilio.com", "vonage": "api.nexmo.com", "exotel": "api.exotel.com"}
    house.server.net.down.add(host[house.carrier])
    answers = house.place()
    house.run(5.0)
    assert isinstance(refusal(answers), (CarrierRefused, VendorFailed))
    assert house.outcome == ("failed", "unreachable")
    assert house.kept("metadata")["retryable"] == "true"


# -- not known whether somebody was dialled -------------------------------------------------------

UNSURE = [
    Fault.UNANSWERED,
    Fault.CUT,
    Fault.LOST,
    Fault.DONE_AND_CUT,
    Fault.EMPTY,
    Fault.UNAVAILABLE,
    Fault.HTML,
]
DONE = (Fault.LOST, Fault.DONE_AND_CUT, Fault.EMPTY)


@every
@pytest.mark.parametrize("fault", UNSURE, ids=lambda fault: fault.name)
def test_dialled_once(story: Story, fault: Fault) -> None:
    """Whatever becomes of the request, it is sent once, and with the same key as well."""
    house = story(Habit(Reaction.NOBODY))
    house.rest.troubles.faults.append(fault)
    answers = house.place(key="order-7", ring_timeout=20)
    house.run(1.0)
    again = house.place(key="order-7", ring_timeout=20)
    house.run(4.0)
    later = house.place(key="order-7", ring_timeout=20)
    house.run(50.0)
    assert asked(house) == 1
    assert len(house.board.calls) == (1 if fault in DONE else 0)
    ids = {one.id for one in (*answers, *again, *later) if not isinstance(one, Failure)}
    assert len(ids) == 1
    assert house.conversation.id in ids
    assert house.outcome[0] == "failed"
    assert house.events("call.failed") == ["call.failed"]


@every
@pytest.mark.parametrize("fault", DONE, ids=lambda fault: fault.name)
def test_comes_all_the_same(story: Story, fault: Fault) -> None:
    """A call whose answer was lost is talked on when it is picked up."""
    house = story()
    house.caller.hangs_up(at=6.0)
    house.rest.troubles.faults.append(fault)
    house.place()
    house.run(12.0)
    assert house.dialogue == [GREETING]
    assert house.outcome == ("ended", "remote_hangup")
    assert house.events("outbound.unsure")[:1] == ["outbound.unsure"] or fault is Fault.LOST
    assert asked(house) == 1


@steered
def test_hung_up_all_the_same(story: Story) -> None:
    """A callback says what the carrier calls it: so it is given up by that name."""
    house = story(Habit(Reaction.NOBODY))
    house.board.rings_on = 100.0
    house.rest.troubles.faults.append(Fault.DONE_AND_CUT)
    house.place(ring_timeout=20)
    house.run(30.0)
    assert house.outcome == ("failed", "no_answer")
    assert house.call.is_over
    assert house.call.by_server


@steered
def test_steered_all_the_same(story: Story) -> None:
    """And where it is picked up, it is transferred by that name."""
    house = story()
    house.board.habits["15550100003"] = Habit(phone=Caller)
    house.rest.troubles.faults.append(Fault.DONE_AND_CUT)
    house.place()
    house.run(4.0)
    server = house.server
    transferring = server.calls.transfer(server.latest(), server.project_id, "+15550100003")
    house.run(8.0)
    assert done(transferring) is None
    assert house.outcome == ("ended", "transferred")


@every
@pytest.mark.parametrize("fault", DONE, ids=lambda fault: fault.name)
def test_busy_all_the_same(story: Story, fault: Fault) -> None:
    """It is known to be busy by its callback, although nobody knows the carrier's name of it."""
    house = story(Habit(Reaction.BUSY))
    house.rest.troubles.faults.append(fault)
    house.place()
    house.run(10.0)
    assert house.outcome == ("failed", "busy")


@every
@pytest.mark.parametrize("fault", [Fault.CUT, Fault.DONE_AND_CUT], ids=lambda fault: fault.name)
def test_kept_connection(story: Story, fault: Fault) -> None:
    """Neither is it sent again where it went out on a connection that was kept, and is cut."""
    house = story(Habit(Reaction.BUSY))
    telephone = house.server.telephones[house.carrier]
    checked: list[Any] = []
    telephone.check(house.account).addBoth(checked.append)
    house.run(1.0)
    assert "knows the account" in checked[0]
    house.rest.troubles.faults.append(fault)
    house.place(ring_timeout=20)
    house.run(40.0)
    assert asked(house) == 1
    assert len(house.board.calls) == (fault is Fault.DONE_AND_CUT)


@every
def test_new_request(story: Story) -> None:
    """Without a key, two requests are two calls."""
    house = story(Habit(Reaction.BUSY))
    house.place()
    house.place()
    house.run(10.0)
    assert (asked(house), len(house.board.calls)) == (2, 2)


# -- hang-ups that are not heard ------------------------------------------------------------------


@steered
@pytest.mark.parametrize("fault", [Fault.CUT, Fault.UNAVAILABLE, Fault.HTML, Fault.UNANSWERED])
def test_hang_up_again(story: Story, fault: Fault) -> None:
    """Giving up a call that rings is tried again when the carrier did not hear it."""
    house = story(Habit(Reaction.NOBODY))
    house.place(ring_timeout=60)
    house.run(3.0)
    house.rest.troubles.faults.append(fault)
    house.server.placing.give_up(house.server.latest(), house.server.project_id)
    house.run(12.0)
    assert house.outcome == ("failed", "cancelled")
    assert house.call.is_over
    assert house.call.by_server


@steered
def test_given_up_before_the_answer(story: Story) -> None:
    """A call that is given up while its answer is under way is hung up by its name then."""
    house = story(Habit(Reaction.NOBODY))
    house.place(ring_timeout=60)
    house.server.clock.callLater(
        0.0, lambda: house.server.placing.give_up(house.server.latest(), house.server.project_id)
    )
    house.run(5.0)
    assert house.outcome == ("failed", "cancelled")
    assert all(call.is_over for call in house.board.calls.values())
