"""SipTelephone: what the SIP agent tells of a call, in the words of all carriers."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.carriers.outbound import Order, Outcome, Reach
from rapida_tw.sip import outcome as sip
from rapida_tw.sip_telephone import NO_ANSWER, SILENT, SipTelephone, TrunkLogin

NUMBER = "+15557654321"


class Agent:
    """Takes calls, and remembers whether they were cancelled."""

    call_id = "call-1"

    def __init__(self) -> None:
        self.dialled: list[str] = []
        self.cancelled = 0

    def dial(self, trunk: Any, number: str, user: Any) -> Any:
        self.dialled += [trunk.caller_id, number]
        self.user = user
        return self

    def cancel(self) -> None:
        self.cancelled += 1


class Called:
    """A DialUser that remembers how it came out."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.accepted_as: list[str] = []

    def accepted(self, placed: Any) -> None:
        self.accepted_as.append(placed.call_id)

    def progressed(self, progress: Any) -> None: ...

    def attach(self, leg: Any) -> Any: ...

    def happened(self, name: str, **data: Any) -> None: ...

    def failed(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


class House:
    def __init__(self) -> None:
        self.clock = Clock()
        self.agent: Any = Agent()
        self.user = Called()
        account = Account("sip", {"sip_server": "trunk.example.com"})
        order = Order(1, 2, 3, "", NUMBER, "+15550001111", "", "", account, ring_seconds=20)
        self.dialling = SipTelephone(self.agent, self.clock).dial(order, self.user)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("busy", "busy"),
        ("no_answer", "no_answer"),
        ("declined", "rejected"),
        ("bad_number", "bad_number"),
        ("forbidden", "authentication_failed"),
        ("media", "media_failed"),
        ("unreachable", "unreachable"),
        ("failed", "failed"),
    ],
)
def test_words(status: Any, word: str) -> None:
    """Each outcome has its word; the trunk's code, words and wish come with it."""
    house = House()
    house.agent.user.failed(sip.Outcome(status, 699, "Not now", True, True, 30.0))
    assert house.user.outcomes == [Outcome(word, "Not now", "699", True, Reach.CARRIER, 30.0)]
    assert house.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("code", "word"),
    [(503, "unreachable"), (500, "unreachable"), (402, "configuration_failed"), (400, "failed")],
)
def test_failed(code: int, word: str) -> None:
    """What has no word of its own has that which other carriers have for its status."""
    house = House()
    house.agent.user.failed(sip.Outcome("failed", code, "Service Unavailable", sent=True))
    assert [one.status for one in house.user.outcomes] == [word]


def test_nobody_reached() -> None:
    """Without any answer to the INVITE nobody was reached, and there is no code."""
    house = House()
    house.agent.user.failed(sip.Outcome("unreachable", 0, "no way", True, False))
    (outcome,) = house.user.outcomes
    assert (outcome.reach, outcome.code) == (Reach.NOBODY, "")


@pytest.mark.parametrize("heard", [True, False])
def test_too_long(heard: bool) -> None:
    """When time is up: it rang in vain, unless the trunk has not said a word."""
    house = House()
    if heard:
        house.agent.user.trying()
    house.clock.advance(19.9)
    assert house.user.outcomes == []
    house.clock.advance(0.2)
    assert house.user.outcomes == [NO_ANSWER if heard else SILENT]
    assert house.agent.cancelled == 1
    house.agent.user.failed(sip.Outcome("cancelled"))
    assert len(house.user.outcomes) == 1


def test_given_up() -> None:
    """Who gives it up hears nothing more; the agent is told once."""
    house = House()
    house.agent.user.trying()
    house.dialling.cancel()
    house.dialling.cancel()
    house.agent.user.failed(sip.Outcome("cancelled", sent=True))
    assert house.user.outcomes == []
    assert house.agent.cancelled == 1
    assert house.clock.getDelayedCalls() == []


def test_caller() -> None:
    """The call's own number goes before the trunk's; the call is known by its Call-ID."""
    house = House()
    assert house.agent.dialled == ["+15550001111", NUMBER]
    house.agent.user.trying()
    assert house.user.accepted_as == ["call-1"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sip_server": "trunk.example.com", "sip_password": "s3cret"}, "it was not called"),
        ({"sip_server": "trunk.example.com", "sip_port": "s3cret"}, "sip_port must be"),
        ({}, "sip_server is missing"),
    ],
)
def test_check(fields: dict[str, str], words: str) -> None:
    """Without a call nothing but mistakes in the credential is seen; no value of it is told."""
    failed: list[str] = []
    checking = TrunkLogin().check(Account("sip", fields))
    checking.addErrback(lambda failure: failed.append(failure.getErrorMessage()))
    assert words in failed[0]
    assert "s3cret" not in failed[0]
