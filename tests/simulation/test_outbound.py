"""The same stories of calls that are placed, over every carrier with a REST API."""

from __future__ import annotations

import pytest

from rapida_tw.sim.call_steps import Dial, Over, Report, Stage
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.habits import Habit, Reaction
from rapida_tw.sim.switchboard import Delivery
from tests.simulation.outbound import (
    ANSWER,
    GREETING,
    LIFE,
    Story,
    every,
    steered,
    story,
)

__all__ = ("story",)  # a fixture
A_LETTER = 0.06  # seconds of the scripted voice
OTHER = "+15550100003"  # to whom a call is transferred


@every
def test_talk(story: Story) -> None:
    """Queued, ringing, answered; the greeting is heard whole, the question answered; hung up."""
    house = story()
    house.script.append("hours")
    house.caller.says("hours", at=3.0, lasting=1.0)
    house.caller.hangs_up(at=8.0)
    answers = house.place()
    house.run(0.05)
    assert [answer.status for answer in answers] == ["queued"]
    house.run(1.0)
    if house.carrier != "exotel":
        assert house.outcome == ("ringing", "")
    house.run(14.0)
    assert house.dialogue == [GREETING, "hours", ANSWER]
    greeting, answer = house.caller.heard
    assert greeting.start < 0.2
    assert abs(greeting.lasting - len(GREETING) * A_LETTER) < 0.05
    assert abs(answer.lasting - len(ANSWER) * A_LETTER) < 0.05
    assert house.outcome == ("ended", "remote_hangup")
    assert house.kept("metric")["call.disconnected_by"] == "user"
    assert house.events(*LIFE) == list(LIFE)
    assert house.call.over is Over.COMPLETED


ENDS = [
    (Habit(Reaction.BUSY), "busy"),
    (Habit(Reaction.NOBODY), "no_answer"),
    (Habit(Reaction.FAILED), "failed"),
]


@every
@pytest.mark.parametrize(("habit", "reason"), ENDS)
def test_not_reached(story: Story, habit: Habit, reason: str) -> None:
    """What the carrier says of a call that came to nothing is how its conversation ended."""
    house = story(habit)
    house.place(ring_timeout=20)
    house.run(30.0)
    status, ended = house.outcome
    assert status == "failed"
    assert ended == reason or (reason == "failed" and ended in ("bad_number", "unreachable"))
    assert house.events("call.failed") == ["call.failed"]
    assert "call.connected" not in house.events()


@every
def test_our_timer(story: Story) -> None:
    """A carrier that lets it ring on is told to give up."""
    house = story(Habit(Reaction.NOBODY))
    house.board.rings_on = 20.0
    house.place(ring_timeout=20)
    house.run(24.0)
    assert house.conversation.status in ("ringing", "dialling")
    house.run(26.0)
    assert house.outcome == ("failed", "no_answer")
    if house.carrier != "exotel":
        assert (house.call.over, house.call.by_server) == (Over.CANCELLED, True)


@every
def test_given_up(story: Story) -> None:
    """Whoever has asked for it may stop it while it rings."""
    house = story(Habit(Reaction.NOBODY))
    house.place(ring_timeout=20)
    house.run(3.0)
    assert house.server.placing.give_up(house.server.latest(), house.server.project_id)
    house.run(5.0)
    assert house.outcome == ("failed", "cancelled")
    if house.carrier != "exotel":
        assert house.call.over is Over.CANCELLED


@every
def test_hung_up_by_us(story: Story) -> None:
    """Over the API: the carrier's call is over too, not only the media."""
    house = story()
    house.place()
    house.run(6.0)
    house.server.calls.hang_up(house.server.latest(), house.server.project_id)
    house.run(8.0)
    assert house.outcome == ("ended", "hung_up_by_api")
    assert house.call.over is Over.COMPLETED
    assert house.caller.ending is not None


@every
def test_short_words(story: Story) -> None:
    """Somebody who picks up and hangs up at once was reached all the same."""
    house = story()
    house.caller.hangs_up(at=0.02)
    house.place()
    house.run(6.0)
    assert house.outcome == ("ended", "remote_hangup")


