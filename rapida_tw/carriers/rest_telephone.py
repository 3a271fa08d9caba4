"""RestTelephone: the calls of a carrier that is steered by REST, placed and steered."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.account import Account
from rapida_tw.carriers.outbound import (
    Dialling,
    DialUser,
    Line,
    Order,
    RemoteCall,
    RestControl,
    Telephone,
)
from rapida_tw.carriers.rest_dialling import RestDialling
from rapida_tw.carriers.rest_line import RestLine
from rapida_tw.carriers.rest_work import RestWork
from rapida_tw.net.base import Net

CHECKED_WITHIN = 10.0  # seconds
_LONGEST_NAME = 80  # characters


class RestTelephone:
    """One carrier's. `now`: seconds since the epoch."""

    def __init__(
        self, control: RestControl, net: Net, clock: IReactorTime, now: Callable[[], float]
    ) -> None:
        self.detects_machines = control.detects_machines
        self._control = control
        self._now = now
        self._work = RestWork(control, net, clock, now)

    def dial(self, order: Order, user: DialUser) -> Dialling:
        """Nothing is sent before this returns; errors as of `RestControl.place`."""
        request = self._control.place(order, self._now())
        return RestDialling(self._work, order, user, request)

    def line(self, call: RemoteCall) -> Line | None:
        return RestLine(self._work, call) if call.call_id else None

    def check(self, account: Account) -> Deferred[str]:
        return Deferred.fromCoroutine(self._check(account))

    async def _check(self, account: Account) -> str:
        control = self._control
        request, ask = control.check(account, self._now()), self._work.exchange.ask
        said = await ask("check", request, control.read, account, CHECKED_WITHIN)
        name, status = said.get("friendly_name") or said.get("name"), said.get("status")
        sentence = f"{control.name} knows the account"
        if isinstance(name, str) and name.isprintable():
            sentence += f" {name[:_LONGEST_NAME]!r}"
        if isinstance(status, str) and status.isprintable():
            sentence += f" ({status[:_LONGEST_NAME]})"
        return sentence

    def stop(self) -> Deferred[None]:
        return self._work.stop()


_conforms: type[Telephone] = RestTelephone
