"""Overheard: what is written down of a conversation, for who shows it while it goes on."""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.calls.journal import Journal
from rapida_tw.store.records import Entry


class Overheard:
    """One watcher of the journal for all that listen."""

    def __init__(self, journal: Journal) -> None:
        self._listeners: dict[int, Callable[[Entry], None]] = {}
        journal.watchers.append(self._written)

    def listen(self, conversation_id: int, told: Callable[[Entry], None]) -> None:
        """`told` of each entry from now on; one listener a conversation."""
        self._listeners[conversation_id] = told

    def stop(self, conversation_id: int) -> None:
        self._listeners.pop(conversation_id, None)

    def _written(self, entry: Entry) -> None:
        told = self._listeners.get(entry.conversation_id)
        if told is not None:
            told(entry)
