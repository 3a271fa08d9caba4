"""Two phones that call each other: neither has anything to complain of."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from twisted.internet.task import Clock

from rapida_tw.sim.caller import Caller
from rapida_tw.sim.datagrams import Datagrams, Storm
from rapida_tw.sim.phone import Reason
from rapida_tw.sim.sip_manner import SipAccount, SipManner
from rapida_tw.sim.sip_phone import LINGER, SipPhone

ALICE, BOB = "198.51.100.7", "203.0.113.10"


class Pair:
    """Alice calls Bob, who answers after a second."""

    def __init__(
        self,
        manner: SipManner | None = None,
        other: SipManner | None = None,
        storm: Storm | None = None,
    ) -> None:
        self.clock = Clock()
        self.network = Datagrams(self.clock, storm)
        self.callers = Caller(), Caller()
        unused = SipAccount(("198.51.100.1", 5060), "1", "-")
        self.bob = self._phone(self.callers[1], BOB, unused, other, 2)
        to = self.bob.signalling._socket.address
        self.alice = self._phone(self.callers[0], ALICE, SipAccount(to, "1", "k"), manner, 1)
        # Bob's messages to whom he was called by.
        self.bob.signalling._account = SipAccount(self.alice.signalling._socket.address, "1", "-")
        self.alice.call()

    def _phone(
        self,
        caller: Caller,
        host: str,
        account: SipAccount,
        manner: SipManner | None,
        seed: int,
    ) -> SipPhone:
        machine = self.network.machine(host)
        return SipPhone(caller, machine, host, account, self.clock, manner, Random(seed))

    def run(self, until: float) -> None:
        while self.clock.seconds() < until - 1e-9:
            self.clock.advance(0.01)

    def over(self) -> None:
        """Nothing is left when both have gone, and nothing was wrong but that Bob is a phone."""
        self.run(self.clock.seconds() + 2 * LINGER)
        assert self.clock.getDelayedCalls() == []
        assert self.network.bound == {}
        for phone in (self.alice, self.bob):
            assert dict(phone.complaints) == {}


def test_call() -> None:
    """Rings, is answered, both hear each other, Alice says goodbye."""
    pair = Pair()
    alice, bob = pair.callers
    alice.says("hello", at=0.5, lasting=1.0)
    bob.says("hello yourself", at=2.0, lasting=1.0)
    alice.hangs_up(at=5.0)
    pair.run(6.5)
    assert [round(sound.lasting, 1) for sound in (*alice.heard, *bob.heard)] == [1.0, 1.0]
    assert (str(alice.ending), str(bob.ending)) == ("caller_hung_up", "server_hung_up")
    pair.over()


@pytest.mark.parametrize(
    "manner",
    [
        SipManner(("G722", "PCMU")),
        SipManner(("L16",)),
        SipManner(("PCMA",), ptime=30),
        SipManner(late_offer=True),
        SipManner(expires=90),
        SipManner(expires=90, refresher="uas"),
    ],
    ids=str,
)
def test_manners(manner: SipManner) -> None:
    """Each kind of phone against one that takes everything."""
    pair = Pair(manner, SipManner(("PCMU", "PCMA", "G722", "L16"), ptime=manner.ptime))
    pair.callers[0].says("hello", at=0.5, lasting=1.0)
    pair.callers[0].hangs_up(at=100.0)
    pair.run(102.0)
    assert round(pair.callers[1].heard[0].lasting, 1) == 1.0
    pair.over()


STEPS: dict[str, Callable[[SipPhone], None]] = {
    "hold": SipPhone.hold,
    "resume": SipPhone.resume,
    "update": SipPhone.update,
    "options": SipPhone.options,
    "late": lambda phone: phone.renegotiate(late=True),
    "move": lambda phone: phone.move_media(tell=True),
}


@pytest.mark.parametrize("who", [0, 1], ids=["caller", "called"])
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_changes(step: Callable[[SipPhone], None], who: int) -> None:
    """Whoever changes the call, it goes on."""
    pair = Pair()
    phone = (pair.alice, pair.bob)[who]
    pair.callers[who].does(lambda: step(phone), at=1.0)
    pair.callers[who].does(phone.resume, at=2.0)
    pair.callers[who].says("hello", at=3.0, lasting=1.0)
    pair.callers[who].hangs_up(at=5.0)
    pair.run(7.0)
    assert phone.refusals == []
    assert round(pair.callers[1 - who].heard[0].lasting, 1) == 1.0
    pair.over()


@pytest.mark.parametrize("events", [True, False], ids=["events", "info"])
def test_digits(events: bool) -> None:
    """Keys arrive, by event or by INFO."""
    pair = Pair(SipManner(events=events))
    pair.callers[0].presses("12#", at=1.0)
    pair.callers[0].hangs_up(at=3.0)
    pair.run(5.0)
    bob = pair.bob
    assert (bob.media.digits, bob.desk.pressed) == (("12#", "") if events else ("", "12#"))
    pair.over()


def test_cancel() -> None:
    """Who gives up while it rings ends the call on both sides."""
    pair = Pair()
    pair.run(0.5)
    pair.alice.hang_up()
    pair.run(1.5)
    assert pair.bob.ending is not None
    assert (pair.bob.ending.reason, pair.bob.ending.detail) == (Reason.SERVER_HUNG_UP, "cancelled")
    pair.over()


def test_busy() -> None:
    """A phone takes one call."""
    pair = Pair()
    pair.run(2.0)
    caller = Caller()
    to = SipAccount(pair.bob.signalling._socket.address, "1", "k")
    third = pair._phone(caller, "198.51.100.8", to, None, 3)
    third.call()
    pair.run(3.0)
    assert str(caller.ending) == "refused (486 Busy Here)"
    pair.alice.hang_up()
    pair.over()


def test_nobody() -> None:
    """No answer within 64*T1."""
    pair = Pair()
    pair.bob.close()
    pair.run(40.0)
    assert str(pair.callers[0].ending) == "no_answer"
    pair.run(40.0 + LINGER)
    assert pair.clock.getDelayedCalls() == []


@pytest.mark.parametrize("seed", range(3))
def test_bad_line(seed: int) -> None:
    """A tenth of all packets is lost: what must arrive is sent again."""
    pair = Pair(storm=Storm(seed, latency=0.03, loss=0.1, duplicates=0.1))
    pair.callers[0].does(pair.alice.hold, at=1.0)
    pair.callers[0].does(pair.alice.resume, at=8.0)
    pair.callers[0].hangs_up(at=15.0)
    pair.run(30.0)
    assert pair.callers[0].ending is not None
    assert pair.callers[1].ending is not None
    pair.over()


def test_vanished() -> None:
    """A phone without power answers nothing; the other one's BYE is given up."""
    pair = Pair()
    pair.run(2.0)
    pair.alice.vanish()
    pair.bob.hang_up()
    pair.run(40.0)
    assert dict(pair.bob.complaints) == {"BYE: no answer": 1}
