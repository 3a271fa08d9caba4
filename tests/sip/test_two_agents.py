"""Two user agents of ours against each other: one is the other's trunk, with all that is said."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from rapida_tw.sip.agent import SipAgent
from rapida_tw.sip.base import Party
from rapida_tw.sip.settings import SipSettings
from rapida_tw.sip.trunk import Trunk
from rapida_tw.wire.sip_message import Response, parse
from tests.sip.house import ASSISTANT, KEY, OTHER, PROJECT, House, Lines
from tests.sip.upstream import Asker

DELAY = 0.03  # seconds each way


class Side:
    """An agent at an address of its own."""

    def __init__(self, clock: Clock, host: str, net: dict[str, Side]) -> None:
        self.address = (host, 5060)
        self.house, self.lines, self.user = House(), Lines(), Asker()
        self.clock, self.net = clock, net
        settings = SipSettings(host=host, secret=host.encode())
        self.agent = SipAgent(
            clock, settings, self.house, self.lines, self, Random(host), clock.seconds
        )
        self.said: list[int | str] = []
        net[host] = self

    def to(self, host: str, port: int, transport: str, name: str = "") -> Deferred[Any]:
        return succeed(Wire(self, self.net[host], transport))


class Wire:
    """A way between two sides, on which everything takes its time."""

    open = True

    def __init__(self, here: Side, there: Side, transport: str) -> None:
        self.here, self.there, self.transport = here, there, transport
        self.local, self.peer = here.address, there.address

    def send(self, data: bytes) -> bool:
        message = parse(data)
        self.here.said.append(message.status if isinstance(message, Response) else message.method)
        back = Wire(self.there, self.here, self.transport)
        self.here.clock.callLater(DELAY, self.there.agent.received, data, back)
        return True

    def beside(self, port: int) -> Wire:
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Wire) and (self.here, self.there) == (other.here, other.there)

    def __hash__(self) -> int:
        return hash(self.peer)


class Pair:
    def __init__(self) -> None:
        self.clock = Clock()
        net: dict[str, Side] = {}
        self.ours = Side(self.clock, "192.0.2.1", net)
        self.trunk = Side(self.clock, "192.0.2.2", net)

    def credential(self, **more: str) -> Trunk:
        fields = {"server": "192.0.2.2", "username": str(ASSISTANT), "password": KEY}
        return Trunk.read({**fields, **more}, PROJECT)

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            self.clock.advance(0.01)

    def nothing_left(self) -> None:
        self.wait(70)
        for side in (self.ours, self.trunk):
            side.agent.close()
            assert len(side.agent.dialogs) == 0
            assert side.lines.open_now == 0
        assert self.clock.getDelayedCalls() == []


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_call(transport: str) -> None:
    """Challenged, answered, attached on both sides, and hung up; each message once."""
    pair = Pair()
    pair.ours.agent.dial(
        pair.credential(transport=transport, caller_id="+15550001111"),
        "+15557654321",
        pair.ours.user,
    )
    pair.wait(2)
    assert pair.ours.user.told == ["trying", "ringing", "answered", "attach"]
    ((party, incoming),) = pair.trunk.house.taken
    assert party.assistant_id == ASSISTANT
    assert (incoming.caller, incoming.callee) == ("+15550001111", "+15557654321")
    session = pair.ours.user.session
    assert session is not None
    session.hang_up()
    pair.wait(1)
    assert pair.ours.said == ["INVITE", "ACK", "INVITE", "ACK", "BYE"]
    assert pair.trunk.said == [401, 100, 180, 200, 200]
    assert pair.trunk.house.listener.ends == ["remote_hangup"]
    pair.nothing_left()


def test_wrong_password() -> None:
    """One try, and the outcome."""
    pair = Pair()
    pair.ours.agent.dial(pair.credential(password="wrong"), "1", pair.ours.user)
    pair.wait(1)
    assert pair.ours.user.told == ["forbidden"]
    assert pair.ours.said.count("INVITE") == 2
    pair.nothing_left()


@pytest.mark.parametrize("hundredths", range(0, 40, 3))
def test_cancel_at_any_time(hundredths: int) -> None:
    """Wherever CANCEL meets the call, both sides are rid of it."""
    pair = Pair()
    handle = pair.ours.agent.dial(pair.credential(), "1", pair.ours.user)
    pair.wait(hundredths / 100)
    handle.cancel()
    assert pair.ours.user.told[-1] in ("cancelled", "ended: cancelled")
    pair.wait(5)
    for side in (pair.ours, pair.trunk):
        assert len(side.agent.dialogs) == 0
        assert side.lines.open_now == 0
    pair.nothing_left()


def test_registered() -> None:
    """A call to our Contact needs no password, from where we are registered and nowhere else."""
    pair = Pair()
    pair.ours.house.trunk = lambda number: succeed(Party(OTHER, PROJECT))  # type: ignore[method-assign]
    pair.ours.agent.registrations.set({9: pair.credential(register="true")})
    pair.wait(1)
    assert pair.ours.agent.registrations.state(9) == "registered"
    assert (pair.ours.said, pair.trunk.said) == (["REGISTER", "REGISTER"], [401, 200])
    (token,) = pair.ours.agent.registrations._ids
    pair.trunk.agent.dial(Trunk("192.0.2.1"), token, pair.trunk.user)
    pair.wait(2)
    assert pair.trunk.user.told == ["trying", "ringing", "answered", "attach"]
    ((party, incoming),) = pair.ours.house.taken
    assert (party.assistant_id, incoming.callee) == (OTHER, "")
    assert pair.trunk.user.session is not None
    pair.trunk.user.session.hang_up()
    pair.ours.agent.registrations.stop()
    pair.nothing_left()
