"""Calls placed at a fake Asterisk, in virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.account import Account
from rapida_tw.ari.call import AriCall
from rapida_tw.ari.telephone import AriTelephone
from rapida_tw.carriers.outbound import (
    DialUser,
    Order,
    Outcome,
    Placed,
    Progress,
    RemoteCall,
    State,
)
from rapida_tw.sim.ari import FakeAri
from rapida_tw.sim.ari_channels import Channel, Person
from rapida_tw.simulation.clock import VirtualClock
from rapida_tw.simulation.vendor_net import FakeVendorNet

CONTEXT = "66bc093d-34ab-4436-8e47-83e4fa85f361"
NUMBER = "+15551234567"
FIELDS = {
    "ari_url": "http://asterisk.test:8088",
    "ari_user": "rapida",
    "ari_password": "ari-secret",
    "trunk": "trunk",
}
DIALPLAN = {"context": "rapida-outbound"}


def account(**changes: str) -> Account:
    return Account("asterisk", {**FIELDS, **changes})


def order(callee: str = NUMBER, number: int = 7, **changes: Any) -> Order:
    """For a call of a conversation of that number."""
    usual: dict[str, Any] = {
        "conversation_id": number,
        "assistant_id": 1,
        "project_id": 1,
        "context_id": CONTEXT,
        "callee": callee,
        "caller": "+15550001111",
        "media_url": "wss://voice.test/v1/talk/asterisk/ctx/" + CONTEXT,
        "event_url": "https://voice.test/v1/talk/asterisk/ctx/" + CONTEXT + "/event",
        "account": account(),
        "audiosocket": "voice.test:4573",
        "ring_seconds": 30.0,
    }
    return Order(**{**usual, **changes})


class User:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.placed: list[Placed] = []
        self.states: list[State] = []
        self.history: list[tuple[str, Mapping[str, Any]]] = []
        self.outcomes: list[Outcome] = []

    def accepted(self, placed: Placed) -> None:
        self.told.append("accepted")
        self.placed.append(placed)

    def progressed(self, progress: Progress) -> None:
        self.told.append(progress.state.name.lower())
        self.states.append(progress.state)

    def attach(self, leg: Any) -> Any:
        raise AssertionError("the media comes by another way")

    def happened(self, name: str, **data: Any) -> None:
        self.history.append((name, data))

    def failed(self, outcome: Outcome) -> None:
        self.told.append(outcome.status)
        self.outcomes.append(outcome)


class AriCase(SynchronousTestCase):
    """A server's telephone and the Asterisk that it uses."""

    def setUp(self) -> None:
        self.clock = VirtualClock()
        self.asterisk = FakeAri(self.clock)
        self.net = FakeVendorNet(self.clock, self.asterisk)
        self.telephone = AriTelephone(self.net, self.clock)
        self.user = User()
        self.spare: list[AriTelephone] = []

    def tearDown(self) -> None:
        """Nothing is left: no call, no socket, no timer of ours."""
        for telephone in (self.telephone, *self.spare):
            stopping = telephone.stop()
            self.run_for(6)
            self.successResultOf(stopping)
            self.assertEqual(telephone.calls, {})
        self.asterisk.channels.stop()
        self.run_for(1)
        self.assertEqual(self.net.leftovers(), [])

    def run_for(self, seconds: float) -> None:
        self.clock.run(self.clock.seconds() + seconds)

    def person(self, number: str = NUMBER, **manner: Any) -> None:
        """How who is called there behaves."""
        self.asterisk.channels.people[number] = Person(**manner)

    def dial(self, *, seconds: float = 0.2, **changes: Any) -> AriCall:
        """Place a call and let `seconds` pass."""
        call = self.telephone.dial(order(**changes), self.user)
        assert isinstance(call, AriCall)
        self.run_for(seconds)
        return call

    def connected(self, **changes: Any) -> AriCall:
        """A call in Stasis mode whose audio is there."""
        call = self.dial(**changes, seconds=2)
        self.assertEqual(self.user.told, ["accepted", "ringing", "answered"])
        self.assertEqual(self.members(), {call.plan.channel, call.plan.media_channel})
        return call

    def line(self, call: AriCall) -> Any:
        """For who holds the call."""
        plan = call.plan
        return self.telephone.line(RemoteCall(plan.channel, account(), "outbound", "+15550001111"))

    def members(self) -> set[str]:
        """Who is in the one bridge."""
        [bridge] = self.asterisk.channels.bridges.values()
        return bridge

    @property
    def channels(self) -> Mapping[str, Channel]:
        return self.asterisk.channels.all

    def asked(self, method: str, end: str) -> list[Mapping[str, str]]:
        """The queries of such requests."""
        return [
            query
            for one, path, query in self.asterisk.asked
            if one == method and path.endswith(end)
        ]

    def failure(self, waiting: Deferred[Any], kind: type[Exception]) -> Exception:
        error: Exception = self.failureResultOf(waiting, kind).value
        return error


_conforms: type[DialUser] = User
