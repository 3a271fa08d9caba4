"""Carriers' events: into the history, once, and nowhere else."""

from __future__ import annotations

import random
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls import events
from rapida_tw.calls.events import LONGEST_VALUE, MOST_EVENTS, MOST_TEXT, CarrierEvents
from rapida_tw.calls.journal import EVERY, Journal
from rapida_tw.carriers.base import CarrierEvent
from rapida_tw.errors import REMOTE_HANGUP
from rapida_tw.store.records import Entry, NamedCall
from tests.calls.case import CallsCase
from tests.calls.fakes import HeldStore

CALL = NamedCall(1, 5, 3)


class EventsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.store = HeldStore()
        self.events = CarrierEvents(Journal(self.clock, self.store, self.clock.seconds))

    def receive(self, name: str, call: NamedCall | None = CALL, **data: str) -> None:
        self.events.received(call, "acme", CarrierEvent(name, ("c1",), data))

    def written(self) -> list[Entry]:
        self.clock.pump([EVERY, EVERY])
        return self.store.written

    def left_out(self, reason: str) -> float:
        return events.left_out.value("acme", reason)

    def test_written(self) -> None:
        """Name, carrier and fields."""
        self.receive("status.ringing", Sequence="1")
        (entry,) = self.written()
        self.assertEqual((entry.conversation_id, entry.kind), (1, "event"))
        self.assertEqual(entry.name, "status.ringing")
        self.assertEqual(entry.data, {"carrier": "acme", "fields": {"Sequence": "1"}})

    def test_twice(self) -> None:
        """What comes again is not written again, and counted."""
        before = self.left_out("repeated")
        for _ in range(3):
            self.receive("status.ringing", a="1", b="2")
        self.receive("status.ringing", b="2", a="1")
        self.assertEqual(len(self.written()), 1)
        self.assertEqual(self.left_out("repeated"), before + 3)

    def test_not_the_same(self) -> None:
        """Another name, other fields or another call are another event."""
        self.receive("status.ringing", a="1")
        self.receive("status.answered", a="1")
        self.receive("status.ringing", a="2")
        self.receive("status.ringing", NamedCall(2, 5, 3), a="1")
        self.assertEqual(len(self.written()), 4)

    def test_too_many(self) -> None:
        """A call's history has room for some hundreds; the rest is counted."""
        before = self.left_out("too-many")
        for number in range(MOST_EVENTS + 5):
            self.receive("status.x", n=str(number))
        self.receive("status.x", NamedCall(2, 5, 3))
        self.assertEqual(len(self.written()), MOST_EVENTS + 1)
        self.assertEqual(self.left_out("too-many"), before + 5)

    def test_of_no_call(self) -> None:
        """What nobody can place is counted and written nowhere."""
        before = self.left_out("unknown-call")
        self.receive("status.ringing", None)
        self.assertEqual(self.written(), [])
        self.assertEqual(self.left_out("unknown-call"), before + 1)

    def test_counted(self) -> None:
        """By carrier and family; what a stranger calls his event makes no new series."""
        for name, family in (("status.x", "status"), ("machine.y", "machine"), ("a.b", "other")):
            before = events.received.value("acme", family)
            self.receive(name)
            self.assertEqual(events.received.value("acme", family), before + 1)

    def test_no_novel(self) -> None:
        """Name and fields are cut to what belongs into a history."""
        fields = {f"field{number}": "x" * 10_000 for number in range(20)}
        self.receive("n" * 10_000, **fields)
        (entry,) = self.written()
        kept = entry.data["fields"]
        self.assertLess(len(entry.name), 200)
        self.assertEqual({len(value) for value in kept.values()}, {LONGEST_VALUE})
        self.assertLessEqual(sum(map(len, (*kept, *kept.values()))), MOST_TEXT)

    def test_names_of_fields(self) -> None:
        """A field may be called whatever it likes."""
        data = {"carrier": "evil", "name": "1", "self": "2", "fields": "3"}
        self.events.received(CALL, "acme", CarrierEvent("status.x", data=data))
        (entry,) = self.written()
        self.assertEqual(entry.data, {"carrier": "acme", "fields": data})

    def test_forgotten(self) -> None:
        """Of thousands of calls the oldest is forgotten: it may have an event twice."""
        self.patch(events, "REMEMBERED", 2)
        for id in (1, 2, 3, 1):
            self.receive("status.x", NamedCall(id, 5, 3))
        self.assertEqual(len(self.written()), 4)
        self.assertEqual(len(self.events._seen), 2)


class RunningCallTests(CallsCase):
    """What callbacks do to a call: nothing."""

    NAMES = ("status.completed", "status.failed", "stream.stopped", "status.ringing", "call.ended")

    def receive(self, conversation_id: int, names: Any) -> None:
        call = NamedCall(conversation_id, self.server.assistant_id, self.project)
        for name in names:
            self.calls.event_received(call, "asterisk", CarrierEvent(name))

    def test_running(self) -> None:
        """In any order, also twice: the call goes on, and ends as its media ends."""
        id, listener = self.connect()
        names = [*self.NAMES, *self.NAMES]
        random.Random(1).shuffle(names)
        self.receive(id, names)
        self.assertEqual(self.conversation(id).status, "active")
        listener.leg_ended(REMOTE_HANGUP)
        conversation = self.conversation(id)
        self.assertEqual((conversation.status, conversation.end_reason), ("ended", "remote_hangup"))
        told = [entry.name for entry in conversation.entries if "fields" in entry.data]
        self.assertEqual(sorted(told), sorted(self.NAMES))

    def test_waiting(self) -> None:
        """A callback that overtakes the media does not keep it out."""
        context = self.registered()
        self.receive(context.conversation_id, self.NAMES)
        self.attach(self.successResultOf(self.claim_of(context)))

    def test_over(self) -> None:
        """One that comes after the end changes no end."""
        id, listener = self.connect()
        listener.leg_ended(REMOTE_HANGUP)
        self.receive(id, self.NAMES)
        conversation = self.conversation(id)
        self.assertEqual((conversation.status, conversation.end_reason), ("ended", "remote_hangup"))
