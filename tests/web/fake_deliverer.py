"""Webhooks for tests of the API: one delivery, and a memory of what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from twisted.internet.defer import Deferred, fail, succeed

from rapida_tw.errors import NotFound
from rapida_tw.store.deliveries import Attempt, Delivery, Logged
from rapida_tw.store.records import Assistant, Page
from rapida_tw.webhooks.documents import Deliverer

DELIVERY = Delivery(
    id=9,
    project_id=7,
    assistant_id=5,
    conversation_id=6,
    event_id="evt_6_call_ended",
    event="call.ended",
    url="https://hooks.example.org/in?token=planted",
    host="hooks.example.org:443",
    webhook={},
    body={"event": "call.ended"},
    attempts=1,
    due=1_800_000_005.0,
    created=1_800_000_000.0,
    updated=1_800_000_000.5,
)
ATTEMPT = Attempt(1_800_000_000.0, 503, "HTTP 503", 0.5, "later")


class FakeDeliverer:
    """Has `DELIVERY`, under its id alone."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.pinged: list[int] = []

    def page(
        self,
        project_id: int,
        number: int,
        size: int,
        conversation_id: int | None,
        assistant_id: int | None,
        state: str,
    ) -> Deferred[Page]:
        self.asked.append((project_id, number, size, conversation_id, assistant_id, state))
        return succeed(Page([DELIVERY], number, size, 1))

    def get(self, delivery_id: int, project_id: int) -> Deferred[Logged]:
        if delivery_id != DELIVERY.id:
            return fail(NotFound(f"no webhook delivery {delivery_id}"))
        return succeed(Logged(DELIVERY, (ATTEMPT,)))

    def retry(self, delivery_id: int, project_id: int) -> Deferred[Delivery]:
        self.asked.append(("retry", delivery_id, project_id))
        return succeed(replace(DELIVERY, attempts=0))

    def ping(self, assistant: Assistant) -> Deferred[Sequence[Delivery]]:
        self.pinged.append(assistant.id)
        return succeed([replace(DELIVERY, event="ping", conversation_id=0)])


_conforms: type[Deliverer] = FakeDeliverer
