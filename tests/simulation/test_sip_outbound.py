"""Stories of calls of ours over SIP: a phone that is called, in virtual time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from rapida_tw.carriers.base import IncomingCall
from rapida_tw.errors import End, GivenUp
from rapida_tw.media.leg import LegListener
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.datagrams import Storm
from rapida_tw.sim.sip_manner import SipManner
from rapida_tw.simulation import VirtualServer
from rapida_tw.simulation.server import done
from rapida_tw.simulation.sip import SETTLED, VirtualSip
from rapida_tw.sip.base import Party
from rapida_tw.sip.dialling import CallUser
from rapida_tw.sip.outcome import Outcome
from rapida_tw.sip.session import Session
from rapida_tw.sip.trunk import Trunk

GREETING = "Hello. How can I help you today?"
ANSWER = "We open at nine and close at ten."
REPLIES = {"replies": [["hours", ANSWER]], "otherwise": "Pardon?"}
A_LETTER = 0.06  # seconds of the scripted voice


class Dialled:
    """Who asks for a call, and gives it to the assistant: a CallUser that remembers."""

    def __init__(self, house: Outgoing) -> None:
        self.house = house
        self.told: list[str] = []

    def trying(self) -> None:
        self.told.append("trying")

    def ringing(self) -> None:
        self.told.append("ringing")

    def early_media(self) -> None:
        self.told.append("early media")

    def answered(self, session: Session) -> None:
        self.told.append("answered")

    def attach(self, session: Session) -> LegListener:
        self.told.append("attached")
        reception = self.house.sip.agent.reception
        return reception.attach(self.house.taken, session)

    def ended(self, end: End) -> None:
        self.told.append(f"ended: {end}")

    def failed(self, outcome: Outcome) -> None:
        self.told.append(f"failed: {outcome.status}")


_conforms: type[CallUser] = Dialled


class Outgoing:
    """A server that calls one phone."""

    def __init__(self, manner: SipManner | None = None, storm: Storm | None = None) -> None:
        self.server = VirtualServer(REPLIES, {"greeting": GREETING, "provider": "sip"})
        self.sip = VirtualSip(self.server, storm)
        self.caller = Caller()
        self.script: deque[str | None] = deque()
        self.phone = self.sip.phone(self.caller, self.script, manner)
        self.user = Dialled(self)
        self.taken: Any = None

    def dial(self) -> Any:
        party = Party(self.server.assistant_id, self.server.project_id)
        incoming = IncomingCall("sip", "+15557654321")
        self.taken = done(self.sip.agent.reception.take(party, incoming))
        host, port = self.phone.signalling._socket.address
        trunk = Trunk(host, port, user="acme", caller_id="+15550001111")
        return self.sip.agent.dial(trunk, "+15557654321", self.user)

    def run(self, until: float) -> None:
        self.server.clock.run(until)

    @property
    def dialogue(self) -> list[str]:
        entries = self.server.entries(self.server.latest())
        return [entry.value for entry in entries if entry.kind == "message"]


@pytest.fixture
def house(request: pytest.FixtureRequest) -> Iterator[Outgoing]:
    """One call; when it is over, nothing is left, and the phone has nothing to complain of."""
    made = Outgoing(*getattr(request, "param", ()))
    yield made
    if made.phone.answered_at:
        made.phone.hang_up()
    elif made.taken is not None:
        made.sip.agent.reception.abandon(made.taken, GivenUp("nobody answered"))
    made.phone.close()
    made.run(made.server.clock.seconds() + SETTLED)
    assert made.phone.complaints == {}
    assert made.sip.leftovers() == []


def with_phone(*manners: tuple[Any, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("house", manners, indirect=True)


@with_phone((), (SipManner(("G722",)),), (SipManner(("PCMA",), ptime=30, events=False),))
def test_talk(house: Outgoing) -> None:
    """It rings, is picked up, greets, and answers."""
    house.script.append("hours")
    house.caller.says("hours", at=3.0, lasting=1.0)
    house.caller.hangs_up(at=8.0)
    house.dial()
    house.run(12.0)
    assert house.user.told[-3:] == ["ringing", "answered", "attached"]
    assert house.dialogue == [GREETING, "hours", ANSWER]
    greeting, answer = house.caller.heard
    assert greeting.start < 0.2
    assert abs(greeting.lasting - len(GREETING) * A_LETTER) < 0.05
    assert abs(answer.lasting - len(ANSWER) * A_LETTER) < 0.05


@with_phone((None, Storm(3, latency=0.05, jitter=0.05, loss=0.1, duplicates=0.05)))
def test_bad_line(house: Outgoing) -> None:
    """The same with a tenth of all packets lost."""
    house.script.append("hours")
    house.caller.says("hours", at=4.0, lasting=1.0)
    house.caller.hangs_up(at=9.0)
    house.dial()
    house.run(20.0)
    assert house.dialogue == [GREETING, "hours", ANSWER]
    assert str(house.caller.ending) == "caller_hung_up"


@with_phone((SipManner(rings=100.0),))
def test_nobody_picks_up(house: Outgoing) -> None:
    """After a minute of ringing the call is cancelled."""
    house.dial()
    house.run(70.0)
    assert house.user.told[-1] == "failed: no_answer"
    assert str(house.caller.ending) == "server_hung_up (cancelled)"


@with_phone((SipManner(rings=5.0),))
def test_given_up(house: Outgoing) -> None:
    """Who is not wanted any more stops ringing."""
    handle = house.dial()
    house.server.clock.callLater(2.0, handle.cancel)
    house.run(4.0)
    assert house.user.told[-1] == "failed: cancelled"
    assert str(house.caller.ending) == "server_hung_up (cancelled)"


@with_phone((SipManner(("L16",), rings=1.0, events=False),))
def test_hold(house: Outgoing) -> None:
    """Who is called may put us on hold, too."""
    house.caller.does(house.phone.hold, at=0.5)
    house.caller.does(house.phone.resume, at=5.0)
    house.caller.hangs_up(at=9.0)
    house.dial()
    house.run(12.0)
    assert not any(0.8 < sound.start < 5.0 for sound in house.caller.heard)
    assert house.phone.media.unwanted == 0
