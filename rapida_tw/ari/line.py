"""What can be done to a call by ARI while an assistant talks on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger

from rapida_tw.ari.call import AriCall
from rapida_tw.ari.client import Client, at
from rapida_tw.ari.refusal import GONE, TAKEN, Declined
from rapida_tw.carriers.outbound import CarrierRefused, Line, Outcome
from rapida_tw.errors import TRANSFERRED, End, NotSupported, VendorFailed

_DIGITS = frozenset("0123456789ABCD*#")
_MOST_DIGITS = 64


class ChannelLine:
    """A channel whose call is the dialplan's, or another server's: known by its id alone.

    Asterisk hangs it up wherever it is; digits and music it takes for channels in an application
    only ("Channel not in Stasis application"). Transfers are the dialplan's.
    """

    _log = Logger()

    def __init__(self, client: Client, channel: str, placed: bool = True) -> None:
        """`placed`: we have had it dialled; else a dialplan has brought it, and goes on with it."""
        self._client = client
        self._channel = channel
        self._placed = placed

    def transfer(self, target: str) -> Deferred[None]:
        return fail(NotSupported("by ARI, only calls in Stasis mode are transferred"))

    def withdraw(self) -> None:
        """Nothing was got ready."""

    def send_digits(self, digits: str) -> Deferred[None]:
        keys = digits.upper()
        if not 0 < len(keys) <= _MOST_DIGITS or not _DIGITS.issuperset(keys):
            return fail(NotSupported(f"digits are 1 to {_MOST_DIGITS} of 0-9 A-D * #"))
        return self._do("POST", "/dtmf", {"dtmf": keys})

    def hold(self, on: bool) -> Deferred[None]:
        """Music of Asterisk's default class for the customer, who is still heard."""
        return self._do("POST" if on else "DELETE", "/moh")

    def hang_up(self, end: End) -> None:
        """A dialplan that has brought its caller may have something for them afterwards."""
        if self._placed and end.reason != TRANSFERRED.reason:
            removing = Deferred.fromCoroutine(self._client.remove(at(self._channel)))
            removing.addErrback(
                lambda f: self._log.warn("{channel}: {why}", channel=self._channel, why=f.value)
            )

    def _do(
        self, method: str, action: str, query: Mapping[str, str] | None = None
    ) -> Deferred[Any]:
        return Deferred.fromCoroutine(self._ask(method, action, query))

    async def _ask(self, method: str, action: str, query: Mapping[str, str] | None) -> None:
        try:
            await self._client.ask(method, at(self._channel, action), query)
        except Declined as declined:
            if declined.status in (GONE, TAKEN):
                raise NotSupported(f"Asterisk: {declined.said or declined}") from None
            said = f"Asterisk: {declined.said or declined}"
            raise CarrierRefused(said, Outcome("failed", said, str(declined.status))) from None
        except VendorFailed as error:
            raise CarrierRefused(str(error)) from error


class AriLine:
    """A call in Stasis mode that this server has placed: all of it is ours."""

    def __init__(self, call: AriCall, caller: str) -> None:
        """`caller`: the number that the target of a transfer is shown."""
        self._call = call
        self._caller = caller
        self._channel = ChannelLine(call.client, call.plan.channel)

    def transfer(self, target: str) -> Deferred[None]:
        """A number, an address, or a name: see `Way.transfer`. Fires when the two talk."""
        try:
            endpoint = self._call.plan.way.transfer(target.strip())
            return self._call.transfer(endpoint, self._caller)
        except NotSupported as error:
            return fail(error)

    def withdraw(self) -> None:
        if self._call.moving is not None:
            self._call.moving.withdraw()

    def send_digits(self, digits: str) -> Deferred[None]:
        return self._channel.send_digits(digits)

    def hold(self, on: bool) -> Deferred[None]:
        """See `ChannelLine`."""
        return self._channel.hold(on)

    def hang_up(self, end: End) -> None:
        """After a transfer, ours is the only part that ends."""
        if end.reason == TRANSFERRED.reason and self._call.moving is not None:
            self._call.drop_media()
        else:
            self._call.hang_up()


_conforms: tuple[type[Line], ...] = (ChannelLine, AriLine)
