"""Deliveries as JSON documents, and who answers for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from rapida_tw.errors import BadRequest
from rapida_tw.store.deliveries import DELIVERED, FAILED, STATES, Delivery, Logged
from rapida_tw.store.documents import timestamp
from rapida_tw.store.reading import Reading, reference
from rapida_tw.store.records import Assistant, Page

_OVER = (DELIVERED, FAILED)


class Deliverer(Protocol):
    """What people ask of webhooks (`webhooks.service.Webhooks`); `NotFound` as everywhere."""

    def page(
        self,
        project_id: int,
        number: int,
        size: int,
        conversation_id: int | None,
        assistant_id: int | None,
        state: str,
    ) -> Deferred[Page]:
        """Newest first; None and "": any."""

    def get(self, delivery_id: int, project_id: int) -> Deferred[Logged]: ...
    def retry(self, delivery_id: int, project_id: int) -> Deferred[Delivery]:
        """Now, whatever became of it; `InUse` (errors.py) while it is being sent."""

    def ping(self, assistant: Assistant) -> Deferred[Sequence[Delivery]]:
        """Each of its webhooks is told of nothing."""


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """`nextAttemptDate` is null for what is over."""
    over = delivery.state in _OVER
    return {
        "id": str(delivery.id),
        "assistantId": str(delivery.assistant_id),
        "conversationId": str(delivery.conversation_id) if delivery.conversation_id else None,
        "event": delivery.event,
        "eventId": delivery.event_id,
        "url": delivery.url.partition("?")[0],
        "state": delivery.state,
        "attemptCount": delivery.attempts,
        "nextAttemptDate": None if over else timestamp(delivery.due),
        "createdDate": timestamp(delivery.created),
        "updatedDate": timestamp(delivery.updated),
    }


def logged_document(logged: Logged) -> dict[str, Any]:
    """With what was sent, and what came of each attempt. `status` 0: there was no answer."""
    return {
        **delivery_document(logged.delivery),
        "body": logged.delivery.body,
        "attempts": [
            {
                "date": timestamp(one.at),
                "status": one.status,
                "error": one.error,
                "seconds": one.seconds,
                "response": one.response,
            }
            for one in logged.attempts
        ],
    }


def read_state(text: str) -> str:
    """`BadRequest` for what is none; "" is any."""
    if text and text not in STATES:
        raise BadRequest(f"state must be one of {', '.join(STATES)}")
    return text


def read_ping(document: object) -> int:
    """Whose webhooks are to be told of nothing; `BadRequest`."""
    reading = Reading(document)
    assistant_id = reading.value("assistantId", reference, None, None)
    if assistant_id is None:
        reading.wrong("assistantId", "is required")
    reading.finish()
    assert assistant_id is not None
    return assistant_id
