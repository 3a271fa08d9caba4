"""Runner: lets the calls that wait go out, each when its turn has come.

A campaign is run by one node at a time, which holds a lease; when that node is gone, another takes
it over. What was under way then is looked up in the history, and not dialled again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.call_request import CallOver, CallRequest, Placing
from rapida_tw.campaigns.attempts import Attempt, Attempts, History
from rapida_tw.campaigns.hours import openings
from rapida_tw.campaigns.pace import Pace
from rapida_tw.campaigns.request import request_of
from rapida_tw.campaigns.settings import Settings
from rapida_tw.errors import BadRequest, CallError, Unavailable
from rapida_tw.metrics import Counter
from rapida_tw.store.campaign_queue import QueueStore, Standing
from rapida_tw.store.campaigns import (
    BULK,
    CANCELLED,
    FAILED,
    RUNNING,
    Campaign,
    CampaignEntry,
    CampaignStore,
)

TURN = 0.25  # seconds between looks while somebody's turn has come ...
RESTING = 2.0  # ... and while nobody's has
LEASE = 30.0  # seconds
LOOK_BACK = 15.0  # seconds between looks at what may be stranded
BATCH = 50  # entries of a campaign that are looked at in one turn

campaigns = Counter("rapida_campaigns_total", "What happened to campaigns.", ("what",))


class Lines(Protocol):
    """Over which carrier and from which number an assistant calls."""

    def of(self, request: CallRequest) -> Deferred[tuple[str, str]]: ...


InThread = Callable[..., Deferred[Any]]


class Runner(Service):
    """Of one node."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        store: CampaignStore,
        queue: QueueStore,
        placing: Placing,
        history: History,
        lines: Lines,
        pace: Pace,
        room: Callable[[], str],
        in_thread: InThread,
        node: str,
        now: Callable[[], float],
    ) -> None:
        """`room`: why no call may be placed now, or "". `in_thread`: runs what takes time."""
        self.attempts = Attempts(queue, placing, history, pace, self._soon, now)
        self._clock = clock
        self._store = store
        self._queue = queue
        self._lines = lines
        self._pace = pace
        self._room = room
        self._in_thread = in_thread
        self._node = node
        self._now = now
        self._timer: IDelayedCall | None = None
        self._turning: Deferred[None] | None = None
        self._is_woken = False
        self._looked_back = float("-inf")

    # -- life -------------------------------------------------------------------------------------

    def startService(self) -> None:
        super().startService()
        self._looked_back = float("-inf")
        self._schedule(0.0)

    def stopService(self) -> Deferred[None]:
        """Nobody is dialled any more; fires when what was begun is written down."""
        super().stopService()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        turning = self._turning if self._turning is not None else succeed(None)
        return turning.addCallback(lambda _: self.attempts.settled())

    def wake(self) -> None:
        """Something has changed: look now."""
        self._is_woken = True
        self._schedule(0.0)

    def _soon(self) -> None:
        self._schedule(TURN)

    def _schedule(self, seconds: float) -> None:
        """The next turn, in so many seconds at the latest."""
        if not self.running or self._turning is not None:
            return
        if self._timer is not None:
            if self._timer.getTime() <= self._clock.seconds() + seconds:
                return
            self._timer.cancel()
        self._timer = self._clock.callLater(seconds, self._begin_turn)

    def _begin_turn(self) -> None:
        self._timer = None
        self._is_woken = False
        finished: Deferred[None] = Deferred()
        self._turning = finished
        turning = Deferred.fromCoroutine(self._turn())
        turning.addErrback(self._turn_failed)

        def over(seconds: float) -> None:
            self._turning = None
            self._schedule(0.0 if self._is_woken else seconds)
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
        now = self._clock.seconds()
        look_back = now - self._looked_back >= LOOK_BACK
        if look_back:
            self._looked_back = now
            await self._give_up_stopped()
        standings = await self._queue.lease(self._node, LEASE, look_back)
        lines = _Remembered(self._lines)
        for standing in standings:
            if not self.running:
                break
            try:
                await self._advance(standing, look_back, lines)
            except Unavailable:
                raise
            except Exception:
                # The others' calls are not to wait for ever for one that cannot be read.
                self._log.failure("campaign {id} cannot go on", id=standing.campaign.id)
        return TURN if any(one.is_due for one in standings) else RESTING

    async def _give_up_stopped(self) -> None:
        """Calls of campaigns that were cancelled at another node."""
        if here := self.attempts.campaigns():
            for campaign_id in await self._queue.stopped(here):
                self.attempts.give_up(campaign_id)

    async def _advance(self, standing: Standing, look_back: bool, lines: Lines) -> None:
        campaign, now = standing.campaign, self._now()
        settings = settings_of(campaign)
        if look_back:
            await self.attempts.look_back(campaign, settings)
        if campaign.state != RUNNING or now < settings.start:
            return
        if standing.is_over:
            if await self._queue.finish(campaign.id):
                await self._log_finished(campaign)
        elif settings.end and now >= settings.end:
            await self._store.change(campaign.id, campaign.project_id, CANCELLED)
            campaigns.inc("ended")
            self._log.info("campaign {id} is over: its end has come", id=campaign.id)
        elif standing.is_due and not self._room():
            await self._let_out(
                campaign, settings, settings.simultaneous - standing.under_way, lines
            )

    async def _log_finished(self, campaign: Campaign) -> None:
        campaigns.inc("finished")
        progress = await self._store.progress(campaign.id)
        what = ", ".join(f"{count} {state}" for state, count in sorted(progress.states.items()))
        self._log.info("campaign {id} has finished: {what}", id=campaign.id, what=what or "empty")

    async def _let_out(
        self, campaign: Campaign, settings: Settings, room: int, lines: Lines
    ) -> None:
        """As many as may be, the longest waiting first."""
        most = BATCH if settings.hours else min(room, BATCH)
        entries = await self._queue.due(campaign.id, most) if room > 0 else ()
        for entry in await self._open(settings, entries):
            if room <= 0 or not self.running or self._room():
                return
            room -= await self._try(campaign, settings, entry, lines)

    async def _open(
        self, settings: Settings, entries: Sequence[CampaignEntry]
    ) -> Sequence[CampaignEntry]:
        """Those that may be called by the clock where they are; the others' turn comes then."""
        if settings.hours is None or not entries:
            return entries
        now = self._now()
        numbers = [str(entry.request.get("to", "")) for entry in entries]
        opens: Mapping[str, float] = await self._in_thread(openings, settings.hours, numbers, now)
        whens = [opens[number] for number in numbers]
        later = {one.id: when for one, when in zip(entries, whens, strict=True) if when > now}
        if later:
            await self._queue.defer(later)
        return [entry for entry in entries if entry.id not in later]

    async def _try(
        self, campaign: Campaign, settings: Settings, entry: CampaignEntry, lines: Lines
    ) -> bool:
        """Whether it goes out; not where its campaign, carrier or number goes too fast already."""
        request = request_of(campaign, entry)
        try:
            carrier, number = await lines.of(request)
        except Unavailable:
            raise
        except CallError as error:
            await self._queue.settle(entry, FAILED, error.reason.replace("-", "_"))
            return False
        if not self._pace.may(campaign.id, settings.per_second, carrier, number):
            return False
        if not await self._queue.begin(entry, self._node):
            return False
        # A conversation of an earlier attempt is not this one's.
        known = entry.conversation_id if entry.attempts == 0 else None
        begun = replace(entry, attempts=entry.attempts + 1, conversation_id=known)
        self.attempts.start(Attempt(campaign, settings, begun, request, carrier, number))
        return True

    def call_over(self, over: CallOver) -> None:
        """Of any placed call, as its node tells it."""
        self.attempts.call_over(over)


class _Remembered:
    """Lines within one turn: campaigns have one assistant, and many numbers to call."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._known: dict[tuple[int, int, str], tuple[str, str]] = {}

    def of(self, request: CallRequest) -> Deferred[tuple[str, str]]:
        key = (request.project_id, request.assistant_id, request.caller)
        if key in self._known:
            return succeed(self._known[key])

        def remember(line: tuple[str, str]) -> tuple[str, str]:
            self._known[key] = line
            return line

        return self._lines.of(request).addCallback(remember)


def settings_of(campaign: Campaign) -> Settings:
    """Calls without a campaign only have the carriers' limits."""
    if campaign.kind == BULK:
        return Settings(per_second=0.0, simultaneous=1_000_000)
    try:
        return Settings.of(campaign.settings)
    except BadRequest:  # of another version of ours
        return Settings()
