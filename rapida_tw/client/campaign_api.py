"""The operations of campaigns, each described once, as those of `client.api`."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from rapida_tw.client.api import Id, Values, _nothing, _one, _page, _pages, _part
from rapida_tw.client.exchange import Exchange
from rapida_tw.client.records import Campaign, CampaignCall, Page

_PATH = "/v1/campaigns"


def create_campaign(
    assistant_id: Id,
    calls: Sequence[str | Values] = (),
    name: str = "",
    *,
    idempotency_key: str | None = None,
    **settings: Any,
) -> Exchange[Campaign]:
    """Have many called, each a number or a mapping (toNumber, fromNumber, args, metadata, options).

    `settings` as the API has them: callsPerSecond, simultaneous, hours, retries and the dates.
    The same `idempotency_key` makes one campaign; without one each call of this function has its
    own, so that an attempt whose answer is lost is repeated safely.
    """
    body: dict[str, Any] = {
        "assistantId": str(assistant_id),
        "calls": list(calls),
        "idempotencyKey": idempotency_key or f"client-{uuid.uuid4()}",
    }
    body |= {key: value for key, value in (("name", name), ("settings", settings)) if value}
    return Exchange("POST", _PATH, _one(Campaign), body=body)


def list_campaigns(page: int = 1, page_size: int = 20) -> Exchange[Page[Campaign]]:
    """Newest first, without their progress."""
    return Exchange("GET", _PATH, _page(Campaign), _pages(page, page_size))


def get_campaign(campaign_id: Id) -> Exchange[Campaign]:
    """One, with its `progress`."""
    return Exchange("GET", f"{_PATH}/{_part(campaign_id)}", _one(Campaign))


def list_campaign_calls(
    campaign_id: Id, page: int = 1, page_size: int = 20
) -> Exchange[Page[CampaignCall]]:
    """Who is called, in order."""
    path = f"{_PATH}/{_part(campaign_id)}/calls"
    return Exchange("GET", path, _page(CampaignCall), _pages(page, page_size))


def add_campaign_calls(campaign_id: Id, calls: Sequence[str | Values]) -> Exchange[Campaign]:
    """Further ones; a finished campaign runs again. `ConflictError` when it was cancelled."""
    path, body = f"{_PATH}/{_part(campaign_id)}/calls", {"calls": list(calls)}
    return Exchange("POST", path, _one(Campaign), body=body, repeatable=False)


def pause_campaign(campaign_id: Id) -> Exchange[Campaign]:
    """Nobody more is rung up."""
    return _steered(campaign_id, "pause")


def resume_campaign(campaign_id: Id) -> Exchange[Campaign]:
    """It goes on where it was."""
    return _steered(campaign_id, "resume")


def cancel_campaign(campaign_id: Id) -> Exchange[Campaign]:
    """For good; who rings is given up."""
    return _steered(campaign_id, "cancel")


def delete_campaign(campaign_id: Id) -> Exchange[None]:
    """Cancelled, and forgotten; its conversations stay."""
    return Exchange("DELETE", f"{_PATH}/{_part(campaign_id)}", _nothing, repeatable=False)


def _steered(campaign_id: Id, verb: str) -> Exchange[Campaign]:
    # Twice is once: an attempt whose answer is lost may be repeated.
    return Exchange("POST", f"{_PATH}/{_part(campaign_id)}/{verb}", _one(Campaign))
