"""Our transactions against our transactions, over a network that loses, doubles and reorders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from rapida_tw.sip.base import Flow, HostPort, ServerTransaction
from rapida_tw.sip.transactions import Transactions
from rapida_tw.wire.sip_message import Request, Response, parse
from tests.sip.exchange import ours

# What becomes of one message: when each copy arrives, in seconds; of a lost one none does.
Fate = tuple[float, ...]
FINE: Fate = (1 / 32,)
AT_MOST = 32  # seconds in which something may still be sent


@dataclass(frozen=True, slots=True)
class Plan:
    """One request, what the called does, and when the caller gives it up."""

    method: str
    status: int
    provisional: bool
    answered: float
    cancelled: float | None
    transport: str = "UDP"


class Side:
    """One end: a flow to the other end, and the transactions there."""

    peer: HostPort = ("10.0.0.1", 5060)
    local: HostPort = ("10.0.0.2", 5060)
    open = True

    def __init__(self, clock: Clock, transport: str, fates: Iterator[Fate]) -> None:
        self.transport = transport
        self._clock = clock
        self._fates = fates
        self.other: Side
        self.transactions: Transactions

    def send(self, data: bytes) -> bool:
        for delay in next(self._fates):
            message = parse(data)
            self._clock.callLater(delay, self.other.transactions.received, message, self.other)
        return True


@dataclass
class Outcome:
    """What both sides believe in the end."""

    accepted: int = 0
    answered: list[int] = field(default_factory=list)
    acknowledged: int = 0
    not_acknowledged: int = 0
    heard: list[int] = field(default_factory=list)  # final ones
    failed: list[str] = field(default_factory=list)
    left: int = 0


class Called:
    """Core and InviteUser of the called side."""

    def __init__(self, side: Side, clock: Clock, plan: Plan, outcome: Outcome) -> None:
        self._side = side
        self._clock = clock
        self._plan = plan
        self._outcome = outcome
        self._transaction: ServerTransaction

    def request_received(self, request: Request, flow: Flow) -> None:
        self._transaction = self._side.transactions.accept(request, flow, self)
        self._outcome.accepted += 1
        if self._plan.provisional and request.method == "INVITE":
            self._transaction.respond(request.answer(180, to_tag="called"))
        self._clock.callLater(self._plan.answered, self._answer)

    def _answer(self) -> None:
        if not self._transaction.answered:
            self._outcome.answered.append(self._plan.status)
            request = self._transaction.request
            self._transaction.respond(request.answer(self._plan.status, to_tag="called"))

    def ack_received(self, ack: Request, flow: Flow) -> None:
        self._outcome.acknowledged += 1
        self._transaction.acknowledged()

    def response_strayed(self, response: Response, flow: Flow) -> None:
        raise AssertionError

    def cancelled(self, cancel: Request) -> None:
        self._outcome.answered.append(487)

    def not_acknowledged(self) -> None:
        self._outcome.not_acknowledged += 1


class Caller:
    """Core and ClientUser of the calling side: acknowledges each 2xx."""

    def __init__(self, side: Side, outcome: Outcome) -> None:
        self._side = side
        self._outcome = outcome

    def response_received(self, response: Response, flow: Flow) -> None:
        if response.status >= 200:
            self._outcome.heard.append(response.status)
        self._acknowledge(response)

    def response_strayed(self, response: Response, flow: Flow) -> None:
        self._acknowledge(response)

    def _acknowledge(self, response: Response) -> None:
        if response.cseq[1] == "INVITE" and 200 <= response.status < 300:
            ack = ours("ACK")
            ack.headers.set("To", response.headers.get("To"))
            self._side.transactions.send_ack(ack, self._side)

    def request_failed(self, reason: str) -> None:
        self._outcome.failed.append(reason)

    def request_received(self, request: Request, flow: Flow) -> None:
        raise AssertionError

    def ack_received(self, ack: Request, flow: Flow) -> None:
        raise AssertionError


def run(plan: Plan, fates: list[Fate]) -> Outcome:
    """Until nothing is on the clock any more."""
    clock, outcome = Clock(), Outcome()
    fate = chain(fates, repeat(FINE))
    calling, called = (Side(clock, plan.transport, fate) for _ in range(2))
    calling.other, called.other = called, calling
    caller = Caller(calling, outcome)
    calling.transactions = Transactions(clock, caller)
    called.transactions = Transactions(clock, Called(called, clock, plan, outcome))
    transaction = calling.transactions.send(ours(plan.method), calling, caller)
    if plan.cancelled is not None:
        clock.callLater(plan.cancelled, transaction.cancel)
    for _ in range(2_000):
        waiting = clock.getDelayedCalls()
        if not waiting:
            break
        clock.advance(max(0.0, min(call.getTime() for call in waiting) - clock.seconds()))
    assert not clock.getDelayedCalls(), "it goes on for ever"
    outcome.left = len(calling.transactions) + len(called.transactions)
    assert clock.seconds() < 5 * AT_MOST
    return outcome


def quick(most: float) -> st.SearchStrategy[Fate]:
    """Arrives, once to three times, in any order."""
    delays = st.sampled_from([0.0, 1 / 32, most / 4, most / 2, most])
    return st.lists(delays, min_size=1, max_size=3).map(tuple)


plans = st.builds(
    Plan,
    method=st.sampled_from(["INVITE", "INFO"]),
    status=st.sampled_from([200, 302, 486]),
    provisional=st.booleans(),
    answered=st.sampled_from([0.0, 0.25, 3.0]),
    cancelled=st.none() | st.sampled_from([0.0, 0.25, 1.0, 3.0, 3.125]),
)


@st.composite
def a_few_lost(draw: st.DrawFn) -> list[Fate]:
    """Up to five of the first twenty messages."""
    fates: list[Fate] = draw(st.lists(quick(1.0), max_size=20))
    for place in draw(st.lists(st.integers(0, 20), max_size=5)):
        fates.insert(place, ())
    return fates


def agrees(plan: Plan, outcome: Outcome) -> None:
    """What holds however bad the network is."""
    assert outcome.left == 0
    assert outcome.accepted <= 1
    assert set(outcome.heard) <= set(outcome.answered)
    assert len(outcome.answered) <= 1
    assert len(outcome.failed) <= 1
    assert not (outcome.heard and outcome.failed)
    assert outcome.not_acknowledged <= 1
    assert not (outcome.acknowledged and outcome.not_acknowledged)
    if outcome.acknowledged:
        # A 200 that came when the caller had given up is acknowledged all the same.
        assert set(outcome.heard) == {200} or outcome.failed
    if plan.method != "INVITE" or set(outcome.heard) - {200}:
        assert len(outcome.heard) <= 1


@given(plans, a_few_lost())
def test_a_few_lost(plan: Plan, fates: list[Fate]) -> None:
    """Five lost messages are not noticed: one request, one answer, and its ACK."""
    outcome = run(plan, fates)
    agrees(plan, outcome)
    assert outcome.accepted == len(outcome.answered) == 1
    assert set(outcome.heard) == set(outcome.answered)
    assert outcome.failed == []
    assert outcome.not_acknowledged == 0
    assert bool(outcome.acknowledged) is (plan.method == "INVITE" and outcome.answered == [200])


@given(plans, st.lists(st.just(()) | quick(0.25), max_size=60))
def test_many_lost(plan: Plan, fates: list[Fate]) -> None:
    """Whatever is lost, both sides come to an end and do not contradict each other."""
    agrees(plan, run(plan, fates))


@given(plans)
def test_nothing_arrives(plan: Plan) -> None:
    """The caller is told, once; the called knows nothing."""
    outcome = run(plan, [()] * 100)
    assert outcome == Outcome(failed=["timeout"])


@given(plans)
def test_stream(plan: Plan) -> None:
    """Over TCP each message is sent once, and both agree."""
    stream = Plan(plan.method, plan.status, plan.provisional, plan.answered, plan.cancelled, "TCP")
    outcome = run(stream, [])
    agrees(stream, outcome)
    assert outcome.heard == outcome.answered
    assert outcome.acknowledged == (stream.method == "INVITE" and outcome.answered == [200])
