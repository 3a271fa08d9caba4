"""Attempts: calls of campaigns that are under way at this node, and what becomes of each.

One attempt ends once: as its node tells it, or as the look back finds it in the history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.call_request import CallOver, CallRequest, Placing
from rapida_tw.campaigns.pace import Pace
from rapida_tw.campaigns.settings import MACHINE, Settings
from rapida_tw.errors import CallError, CapacityExceeded, TooManyCalls, Unavailable
from rapida_tw.metrics import Counter, Gauge
from rapida_tw.store.campaign_queue import QueueStore, Stranded
from rapida_tw.store.campaigns import DONE, FAILED, UNKNOWN, WAITING, Campaign, CampaignEntry
from rapida_tw.store.conversations import CRASHED
from rapida_tw.store.records import Conversation
from rapida_tw.store.states import FINAL

AGAIN = 5.0  # seconds until an entry that found no room is looked at again
_MOST_ATTEMPTS = 20  # of an entry, whatever becomes of them
_PASSING = (CapacityExceeded, TooManyCalls, Unavailable)
# Reasons that nobody but a carrier gives: read in the history, they are certain, too.
_TOLD = ("busy", "no_answer", "rejected", MACHINE)

called = Counter("rapida_campaign_calls_total", "Calls of campaigns, by outcome.", ("outcome",))
under_way = Gauge("rapida_campaign_calls", "Calls of campaigns that are under way at this node.")


class History(Protocol):
    """`store.conversations.Conversations`."""

    def get(
        self, conversation_id: int, project_id: int | None = None
    ) -> Deferred[Conversation]: ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """One that is dialled or talked with, here; `entry` as it is since it was begun."""

    campaign: Campaign
    settings: Settings
    entry: CampaignEntry
    request: CallRequest
    carrier: str
    number: str


class Attempts:
    """Of one node."""

    _log = Logger()

    def __init__(
        self,
        queue: QueueStore,
        placing: Placing,
        history: History,
        pace: Pace,
        changed: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        """`changed`: one is over, so that there may be room for another."""
        self._queue = queue
        self._placing = placing
        self._history = history
        self._pace = pace
        self._changed = changed
        self._now = now
        self._attempts: dict[int, Attempt] = {}  # by entry
        self._calls: dict[int, Attempt] = {}  # by conversation, from its dialling on
        self._working: set[Deferred[Any]] = set()

    # -- a call -----------------------------------------------------------------------------------

    def start(self, attempt: Attempt) -> None:
        """It has been begun in the store: dial it."""
        self._pace.went(
            attempt.campaign.id, attempt.settings.per_second, attempt.carrier, attempt.number
        )
        self._attempts[attempt.entry.id] = attempt
        under_way.set(len(self._attempts))
        self._work(self._call(attempt), attempt)

    async def _call(self, attempt: Attempt) -> None:
        try:
            conversation = await self._prepared(attempt)
        except _PASSING as error:
            if self._finished(attempt):
                await self._wait(attempt, error, counts=False)
            return
        except CallError as error:
            await self._settle(attempt, _refused(0, error))
            return
        if not await self._queue.called(attempt.entry, conversation.id):
            # Stopped meanwhile: it waits. Or another node has it: then this changes nothing.
            self._finished(attempt)
            entry = attempt.entry
            await self._queue.settle(entry, WAITING, entry.outcome, self._now(), counts=False)
            return
        if conversation.status != "queued":
            self._finished(attempt)  # it was dialled before: the look back sees how that went
            return
        self._calls[conversation.id] = attempt
        try:
            await self._placing.dial(conversation, attempt.request)
        except CallError as error:
            await self._not_dialled(attempt, conversation.id, error)

    async def _prepared(self, attempt: Attempt) -> Conversation:
        """The conversation of this attempt; of a bulk call's first one it is there already."""
        entry = attempt.entry
        if entry.conversation_id is not None:
            return await self._history.get(entry.conversation_id, attempt.campaign.project_id)
        return await self._placing.prepare(attempt.request)

    async def _not_dialled(self, attempt: Attempt, conversation_id: int, error: CallError) -> None:
        if conversation_id not in self._calls:
            return  # its end has been told
        if not isinstance(error, _PASSING):
            await self._settle(attempt, _refused(conversation_id, error))
            return
        found = await self._history.get(conversation_id)
        if self._finished(attempt):
            # Once it was begun it is no more dialled: the next attempt is another conversation.
            await self._wait(attempt, error, counts=found.status != "queued")

    async def _wait(self, attempt: Attempt, error: CallError, counts: bool) -> None:
        self._log.info("a call of campaign {id} waits: {why}", id=attempt.campaign.id, why=error)
        pause = max(AGAIN, getattr(error, "retry_after", None) or 0.0)
        entry = attempt.entry
        await self._queue.settle(entry, WAITING, entry.outcome, self._now() + pause, counts=counts)

    # -- its end ----------------------------------------------------------------------------------

    def call_over(self, over: CallOver) -> None:
        """Of any placed call, as its node tells it."""
        attempt = self._calls.get(over.conversation_id)
        if attempt is not None:
            self._work(self._settle(attempt, over), attempt)

    async def _settle(self, attempt: Attempt, over: CallOver) -> None:
        if not self._finished(attempt):
            return
        called.inc(over.reason)
        entry = attempt.entry
        pause = None
        if over.certain:
            pause = attempt.settings.retries.pause(entry.attempts, over.reason)
            if _not_tried(over) and entry.attempts < _MOST_ATTEMPTS:
                pause = AGAIN
        if pause is not None:
            await self._queue.settle(entry, WAITING, over.reason, self._now() + pause)
        elif over.status == "completed":
            await self._queue.settle(entry, DONE, over.reason)
        else:
            await self._queue.settle(entry, FAILED if over.certain else UNKNOWN, over.reason)
        self._changed()

    def _finished(self, attempt: Attempt) -> bool:
        """Once for each."""
        if self._attempts.get(attempt.entry.id) is not attempt:
            return False
        del self._attempts[attempt.entry.id]
        for conversation_id in [key for key, one in self._calls.items() if one is attempt]:
            del self._calls[conversation_id]
        under_way.set(len(self._attempts))
        self._pace.over(attempt.campaign.id, attempt.carrier, attempt.number)
        return True

    def _work(self, work: Any, attempt: Attempt) -> None:
        working: Deferred[Any] = Deferred.fromCoroutine(work)
        self._working.add(working)
        working.addErrback(self._failed, attempt)
        working.addBoth(lambda _: self._working.discard(working))

    def _failed(self, failure: Failure, attempt: Attempt) -> None:
        """A bug, or the database is away: what it was comes out at the next look back."""
        if failure.check(Unavailable):
            why = failure.getErrorMessage()
            self._log.warn("a call of campaign {id}: {why}", id=attempt.campaign.id, why=why)
        else:
            self._log.failure("a call of campaign {id}", failure, id=attempt.campaign.id)
        self._finished(attempt)

    def settled(self) -> Deferred[None]:
        """Everything that is known so far is written down."""
        done = DeferredList([*self._working], consumeErrors=True)
        return done.addCallback(lambda _: None)

    # -- cancelled --------------------------------------------------------------------------------

    def campaigns(self) -> set[int]:
        """Those with calls that were dialled here."""
        return {attempt.campaign.id for attempt in self._calls.values()}

    def give_up(self, campaign_id: int) -> None:
        """The campaign was cancelled: nobody is to pick up any more."""
        for conversation_id, attempt in tuple(self._calls.items()):
            if attempt.campaign.id == campaign_id:
                self._placing.give_up(conversation_id)

    # -- the look back ----------------------------------------------------------------------------

    async def look_back(self, campaign: Campaign, settings: Settings) -> None:
        """Entries that nobody carries any more, or whose end was told at another node."""
        for stranded in await self._queue.stranded(campaign.id):
            attempt = self._attempts.get(stranded.entry.id)
            if attempt is not None:
                same = attempt.entry.attempts == stranded.entry.attempts
                if not same or stranded.status not in FINAL or not self._finished(attempt):
                    continue
            await self._found(settings, stranded)

    async def _found(self, settings: Settings, found: Stranded) -> None:
        entry, now, reason = found.entry, self._now(), found.reason
        if found.status == "":
            # Its conversation, if there is one, nobody dials any more: another one is made.
            await self._queue.settle(entry, WAITING, entry.outcome, now, as_read=True)
            return
        if found.status == "queued":
            # Whoever dials writes so before: nobody has.
            await self._queue.settle(entry, WAITING, entry.outcome, now, counts=False, as_read=True)
            return
        called.inc(reason or UNKNOWN)
        pause = settings.retries.pause(entry.attempts, reason) if reason in _TOLD else None
        if pause is not None:
            await self._queue.settle(entry, WAITING, reason, now + pause, as_read=True)
        elif found.status == "ended":
            await self._queue.settle(entry, DONE, reason, as_read=True)
        elif reason == CRASHED or found.status not in FINAL:
            await self._queue.settle(entry, UNKNOWN, reason or CRASHED, as_read=True)
        else:
            await self._queue.settle(entry, FAILED, reason, as_read=True)


def _refused(conversation_id: int, error: CallError) -> CallOver:
    return CallOver(conversation_id, "failed", error.reason.replace("-", "_"), False)


def _not_tried(over: CallOver) -> bool:
    """It was our doing that nobody was reached."""
    return over.reason == "capacity_exceeded" or (over.reason == "cancelled" and over.retryable)
