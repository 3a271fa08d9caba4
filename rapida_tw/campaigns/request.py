"""A call that waits, as the store keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapida_tw.calls.call_request import CallRequest
from rapida_tw.store.campaigns import Campaign, CampaignEntry
from rapida_tw.store.records import JSON


def kept(request: CallRequest) -> JSON:
    """What `request_of` reads again; whose it is stands in the campaign."""
    return {
        "assistantId": request.assistant_id,
        "to": request.callee,
        "from": request.caller,
        "version": request.version,
        "metadata": dict(request.metadata),
        "args": dict(request.arguments),
        "options": dict(request.options),
        "userId": request.user_id,
        "source": request.source,
    }


def request_of(campaign: Campaign, entry: CampaignEntry) -> CallRequest:
    """The call of this attempt: asked for again after a crash, it is the same one."""
    found: Mapping[str, Any] = entry.request
    return CallRequest(
        campaign.project_id,
        int(found.get("assistantId") or campaign.assistant_id),
        str(found.get("to", "")),
        str(found.get("from", "")),
        str(found.get("version", "")),
        found.get("metadata", {}),
        found.get("args", {}),
        found.get("options", {}),
        campaign.key_id,
        f"campaign-{entry.id}-{entry.attempts + 1}",
        str(found.get("userId", "")),
        str(found.get("source", "sdk")),
        queued=True,
    )
