"""Addressed: an event becomes a delivery for each webhook of its assistant that wants it."""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.store.deliveries import Delivery
from rapida_tw.store.records import JSON, Assistant
from rapida_tw.store.webhook_documents import webhook
from rapida_tw.webhooks.events import PING, VERSION, body
from rapida_tw.webhooks.receiver import host_of


def addressed(
    assistant: Assistant,
    document: JSON,
    conversation_id: int,
    created: float,
    due: float,
    new_id: Callable[[], int],
) -> list[Delivery]:
    """`document` as of `events.body`; `conversation_id` 0: of none."""
    made = []
    for stored in assistant.webhooks:
        found = webhook(stored)
        if found is None or not found.enabled or not found.wants(document["event"]):
            continue
        made.append(
            Delivery(
                new_id(),
                assistant.project_id,
                assistant.id,
                conversation_id,
                document["eventId"],
                document["event"],
                found.url,
                host_of(found.url),
                stored,
                document,
                due=due,
                created=created,
                updated=created,
            )
        )
    return made


def pings(assistant: Assistant, now: float, new_id: Callable[[], int]) -> list[Delivery]:
    """Each of its webhooks that is not switched off is told of nothing."""
    document = body(PING, f"evt_{new_id()}", now, assistant.id, 0, {"version": VERSION})
    return addressed(assistant, document, 0, now, now, new_id)
