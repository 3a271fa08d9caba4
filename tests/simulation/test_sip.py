"""Stories of a call over SIP, told by a strict phone: what was heard when, and no complaint."""

from __future__ import annotations

import pytest

from rapida_tw.sim.datagrams import Storm
from rapida_tw.sim.sip_manner import SipManner
from rapida_tw.simulation import Simulation
from tests.simulation.conftest import Story
from tests.simulation.models import Step, StepModel

pytestmark = pytest.mark.parametrize("transport", ["sip"])

GREETING = "Hello. How can I help you today?"
ANSWER = "We open at nine and close at ten."
LONG = "One two three four five. Six seven eight nine ten. Eleven twelve thirteen."
TRANSFER = {
    "name": "transfer_call",
    "executionMethod": "transfer_call",
    "options": {"tool.transfer_to": "200<|||>300"},
}
REPLIES = [["hours", ANSWER], ["count", LONG]]
A_LETTER = 0.06  # seconds of the scripted voice


def sent(sim: Simulation, method: str) -> int:
    """How many requests of that method the phone has sent, repeated ones too."""
    return sum(line.startswith(f"> {method} ") for line in sim.phone.ladder)


def statuses(sim: Simulation) -> list[str]:
    """Of the server's answers, in order."""
    return [line.split()[2] for line in sim.phone.ladder if line.startswith("< SIP/2.0")]


def asked(sim: Simulation) -> list[str]:
    """Methods of the server's own requests."""
    lines = (line for line in sim.phone.ladder if line.startswith("< "))
    return [line.split()[1] for line in lines if not line.startswith("< SIP/2.0")]


# -- answering ------------------------------------------------------------------------------------


def test_answer(story: Story) -> None:
    """A call is tried, rings, is answered, and greets when the phone's sound flows."""
    sim = story(greeting=GREETING)
    sim.run(until=4.0)
    assert statuses(sim) == ["100", "180", "200"]
    (sound,) = sim.caller.heard
    assert sound.start < 0.1
    assert abs(sound.lasting - len(GREETING) * A_LETTER) < 0.05
    assert sim.phone.media.lost == 0
    assert sim.phone.media.began_marked


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest(story: Story, algorithm: str) -> None:
    """Who is challenged and knows the key is let in; the key is not on the wire."""
    sim = story(greeting=GREETING, sip=SipManner(digest=algorithm))
    sim.run(until=3.0)
    assert statuses(sim) == ["401", "100", "180", "200"]
    assert len(sim.caller.heard) == 1


def test_wrong_password(story: Story) -> None:
    """A wrong key in the URI is refused, and no call is begun."""
    sim = story(greeting=GREETING)
    assert sim.sip is not None
    sim.phone._account = sim.sip.account(password="rpd-wrong")
    sim.run(until=3.0)
    assert str(sim.caller.ending) == "refused (403 Forbidden)"
    assert sim.server.latest() == 0


def test_unknown_assistant(story: Story) -> None:
    """An assistant that there is not is answered in the same words as a wrong key."""
    sim = story(greeting=GREETING)
    assert sim.sip is not None
    sim.phone._account = sim.sip.account(assistant_id="4711")
    sim.run(until=3.0)
    assert str(sim.caller.ending) == "refused (403 Forbidden)"


def test_nothing_in_common(story: Story) -> None:
    """A codec that the server does not speak is refused before it rings."""
    sim = story(greeting=GREETING, sip_settings={"codecs": ("PCMA",)})
    sim.run(until=3.0)
    assert statuses(sim) == ["100", "488"]
    assert str(sim.caller.ending).startswith("refused (488 ")


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 60])
def test_packet_times(story: Story, ptime: int) -> None:
    """Packets of any length are heard; the answer comes as fast, but for their own length."""
    sim = story(greeting=GREETING, replies=REPLIES, sip=SipManner(ptime=ptime))
    sim.says("hours", at=3.0, lasting=1.2)
    sim.run(until=8.0)
    assert sim.dialogue[1:] == [("user", "hours"), ("assistant", ANSWER)]
    latency = sim.caller.turns[0].latency
    assert latency is not None
    assert latency < 0.7 + 2 * ptime / 1000


def test_behind_a_nat(story: Story) -> None:
    """A phone that names an address of its own network is reached where it calls from."""
    sim = story(greeting=GREETING, replies=REPLIES, sip=SipManner(inside="10.0.0.5"))
    sim.says("hours", at=3.0, lasting=1.0)
    sim.run(until=8.0)
    assert [round(sound.lasting, 1) for sound in sim.caller.heard] == [1.9, 2.0]
    assert sim.dialogue[-1] == ("assistant", ANSWER)


