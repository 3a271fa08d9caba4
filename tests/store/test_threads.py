"""Which conversation a message belongs to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rapida_tw.errors import NotFound
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.records import Arrival, Thread
from rapida_tw.store.threads import Threads
from tests.store.case import START, StoreCase

DAY = 86_400.0


class ThreadsTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.conversations = Conversations(self.database, self.clock.seconds, "here")
        self.threads = Threads(self.database, self.clock.seconds)
        self.thread = Thread(self.project, 5, "twilio", "whatsapp", "+1555")

    def arrive(self, message: str, **changes: Any) -> Arrival:
        thread = replace(self.thread, **changes)
        since = self.clock.seconds() - DAY
        return self.successResultOf(self.threads.arrive(thread, message, since, self.ids.new()))

    def status(self, conversation_id: int) -> tuple[str, str]:
        found = self.successResultOf(self.conversations.get(conversation_id))
        return found.status, found.end_reason

    def test_begun(self) -> None:
        """The first message begins a conversation."""
        arrival = self.arrive("SM1", direction="outbound")
        found = self.successResultOf(self.conversations.get(arrival.conversation.id))
        self.assertTrue(arrival.begun)
        self.assertEqual(found, arrival.conversation)
        self.assertEqual(
            (found.source, found.direction, found.carrier, found.status, found.created),
            ("whatsapp", "outbound", "twilio", "active", START),
        )

    def test_goes_on(self) -> None:
        """The next one is of the same, as long as somebody writes each day."""
        first = self.arrive("SM0").conversation.id
        for number in range(1, 4):
            self.clock.advance(DAY - 1)
            arrival = self.arrive(f"SM{number}")
            self.assertEqual(
                (arrival.conversation.id, arrival.begun, arrival.known), (first, False, False)
            )

    def test_over(self) -> None:
        """After a day of silence another one begins, and the old one has ended."""
        first = self.arrive("SM1").conversation.id
        self.clock.advance(DAY + 1)
        second = self.arrive("SM2").conversation.id
        self.assertNotEqual(first, second)
        self.assertEqual(self.status(first), ("ended", "idle"))

    def test_ended(self) -> None:
        """After its end as well; and the end stays what it was."""
        first = self.arrive("SM1").conversation.id
        self.successResultOf(self.conversations.set_status(first, "ended", "tool_ended"))
        self.assertTrue(self.arrive("SM2").begun)
        self.assertEqual(self.status(first), ("ended", "tool_ended"))

    def test_known(self) -> None:
        """The same message again is known, even after its conversation's end."""
        first = self.arrive("SM1").conversation.id
        self.clock.advance(DAY + 1)
        self.arrive("SM2")
        again = self.arrive("SM1")
        self.assertTrue(again.known)
        self.assertEqual(again.conversation.id, first)

    def test_others(self) -> None:
        """Another person, another assistant: other conversations, and other messages."""
        one = self.arrive("SM1")
        for number, changes in enumerate(({"identifier": "+1556"}, {"assistant_id": 6})):
            other = self.arrive(f"SM2{number}", **changes)
            self.assertNotEqual(other.conversation.id, one.conversation.id)
        self.assertFalse(self.arrive("SM1", assistant_id=7).known)

    def test_no_project(self) -> None:
        """A project that is not there has none."""
        thread = replace(self.thread, project_id=1)
        self.failureResultOf(self.threads.arrive(thread, "SM1", 0, 99), NotFound)

    def test_name(self) -> None:
        """Further names find it; twice does no harm."""
        mine = self.arrive("SM1").conversation.id
        for _ in range(2):
            self.successResultOf(self.threads.name(mine, ["SM2", "SM3"]))
        found = self.successResultOf(self.conversations.named("twilio", ["SM3"]))
        assert found is not None
        self.assertEqual(found.conversation_id, mine)

    def test_restart(self) -> None:
        """No worker's restart ends it."""
        mine = self.arrive("SM1").conversation.id
        self.successResultOf(self.conversations.close_unfinished(START))
        self.assertEqual(self.status(mine), ("active", ""))

    def test_idle(self) -> None:
        """Old ones are ended; younger ones, ended ones and calls are left alone."""
        old = self.arrive("SM1").conversation.id
        self.clock.advance(DAY)
        young = self.arrive("SM2", identifier="+1556").conversation.id
        closing = self.threads.close_idle("whatsapp", START + 1)
        self.assertEqual(self.successResultOf(closing), 1)
        self.assertEqual(self.status(old), ("ended", "idle"))
        self.assertEqual(self.status(young), ("active", ""))
