"""Runner: dials the calls that wait, each when its turn has come, and looks at what became of them.

A campaign is run by one node at a time, which holds a lease; when that node is gone, another takes
it over. What was under way then is looked up in the history, and not dialled again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.call_request import CallOver, CallRequest, Placing
from rapida_tw.campaigns.pace import Pace
from rapida_tw.campaigns.request import request_of
from rapida_tw.campaigns.settings import Settings
from rapida_tw.errors import BadRequest, CallError, CapacityExceeded, TooManyCalls, Unavailable
from rapida_tw.metrics import Counter
from rapida_tw.store.campaigns import (
    BULK,
    CANCELLED,
    DONE,
    FAILED,
    UNKNOWN,
    WAITING,
    Campaign,
    CampaignEntry,
    CampaignStore,
)
from rapida_tw.store.conversations import CRASHED
from rapida_tw.store.records import Conversation

TURN = 0.25  # seconds between looks while a campaign runs ...
RESTING = 2.0  # ... and while none does
LEASE = 30.0  # seconds; renewed in each turn
LOOK_BACK = 15.0  # seconds between looks at what may be stranded
AGAIN = 5.0  # seconds until an entry that found no room is looked at again
BATCH = 50  # entries of a campaign that are looked at in one turn
_MOST_ATTEMPTS = 20  # of an entry, whatever becomes of them
_PASSING = (CapacityExceeded, TooManyCalls, Unavailable)

called = Counter("rapida_campaign_calls_total", "Calls of campaigns, by outcome.", ("outcome",))


class Lines(Protocol):
    """Over which carrier and from which number an assistant calls."""

    def of(self, request: CallRequest) -> Deferred[tuple[str, str]]: ...


class History(Protocol):
    """`store.conversations.Conversations`."""

    def get(
        self, conversation_id: int, project_id: int | None = None
    ) -> Deferred[Conversation]: ...


@dataclass(frozen=True, slots=True)
class _Call:
    """One that is dialled or talked with, here."""

    campaign: Campaign
    settings: Settings
    entry: CampaignEntry
    carrier: str
    number: str


class Runner(Service):
    """Of one node."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        store: CampaignStore,
        placing: Placing,
        history: History,
        lines: Lines,
        pace: Pace,
        node: str,
        now: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._store = store
        self._placing = placing
        self._history = history
        self._lines = lines
        self._pace = pace
        self._node = node
        self._now = now
        self._timer: IDelayedCall | None = None
        self._turning: Deferred[None] | None = None
        self._looked_back = 0.0
        self._entries: set[int] = set()  # under way here
        self._calls: dict[int, _Call] = {}  # by conversation

    # -- life -------------------------------------------------------------------------------------

    def startService(self) -> None:
        super().startService()
        self._looked_back = 0.0
        self._schedule(0.0)

    def stopService(self) -> Deferred[None]:
        """Nobody is dialled any more; what was begun is written down."""
        super().stopService()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self._turning if self._turning is not None else succeed(None)

    def wake(self) -> None:
        """Something has changed: look now."""
        if self.running and self._turning is None:
            self._schedule(0.0)

    def _schedule(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.callLater(seconds, self._begin_turn)

    def _begin_turn(self) -> None:
        self._timer = None
        turning = Deferred.fromCoroutine(self._turn())
        turning.addErrback(self._turn_failed)
        finished: Deferred[None] = Deferred()
        self._turning = finished

        def over(seconds: float) -> None:
            self._turning = None
            if self.running:
                self._schedule(seconds)
            finished.callback(None)

        turning.addCallback(over)

    def _turn_failed(self, failure: Failure) -> float:
        if failure.check(Unavailable, CancelledError):
            self._log.warn("campaigns wait: {why}", why=failure.getErrorMessage())
        else:
            self._log.failure("campaigns could not be looked at", failure)
        return RESTING

    # -- a turn -----------------------------------------------------------------------------------

    async def _turn(self) -> float:
        """Seconds until the next one."""
        now = self._now()
        campaigns = await self._store.lease(self._node, now + LEASE)
        look_back = now - self._looked_back >= LOOK_BACK
        if look_back:
            self._looked_back = now
        for campaign in campaigns:
            if not self.running:
                break
            if look_back:
                await self._look_back(campaign)
            await self._advance(campaign)
        return TURN if campaigns else RESTING

    async def _advance(self, campaign: Campaign) -> None:
        settings, now = settings_of(campaign), self._now()
        if now < settings.start:
            return
        if settings.end and now >= settings.end:
            await self._store.change(campaign.id, campaign.project_id, CANCELLED)
            return
        room = settings.simultaneous - await self._store.calling(campaign.id)
        if room <= 0:
            return
        entries = await self._store.due(campaign.id, min(room, BATCH))
        for entry in entries:
            if not self.running or not await self._try(campaign, settings, entry):
                return
        if not entries:
            await self._store.finish(campaign.id)

    async def _try(self, campaign: Campaign, settings: Settings, entry: CampaignEntry) -> bool:
        """Dial it, if it may be; False: nothing more of that campaign goes out now."""
        request, now = request_of(campaign, entry), self._now()
        if settings.hours is not None:
            opens = settings.hours.opens(request.callee, now)
            if opens > now:
                await self._store.settle(entry.id, WAITING, entry.outcome, opens)
                return True
        try:
            carrier, number = await self._lines.of(request)
        except CallError as error:
            if isinstance(error, Unavailable):
                raise
            await self._store.settle(entry.id, FAILED, error.reason)
            return True
        if not self._pace.may(campaign.id, settings.per_second, carrier, number):
            return False
        if await self._store.begin(entry.id, self._node):
            begun = replace(entry, attempts=entry.attempts + 1)
            self._pace.went(campaign.id, settings.per_second, carrier, number)
            self._entries.add(entry.id)
            call = _Call(campaign, settings, begun, carrier, number)
            calling = Deferred.fromCoroutine(self._call(call, request))
            calling.addErrback(self._call_failed, call)
        return True

    # -- one call ---------------------------------------------------------------------------------

    async def _call(self, call: _Call, request: CallRequest) -> None:
        conversation_id = 0
        try:
            conversation = await self._prepared(call, request)
            conversation_id = conversation.id
            await self._store.called(call.entry.id, conversation_id)
            self._calls[conversation_id] = call
            await self._placing.dial(conversation, request)
        except _PASSING as error:
            self._log.info("a call of campaign {id} waits: {why}", id=call.campaign.id, why=error)
            if self._finished(call, conversation_id):
                await self._store.postpone(call.entry.id, self._now() + AGAIN)
        except CallError as error:
            if conversation_id not in self._calls and conversation_id:
                return  # its end has been told
            over = CallOver(conversation_id, "failed", error.reason.replace("-", "_"), False)
            await self._over(call, over)

    async def _prepared(self, call: _Call, request: CallRequest) -> Conversation:
        """The conversation of this attempt; of a bulk call's first one it is there already."""
        entry = call.entry
        if entry.conversation_id is not None and entry.attempts == 1:
            return await self._history.get(entry.conversation_id, call.campaign.project_id)
        return await self._placing.prepare(request)

    def _call_failed(self, failure: Failure, call: _Call) -> None:
        """A bug, or the database is away: what it was comes out at the next look back."""
        self._log.failure("a call of campaign {id}", failure, id=call.campaign.id)
        self._finished(call, 0)

    def call_over(self, over: CallOver) -> None:
        """Of any placed call, as its node tells it."""
        call = self._calls.get(over.conversation_id)
        if call is not None:
            settling = Deferred.fromCoroutine(self._over(call, over))
            settling.addErrback(self._call_failed, call)

    async def _over(self, call: _Call, over: CallOver) -> None:
        if not self._finished(call, over.conversation_id):
            return
        called.inc(over.reason)
        entry, now = call.entry, self._now()
        if over.status == "completed":
            await self._store.settle(entry.id, DONE, over.reason)
            return
        pause = None
        if over.certain:
            pause = call.settings.retries.pause(entry.attempts, over.reason)
            if _not_tried(over) and entry.attempts < _MOST_ATTEMPTS:
                pause = AGAIN
        if pause is None:
            state = FAILED if over.certain else UNKNOWN
            await self._store.settle(entry.id, state, over.reason)
        else:
            await self._store.settle(entry.id, WAITING, over.reason, now + pause)

    def _finished(self, call: _Call, conversation_id: int) -> bool:
        """Once for each."""
        self._calls.pop(conversation_id, None)
        if call.entry.id not in self._entries:
            return False
        self._entries.discard(call.entry.id)
        self._pace.over(call.campaign.id, call.carrier, call.number)
        return True

    def give_up(self, campaign_id: int) -> None:
        """The campaign was cancelled: nobody is to pick up any more."""
        for conversation_id, call in tuple(self._calls.items()):
            if call.campaign.id == campaign_id:
                self._placing.give_up(conversation_id)

    # -- after a crash ----------------------------------------------------------------------------

    async def _look_back(self, campaign: Campaign) -> None:
        """Entries that nobody carries any more, or whose end was told at another node."""
        settings = settings_of(campaign)
        for entry, status, reason in await self._store.stranded(campaign.id):
            if entry.id in self._entries:
                continue
            if status in ("", "queued"):
                # Whoever has dialled has written it before: so nobody has.
                await self._store.postpone(entry.id, self._now())
            elif status == "ended":
                await self._store.settle(entry.id, DONE, reason)
            elif reason == CRASHED:
                await self._store.settle(entry.id, UNKNOWN, reason)
            else:
                pause = settings.retries.pause(entry.attempts, reason)
                state, due = (FAILED, 0.0) if pause is None else (WAITING, self._now() + pause)
                await self._store.settle(entry.id, state, reason, due)


def _not_tried(over: CallOver) -> bool:
    """It was our doing that nobody was reached."""
    return over.reason == "capacity_exceeded" or (over.reason == "cancelled" and over.retryable)


def settings_of(campaign: Campaign) -> Settings:
    """Calls without a campaign only have the carriers' limits."""
    if campaign.kind == BULK:
        return Settings(per_second=0.0, simultaneous=1_000_000)
    try:
        return Settings.of(campaign.settings)
    except BadRequest:  # of another version of ours
        return Settings()
