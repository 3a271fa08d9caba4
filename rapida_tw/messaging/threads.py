"""The port to the store's threads: which conversation a message belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

from rapida_tw.store.records import Arrival, Thread

# WhatsApp's own window: so long after a person's message may be answered freely, and so long a
# conversation goes on.
WINDOW = 24 * 3600.0  # seconds
SOURCE = "whatsapp"


class ThreadStore(Protocol):
    """See `store.threads.Threads`."""

    def arrive(
        self, thread: Thread, message: str, since: float, new_id: int
    ) -> Deferred[Arrival]: ...
    def name(self, conversation_id: int, names: Sequence[str]) -> Deferred[None]: ...
    def close_idle(self, source: str, before: float) -> Deferred[int]: ...
