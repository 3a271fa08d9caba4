"""The exchange of a fake carrier: carries out both phases of its calls, and reports after them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, DNSLookupError

from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.faults import NO_FAULTS, Faults
from rapida_tw.sim.http import Http, HttpRequest, NoAnswer
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import CallFailed, Phone
from rapida_tw.sim.websocket_line import WebSocketLine

# Connects the line to the server that `media.url` means; errbacks as endpoints do.
Connect = Callable[[Media, WebSocketLine], "Deferred[object]"]


class Exchange:
    """Makes calls by `http` and `connect`, on whatever clock those are; `now` since the epoch."""

    def __init__(
        self, http: Http, connect: Connect, metronome: Metronome, now: Callable[[], float]
    ) -> None:
        self._http = http
        self._connect = connect
        self._metronome = metronome
        self._now = now

    def call(
        self,
        carrier: FakeCarrier,
        phone: Phone,
        faults: Faults = NO_FAULTS,
        *,
        strict: bool = False,
    ) -> Deferred[WebSocketLine]:
        """Both phases; fires when the line is up, errbacks with `CallFailed`."""
        return Deferred.fromCoroutine(self._call(carrier, phone, faults, strict))

    def report(self, carrier: FakeCarrier, line: WebSocketLine) -> Deferred[list[int]]:
        """The carrier's callbacks, to be asked for once the line is up.

        Fires when the line is down, with the status of each answer; 0 for one that got no answer:
        a carrier notes that and goes on.
        """
        return Deferred.fromCoroutine(self._report(carrier, line))

    async def _call(
        self, carrier: FakeCarrier, phone: Phone, faults: Faults, strict: bool
    ) -> WebSocketLine:
        try:
            answer = await self._http(carrier.webhook(self._now()))
        except NoAnswer as error:
            raise CallFailed(f"the webhook failed: {error}") from error
        media = carrier.invited(answer, self._now())
        line = WebSocketLine(phone, media, self._metronome, faults, strict=strict)
        try:
            await self._connect(media, line)
        except (ConnectError, DNSLookupError) as error:
            raise CallFailed(f"no connection for {media.url}: {error}") from error
        try:
            ending = await line.up
        except CancelledError:
            line.drop()
            raise
        if ending is not None:
            raise CallFailed(f"{media.url}: {ending}")
        return line

    async def _report(self, carrier: FakeCarrier, line: WebSocketLine) -> list[int]:
        statuses = await self._ask(carrier.started(self._now()))
        ending = await line.closed
        return statuses + await self._ask(carrier.ended(ending, self._now()))

    async def _ask(self, requests: Sequence[HttpRequest]) -> list[int]:
        statuses = []
        for request in requests:
            try:
                statuses.append((await self._http(request)).status)
            except NoAnswer:
                statuses.append(0)
        return statuses
