"""The names under which carriers know a conversation."""

from __future__ import annotations

from alembic import command
from sqlalchemy import text

from rapida_tw.errors import BadRequest
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.database import Database
from rapida_tw.store.engine import WRITES
from rapida_tw.store.migrate import configuration
from rapida_tw.store.names import LONGEST, MOST
from rapida_tw.store.records import Conversation, NamedCall
from tests.store.case import START, StoreCase


class NamesTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.conversations = Conversations(self.database, self.clock.seconds, "here")

    def create(self, *names: str, carrier: str = "acme") -> NamedCall:
        new = Conversation(self.ids.new(), self.project, 5, "+1555", carrier=carrier)
        self.successResultOf(self.conversations.create(new, names))
        return NamedCall(new.id, 5, self.project)

    def named(
        self, *names: str, carrier: str = "acme", project: int | None = None
    ) -> NamedCall | None:
        return self.successResultOf(self.conversations.named(carrier, names, project))

    def test_each(self) -> None:
        """Every name finds the call, as a restarted process will ask."""
        call = self.create("context", "c1", "alias")
        for name in ("context", "c1", "alias"):
            self.assertEqual(self.named("unknown", name), call)

    def test_unknown(self) -> None:
        """Other names, other carriers' names, other spellings, and nothing."""
        self.create("c1")
        for names in (("c2",), ("C1",), ("",), ("c1%",), ()):
            self.assertIsNone(self.named(*names))
        self.assertIsNone(self.named("c1", carrier="twilio"))

    def test_project(self) -> None:
        """A project sees its own calls."""
        call = self.create("c1")
        self.assertEqual(self.named("c1", project=self.project), call)
        self.assertIsNone(self.named("c1", project=self.project + 1))

    def test_newest(self) -> None:
        """A name that came back means the newest call; the first name that fits counts."""
        first = self.create("context-1", "c1")
        second = self.create("context-2", "c1")
        self.assertEqual(self.named("c1"), second)
        self.assertEqual(self.named("context-1", "c1"), first)

    def test_left_out(self) -> None:
        """Empty and endless names, repetitions, and those beyond some are not kept."""
        long = "x" * (LONGEST + 1)
        many = [f"n{number}" for number in range(MOST + 5)]
        self.create("", long, "c1", "c1", *many)
        self.assertIsNone(self.named("", long, f"n{MOST + 4}"))
        self.assertIsNotNone(self.named("c1"))

    def test_strange(self) -> None:
        """What a database would refuse is kept as well as it can be, and found again."""
        call = self.create("a\x00b\ud800")
        self.assertEqual(self.named("a\x00b\ud800"), call)

    def test_together(self) -> None:
        """A conversation that is not kept leaves no names."""
        call = self.create("c1")
        again = Conversation(call.conversation_id, self.project, 5, "", carrier="acme")
        self.failureResultOf(self.conversations.create(again, ("c2",)), BadRequest)
        self.assertIsNone(self.named("c2"))

    def test_deleted(self) -> None:
        """A conversation takes its names along."""
        call = self.create("c1")
        gone = text("DELETE FROM conversation WHERE id = :id")
        self.database.write_now(lambda c: c.execute(gone, {"id": call.conversation_id}))
        self.assertIsNone(self.named("c1"))

    def test_indexed(self) -> None:
        """Nobody who tries names makes the database read its whole history."""
        if self.database.read_now(lambda c: c.dialect.name) != "sqlite":
            return
        plan = text("EXPLAIN QUERY PLAN SELECT 1 FROM call_name WHERE carrier = 'a' AND name = 'b'")
        (step,) = self.database.read_now(lambda c: c.execute(plan).all())
        self.assertIn("SEARCH", step.detail)


class UpgradeTests(StoreCase):
    """A database of the first version."""

    def open_database(self) -> Database:
        database = Database("sqlite://")
        self.addCleanup(lambda: self.successResultOf(database.close()))

        columns = "id, project_id, assistant_id, identifier, source, direction, carrier"
        more = "status, end_reason, node, created, updated"
        values = "1, 1, 5, '100', 'phone-call', 'inbound', 'acme', 'ended', '', 'n', 0, 0"
        connecting = database._engine.connect().execution_options(**WRITES)
        with connecting as connection, connection.begin():
            command.upgrade(configuration(connection), "0001")
            connection.execute(text("INSERT INTO project VALUES (1, 'old', 0)"))
            connection.execute(
                text(f"INSERT INTO conversation ({columns}, {more}) VALUES ({values})")
            )
        database.migrate()
        return database

    def test_kept(self) -> None:
        """Its calls are there still, and new ones have names."""
        conversations = Conversations(self.database, self.clock.seconds, "here")
        self.assertEqual(self.successResultOf(conversations.get(1)).identifier, "100")
        new = Conversation(2, 1, 5, "", carrier="acme", created=START)
        self.successResultOf(conversations.create(new, ("c1",)))
        found = self.successResultOf(conversations.named("acme", ("c1",)))
        self.assertEqual(found, NamedCall(2, 5, 1))
