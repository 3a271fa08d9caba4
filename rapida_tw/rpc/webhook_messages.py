"""An assistant's webhooks as the contract has them (its section 10), both ways.

A webhook is known by its credential, which it keeps for as long as there is one.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from rapida_tw.ids import LARGEST
from rapida_tw.rpc.answers import stamp
from rapida_tw.rpc.messages.assistant_pb2 import (
    AssistantWebhook,
    CreateAssistantWebhookRequest,
    UpdateAssistantWebhookRequest,
)
from rapida_tw.rpc.pairs import read_pairs, structured, write_pairs
from rapida_tw.store.records import JSON, Assistant

PROVIDER = "http"
# By our name: Rapida's, among its options.
_NAMES = {
    "url": "http_url",
    "method": "http_method",
    "headers": "http_headers",
    "retryStatusCodes": "retry_status_codes",
    "maxRetries": "max_retry_count",
    "timeoutSeconds": "timeout_seconds",
    "secret": "secret",
}
_NUMBERS = ("max_retry_count", "timeout_seconds")
_CODES = "retry_status_codes"


def read_webhook(
    request: CreateAssistantWebhookRequest | UpdateAssistantWebhookRequest,
) -> dict[str, Any]:
    """The webhook's document, in Rapida's spelling; what it may be is the store's to check."""
    options = structured(read_pairs(request.options))
    document = {key: _read(key, value) for key, value in options.items() if value != ""}
    return {
        **document,
        "events": list(request.assistantEvents),
        "description": request.description,
    }


def webhook_message(assistant: Assistant, stored: JSON) -> AssistantWebhook:
    """With its secret only where that was made this moment."""
    options = {
        theirs: stored[ours] for ours, theirs in _NAMES.items() if stored.get(ours) is not None
    }
    return AssistantWebhook(
        id=webhook_id(assistant.id, stored),
        assistantEvents=stored.get("events") or (),
        description=str(stored.get("description") or ""),
        options=write_pairs(options),
        assistantId=assistant.id,
        status="ACTIVE" if stored.get("enabled", True) else "INACTIVE",
        createdDate=stamp(assistant.created),
        updatedDate=stamp(assistant.updated),
        provider=PROVIDER,
    )


def webhook_id(assistant_id: int, stored: JSON) -> int:
    """By its address where it has no credential: what older versions have kept."""
    named = str(stored.get("credentialId") or "")
    if named.isascii() and named.isdigit() and int(named) <= LARGEST:
        return int(named)
    text = f"{assistant_id}/{stored.get('url')}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest()) & LARGEST or 1


def _read(key: str, value: Any) -> Any:
    """Texts that are numbers, as all options of the library are texts."""
    if not isinstance(value, str):
        return value
    if key in _NUMBERS and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return [one.strip() for one in value.split(",")] if key == _CODES else value
