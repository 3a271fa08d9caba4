"""A call that a carrier is asked for by REST.

It is asked for once. What the carrier refuses, or what surely was not sent, has failed. After
anything else (no answer in time, a 5xx, an answer that cannot be read) the call may come: it is
told to the history as `outbound.unsure`, and whoever waits for it decides by the ring timer; there
is no call's id then that it could be given up with.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater
from twisted.logger import Logger

from rapida_tw.carriers.outbound import (
    CarrierRefused,
    Dialling,
    DialUser,
    Order,
    Outcome,
    Placed,
    Reach,
    RemoteCall,
)
from rapida_tw.carriers.rest_work import RestWork
from rapida_tw.errors import CallError, VendorFailed
from rapida_tw.net.base import Request

PLACED_WITHIN = 15.0  # seconds, everything included
LONGEST_WAIT = 2.0  # seconds that a carrier which is asked too often may want; once a call


class RestDialling:
    """A call that the carrier is asked for."""

    _log = Logger()

    def __init__(self, work: RestWork, order: Order, user: DialUser, request: Request) -> None:
        self._work = work
        self._order = order
        self._user = user
        self._call: RemoteCall | None = None  # once the carrier has it
        self._given_up = False
        placing = work.run(self._place(request))
        placing.addErrback(lambda f: self._log.failure("a call was not placed", f))

    def cancel(self) -> None:
        """Give it up, at the carrier too, as soon as its answer tells which call it is.

        Not told of a call whose media is here: the line hangs that up.
        """
        if self._given_up:
            return
        self._given_up = True
        if self._call is not None:
            self._work.hang_up(self._call)

    async def _place(self, request: Request) -> None:
        try:
            await deferLater(self._work.clock, 0)
            if self._given_up:
                return
            placed = await self._ask(request)
        except CancelledError:
            return  # the server's end
        except VendorFailed as error:
            reach = Reach.UNKNOWN if error.sent else Reach.NOBODY
            retryable = error.retryable and not error.sent
            self._came_to_nothing(Outcome("unreachable", str(error), "", retryable, reach))
        except CarrierRefused as error:
            self._came_to_nothing(error.outcome)
        except CallError as error:
            self._came_to_nothing(Outcome("configuration_failed", str(error), reach=Reach.NOBODY))
        else:
            self._placed(placed)

    async def _ask(self, request: Request) -> Placed:
        """Once more when the carrier wants a moment: what is refused so has dialled nobody."""
        work, order = self._work, self._order
        control, ask = work.control, work.exchange.ask
        until = work.clock.seconds() + PLACED_WITHIN
        try:
            return await ask("place", request, control.read_placed, order.account, PLACED_WITHIN)
        except CarrierRefused as error:
            wait = error.retry_after
            asked_too_often = error.outcome.status == "capacity_exceeded"
            if not asked_too_often or wait is None or wait > LONGEST_WAIT:
                raise
            refusal = error
        await deferLater(work.clock, wait)
        left = until - work.clock.seconds()
        if self._given_up or left <= 0:
            raise refusal
        again = control.place(order, work.now())
        return await ask("place", again, control.read_placed, order.account, left)

    def _placed(self, placed: Placed) -> None:
        order = self._order
        self._call = RemoteCall(
            placed.call_id,
            order.account,
            "outbound",
            order.caller,
            order.event_url,
            order.options,
            placed.data,
        )
        if self._given_up:
            self._work.hang_up(self._call)
        else:
            self._user.accepted(placed)

    def _came_to_nothing(self, outcome: Outcome) -> None:
        if outcome.reach is Reach.UNKNOWN:
            self._log.warn(
                "{carrier}: it is not known whether the call of context {context} exists: {reason}",
                carrier=self._work.control.name,
                context=self._order.context_id,
                reason=outcome.reason,
            )
        if self._given_up:
            return
        if outcome.reach is Reach.UNKNOWN:
            self._user.happened("outbound.unsure", reason=outcome.reason, code=outcome.code)
        else:
            self._user.failed(outcome)


_conforms: type[Dialling] = RestDialling
