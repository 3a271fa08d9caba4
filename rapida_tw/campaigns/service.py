"""The campaigns of one node, put together: the queue, who runs it, and what the API asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.calls.call_request import CallOver, CallRequest, Placing
from rapida_tw.campaigns.attempts import History
from rapida_tw.campaigns.pace import Limits, Pace
from rapida_tw.campaigns.queue import Queue
from rapida_tw.campaigns.runner import InThread, Runner, campaigns, settings_of
from rapida_tw.errors import CallError, Fault
from rapida_tw.store.campaign_queue import QueueStore
from rapida_tw.store.campaigns import (
    CANCELLED,
    PAUSED,
    RUNNING,
    Campaign,
    CampaignStore,
)
from rapida_tw.store.records import JSON, AssistantStore


class CampaignOver(CallError):
    """The campaign was cancelled: nothing is added to it."""

    fault, reason, status = Fault.CALLER, "campaign-over", 409


class AssistantLines:
    """An assistant calls over its deployment's carrier, from its number unless told otherwise."""

    def __init__(self, assistants: AssistantStore) -> None:
        self._assistants = assistants

    def of(self, request: CallRequest) -> Deferred[tuple[str, str]]:
        """`AssistantNotFound`, `Unavailable`."""
        return Deferred.fromCoroutine(self._of(request))

    async def _of(self, request: CallRequest) -> tuple[str, str]:
        await self._assistants.get(request.assistant_id, request.project_id)
        deployment = await self._assistants.deployment(request.assistant_id)
        return deployment.provider, request.caller or str(deployment.options.get("phone") or "")


class CampaignService(Runner):
    """`queue`: a Placing for many calls of one request."""

    def __init__(
        self,
        clock: IReactorTime,
        store: CampaignStore,
        queue: QueueStore,
        assistants: AssistantStore,
        placing: Placing,
        history: History,
        watchers: list[Callable[[CallOver], None]],
        limits: Limits,
        room: Callable[[], str],
        in_thread: InThread,
        node: str,
        now: Callable[[], float],
    ) -> None:
        """`watchers`: who is told of placed calls that are over. Others: as of `Runner`."""
        lines, pace = AssistantLines(assistants), Pace(clock.seconds, limits)
        super().__init__(
            clock, store, queue, placing, history, lines, pace, room, in_thread, node, now
        )
        self.store = store
        self.in_thread = in_thread
        self.queue = Queue(placing, queue, self.wake)
        watchers.append(self.call_over)

    async def create(self, campaign: Campaign, entries: Sequence[JSON]) -> Campaign:
        """The one that was made with the same idempotency key before; `Conflict`."""
        known = await self.store.known(campaign)
        if known is not None:
            return known
        made = await self.store.create(campaign, entries, settings_of(campaign).start)
        self._happened("created", made, f" with {len(entries)} calls")
        return made

    async def add(self, campaign: Campaign, entries: Sequence[JSON]) -> Campaign:
        """`CampaignOver` when it was cancelled."""
        found = await self.store.add(campaign, entries, settings_of(campaign).start)
        if found.state == CANCELLED:
            raise CampaignOver(f"campaign {campaign.id} was cancelled")
        self._happened("extended", found, f" by {len(entries)} calls")
        return found

    async def pause(self, campaign_id: int, project_id: int) -> Campaign:
        """Nobody more is rung up; who is on the phone goes on talking."""
        return await self._change("paused", campaign_id, project_id, PAUSED)

    async def resume(self, campaign_id: int, project_id: int) -> Campaign:
        return await self._change("resumed", campaign_id, project_id, RUNNING)

    async def cancel(self, campaign_id: int, project_id: int) -> Campaign:
        """Who rings is given up as well."""
        changed = await self._change("cancelled", campaign_id, project_id, CANCELLED)
        self.attempts.give_up(campaign_id)
        return changed

    async def delete(self, campaign_id: int, project_id: int) -> None:
        """Cancelled before; its conversations stay."""
        await self.cancel(campaign_id, project_id)
        await self.store.delete(campaign_id, project_id)

    async def _change(self, what: str, campaign_id: int, project_id: int, state: str) -> Campaign:
        changed = await self.store.change(campaign_id, project_id, state)
        if changed.state == state:
            self._happened(what, changed)
        return changed

    def _happened(self, what: str, campaign: Campaign, more: str = "") -> None:
        campaigns.inc(what)
        self._log.info("campaign {id} was {what}{more}", id=campaign.id, what=what, more=more)
        self.wake()
