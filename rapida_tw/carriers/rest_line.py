"""What a carrier's REST API does for a call whose media is here."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed

from rapida_tw.carriers.outbound import GONE, CarrierRefused, Line, RemoteCall
from rapida_tw.carriers.rest_work import STEERED_WITHIN, RestWork
from rapida_tw.errors import CallError, End, NotSupported
from rapida_tw.net.base import Request


class RestLine:
    """Steers a call whose media is here."""

    def __init__(self, work: RestWork, call: RemoteCall) -> None:
        self._work = work
        self._call = call
        self._transferred = False

    def transfer(self, target: str) -> Deferred[None]:
        """At once: it has happened when this fires.

        The carrier may close our media before its answer is here. Cancelling gives up the answer,
        the transfer may have happened.
        """
        try:
            request = self._work.control.transfer(self._call, target, self._work.now())
        except CallError as error:
            return fail(error)
        return self._work.run(self._transfer(request))

    async def _transfer(self, request: Request) -> None:
        await self._steer("transfer", request)
        self._transferred = True

    def withdraw(self) -> None:
        """What was asked for is done: there is nothing that could be taken back."""

    def send_digits(self, digits: str) -> Deferred[None]:
        work = self._work
        if not digits:
            return succeed(None)
        try:
            request = work.control.send_digits(self._call, digits, work.now())
        except CallError as error:
            return fail(error)
        return work.run(self._steer("digits", request))

    async def _steer(self, what: str, request: Request) -> None:
        exchange, read = self._work.exchange, self._work.control.read
        said = await exchange.ask(what, request, read, self._call.account, STEERED_WITHIN)
        if said is GONE:
            raise CarrierRefused("the call is over")

    def hold(self, on: bool) -> Deferred[None]:
        return fail(NotSupported("the carrier plays nothing while our media is connected"))

    def hang_up(self, end: End) -> None:
        """Whoever was transferred is with somebody else now, and stays there."""
        if not self._transferred:
            self._work.hang_up(self._call)


_conforms: type[Line] = RestLine
