"""Intake: what happens to calls comes in from the journal, and goes to the queue in batches.

No call waits for it. Who a call belongs to is looked up once, for many calls together, and its
assistant's webhooks are believed for a second; of assistants without any nothing is written.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import AssistantNotFound, Unavailable
from rapida_tw.metrics import Counter
from rapida_tw.store.deliveries import Deliveries, Delivery
from rapida_tw.store.records import Assistant, AssistantStore, Entry
from rapida_tw.store.subjects import Subjects
from rapida_tw.webhooks.addressed import addressed, pings
from rapida_tw.webhooks.events import (
    COMPLETED,
    Subject,
    Told,
    body,
    call_data,
    is_told,
    told,
)

EVERY = 0.25  # seconds between batches
RETRY = 2.0  # seconds after a batch that could not be written
LIMIT = 10_000  # events that wait
BATCH = 500  # events in one transaction
REMEMBERED = 20_000  # conversations
COMPLETE_AFTER = 2.0  # seconds: history is then written to the end

_METADATA = ("client.assistant_phone", "client.context_id", "client.provider_call_id")

dropped = Counter("rapida_webhook_events_dropped_total", "Events given up.", ("reason",))


@dataclass(frozen=True, slots=True)
class Noted:
    """An event that is yet to be queued."""

    subject: Subject
    told: Told
    entry: Entry


class Intake:
    """`watch` is for the journal's `watchers`."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        deliveries: Deliveries,
        subjects: Subjects,
        assistants: AssistantStore,
        now: Callable[[], float],
        queued: Callable[[], None],
    ) -> None:
        """`queued` is called when there is something to send."""
        self._clock = clock
        self._deliveries = deliveries
        self._subjects = subjects
        self._assistants = assistants
        self._now = now
        self._queued = queued
        self._known: OrderedDict[int, Subject] = OrderedDict()
        self._waiting: list[Noted] = []
        self._timer: IDelayedCall | None = None
        self._writing: Deferred[None] | None = None
        self._failing = False

    def watch(self, entry: Entry) -> None:
        """Called for every entry: most mean nothing here."""
        if entry.kind == "metadata":
            if entry.name in _METADATA:
                self._subject(entry.conversation_id).metadata[entry.name] = entry.value
            return
        if entry.kind == "metric":
            if entry.name == "call.duration":
                self._subject(entry.conversation_id).duration = float(entry.value)
            return
        if entry.kind != "event" or not is_told(entry.name):
            return
        subject = self._subject(entry.conversation_id)
        for known in told(entry, subject.noted):
            if known.once:
                subject.noted.add(known.event)
            self._note(Noted(subject, known, entry))

    def ping(self, assistant: Assistant) -> Deferred[Sequence[Delivery]]:
        """One for each of its webhooks that is not switched off: these deliveries."""
        made = pings(assistant, self._now(), self._deliveries.new_id)
        return self._deliveries.add(made).addCallback(lambda _: self._pinged(made))

    def _pinged(self, made: Sequence[Delivery]) -> Sequence[Delivery]:
        self._queued()
        return made

    def _subject(self, conversation_id: int) -> Subject:
        found = self._known.get(conversation_id)
        if found is None:
            found = self._known[conversation_id] = Subject(conversation_id)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(conversation_id)
        return found

    def _note(self, noted: Noted) -> None:
        if len(self._waiting) >= LIMIT:
            del self._waiting[0]
            dropped.inc("full")
        self._waiting.append(noted)
        self._schedule(EVERY)

    def _schedule(self, delay: float) -> None:
        if self._timer is None and self._writing is None:
            self._timer = self._clock.callLater(delay, self._flush)

    def _flush(self) -> None:
        self._timer = None
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        self._writing = Deferred.fromCoroutine(self._write(batch))
        self._writing.addCallbacks(self._written, self._not_written, errbackArgs=(batch,))
        self._writing.addBoth(self._next)

    async def _write(self, batch: Sequence[Noted]) -> None:
        await self._look_up(batch)
        made: list[Delivery] = []
        for noted in batch:
            assistant = await self._assistant(noted.subject)
            if assistant is not None and assistant.webhooks:
                made += self._made(assistant, noted)
        if made:
            await self._deliveries.add(made)
            self._queued()

    async def _look_up(self, batch: Sequence[Noted]) -> None:
        unknown = {one.subject.conversation_id for one in batch if not one.subject.project_id}
        if not unknown:
            return
        facts = await self._subjects.facts(unknown)
        for subject in {id(one.subject): one.subject for one in batch}.values():
            found = facts.get(subject.conversation_id)
            if found is not None and not subject.project_id:
                subject.project_id, subject.assistant_id = found.project_id, found.assistant_id
                subject.identifier, subject.direction = found.identifier, found.direction
                subject.carrier = found.carrier
                # What was heard here is newer.
                subject.metadata = found.metadata | subject.metadata

    async def _assistant(self, subject: Subject) -> Assistant | None:
        if not subject.project_id:  # the conversation was never written
            dropped.inc("unknown")
            return None
        try:
            return await self._assistants.get(subject.assistant_id, subject.project_id)
        except AssistantNotFound:
            return None

    def _made(self, assistant: Assistant, noted: Noted) -> list[Delivery]:
        event, conversation_id = noted.told.event, noted.subject.conversation_id
        name = f"{conversation_id}_{event}" if noted.told.once else str(self._deliveries.new_id())
        event_id = f"evt_{name.replace('.', '_')}"
        data = call_data(noted.subject, noted.told, noted.entry)
        at = noted.entry.at or self._now()
        document = body(event, event_id, at, assistant.id, conversation_id, data)
        due = self._now() + (COMPLETE_AFTER if event == COMPLETED else 0.0)
        return addressed(assistant, document, conversation_id, at, due, self._deliveries.new_id)

    def _written(self, _: None) -> None:
        if self._failing:
            self._failing = False
            self._log.info("webhooks' events are written again")

    def _not_written(self, failure: Failure, batch: list[Noted]) -> None:
        if not failure.check(Unavailable):
            # The same batch would fail for ever.
            self._log.failure("events for webhooks are lost", failure)
            dropped.inc("error", by=len(batch))
            return
        if not self._failing:
            self._failing = True
            self._log.error("webhooks' events wait: {why}", why=failure.getErrorMessage())
        room = LIMIT - len(self._waiting)
        dropped.inc("full", by=max(0, len(batch) - room))
        self._waiting[:0] = batch[max(0, len(batch) - room) :]

    def _next(self, _: object) -> None:
        self._writing = None
        if self._waiting:
            self._schedule(RETRY if self._failing else 0)

    async def close(self, within: float) -> None:
        """Write what waits, once; what cannot be written within so many seconds is lost."""
        tried = False
        while self._writing is not None or (self._waiting and not tried):
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._writing is None:
                tried = self._failing
                self._flush()
            if self._writing is not None:
                self._writing.addTimeout(within, self._clock)
                await self._writing
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            dropped.inc("stopped", by=len(self._waiting))
