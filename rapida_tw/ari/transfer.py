"""Handing the customer over: somebody else is rung up, and takes our place in the bridge.

Meanwhile the customer hears music. (A ring tone, POST .../ring, is over with the first frame from
the bridge, and the assistant's silence is one.) As long as nobody has answered, the call stays what
it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.ari.client import Client, at
from rapida_tw.ari.endpoint import formats
from rapida_tw.ari.mixing import Mixing
from rapida_tw.ari.plan import Plan
from rapida_tw.ari.refusal import Declined, not_placed
from rapida_tw.carriers.asterisk_causes import outcome
from rapida_tw.carriers.outbound import CarrierRefused, Outcome
from rapida_tw.errors import CallError, NotSupported, VendorFailed

RING = 45  # seconds until nobody answered
LATE = 15  # seconds more for Asterisk to tell
LEAVE_WITHIN = 3.0  # seconds for the conversation to end, once the two talk


class Transferred(Protocol):
    """The call whose customer goes."""

    plan: Plan
    client: Client
    mixing: Mixing

    def forget(self, channel: str) -> None:
        """Its events are of no interest any more."""

    def drop_media(self) -> None:
        """We are out of it."""

    def hang_up(self) -> None:
        """One of the two has gone."""


class Transfer:
    """`pending` until it has come to something; `done`: the two are connected."""

    _log = Logger()

    def __init__(
        self, call: Transferred, clock: IReactorTime, number: int, endpoint: str, caller: str
    ) -> None:
        """`number`: of the call's transfers. `caller`: what the target is shown."""
        self.number = number
        self.channel = f"{call.plan.channel}-transfer-{number}"
        self.done = False
        self._call = call
        self._clock = clock
        self._endpoint = endpoint
        self._caller = caller
        self._there = False  # the target's channel may be there
        self._rang = False
        self._fate: Deferred[Outcome | None] = Deferred()  # None: the target has answered
        self._waiting: Deferred[None] | None = None
        self._running: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None

    @property
    def pending(self) -> bool:
        return self._waiting is not None

    def start(self) -> Deferred[None]:
        """Fires when the two are connected; `CarrierRefused` says why they are not.

        Cancelling it hangs up on the target.
        """
        waiting: Deferred[None] = Deferred(lambda _: self._cancelled())
        self._waiting = waiting
        self._running = Deferred.fromCoroutine(self._connect())
        self._running.addCallbacks(self._connected, self._failed)
        return waiting

    async def _connect(self) -> None:
        try:
            await self._ring()
            await self._music("POST")
            refused = await self._fate.addTimeout(RING + LATE, self._clock)
            if refused is not None:
                raise CarrierRefused.by(refused)
            await self._music("DELETE")
            await self._call.mixing.add(self.channel)
            self.done = True
        finally:
            if not self.done:
                self._clear()

    async def _ring(self) -> None:
        plan = self._call.plan
        query = {"endpoint": self._endpoint, "channelId": self.channel, "app": plan.app}
        query |= {"timeout": str(RING), **formats(self._endpoint)}
        if self._caller:
            query["callerId"] = self._caller
        self._there = True
        try:
            await self._call.client.ask("POST", "/channels", query, once=True)
        except Declined as declined:
            self._there = False
            raise CarrierRefused.by(not_placed(declined, self._endpoint)) from None

    async def _music(self, method: str) -> None:
        """For the customer; without it the transfer is as good."""
        try:
            await self._call.client.ask(method, at(self._call.plan.channel, "/moh"))
        except (Declined, VendorFailed) as error:
            self._log.debug("no music: {error}", error=error)

    def _connected(self, _: None) -> None:
        waiting, self._waiting = self._waiting, None
        self._running = Deferred.fromCoroutine(self._take_us_out())
        self._timer = self._clock.callLater(LEAVE_WITHIN, self._drop_media)
        if waiting is not None:
            waiting.callback(None)

    async def _take_us_out(self) -> None:
        try:
            await self._call.mixing.take_out_media()
        except (Declined, VendorFailed, CancelledError) as error:
            self._log.debug("our audio was not taken out: {error}", error=error)

    def _drop_media(self) -> None:
        self._timer = None
        self._call.drop_media()

    def _failed(self, failure: Failure) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return  # cancelled, or told already
        error = failure.value
        if isinstance(error, DeferredTimeout):
            error = CarrierRefused.by(Outcome("no_answer", "nobody answered", retryable=True))
        elif isinstance(error, Declined | VendorFailed):
            error = CarrierRefused(f"who was called could not be connected: {error}")
        elif not isinstance(error, CallError):
            self._log.failure("a transfer", failure)
            error = CarrierRefused("the transfer failed")
        waiting.errback(error)

    def _clear(self) -> None:
        """The customer hears no music any more, and the target is hung up on."""
        self._call.forget(self.channel)
        there, self._there = self._there, False
        clearing = Deferred.fromCoroutine(self._music("DELETE"))
        if there:
            clearing.addCallback(
                lambda _: Deferred.fromCoroutine(self._call.client.remove(at(self.channel)))
            )
        clearing.addErrback(lambda f: self._log.warn("not hung up: {why}", why=f.value))

    # -- what happens to the target ---------------------------------------------------------------

    def told(self, kind: str, event: Mapping[str, Any]) -> None:
        """Of its channel."""
        if kind == "ChannelStateChange":
            channel = event.get("channel")
            ringing = isinstance(channel, dict) and channel.get("state") == "Ringing"
            self._rang = self._rang or ringing
        elif kind == "StasisStart":
            self._decide(None)
        elif kind == "ChannelDestroyed":
            self._gone(event)

    def missed(self, channels: Mapping[str, Mapping[str, Any]]) -> None:
        """See `Watcher`."""
        mine = channels.get(self.channel)
        if mine is not None and mine.get("state") == "Up":
            self._decide(None)
        elif mine is None and self._there:
            self._gone({})

    def _gone(self, event: Mapping[str, Any]) -> None:
        self._there = False
        if self.done:
            self._call.hang_up()
            return
        cause, words = event.get("cause"), event.get("cause_txt")
        known = cause if isinstance(cause, int) else 0
        self._decide(outcome(known, words if isinstance(words, str) else "", rang=self._rang))

    def _decide(self, refused: Outcome | None) -> None:
        if not self._fate.called:
            self._fate.callback(refused)

    # -- giving it up -----------------------------------------------------------------------------

    def _cancelled(self) -> None:
        """By who waits for it."""
        self._waiting = None
        if self._running is not None:
            self._running.cancel()

    def withdraw(self) -> None:
        """The conversation ends otherwise; of a transfer that has happened: nothing."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            if self._running is not None:
                self._running.cancel()
            waiting.errback(NotSupported("the call has ended"))

    def leave(self) -> None:
        """The target stays where it is."""
        self._there = False

    def stop(self) -> bool:
        """The call is over; whether the target's channel may be there still."""
        self.withdraw()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._running is not None:
            self._running.cancel()
        self._call.forget(self.channel)
        return self._there