def test_bye_through_a_nat(story: Story) -> None:
    """The server's BYE goes to where the phone calls from, whatever its Contact says."""
    sim = story(greeting=GREETING, sip=SipManner(inside="10.0.0.5"), max_call_duration=3.0)
    sim.run(until=4.0)
    assert str(sim.caller.ending) == "server_hung_up"
    assert asked(sim) == ["BYE"]


# -- digits ---------------------------------------------------------------------------------------


def test_digits_as_events(story: Story) -> None:
    """Keys go by telephone-event, each heard once though its end is sent three times."""
    sim = story(greeting=GREETING)
    sim.presses("0123456789*#ABCD", at=3.0)
    sim.run(until=9.0)
    digits = [entry.data["digit"] for entry in sim.entries if entry.name == "dtmf"]
    assert "".join(digits) == "0123456789*#ABCD"
    assert sent(sim, "INFO") == 0


def test_digits_by_info(story: Story) -> None:
    """Where no telephone-event was offered, keys go by INFO."""
    sim = story(greeting=GREETING, sip=SipManner(events=False))
    sim.presses("55*", at=3.0)
    sim.run(until=6.0)
    digits = [entry.data["digit"] for entry in sim.entries if entry.name == "dtmf"]
    assert digits == ["5", "5", "*"]
    assert sent(sim, "INFO") == 3


# -- changing the call ----------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_hold(story: Story, direction: str) -> None:
    """On hold nothing is sent and nobody is asked; taken back, the call goes on."""
    sim = story(greeting=GREETING, replies=REPLIES, idle_timeout=3.0)
    sim.caller.does(lambda: sim.phone.hold(direction), at=2.5)
    sim.caller.does(sim.phone.resume, at=20.0)
    sim.says("hours", at=21.0, lasting=1.0)
    sim.run(until=26.0)
    assert [text for _, text in sim.dialogue] == [GREETING, "hours", ANSWER]
    assert not any(2.6 < sound.start < 20.0 for sound in sim.caller.heard)
    assert sim.phone.media.unwanted == 0
    assert statuses(sim) == ["100", "180", "200", "200", "200"]


def test_hold_in_mid_word(story: Story) -> None:
    """Who is put on hold in the middle of an answer is silent at once."""
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.says("count please", at=2.5, lasting=0.8)
    sim.caller.does(sim.phone.hold, at=5.0)
    sim.caller.does(sim.phone.resume, at=8.0)
    sim.run(until=14.0)
    answer = sim.caller.heard[1]
    assert answer.end < 5.1
    assert sim.phone.media.unwanted == 0


@pytest.mark.parametrize("codec", ["PCMA", "G722", "L16"])
def test_codec_change(story: Story, codec: str) -> None:
    """Another codec from a re-INVITE on: both sides are understood in it."""
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.caller.does(lambda: sim.phone.renegotiate(codecs=(codec,)), at=2.5)
    sim.says("hours", at=4.0, lasting=1.0)
    sim.run(until=9.0)
    assert sim.dialogue[1:] == [("user", "hours"), ("assistant", ANSWER)]
    assert abs(sim.caller.heard[1].lasting - len(ANSWER) * A_LETTER) < 0.05


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_on_hold_from_the_start(story: Story, direction: str) -> None:
    """A call that comes on hold is answered, and nothing is sent until it is taken back."""
    sim = story(greeting=GREETING, sip=SipManner(direction=direction))
    sim.caller.does(sim.phone.resume, at=5.0)
    sim.run(until=9.0)
    assert sim.phone.media.unwanted == 0
    (sound,) = sim.caller.heard
    assert sound.start > 5.0
    assert abs(sound.lasting - len(GREETING) * A_LETTER) < 0.05


def test_offer_that_changes_nothing(story: Story) -> None:
    """A re-INVITE with the same words is answered with the same words (o= too)."""
    sim = story(greeting=GREETING)
    sim.caller.does(sim.phone.renegotiate, at=1.0)
    sim.caller.does(sim.phone.renegotiate, at=1.5)
    sim.run(until=4.0)
    (sound,) = sim.caller.heard
    assert abs(sound.lasting - len(GREETING) * A_LETTER) < 0.05


def test_late_reinvite(story: Story) -> None:
    """A re-INVITE without an offer gets one, and its ACK the answer."""
    sim = story(greeting=GREETING, replies=REPLIES)
    sim.caller.does(lambda: sim.phone.renegotiate(late=True), at=2.5)
    sim.says("hours", at=4.0, lasting=1.0)
    sim.run(until=9.0)
    assert sim.dialogue[-1] == ("assistant", ANSWER)


