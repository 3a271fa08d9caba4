"""The history of calls."""

from __future__ import annotations

import math
from dataclasses import replace

from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.conversations import CRASHED, Conversations
from rapida_tw.store.records import Assistant, Conversation, Entry
from tests.store.case import START, StoreCase


class ConversationsTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.conversations = self.node("here")

    def node(self, name: str) -> Conversations:
        return Conversations(self.database, self.clock.seconds, name)

    def create(self, id: int = 0, **fields: object) -> int:
        id = id or self.ids.new()
        new = Conversation(id, self.project, 5, "+15550100", **fields)  # type: ignore[arg-type]
        self.successResultOf(self.conversations.create(new))
        return id

    def get(self, id: int) -> Conversation:
        return self.successResultOf(self.conversations.get(id))

    def set_status(self, id: int, status: str, *more: object) -> None:
        self.successResultOf(self.conversations.set_status(id, status, *more))  # type: ignore[arg-type]

    def append(self, *entries: Entry) -> None:
        self.successResultOf(self.conversations.append(entries))

    def test_whole(self) -> None:
        """Every field comes back as it was given."""
        wanted = Conversation(
            9,
            self.project,
            5,
            "anonymous",
            source="web",
            direction="outbound",
            carrier="twilio",
            status="queued",
            end_reason="",
            created=1.5,
            updated=2.5,
            duration=0.25,
        )
        self.successResultOf(self.conversations.create(wanted))
        self.assertEqual(self.get(9), wanted)

    def test_stamped(self) -> None:
        """A conversation without times begins now."""
        found = self.get(self.create())
        self.assertEqual((found.created, found.updated), (START, START))

    def test_refused(self) -> None:
        """Neither a taken id nor an unknown project makes a conversation."""
        id = self.create()
        taken = Conversation(id, self.project, 5, "")
        self.failureResultOf(self.conversations.create(taken), BadRequest)
        self.failureResultOf(self.conversations.create(replace(taken, project_id=1)), NotFound)

    def test_other_project(self) -> None:
        """Another project does not see it."""
        self.failureResultOf(self.conversations.get(self.create(), 1), NotFound)

    def test_life(self) -> None:
        """The status moves on, and the end has a reason and a duration."""
        id = self.create()
        self.set_status(id, "active")
        self.clock.advance(3)
        self.set_status(id, "ended", "remote_hangup", 2.5)
        found = self.get(id)
        self.assertEqual((found.status, found.end_reason), ("ended", "remote_hangup"))
        self.assertEqual((found.duration, found.updated), (2.5, START + 3))

    def test_first_end_stays(self) -> None:
        """Whatever comes after the end changes nothing, and is no error."""
        id = self.create()
        self.set_status(id, "ended", "tool_ended", 1.0)
        self.set_status(id, "failed", "network_failed", 9.0)
        self.set_status(id, "active")
        found = self.get(id)
        self.assertEqual(
            (found.status, found.end_reason, found.duration), ("ended", "tool_ended", 1.0)
        )

    def test_unknown(self) -> None:
        """A conversation that is not there is not found, whatever is asked of it."""
        self.failureResultOf(self.conversations.get(1), NotFound)
        self.failureResultOf(self.conversations.set_status(1, "active"), NotFound)

    def test_entries_in_order(self) -> None:
        """Entries come in the order of time; those of one moment as they were written."""
        id = self.create()
        late = Entry(id, "message", "assistant", "Hello", {"interrupted": True}, at=3.0)
        early = Entry(id, "event", "call.connected", at=1.0)
        same = Entry(id, "metric", "call.duration", "12", at=3.0)
        self.append(late, early)
        self.append(same)
        self.assertEqual(self.get(id).entries, (early, late, same))

    def test_nothing_to_append(self) -> None:
        """An empty batch is fine."""
        self.append()

    def test_unknown_among_others(self) -> None:
        """Entries without a conversation are told of, and cost no other entry."""
        id = self.create()
        batch = [Entry(id, "event", "a"), Entry(1, "event", "b"), Entry(1, "event", "c")]
        failure = self.failureResultOf(self.conversations.append(batch), NotFound)
        self.assertIn("2 of conversation 1", failure.getErrorMessage())
        self.assertEqual([entry.name for entry in self.get(id).entries], ["a"])

    def test_foul_data(self) -> None:
        """What JSON or a database has no word for loses itself alone."""
        id = self.create()
        data = {"nan": math.nan, "text": "a\x00b\ud800", "what": {1: b"x"}, "n": [1, (2.5,)]}
        self.append(Entry(id, "event", "odd", "\x00", data), Entry(id, "event", "next"))
        odd, following = self.get(id).entries
        self.assertEqual(odd.data["nan"], None)
        self.assertEqual((odd.data["n"], odd.data["what"]), ([1, [2.5]], {"1": "b'x'"}))
        self.assertEqual(following.name, "next")

    def test_pages(self) -> None:
        """Newest first, each once, in a stable order though they began at the same moment."""
        for id in (3, 5, 1, 4, 2):
            self.create(id)
        pages = [
            self.successResultOf(self.conversations.page(self.project, n, 2)) for n in (1, 2, 3)
        ]
        self.assertEqual([item.id for page in pages for item in page.items], [5, 4, 3, 2, 1])
        self.assertEqual({page.total for page in pages}, {5})

    def test_page_of_an_assistant(self) -> None:
        """A page may be of one assistant's calls only."""
        self.create()
        other = Conversation(3, self.project, 6, "")
        self.successResultOf(self.conversations.create(other))
        page = self.successResultOf(self.conversations.page(self.project, assistant_id=6))
        self.assertEqual([item.id for item in page.items], [3])

    def test_history_outlives_the_assistant(self) -> None:
        """Deleting an assistant leaves its conversations."""
        assistants = Assistants(self.database, self.ids, self.clock.seconds)
        self.successResultOf(assistants.create(Assistant(5, self.project, "Ada")))
        id = self.create()
        self.append(Entry(id, "message", "user", "hi"))
        self.successResultOf(assistants.delete(5, self.project))
        self.assertEqual(self.get(id).entries[0].value, "hi")

    def test_crashed(self) -> None:
        """After a crash the calls of this node that were under way failed, and only those."""
        under_way = [self.create(status=s) for s in ("queued", "webhook", "saved", "active")]
        over = self.create(status="ended")
        self.clock.advance(7)
        self.assertEqual(self.successResultOf(self.conversations.close_unfinished(START + 7)), 4)
        for id in under_way:
            found = self.get(id)
            self.assertEqual((found.status, found.end_reason), ("failed", CRASHED))
            self.assertEqual(found.updated, START + 7)
        self.assertEqual(self.get(over).status, "ended")

    def test_crash_of_another(self) -> None:
        """What runs on another node is none of our business."""
        id = self.create(status="active")
        self.assertEqual(self.successResultOf(self.node("there").close_unfinished(START)), 0)
        self.assertEqual(self.get(id).status, "active")

    def test_not_dead(self) -> None:
        """A call given up for a crash, whose context waited in Redis, may still live and end."""
        id = self.create(status="saved")
        self.successResultOf(self.conversations.close_unfinished(START))
        self.set_status(id, "connected")
        self.assertEqual((self.get(id).status, self.get(id).end_reason), ("connected", ""))
        self.set_status(id, "ended", "remote_hangup")
        self.assertEqual(self.get(id).end_reason, "remote_hangup")
