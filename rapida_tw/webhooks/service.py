"""Webhooks: the intake and the courier of a process, and what people ask of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.calls.journal import Journal
from rapida_tw.config.sections import Webhooks as Settings
from rapida_tw.ids import Ids
from rapida_tw.net.base import Net
from rapida_tw.store.conversations import CRASHED
from rapida_tw.store.database import Database
from rapida_tw.store.deliveries import Deliveries, Delivery, Logged
from rapida_tw.store.records import (
    Assistant,
    AssistantStore,
    ConversationStore,
    CredentialStore,
    Page,
)
from rapida_tw.store.subjects import Subjects
from rapida_tw.webhooks.courier import EVERY, Courier
from rapida_tw.webhooks.intake import Intake

STOP_WITHIN = 2.0  # seconds for what is being sent


class Webhooks:
    """One a process; several may share a database."""

    def __init__(
        self,
        clock: Any,
        database: Database,
        assistants: AssistantStore,
        credentials: CredentialStore,
        conversations: ConversationStore,
        journal: Journal,
        net: Net,
        settings: Settings,
        ids: Ids,
        now: Callable[[], float],
        node: str,
        every: float = EVERY,
        closing: Callable[[], Deferred[None]] = lambda: succeed(None),
    ) -> None:
        """`net` must lead to no address that is not allowed (`net.public`).

        `every`: seconds between looks for what other processes have queued. `closing`: of the net.
        """
        self._journal = journal
        self._closing = closing
        self._subjects = Subjects(database, node)
        self._deliveries = Deliveries(database, ids, now, node)
        self._courier = Courier(
            clock,
            self._deliveries,
            credentials,
            conversations,
            net,
            now,
            settings.timeout,
            settings.keep_days,
            every,
        )
        self._intake = Intake(
            clock, self._deliveries, self._subjects, assistants, now, self._courier.look
        )
        journal.watchers.append(self._intake.watch)

    async def start(self, since: float) -> None:
        """Send what waits. Receivers hear of calls that a crash ended, as was found since then."""
        for conversation_id in await self._subjects.cut_off(since):
            self._journal.of(conversation_id).event("call.failed", reason=CRASHED)
        await self._courier.start()

    async def stop(self) -> None:
        """What has happened is queued; what is being sent has two seconds."""
        await self._intake.close(STOP_WITHIN)
        await self._courier.stop(STOP_WITHIN)
        await self._closing()

    # -- for people (web/ports.py, Deliverer) -----------------------------------------------------

    def page(
        self,
        project_id: int,
        number: int,
        size: int,
        conversation_id: int | None,
        assistant_id: int | None,
        state: str,
    ) -> Deferred[Page]:
        return self._deliveries.page(project_id, number, size, conversation_id, assistant_id, state)

    def get(self, delivery_id: int, project_id: int) -> Deferred[Logged]:
        return self._deliveries.get(delivery_id, project_id)

    def retry(self, delivery_id: int, project_id: int) -> Deferred[Delivery]:
        return self._deliveries.retry(delivery_id, project_id).addCallback(self._looked_for)

    def ping(self, assistant: Assistant) -> Deferred[Sequence[Delivery]]:
        return self._intake.ping(assistant)

    def _looked_for(self, delivery: Delivery) -> Delivery:
        self._courier.look()
        return delivery
