"""Stories of a SIP call's beginning and end: CANCEL, BYE, what is lost of them, what is left."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.caller import Caller
from rapida_tw.sim.datagrams import Storm
from rapida_tw.sim.sip_manner import SipManner
from rapida_tw.sim.sip_phone import SipPhone
from rapida_tw.simulation import Simulation, VirtualServer
from rapida_tw.simulation.server import done
from rapida_tw.simulation.sip import SETTLED, VirtualSip
from tests.simulation.conftest import Story
from tests.simulation.models import Step, StepModel

GREETING = "Hello. How can I help you today?"
REPLIES = [["hours", "We open at nine and close at ten."]]
sip = pytest.mark.parametrize("transport", ["sip"])


def loses(first: str, times: int = 10_000) -> Callable[[bytes], bool]:
    """For `gate.loses`: so many messages that begin so."""
    left = [times]

    def lost(data: bytes) -> bool:
        if data.startswith(first.encode()) and left[0]:
            left[0] -= 1
            return True
        return False

    return lost


def at(sim: Simulation, line: str) -> list[float]:
    """When messages with that in their first line went or came, `> BYE` or `< SIP/2.0 200`."""
    ladder = sim.phone.signalling.ladder
    return [round(when, 2) for when, way, first in ladder if f"{way} {first}".startswith(line)]


def ended(sim: Simulation) -> tuple[str, str]:
    return sim.metrics["call.status"], sim.metrics["call.disconnected_by"]


def slow(sim: Simulation, seconds: float) -> None:
    """The house takes its time to admit a call."""
    assert sim.sip is not None
    reception: Any = sim.sip.agent.reception
    take = reception.take

    def later(*arguments: Any) -> Any:
        waiting: Any = deferLater(sim.clock, seconds)
        return waiting.addCallback(lambda _: take(*arguments))

    reception.take = later


# -- both ends ------------------------------------------------------------------------------------


@sip
def test_caller_says_bye(story: Story) -> None:
    """The caller's BYE is answered, and nothing comes after it."""
    sim = story(greeting=GREETING)
    sim.hangs_up(at=1.0)
    sim.run(until=4.0)
    assert ended(sim) == ("completed", "user")
    assert sim.phone.media.unwanted == 0
    assert sim.phone.media.reports.said_goodbye


@sip
def test_server_says_bye(story: Story) -> None:
    """The assistant's goodbye is heard to its end, then comes BYE."""
    model = StepModel(Step("Thank you for calling.", (("end_call", {}),)))
    sim = story(model_provider=model)
    model.clock = sim.clock
    sim.says("please", at=0.5, lasting=0.5)
    sim.run(until=6.0)
    (sound,) = sim.caller.heard
    assert abs(sound.lasting - len("Thank you for calling.") * 0.06) < 0.05
    assert str(sim.caller.ending) == "server_hung_up"
    assert ended(sim) == ("completed", "assistant")


@sip
def test_server_bye_is_lost(story: Story) -> None:
    """The answer to its BYE is lost: the server says it again, and the phone answers again."""
    sim = story(greeting=GREETING, max_call_duration=2.0)
    sim.caller.does(lambda: setattr(sim.phone.gate, "loses", loses("SIP/2.0 200", 2)), at=1.0)
    sim.run(until=10.0)
    assert len(at(sim, "< BYE")) == 3
    assert ended(sim) == ("completed", "system")


@sip
def test_both_say_bye(story: Story) -> None:
    """Two BYEs that meet on the way are both answered."""
    sim = story(greeting=GREETING, max_call_duration=2.0, weather=Storm(1, latency=0.1))
    sim.hangs_up(at=2.05)
    sim.run(until=10.0)
    assert len(at(sim, "< BYE")) == 1
    assert sim.phone.parted.called


# -- the beginning --------------------------------------------------------------------------------


@sip
def test_cancel(story: Story) -> None:
    """Who gives up while it rings gets 200 and 487, and no call is left."""
    sim = story(greeting=GREETING, weather=Storm(1, latency=0.2))
    slow(sim, 2.0)
    sim.clock.callLater(1.0, sim.phone.hang_up)
    sim.run(until=10.0)
    assert [line for line in sim.phone.ladder if "INVITE" not in line] == [
        "< SIP/2.0 100 Trying",
        "> CANCEL " + sim.phone._account.uri(False) + " SIP/2.0",
        "< SIP/2.0 200 OK",
        "< SIP/2.0 487 Request Terminated",
        "> ACK " + sim.phone._account.uri(False) + " SIP/2.0",
    ]
    assert sim.sip is not None
    assert sim.sip.pool.in_use == 0


@sip
def test_cancel_is_too_late(story: Story) -> None:
    """A 200 that was faster than the CANCEL is acknowledged, and told BYE."""
    sim = story(greeting=GREETING, weather=Storm(1, latency=0.2))
    slow(sim, 0.5)
    sim.clock.callLater(0.85, sim.phone.hang_up)  # the 200 is under way
    sim.run(until=10.0)
    assert len(at(sim, "> CANCEL")) == 1
    assert len(at(sim, "> BYE")) == 1
    assert sim.phone.parted.called


