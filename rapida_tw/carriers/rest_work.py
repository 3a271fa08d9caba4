"""What is under way at one carrier's REST API, whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.carriers.outbound import CarrierRefused, Reach, RemoteCall, RestControl
from rapida_tw.carriers.rest_exchange import Exchange
from rapida_tw.errors import CallError, VendorFailed
from rapida_tw.net.base import Net

STEERED_WITHIN = 5.0  # seconds
STOPPED_WITHIN = 3.0
HUNG_UP_AGAIN = (1.0, 4.0)  # seconds after one that was not heard

T = TypeVar("T")


class RestWork:
    """Kept here and not by those who ask: a hang-up is carried out although its call is forgotten,
    and the server's end knows what to wait for. `now`: seconds since the epoch.
    """

    _log = Logger()

    def __init__(
        self, control: RestControl, net: Net, clock: IReactorTime, now: Callable[[], float]
    ) -> None:
        self.control = control
        self.clock = clock
        self.now = now
        self.exchange = Exchange(control.name, net, clock)
        self._running: set[Deferred[Any]] = set()
        self._idle: list[Deferred[None]] = []

    def hang_up(self, call: RemoteCall) -> None:
        """See to it that it ends, also when the carrier does not hear it at once."""
        hanging_up = self.run(self._hang_up(call))
        hanging_up.addErrback(self._not_hung_up)

    def _not_hung_up(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("a call was not hung up", failure)

    async def _hang_up(self, call: RemoteCall) -> None:
        for pause in (*HUNG_UP_AGAIN, None):
            try:
                await self._hang_up_once(call)
                return
            except (CarrierRefused, VendorFailed) as error:
                if pause is None or not _again(error):
                    self._log.warn(
                        "{carrier}: {call} was not hung up: {error}",
                        carrier=self.control.name,
                        call=call.call_id,
                        error=error,
                    )
                    return
            except CallError as error:
                # No keys, or no id that steers it: closing the media is all that can be done.
                self._log.debug("{carrier}: {error}", carrier=self.control.name, error=error)
                return
            await deferLater(self.clock, pause)

    async def _hang_up_once(self, call: RemoteCall) -> None:
        request = self.control.hang_up(call, self.now())
        if request is not None:
            read = self.control.read
            await self.exchange.ask("hang-up", request, read, call.account, STEERED_WITHIN)

    def run(self, work: Coroutine[Any, Any, T]) -> Deferred[T]:
        """Carry it out, whoever waits for it: cancelling the answer gives up the answer alone.

        What fails is the waiter's to hear.
        """
        running = Deferred.fromCoroutine(work)
        answer: Deferred[T] = Deferred()
        self._running.add(running)
        running.addBoth(self._over, running, answer)
        return answer

    def _over(self, result: Any, running: Deferred[Any], answer: Deferred[Any]) -> None:
        self._running.discard(running)
        if not answer.called:
            answer.callback(result)  # a failure, too
        if not self._running:
            for waiting in self._idle:
                waiting.callback(None)
            self._idle.clear()

    def stop(self) -> Deferred[None]:
        """Hang-ups that are under way get some seconds; what is not over then is given up."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if not self._running:
            return
        idle: Deferred[None] = Deferred()
        self._idle.append(idle)
        try:
            await idle.addTimeout(STOPPED_WITHIN, self.clock)
        except TimeoutError:
            self._idle.clear()
            for running in tuple(self._running):
                running.cancel()


def _again(error: CarrierRefused | VendorFailed) -> bool:
    """A hang-up may be asked for twice: whether that would help."""
    if isinstance(error, VendorFailed):
        return error.retryable
    return error.outcome.retryable or error.outcome.reach is Reach.UNKNOWN
