"""/v1/campaigns: many calls that are made one after the other, when they may be."""

from __future__ import annotations

from collections.abc import Iterator

from rapida_tw.campaigns.documents import (
    campaign_document,
    entry_document,
    new_campaign,
    read_more,
)
from rapida_tw.campaigns.service import CampaignService
from rapida_tw.store.records import AssistantStore
from rapida_tw.web.answers import Answer
from rapida_tw.web.api import Api, Ask
from rapida_tw.web.operation import Operation, ref
from rapida_tw.web.route import Route

PATH = "/v1/campaigns"
TAG = "Campaigns"
_CREATE = Operation(
    "createCampaign",
    "Have many numbers called; it runs at once unless its settings say otherwise.",
    TAG,
    ref("WholeCampaign"),
    ref("NewCampaign"),
)
_LIST = Operation("listCampaigns", "Newest first.", TAG, ref("Campaign"), paged=True)
_SHOW = Operation("getCampaign", "One, with its progress.", TAG, ref("WholeCampaign"))
_DELETE = Operation("deleteCampaign", "Cancelled, and forgotten.", TAG, ref("Id"))
_PAUSE = Operation("pauseCampaign", "Nobody more is rung up.", TAG, ref("Campaign"))
_RESUME = Operation("resumeCampaign", "It goes on where it was.", TAG, ref("Campaign"))
_CANCEL = Operation("cancelCampaign", "For good; who rings is given up.", TAG, ref("Campaign"))
_CALLS = Operation(
    "listCampaignCalls", "Who is called, in order.", TAG, ref("CampaignCall"), paged=True
)
_ADD = Operation(
    "addCampaignCalls", "Further numbers.", TAG, ref("WholeCampaign"), ref("MoreCampaignCalls")
)


class Campaigns:
    """Each in the project of the key."""

    def __init__(self, service: CampaignService, assistants: AssistantStore) -> None:
        self._service = service
        self._store = service.store
        self._assistants = assistants

    def routes(self, api: Api) -> Iterator[Route]:
        one = f"{PATH}/<campaign_id>"
        yield Route("POST", PATH, api(self.create), operation=_CREATE)
        yield Route("GET", PATH, api(self.list), operation=_LIST)
        yield Route("GET", one, api(self.show), operation=_SHOW)
        yield Route("DELETE", one, api(self.delete), operation=_DELETE)
        yield Route("POST", f"{one}/pause", api(self.pause), operation=_PAUSE)
        yield Route("POST", f"{one}/resume", api(self.resume), operation=_RESUME)
        yield Route("POST", f"{one}/cancel", api(self.cancel), operation=_CANCEL)
        yield Route("GET", f"{one}/calls", api(self.calls), operation=_CALLS)
        yield Route("POST", f"{one}/calls", api(self.add), operation=_ADD)

    async def create(self, ask: Ask) -> Answer:
        # Ten thousand calls take a moment to be read.
        campaign, entries = await self._service.in_thread(
            new_campaign,
            ask.document(),
            ask.project_id,
            ask.key.id,
            ask.request.header("idempotency-key").strip(),
        )
        await self._assistants.get(campaign.assistant_id, ask.project_id)
        made = await self._service.create(campaign, entries)
        return Answer(campaign_document(made, await self._store.progress(made.id)))

    async def list(self, ask: Ask) -> Answer:
        page = await self._store.page(ask.project_id, *ask.page())
        return Answer([campaign_document(one) for one in page.items], page)

    async def show(self, ask: Ask, campaign_id: int) -> Answer:
        found = await self._store.get(campaign_id, ask.project_id)
        return Answer(campaign_document(found, await self._store.progress(found.id)))

    async def delete(self, ask: Ask, campaign_id: int) -> Answer:
        await self._service.delete(campaign_id, ask.project_id)
        return Answer({"id": str(campaign_id)})

    async def pause(self, ask: Ask, campaign_id: int) -> Answer:
        return Answer(campaign_document(await self._service.pause(campaign_id, ask.project_id)))

    async def resume(self, ask: Ask, campaign_id: int) -> Answer:
        return Answer(campaign_document(await self._service.resume(campaign_id, ask.project_id)))

    async def cancel(self, ask: Ask, campaign_id: int) -> Answer:
        return Answer(campaign_document(await self._service.cancel(campaign_id, ask.project_id)))

    async def calls(self, ask: Ask, campaign_id: int) -> Answer:
        found = await self._store.get(campaign_id, ask.project_id)
        page = await self._store.entries(found.id, *ask.page())
        return Answer([entry_document(one) for one in page.items], page)

    async def add(self, ask: Ask, campaign_id: int) -> Answer:
        """`CampaignOver` when it was cancelled."""
        found = await self._store.get(campaign_id, ask.project_id)
        entries = await self._service.in_thread(read_more, ask.document(), found)
        found = await self._service.add(found, entries)
        return Answer(campaign_document(found, await self._store.progress(found.id)))
