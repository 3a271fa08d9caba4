"""Queue: many calls of one request are prepared at once, and dialled when their turn comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import Deferred

from rapida_tw.calls.call_request import CallRequest, Placing
from rapida_tw.campaigns.request import kept
from rapida_tw.store.campaign_queue import QueueStore
from rapida_tw.store.records import Conversation


class Queue:
    """A Placing whose `dial` only waits in line; the line survives a restart."""

    def __init__(
        self,
        placing: Placing,
        store: QueueStore,
        wake: Callable[[], None],
    ) -> None:
        """`wake`: something has been put in."""
        self._placing = placing
        self._store = store
        self._wake = wake

    def place(self, request: CallRequest) -> Deferred[Conversation]:
        return Deferred.fromCoroutine(self._place(request))

    async def _place(self, request: CallRequest) -> Conversation:
        return await self.dial(await self.prepare(request), request)

    def prepare(self, request: CallRequest) -> Deferred[Conversation]:
        """Neither the room of this moment nor its calls a second count yet."""
        return self._placing.prepare(replace(request, queued=True))

    def dial(self, conversation: Conversation, request: CallRequest) -> Deferred[Conversation]:
        """It is in line when this fires."""
        return Deferred.fromCoroutine(self._enqueue(conversation, request))

    async def _enqueue(self, conversation: Conversation, request: CallRequest) -> Conversation:
        if conversation.status == "queued":
            await self._store.enqueue(
                request.project_id, request.key_id, kept(request), conversation.id
            )
            self._wake()
        return conversation

    def withdraw(self, conversation_id: int, project_id: int) -> Deferred[bool]:
        """It leaves the line, and is not made; False: it does not stand in it."""
        return self._store.withdraw(conversation_id, project_id)

    def give_up(self, conversation_id: int, project_id: int | None = None) -> bool:
        return self._placing.give_up(conversation_id, project_id)


_conforms: type[Placing] = Queue
