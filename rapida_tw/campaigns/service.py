"""The campaigns of one node, put together: the queue, who runs it, and what the API asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.calls.call_request import CallOver, CallRequest, Placing
from rapida_tw.campaigns.pace import Limits, Pace
from rapida_tw.campaigns.queue import Queue
from rapida_tw.campaigns.runner import History, Runner
from rapida_tw.store.campaigns import CANCELLED, PAUSED, RUNNING, Campaign, CampaignStore
from rapida_tw.store.records import JSON, AssistantStore


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
        assistants: AssistantStore,
        placing: Placing,
        history: History,
        watchers: list[Callable[[CallOver], None]],
        limits: Limits,
        node: str,
        now: Callable[[], float],
    ) -> None:
        """`watchers`: who is told of placed calls that are over."""
        lines, pace = AssistantLines(assistants), Pace(clock.seconds, limits)
        super().__init__(clock, store, placing, history, lines, pace, node, now)
        self.store = store
        self.queue = Queue(placing, store, self.wake, now)
        watchers.append(self.call_over)

    async def create(self, campaign: Campaign, entries: Sequence[JSON]) -> Campaign:
        made = await self.store.create(campaign, entries)
        self.wake()
        return made

    async def add(self, campaign: Campaign, entries: Sequence[JSON]) -> None:
        await self.store.add(campaign, entries)
        self.wake()

    async def pause(self, campaign_id: int, project_id: int) -> Campaign:
        """Nobody more is rung up; who is on the phone goes on talking."""
        return await self.store.change(campaign_id, project_id, PAUSED)

    async def resume(self, campaign_id: int, project_id: int) -> Campaign:
        changed = await self.store.change(campaign_id, project_id, RUNNING)
        self.wake()
        return changed

    async def cancel(self, campaign_id: int, project_id: int) -> Campaign:
        """Who rings is given up as well."""
        changed = await self.store.change(campaign_id, project_id, CANCELLED)
        self.give_up(campaign_id)
        return changed

    async def delete(self, campaign_id: int, project_id: int) -> None:
        """Cancelled before; its conversations stay."""
        await self.cancel(campaign_id, project_id)
        await self.store.delete(campaign_id, project_id)
