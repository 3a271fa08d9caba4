"""Campaigns as JSON documents, both ways."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.calls.call_document import Asking, read_call
from rapida_tw.calls.call_refusals import WrongPart
from rapida_tw.campaigns.request import kept
from rapida_tw.campaigns.settings import MOST_ENTRIES, read
from rapida_tw.errors import BadRequest
from rapida_tw.store.campaigns import Campaign, CampaignEntry, Progress
from rapida_tw.store.documents import Document, timestamp
from rapida_tw.store.reading import Reading, mapping, reference, text
from rapida_tw.store.records import JSON

_NONE: Sequence[Any] = ()
LONGEST_KEY = 200  # characters of an idempotency key
_KEY = re.compile(rf"[!-~]{{1,{LONGEST_KEY}}}")
_name = text(200, shortest=1)


def new_campaign(
    document: object, project_id: int, key_id: int, idempotency_key: str = ""
) -> tuple[Campaign, list[JSON]]:
    """What a POST describes: the campaign without an id, and its calls; `BadRequest`.

    `idempotency_key`: of a header; the document's own goes first.
    """
    reading = Reading(document)
    assistant_id = reading.value("assistantId", reference, None, None)
    if assistant_id is None:
        reading.wrong("assistantId", "is required")
    name = reading.value("name", _name, "", "")
    nothing: dict[str, Any] = {}
    given = reading.value("settings", mapping, nothing, nothing)
    calls = reading.value("calls", _calls, _NONE, _NONE)
    key = reading.value("idempotencyKey", _key, "", "")
    reading.finish()
    key = key or _header(idempotency_key)
    checked = Reading(given, "settings")
    read(checked)
    checked.finish()
    campaign = Campaign(
        0,
        project_id,
        assistant_id or 0,
        name or "campaign",
        given,
        key_id,
        idempotency_key=key or None,
        digest=_digest([assistant_id, name, given, calls]) if key else "",
    )
    return campaign, read_entries(calls, campaign)


def read_entries(calls: Sequence[Any], campaign: Campaign) -> list[JSON]:
    """Each a number, or what a single call is asked with; `BadRequest` names the first bad one."""
    asking = Asking(campaign.project_id, campaign.key_id)
    found = []
    for at, one in enumerate(calls):
        document = {"to": one} if isinstance(one, str) else one
        if isinstance(document, dict) and {"idempotencyKey", "idempotency_key"} & document.keys():
            raise BadRequest(f"calls[{at}]: a campaign's call has no idempotencyKey")
        if isinstance(document, dict) and not {"assistant", "assistantId"} & document.keys():
            document = {**document, "assistantId": str(campaign.assistant_id)}
        try:
            found.append(kept(read_call(document, asking)))
        except WrongPart as error:
            raise BadRequest(f"calls[{at}]: {error}") from None
    return found


def read_more(document: object, campaign: Campaign) -> list[JSON]:
    """Further calls for a campaign that is there."""
    reading = Reading(document)
    calls = reading.value("calls", _calls, _NONE, _NONE)
    if not calls:
        reading.wrong("calls", "is required")
    reading.finish()
    return read_entries(calls, campaign)


def campaign_document(campaign: Campaign, progress: Progress | None = None) -> Document:
    """What a GET answers; without `progress` in lists."""
    document: Document = {
        "id": str(campaign.id),
        "projectId": str(campaign.project_id),
        "assistantId": str(campaign.assistant_id),
        "name": campaign.name,
        "state": campaign.state,
        "settings": dict(campaign.settings),
        "createdDate": timestamp(campaign.created),
        "updatedDate": timestamp(campaign.updated),
    }
    if progress is not None:
        states: Mapping[str, int] = progress.states
        document["progress"] = {
            "total": sum(states.values()),
            "states": dict(states),
            "outcomes": dict(progress.outcomes),
        }
    return document


def entry_document(entry: CampaignEntry) -> Document:
    """One who is called."""
    request = entry.request
    return {
        "id": str(entry.id),
        "to": request.get("to", ""),
        "from": request.get("from", ""),
        "state": entry.state,
        "attempts": entry.attempts,
        "outcome": entry.outcome,
        "conversationId": None if entry.conversation_id is None else str(entry.conversation_id),
        "dueDate": timestamp(entry.due) if entry.state == "waiting" else None,
        "updatedDate": timestamp(entry.updated),
    }


def _key(value: Any) -> str:
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise ValueError(f"must be 1 to {LONGEST_KEY} characters of ASCII, no blanks")
    return value


def _header(value: str) -> str:
    try:
        return _key(value) if value else ""
    except ValueError as error:
        raise BadRequest(f"Idempotency-Key {error}") from None


def _digest(asked: Any) -> str:
    """Equal for requests that ask for the same."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _calls(value: Any) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) > MOST_ENTRIES:
        raise ValueError(f"must be a list of at most {MOST_ENTRIES} numbers or calls")
    if not all(isinstance(one, str | dict) for one in value):
        raise ValueError("must hold numbers and calls alone")
    return value
