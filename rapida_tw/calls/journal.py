"""Journal: what is remembered of calls, written in batches behind their backs.

No call ever waits for the database. While it does not answer, entries wait, bounded: metrics are
given up first, messages last. Only a database that is away is asked again: what it refuses for any
other reason (a conversation that was deleted) would be refused for ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import CallError, NotFound, Unavailable
from rapida_tw.metrics import Counter
from rapida_tw.store.records import ConversationStore, Entry
from rapida_tw.store.states import stays

EVERY = 0.25  # seconds between batches
RETRY = 2.0  # seconds after a batch that could not be written
CLOSE_WITHIN = 5.0  # seconds for each of the last batches
LIMIT = 10_000  # entries that wait
BATCH = 500  # entries in one transaction

_Status = tuple[str, str, float | None]  # status, end reason, duration

dropped = Counter("rapida_journal_dropped_total", "Entries given up.", ("kind",))


class Journal:
    """The memory of all calls of this process."""

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, store: ConversationStore, now: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._store = store
        self._now = now
        self._entries: list[Entry] = []
        self._statuses: dict[int, _Status] = {}
        self._timer: IDelayedCall | None = None
        self._writing: Deferred[None] | None = None
        self._failing = False
        self.watchers: list[Callable[[Entry], None]] = []

    def of(self, conversation_id: int) -> Notebook:
        """Where one call writes."""
        return Notebook(self, conversation_id, self._now)

    @property
    def trouble(self) -> str:
        """Why the node should take no calls; "" when all is well."""
        behind = self._failing or len(self._entries) >= LIMIT
        return "the database does not take the journal" if behind else ""

    def add(self, entry: Entry) -> None:
        for watcher in self.watchers:
            try:
                watcher(entry)
            except Exception:
                self._log.failure("a watcher of the journal failed")
        if len(self._entries) >= LIMIT and not self._make_room(entry):
            return
        self._entries.append(entry)
        self._schedule(EVERY)

    def set_status(
        self, conversation_id: int, status: str, end_reason: str = "", duration: float | None = None
    ) -> None:
        """Only the furthest status of a conversation is written."""
        waiting = self._statuses.get(conversation_id)
        if waiting is None or not stays(waiting[0], status):
            self._statuses[conversation_id] = status, end_reason, duration
        self._schedule(EVERY)

    def _make_room(self, entry: Entry) -> bool:
        """Give up the oldest metric for it, else the oldest event; answers whether that helped."""
        for kind in ("metric", "event"):
            if kind == "event" and entry.kind == "metric":
                break  # a metric is not worth an event
            for index, old in enumerate(self._entries):
                if old.kind == kind:
                    del self._entries[index]
                    dropped.inc(kind)
                    return True
        dropped.inc(entry.kind)
        return False

    def _schedule(self, delay: float) -> None:
        if self._timer is None and self._writing is None:
            self._timer = self._clock.callLater(delay, self._flush)

    def _flush(self) -> None:
        self._timer = None
        entries, self._entries = self._entries[:BATCH], self._entries[BATCH:]
        statuses, self._statuses = self._statuses, {}
        self._writing = Deferred.fromCoroutine(self._write(entries, statuses))
        self._writing.addCallbacks(
            self._written, self._not_written, errbackArgs=(entries, statuses)
        )
        self._writing.addBoth(self._next)

    async def _write(self, entries: list[Entry], statuses: dict[int, _Status]) -> None:
        """What has been written is taken out of `entries` and `statuses`."""
        if entries:
            await self._append(entries)
        for conversation_id in tuple(statuses):
            try:
                await self._store.set_status(conversation_id, *statuses[conversation_id])
            except NotFound as error:
                self._log.warn("a status was refused: {reason}", reason=str(error))
            except (Unavailable, CancelledError):
                raise
            except Exception:
                self._log.failure("a status of {id} was refused", id=conversation_id)
            del statuses[conversation_id]

    async def _append(self, entries: list[Entry]) -> None:
        batch = tuple(entries)
        try:
            await self._store.append(batch)
        except NotFound as error:  # the rest of the batch has been written
            self._log.warn("{reason}", reason=str(error))
        except (Unavailable, CancelledError):
            raise
        except Exception:
            if len(batch) == 1:
                dropped.inc(batch[0].kind)
                self._log.failure("an entry was refused: {name}", name=batch[0].name)
            else:  # find the one that spoils it
                for entry in batch:
                    await self._append([entry])
                    del entries[0]
                return
        entries.clear()

    def _written(self, _: None) -> None:
        if self._failing:
            self._failing = False
            self._log.info("the journal is written again")

    def _not_written(
        self, failure: Failure, entries: list[Entry], statuses: dict[int, _Status]
    ) -> None:
        if not self._failing:
            self._failing = True
            self._log.error("the journal waits: {reason}", reason=failure.getErrorMessage())
        self._entries[:0] = entries
        newer, self._statuses = self._statuses, statuses
        for conversation_id, status in newer.items():
            self.set_status(conversation_id, *status)

    def _next(self, _: object) -> None:
        self._writing = None
        if self._entries or self._statuses:
            self._schedule(RETRY if self._failing else 0)

    def close(self) -> Deferred[None]:
        """Write what waits; what cannot be written now is lost and counted.

        Once, even if the last attempt failed: the database may be there again.
        """
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        tried = False
        while True:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._writing is not None:
                self._writing.addTimeout(CLOSE_WITHIN, self._clock)
                await self._writing
            elif (self._entries or self._statuses) and not (self._failing and tried):
                tried = True
                self._flush()
            else:
                break
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for entry in self._entries:
            dropped.inc(entry.kind)


class Notebook:
    """One conversation's part of the journal; stamps what is written with the time."""

    def __init__(self, journal: Journal, conversation_id: int, now: Callable[[], float]) -> None:
        self._journal = journal
        self._id = conversation_id
        self._now = now

    def event(self, name: str, **data: Any) -> None:
        self._add("event", name, "", data)

    def message(self, role: str, text: str, **data: Any) -> None:
        self._add("message", role, text, data)

    def metric(self, name: str, value: object, **data: Any) -> None:
        self._add("metric", name, str(value), data)

    def metadata(self, name: str, value: str) -> None:
        self._add("metadata", name, value, {})

    def argument(self, name: str, value: object) -> None:
        self._add("argument", name, _as_text(value), {})

    def option(self, name: str, value: object) -> None:
        self._add("option", name, _as_text(value), {})

    def recording(self, file: str, **data: Any) -> None:
        self._add("recording", "stereo", file, data)

    def status(self, status: str, end_reason: str = "", duration: float | None = None) -> None:
        self._journal.set_status(self._id, status, end_reason, duration)

    def never_began(self, error: Exception) -> None:
        """The call that was announced never became one."""
        known = error if isinstance(error, CallError) else CallError()
        self.event("call.failed", reason=known.reason, detail=str(known))
        self.metric("call.status", "failed")
        self.metric("call.disconnected_by", "system")
        self.status("failed", known.reason)

    def _add(self, kind: str, name: str, value: str, data: Mapping[str, Any]) -> None:
        self._journal.add(Entry(self._id, kind, name, value, data, self._now()))


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
