"""Switchboard: the calls that one carrier was asked to place, and how its callbacks travel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.sim.call_steps import Report, Side
from rapida_tw.sim.caller import Tell
from rapida_tw.sim.exchange import Connect
from rapida_tw.sim.habits import Habit
from rapida_tw.sim.http import Http, HttpRequest, NoAnswer
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import Phone
from rapida_tw.sim.placed_call import PlacedCall

_RETRY_AFTER = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Delivery:
    """How callbacks travel: each up to `late` seconds late, so that they overtake each other.

    `copies`: how often each arrives. `retries`: after an answer of 5xx, or none.
    """

    late: float = 0.0
    copies: int = 1
    retries: int = 0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Ways:
    """What a switchboard needs of the world; `now`: seconds since the epoch."""

    clock: IReactorTime
    http: Http
    connect: Connect
    metronome: Metronome
    now: Callable[[], float]


class Switchboard:
    """One carrier's. `habit` is everybody's whose number is not in `habits`.

    `answers`: addresses of callbacks and the status each was answered with, 0: not at all.
    `watch` hears of every call's progress, `tell` of what its machines do.
    """

    _log = Logger()

    def __init__(self, habit: Habit | None = None, delivery: Delivery | None = None) -> None:
        self.calls: dict[str, PlacedCall] = {}  # by the carrier's name of them
        self.habit = habit or Habit()
        self.habits: dict[str, Habit] = {}  # by number, digits alone
        self.rings_on = 0.0  # seconds for which it rings longer than it may
        self.connects_after = 0.0  # seconds from the answer to the document
        self.sent: list[HttpRequest] = []  # callbacks, each once
        self.answers: list[tuple[str, int]] = []
        self.watch: Callable[[PlacedCall, Report], None] = lambda call, report: None
        self.tell: Tell | None = None
        self._ways: Ways | None = None
        self._timers: set[IDelayedCall] = set()
        self._under_way: set[Deferred[None]] = set()
        self.deliver(delivery or Delivery())

    def deliver(self, delivery: Delivery) -> None:
        """How callbacks travel from now on."""
        self.delivery = delivery
        self._random = Random(delivery.seed)

    def plug_in(self, ways: Ways) -> None:
        """Once, before the first call."""
        self._ways = ways

    # -- for its calls ----------------------------------------------------------------------------

    @property
    def ways(self) -> Ways:
        assert self._ways is not None, "the switchboard is not plugged in"
        return self._ways

    @property
    def clock(self) -> IReactorTime:
        return self.ways.clock

    @property
    def http(self) -> Http:
        return self.ways.http

    @property
    def connect(self) -> Connect:
        return self.ways.connect

    @property
    def metronome(self) -> Metronome:
        return self.ways.metronome

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.ways.now()

    def seconds(self) -> float:
        """On the clock."""
        return self.clock.seconds()

    def habit_of(self, number: str) -> Habit:
        """Of whoever has that number."""
        return self.habits.get(digits_of(number), self.habit)

    def happened(self, call: PlacedCall, report: Report) -> None:
        """A call has come to another stage."""
        self.watch(call, report)

    # -- calls ------------------------------------------------------------------------------------

    def place(self, side: Side) -> PlacedCall:
        """Begin a call."""
        return self._keep(PlacedCall(self, side, self.habit_of(side.callee)))

    def arrive(self, side: Side, phone: Phone) -> PlacedCall:
        """Somebody calls us with that phone."""
        habit = Habit(phone=lambda: phone)
        return self._keep(PlacedCall(self, side, habit, arrives=True))

    def _keep(self, call: PlacedCall) -> PlacedCall:
        self.calls[call.side.id] = call
        call.done.addErrback(self._failed)
        return call

    @property
    def latest(self) -> PlacedCall:
        """The call that was placed last."""
        return next(reversed(self.calls.values()))

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("a placed call failed", failure)

    # -- callbacks --------------------------------------------------------------------------------

    def post(self, requests: Iterable[HttpRequest]) -> None:
        """Send callbacks on their way."""
        for request in requests:
            self.sent.append(request)
            for _ in range(self.delivery.copies):
                late = self._random.uniform(0.0, self.delivery.late)
                if late:
                    self.later(late, self._send, request, self.delivery.retries)
                else:
                    self._send(request, self.delivery.retries)

    def replay(self, *requests: HttpRequest) -> None:
        """Send these once more, or all there were, in their order."""
        for request in requests or tuple(self.sent):
            self._send(request, 0)

    def later(self, seconds: float, function: Callable[..., None], *arguments: object) -> None:
        """Call it then, unless the switchboard is stopped."""

        def go() -> None:
            self._timers.discard(timer)
            function(*arguments)

        timer = self.clock.callLater(seconds, go)
        self._timers.add(timer)

    def _send(self, request: HttpRequest, tries: int) -> None:
        sending = Deferred.fromCoroutine(self._deliver(request, tries))
        if not sending.called:
            self._under_way.add(sending)
            sending.addBoth(self._sent, sending)

    def _sent(self, result: object, sending: Deferred[None]) -> None:
        self._under_way.discard(sending)

    async def _deliver(self, request: HttpRequest, tries: int) -> None:
        try:
            status = (await self.http(request)).status
        except NoAnswer:
            status = 0
        self.answers.append((request.url, status))
        if tries and (status == 0 or status >= 500):
            self.later(_RETRY_AFTER, self._send, request, tries - 1)

    # -- the end ----------------------------------------------------------------------------------

    def leftovers(self) -> list[str]:
        """What is not over."""
        left = [f"placed call: {one.side.id}" for one in self.calls.values() if not one.is_over]
        left += [f"callback: {one}" for one in self._under_way]
        return left + [f"late callback: {one}" for one in self._timers]

    def stop(self) -> None:
        """End all calls without a word."""
        for call in self.calls.values():
            call.done.cancel()
        for sending in tuple(self._under_way):
            sending.cancel()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()


def digits_of(number: str) -> str:
    """The digits of a number, whichever way it is written: as they are known by."""
    digits = "".join(one for one in number if one.isdigit())
    return digits.lstrip("0")
