"""One call that Asterisk places for us: asked for, watched, connected with us, and ended.

In Stasis mode we build the call: the customer's channel and a media channel to us in one bridge. In
dialplan mode Asterisk's dialplan has the call from the answer on, and it is only watched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rapida_tw.ari.asking import dial
from rapida_tw.ari.chores import Chores
from rapida_tw.ari.client import Client, at
from rapida_tw.ari.events import Event, Events, Watcher
from rapida_tw.ari.mixing import Mixing
from rapida_tw.ari.plan import Plan
from rapida_tw.ari.refusal import Declined, not_reached
from rapida_tw.ari.transfer import Transfer
from rapida_tw.carriers.asterisk_causes import outcome
from rapida_tw.carriers.outbound import Dialling, DialUser, Outcome, Placed, Progress, State
from rapida_tw.errors import NotSupported, VendorFailed
from rapida_tw.metrics import Counter

PATIENCE = 3.0  # seconds that a call in dialplan mode waits for events, which it can do without
CONNECTED_WITHIN = 15.0  # seconds from the answer to our audio
NOT_CONNECTED = "answered, and Asterisk did not connect its audio to us"
LATE = 60.0  # seconds in which a request without an answer may still be carried out
LOOK_EVERY = 20.0  # seconds, where there are no events
WORD_WITHIN = 1.0  # seconds in which an event may come that a list was faster than
UNTOLD = "it ended, and Asterisk has not told why"

placed_calls = Counter(
    "rapida_ari_calls_total", "Calls placed by ARI, by what came of them.", ("is",)
)


class Phase(IntEnum):
    """In the order of a call's life."""

    ASKED = 0  # the request is to be sent, or on its way
    PLACED = 1
    RINGING = 2
    ANSWERED = 3
    CONNECTED = 4  # our audio is there
    OVER = 5