# -- callbacks ------------------------------------------------------------------------------------

DELIVERIES = [Delivery(late=4.0, seed=seed, copies=2) for seed in range(4)]


@every
@pytest.mark.parametrize("delivery", DELIVERIES)
def test_shuffled(story: Story, delivery: Delivery) -> None:
    """In whatever order callbacks come, and how often: the call is none the worse."""
    house = story(delivery=delivery)
    house.script.append("hours")
    house.caller.says("hours", at=3.0, lasting=1.0)
    house.caller.hangs_up(at=8.0)
    house.place()
    house.run(20.0)
    assert house.dialogue == [GREETING, "hours", ANSWER]
    assert house.outcome == ("ended", "remote_hangup")
    told = house.events(*LIFE)
    assert len(told) == len(set(told))


@every
@pytest.mark.parametrize("delivery", DELIVERIES)
def test_states_never_go_back(story: Story, delivery: Delivery) -> None:
    """A "ringing" that comes behind the answer, before there is any media, changes nothing."""
    house = story(Habit(after=1.0, phone=Caller), delivery=delivery)
    house.board.connects_after = 6.0
    house.place()
    statuses = []
    for tenths in range(1, 70):
        house.run(tenths / 10)
        statuses.append(house.conversation.status)
    order = ["queued", "dialling", "ringing", "answered"]
    assert statuses == sorted(statuses, key=order.index)
    assert statuses[-1] == "answered"
    assert house.events("call.answered") == ["call.answered"]
    house.run(9.0)


@every
@pytest.mark.parametrize("delivery", DELIVERIES)
def test_shuffled_busy(story: Story, delivery: Delivery) -> None:
    """A late "ringing" takes nothing back."""
    house = story(Habit(Reaction.BUSY), delivery=delivery)
    house.place()
    house.run(12.0)
    assert house.outcome == ("failed", "busy")
    assert house.events("call.failed") == ["call.failed"]


@every
@pytest.mark.parametrize("reaction", [Reaction.ANSWERS, Reaction.BUSY])
def test_replayed(story: Story, reaction: Reaction) -> None:
    """Everything that was told, told again when the call is over, changes nothing."""
    house = story(Habit(reaction))
    house.place()
    house.run(6.0)
    if house.call.line is not None:
        house.call.line.hang_up()
    house.run(8.0)
    before = house.conversation
    house.board.replay()
    house.run(12.0)
    after = house.conversation
    assert (after.status, after.end_reason) == (before.status, before.end_reason)
    for one in ("call.failed", "call.ended", "call.connected", "call.answered"):
        assert house.events(one).count(one) <= 1


@every
@pytest.mark.parametrize("over", [Over.BUSY, Over.NO_ANSWER, Over.FAILED])
def test_media_is_the_truth(story: Story, over: Over) -> None:
    """A callback that lies about a call whose media is there does not end it."""
    house = story()
    house.place()
    house.run(6.0)
    lie = Report(Stage.OVER, over)
    house.board.post(house.call.side.tell(lie, house.server.now()))
    house.run(8.0)
    assert house.conversation.status in ("connected", "active")
    assert house.call.line is not None


# -- machines -------------------------------------------------------------------------------------

MACHINE = Habit(Reaction.MACHINE, greeting=6.0)
MESSAGE = "Please call us back tomorrow."


@steered
def test_machine_is_hung_up_on(story: Story) -> None:
    """When it is known to be one; nothing is said after that."""
    house = story(MACHINE)
    house.place(machine_detection="hangup")
    house.run(12.0)
    assert house.outcome == ("ended", "machine_detected")
    assert house.call.over is Over.COMPLETED
    assert house.call.by_server


@steered
def test_message_is_left(story: Story) -> None:
    """It is said behind the beep, whole, and the call ends."""
    house = story(MACHINE)
    house.place(machine_detection="message", machine_message=MESSAGE)
    house.run(20.0)
    machine = house.call.phone
    message = machine.heard[-1]  # type: ignore[union-attr]
    assert message.start > 6.4
    assert abs(message.lasting - len(MESSAGE) * A_LETTER) < 0.05
    assert house.outcome == ("ended", "machine_detected")
    assert house.dialogue[-1] == MESSAGE
    assert house.call.over is Over.COMPLETED