def test_unusable_reinvite(story: Story) -> None:
    """A change that cannot be made is refused with 488, and the old codec goes on."""
    sim = story(greeting=GREETING, replies=REPLIES, sip_settings={"codecs": ("PCMU",)})
    sim.caller.does(lambda: sim.phone.renegotiate(codecs=("PCMA",)), at=2.5)
    sim.says("hours", at=4.0, lasting=1.0)
    sim.run(until=9.0)
    assert sim.phone.refusals == [488]
    assert sim.dialogue[-1] == ("assistant", ANSWER)


def test_ping(story: Story) -> None:
    """OPTIONS within the call is answered, and changes nothing."""
    sim = story(greeting=GREETING)
    sim.caller.does(sim.phone.options, at=1.0)
    sim.run(until=3.0)
    assert sim.phone.refusals == []
    assert statuses(sim)[-1] == "200"


# -- session timers -------------------------------------------------------------------------------


@pytest.mark.parametrize("refresher", ["", "uac"])
def test_phone_refreshes(story: Story, refresher: str) -> None:
    """The phone that asked for a session timer refreshes by UPDATE; the call lives on."""
    manner = SipManner(expires=90, refresher=refresher)
    sim = story(greeting=GREETING, sip=manner, idle_timeout=600.0)
    sim.run(until=200.0)
    assert sent(sim, "UPDATE") == 4
    assert sim.caller.ending is None


def test_server_refreshes(story: Story) -> None:
    """The server refreshes where the phone wants it to."""
    sim = story(greeting=GREETING, sip=SipManner(expires=90, refresher="uas"), idle_timeout=600.0)
    sim.run(until=200.0)
    assert asked(sim) == ["UPDATE"] * 4
    assert sim.caller.ending is None


def test_server_refreshes_by_reinvite(story: Story) -> None:
    """Where the phone takes no UPDATE, it is a re-INVITE with the same description."""
    manner = SipManner(expires=90, refresher="uas", updates=False)
    sim = story(greeting=GREETING, sip=manner, idle_timeout=600.0)
    sim.run(until=100.0)
    assert asked(sim) == ["INVITE", "ACK"] * 2
    assert sim.caller.ending is None


@pytest.mark.parametrize("latency", [0.05, 0.2])
def test_both_reinvite(story: Story, latency: float) -> None:
    """Two re-INVITEs that meet are both refused with 491, and both come through later."""
    manner = SipManner(expires=90, refresher="uas", updates=False)
    weather = Storm(1, latency=latency)
    sim = story(greeting=GREETING, sip=manner, weather=weather, idle_timeout=600.0)
    sim.clock.callLater(45.0 + 1.5 * latency, sim.phone.hold)  # theirs is under way
    sim.run(until=58.0)
    assert sim.phone.refusals == [491]
    assert asked(sim).count("INVITE") == 2
    assert sim.phone.offers.direction == "sendonly"
    assert sim.phone.media.unwanted == 0


def test_nobody_refreshes(story: Story) -> None:
    """A phone that forgets to refresh is given up before its session expires."""
    sim = story(greeting=GREETING, sip=SipManner(expires=90), idle_timeout=600.0)
    sim.phone.update = lambda: None  # type: ignore[method-assign]
    sim.run(until=100.0)
    assert sim.caller.ended_at is not None
    assert abs(sim.caller.ended_at - 60.0) < 0.1
    assert str(sim.caller.ending) == "server_hung_up"


# -- transfer -------------------------------------------------------------------------------------


def test_transfer(story: Story) -> None:
    """The phone is sent to a number, says that it got there, and is let go."""
    model = StepModel(Step("One moment.", (("transfer_call", {"to": "300"}),)))
    sim = story(model_provider=model, tools=[TRANSFER])
    model.clock = sim.clock
    sim.says("a person please", at=0.5, lasting=0.6)
    sim.run(until=8.0)
    assert "sip:300@" in sim.phone.desk.referred
    assert str(sim.caller.ending) == "server_hung_up"


def test_refused_transfer(story: Story) -> None:
    """Where the number is not reached the call goes on."""
    model = StepModel(
        Step("One moment.", (("transfer_call", {"to": "300"}),)),
        Step("Nobody is there."),
        Step("Very well."),
    )
    sim = story(model_provider=model, tools=[TRANSFER], sip=SipManner(transfers=486))
    model.clock = sim.clock
    sim.says("a person please", at=0.5, lasting=0.6)
    sim.says("never mind", at=9.0, lasting=0.6)
    sim.run(until=14.0)
    assert sim.dialogue[-1] == ("assistant", "Very well.")
    assert sim.caller.ending is None