@sip
def test_cancel_before_any_answer(story: Story) -> None:
    """A CANCEL waits for the first answer (9.1), then ends the call all the same."""
    sim = story(greeting=GREETING, weather=Storm(1, latency=0.2))
    slow(sim, 2.0)
    sim.clock.callLater(0.1, sim.phone.hang_up)
    sim.run(until=10.0)
    assert at(sim, "> CANCEL") == [0.4]


@sip
def test_invite_is_repeated(story: Story) -> None:
    """INVITEs that come twice are one call."""
    sim = story(greeting=GREETING, weather=Storm(1, duplicates=1.0))
    sim.run(until=5.0)
    assert sim.sip is not None
    assert sim.sip.pool.in_use == 1
    assert len(sim.caller.heard) == 1
    assert done(sim.server.conversations.page(sim.server.project_id, 1, 10)).total == 1


@sip
def test_late_ack(story: Story) -> None:
    """The 200 is repeated until an ACK gets through; the call speaks meanwhile."""
    sim = story(greeting=GREETING)
    sim.phone.gate.loses = loses("ACK ", 3)
    sim.run(until=6.0)
    assert at(sim, "< SIP/2.0 200") == [0.0, 0.5, 1.5, 3.5]
    (sound,) = sim.caller.heard
    assert sound.start < 0.1


@sip
def test_no_ack(story: Story) -> None:
    """Without any ACK the call ends by BYE after 32 s (13.3.1.4)."""
    sim = story(greeting=GREETING, idle_timeout=600.0)
    sim.phone.gate.loses = loses("ACK ")
    sim.run(until=40.0)
    repeated = at(sim, "< SIP/2.0 200")
    assert repeated[:6] == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5]
    assert at(sim, "< BYE") == [32.0]
    assert str(sim.caller.ending) == "server_hung_up"


# -- phones that are gone -------------------------------------------------------------------------


@sip
def test_vanished_phone(story: Story) -> None:
    """A phone without power is missed after the RTP timeout; BYE says why, to nobody."""
    sim = story(greeting=GREETING, idle_timeout=600.0, sip_settings={"rtp_timeout": 10.0})
    sim.caller.does(sim.phone.vanish, at=3.0)
    sim.run(until=20.0)
    assert ended(sim) == ("failed", "system")
    assert 12.9 < float(sim.metrics["call.duration"]) < 13.2


@sip
def test_muted_phone(story: Story) -> None:
    """RTCP is a sign of life: a phone that sends no sound is not given up."""
    sim = story(greeting=GREETING, idle_timeout=600.0, sip_settings={"rtp_timeout": 10.0})
    sim.caller.says("one", at=0.5, lasting=0.2)
    sim.caller._sends_silence = False
    sim.run(until=40.0)
    assert sim.caller.ending is None


@sip
def test_silent_from_the_start(story: Story) -> None:
    """A phone that never sends anything is greeted after a second."""
    sim = story(greeting=GREETING)
    sim.caller._sends_silence = False
    sim.run(until=5.0)
    assert 1.0 <= sim.caller.heard[0].start < 1.1


# -- a full house ---------------------------------------------------------------------------------


class ManyCallsTests(SynchronousTestCase):
    """Two hundred phones within two seconds, in bad weather, each with its own way to go."""

    CALLS = 200

    def test_nothing_left(self) -> None:
        """All are answered, all end, and no port, timer, dialog or transaction outlives them."""
        server = VirtualServer(
            {"replies": REPLIES, "otherwise": "Pardon?"}, {"greeting": GREETING, "provider": "sip"}
        )
        storm = Storm(7, latency=0.03, jitter=0.02, loss=0.02, reorder=0.01, duplicates=0.01)
        house = VirtualSip(server, storm)
        chance = random.Random(5090)
        phones = []
        for number in range(self.CALLS):
            server.clock.run(number * 0.01)
            phones.append(self._call(house, chance))
        server.clock.run(15.0)
        self.assertEqual({str(phone.ending) for phone in phones}, {"caller_hung_up"})
        server.clock.run(15.0 + SETTLED)
        self.assertEqual(house.leftovers(), [])
        self.assertEqual(sum((phone.complaints for phone in phones), phones[0].complaints), {})
        page = self.successResultOf(server.conversations.page(server.project_id, 1, 1))
        self.assertEqual(page.total, self.CALLS)

    def _call(self, house: VirtualSip, chance: random.Random) -> SipPhone:
        caller = Caller(keep=False)
        caller.says("hours", at=chance.uniform(2.0, 4.0), lasting=0.8)
        caller.hangs_up(at=chance.uniform(6.0, 10.0))
        manner = SipManner(
            chance.choice((("PCMU",), ("PCMA", "PCMU"), ("G722", "PCMU"))),
            digest=chance.choice(("", "", "MD5")),
            late_offer=chance.random() < 0.2,
        )
        phone = house.phone(caller, deque(["hours"]), manner)
        phone.call()
        return phone