class AriCall:
    """A `Dialling`, and the `Watcher` of its channels. `over` is called once, at its end."""

    _log = Logger()

    def __init__(
        self,
        plan: Plan,
        most_seconds: float,
        client: Client,
        events: Events,
        clock: IReactorTime,
        user: DialUser,
        over: Callable[[AriCall], None],
    ) -> None:
        self.plan = plan
        self.client = client
        self.mixing = Mixing(plan, client)
        self.phase = Phase.ASKED
        self.moving: Transfer | None = None  # the transfer under way, or done
        self._most_seconds = most_seconds
        self._events = events
        self._clock = clock
        self._user: DialUser | None = user  # None: has heard the last word, or wants none
        self._over = over
        self._sent = False  # the channel may be there
        self._heard = False  # in dialplan mode: its trunk's events are told
        self._chores = Chores(clock, plan.channel)

    def __str__(self) -> str:
        return self.plan.channel

    # -- asking -----------------------------------------------------------------------------------

    def start(self) -> None:
        """In a later turn than the one in which somebody asked for it."""
        self._chores.later(0, lambda: self._chores.run(self._place))

    async def _place(self) -> None:
        for channel in self._channels():
            self._events.watch(channel, self)
        try:
            await self._listen()
        except VendorFailed as error:
            self._fail(not_reached(error))
            self.hang_up()
            return
        if self._user is None:  # given up meanwhile
            self.hang_up()
            return
        self._sent = True
        asked = await dial(self.client, self.plan)
        if self.phase > Phase.ASKED:
            return  # an event was faster
        if asked.refused is None:
            self._accept()
            self._state(asked.state)
        else:
            self._fail(asked.refused)
            self._sent = asked.late
            if asked.late:
                self._chores.later(LATE, self.hang_up)
            else:
                self.hang_up()

    async def _listen(self) -> None:
        """In Stasis mode nothing goes without events; a dialplan does its part alone."""
        if self.plan.stasis:
            await self._events.opened()
            return
        listening = Deferred.fromCoroutine(self._events.hear(self.plan.source))
        try:
            self._heard = await listening.addTimeout(PATIENCE, self._clock)
        except CancelledError:
            raise
        except Exception as error:
            self._log.warn("{call} is placed without events: {why}", call=self, why=error)

    def _channels(self) -> tuple[str, ...]:
        plan = self.plan
        return (plan.channel, plan.media_channel) if plan.stasis else (plan.channel,)

    def _accept(self) -> None:
        """Asterisk has it: by its answer, or by an event that was faster."""
        if self.phase != Phase.ASKED:
            return
        self.phase = Phase.PLACED
        placed_calls.inc("placed")
        if self._user is None:
            self.hang_up()
            return
        plan = self.plan
        mode = "stasis" if plan.stasis else "dialplan"
        self._user.accepted(Placed(plan.channel, (plan.channel,), {"mode": mode}))
        self._happened("asterisk.dialled", endpoint=plan.endpoint, mode=mode)
        if not plan.stasis:
            self._chores.run(self._subscribe)

    async def _subscribe(self) -> None:
        """To the events of a channel that is in no application; while there are none, look."""
        subscribed = False
        if self._events.is_open:
            if self._heard:
                return
            path = f"/applications/{self.plan.app}/subscription"
            try:
                await self.client.ask("POST", path, {"eventSource": f"channel:{self.plan.channel}"})
                subscribed = True
            except (Declined, VendorFailed) as error:
                self._log.info("{call}: no events of it: {why}", call=self, why=error)
        # What happened before is not told: it may be over already.
        try:
            found = await self.client.find(self.plan.channel)
        except (Declined, VendorFailed) as error:
            self._log.debug("{call}: not looked at: {why}", call=self, why=error)
            found = {}
        if self.phase == Phase.OVER:
            return
        if found is None:
            self._chores.later(WORD_WITHIN, lambda: self._gone({"cause_txt": UNTOLD}))
            return
        self._state(_text(found, "state"))
        if not subscribed:
            self._chores.later(LOOK_EVERY, lambda: self._chores.run(self._subscribe))

    # -- what is told of the channels --------------------------------------------------------------

    def told(self, channel: str, kind: str, event: Event) -> None:
        if self.phase == Phase.OVER:
            return
        if channel == self.plan.channel:
            self._told_of_customer(kind, event)
        elif channel == self.plan.media_channel:
            self._told_of_media(kind)
        elif self.moving is not None and channel == self.moving.channel:
            self.moving.told(kind, event)

    def _told_of_customer(self, kind: str, event: Event) -> None:
        self._accept()
        if kind == "ChannelStateChange":
            self._state(_text(event.get("channel"), "state"))
        elif kind == "Dial" and event.get("dialstatus") == "RINGING":
            self._state("Ringing")
        elif kind == "StasisStart":
            self._state("Up")
            self._entered()
        elif kind == "ChannelDestroyed":
            self._gone(event)

    def _state(self, state: str) -> None:
        """Of the customer's channel."""
        if state in ("Ring", "Ringing") and self.phase < Phase.RINGING:
            self.phase = Phase.RINGING
            self._progressed(State.RINGING)
        elif state == "Up" and self.phase < Phase.ANSWERED:
            self.phase = Phase.ANSWERED
            self._progressed(State.ANSWERED)
            if self._most_seconds:
                self._chores.later(self._most_seconds, self.hang_up)

    def _entered(self) -> None:
        """The customer is in the application: now there is something to connect."""
        if self.plan.stasis and not self.mixing.begun and self.phase < Phase.OVER:
            self._chores.later(CONNECTED_WITHIN, self._not_connected)
            self._chores.run(self._connect)

    async def _connect(self) -> None:
        try:
            await self.mixing.open()
        except (Declined, VendorFailed) as error:
            if self.phase >= Phase.CONNECTED:  # and only the answer was lost
                self._log.warn("{call}: {error}", call=self, error=error)
                return
            why = f"Asterisk did not connect its audio to us: {error}"
            self._fail(Outcome("media_failed", why))
            self.hang_up()

    def _not_connected(self) -> None:
        if self.phase < Phase.CONNECTED:
            self._fail(Outcome("media_failed", NOT_CONNECTED))
            self.hang_up()

    def _told_of_media(self, kind: str) -> None:
        if kind == "StasisStart" and not self.mixing.joined:
            self.attached()
            self._chores.run(self._join)
        elif kind == "ChannelDestroyed":
            self._media_gone()

    async def _join(self) -> None:
        try:
            await self.mixing.join()
        except (Declined, VendorFailed) as error:
            self._log.warn("{call} has no audio: {error}", call=self, error=error)
            self.hang_up()

    def _media_gone(self) -> None:
        """Our side has ended, or was never reached; after a transfer it is not needed."""
        self.mixing.media_gone = True
        if self.moving is not None and self.moving.done:
            return
        self._fail(Outcome("media_failed", NOT_CONNECTED))
        self.hang_up()

    def _gone(self, event: Event) -> None:
        """The customer's channel is no more."""
        self._sent = False
        cause, words = _number(event.get("cause")), _text(event, "cause_txt")
        if self.phase < Phase.ANSWERED:
            sip, rang = _number(event.get("tech_cause")), self.phase == Phase.RINGING
            self._fail(outcome(cause, words, sip, rang=rang))
        elif self.phase == Phase.ANSWERED:
            reason = f"answered, and ended before our audio was connected: {words or cause}"
            early = Outcome("media_failed", reason, str(cause or ""))
            # In dialplan mode our audio may well be there: nobody tells us.
            (self._fail if self.plan.stasis else self._tell_failed)(early)
        self.hang_up()

    def missed(self, channels: Mapping[str, Event]) -> None:
        if not Phase.PLACED <= self.phase < Phase.OVER:
            return
        mine = channels.get(self.plan.channel)
        if mine is None:
            self._gone({"cause_txt": "it ended while Asterisk's events were not received"})
            return
        self._state(_text(mine, "state"))
        if not self.plan.stasis:
            self._heard = False
            self._chores.run(self._subscribe)
            return
        if _text(mine.get("dialplan"), "app_name") == "Stasis":
            self._entered()
        if self.plan.media_channel in channels:
            self._told_of_media("StasisStart")
        elif self.mixing.joined:
            self._media_gone()
        if self.moving is not None:
            self.moving.missed(channels)

    # -- the user ---------------------------------------------------------------------------------

    def _progressed(self, state: State) -> None:
        if self._user is not None:
            self._user.progressed(Progress(state))

    def _happened(self, name: str, **data: Any) -> None:
        if self._user is not None:
            self._user.happened(name, **data)

    def _fail(self, why: Outcome) -> None:
        """The last word, unless there is audio: then it is the conversation's end that counts."""
        if self.phase < Phase.CONNECTED and self._user is not None:
            placed_calls.inc(why.status)
            self._log.info("{call}: {status} ({why})", call=self, status=why.status, why=why.reason)
            self._tell_failed(why)

    def _tell_failed(self, why: Outcome) -> None:
        user, self._user = self._user, None
        if user is not None:
            user.failed(why)

    def attached(self) -> None:
        """Our audio is there: a call from here on, and nobody gives it up."""
        self._accept()
        if Phase.PLACED <= self.phase < Phase.CONNECTED:
            self.phase = Phase.CONNECTED

    def cancel(self) -> None:
        if self.phase >= Phase.CONNECTED:
            return
        self._user = None
        # What is under way is hung up when it is known to be there: a DELETE could overtake it.
        if self.phase > Phase.ASKED:
            self.hang_up()

    # -- steering ---------------------------------------------------------------------------------

    def transfer(self, endpoint: str, caller: str) -> Deferred[None]:
        """See `Transfer`; `NotSupported` when there is another one."""
        if self.phase != Phase.CONNECTED:
            raise NotSupported("the call has ended")
        if self.moving is not None and (self.moving.pending or self.moving.done):
            raise NotSupported("another transfer is under way")
        number = 1 if self.moving is None else self.moving.number + 1
        self.moving = Transfer(self, self._clock, number, endpoint, caller)
        self._events.watch(self.moving.channel, self)
        return self.moving.start()

    def forget(self, channel: str) -> None:
        self._events.leave(channel)

    def drop_media(self) -> None:
        if not self.mixing.media_gone:
            self._chores.run(lambda: self._remove(at(self.plan.media_channel)))

    # -- the end ----------------------------------------------------------------------------------

    def stop(self) -> Deferred[None]:
        """The server's end. Two who were connected with each other go on talking."""
        if self.moving is not None and self.moving.done:
            self._sent = self.mixing.begun = False
            self.moving.leave()
        self.hang_up()
        return Deferred.fromCoroutine(self._chores.finish())

    def hang_up(self) -> None:
        """End it, whoever is in it; nothing of it stays at Asterisk. Idempotent."""
        if self.phase == Phase.OVER:
            return
        self.phase, self._user = Phase.OVER, None
        self._chores.stop_timers()
        for channel in self._channels():
            self._events.leave(channel)
        paths = [at(self.plan.channel)] if self._sent else []
        paths += self.mixing.left()
        if self.moving is not None and self.moving.stop():
            paths.append(at(self.moving.channel))
        self._log.debug("{call} is over", call=self)
        self._chores.run(lambda: self._clear(paths))

    async def _clear(self, paths: list[str]) -> None:
        try:
            for path in paths:
                await self._remove(path)
        finally:
            self._over(self)

    async def _remove(self, path: str) -> None:
        try:
            await self.client.remove(path)
        except (Declined, VendorFailed) as error:
            self._log.warn("{call}: {path} not removed: {why}", call=self, path=path, why=error)


def _text(value: object, name: str) -> str:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found[:200] if isinstance(found, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 1000 else 0


_conforms: tuple[type[Dialling], type[Watcher]] = (AriCall, AriCall)