@pytest.mark.parametrize("carrier", ["vonage"])
def test_machine_is_not_talked_with(story: Story) -> None:
    """Where it is told before its greeting is over, nobody listens to that, or answers it."""
    house = story(Habit(Reaction.MACHINE, greeting=10.0))
    house.script.append("hours")
    house.place(machine_detection="message", machine_message=MESSAGE)
    house.run(20.0)
    assert house.dialogue[1:] == [MESSAGE]


@steered
@pytest.mark.parametrize("policy", ["report", "hangup", "message"])
def test_human_is_talked_with(story: Story, policy: str) -> None:
    """Detection does nothing to people."""
    house = story()
    house.caller.hangs_up(at=6.0)
    house.place(machine_detection=policy, machine_message=MESSAGE)
    house.run(12.0)
    assert house.dialogue == [GREETING]
    assert house.outcome == ("ended", "remote_hangup")


# -- steering -------------------------------------------------------------------------------------


@steered
def test_transfer(story: Story) -> None:
    """The called one talks to somebody else then; our part is over, the call is not."""
    house = story()
    house.board.habits[OTHER.removeprefix("+")] = Habit(after=2.0, lasts=10.0)
    house.place()
    house.run(7.0)
    server = house.server
    server.calls.transfer(server.latest(), server.project_id, OTHER)
    house.run(10.0)
    (dial,) = house.call.noted
    assert isinstance(dial, Dial)
    assert dial.number.removeprefix("+") == OTHER.removeprefix("+")
    assert dial.caller.removeprefix("+") == house.number.removeprefix("+")
    assert house.conversation.status == "ended"
    assert not house.call.is_over
    house.run(25.0)
    assert house.call.over is Over.COMPLETED
    assert not house.call.by_server


@every
def test_digits(story: Story) -> None:
    """Keys of ours reach the far side: by the carrier's way, or as tones."""
    house = story()
    house.place()
    house.run(7.0)
    before = len(house.caller.heard)
    server = house.server
    server.calls.send_digits(server.latest(), server.project_id, "12#")
    house.run(9.0)
    assert house.call.line is not None
    if house.carrier == "vonage":
        assert [str(step) for step in house.call.noted] == ["Tones(digits='12#')"]
    else:
        assert len(house.caller.heard) > before


# -- calls that arrive are steered by the same API ------------------------------------------------


@steered
def test_transfer_of_a_caller(story: Story) -> None:
    """Who has called is connected with somebody else, where the call lives."""
    house = story()
    house.arrive()
    house.run(4.0)
    assert house.dialogue == [GREETING]
    server = house.server
    server.calls.transfer(server.latest(), server.project_id, OTHER)
    house.run(6.0)
    (dial,) = house.call.noted
    assert isinstance(dial, Dial)
    assert dial.number.removeprefix("+") == OTHER.removeprefix("+")
    assert house.conversation.status == "ended"
    assert not house.call.is_over


@steered
def test_hang_up_of_a_caller(story: Story) -> None:
    """The carrier hears of it too."""
    house = story()
    house.arrive()
    house.run(4.0)
    house.server.calls.hang_up(house.server.latest(), house.server.project_id)
    house.run(6.0)
    assert house.outcome == ("ended", "hung_up_by_api")
    assert house.call.over is Over.COMPLETED


# -- Exotel's call flows --------------------------------------------------------------------------


@pytest.mark.parametrize("carrier", ["exotel"])
def test_flow(story: Story) -> None:
    """A call that goes by a flow is asked for by its Voicebot, and is the same conversation."""
    house = story(options={"app_id": "926"})
    house.caller.hangs_up(at=4.0)
    house.place()
    house.run(1.0)
    conversation_id = house.conversation.id
    house.run(12.0)
    assert house.conversation.id == conversation_id
    assert house.dialogue == [GREETING]
    assert house.outcome == ("ended", "remote_hangup")
