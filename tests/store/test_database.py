"""The database's threads: who waits for whom, what is told, and that it ends."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import insert, select, text
from sqlalchemy.engine import Connection
from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.trial.unittest import SynchronousTestCase, TestCase

from rapida_tw.errors import NotFound, Unavailable
from rapida_tw.store import database as module
from rapida_tw.store import engine
from rapida_tw.store.database import Database
from rapida_tw.store.schema import project


def add(connection: Connection, id: int) -> None:
    connection.execute(insert(project).values(id=id, name="", created=0.0))


def ids(connection: Connection) -> list[int]:
    return list(connection.execute(select(project.c.id).order_by(project.c.id)).scalars())


class AtOnceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = Database("sqlite://")
        self.database.migrate()

    def test_undone(self) -> None:
        """Work that fails leaves nothing behind, and its error comes out as it is."""

        def work(connection: Connection) -> None:
            add(connection, 1)
            raise NotFound("on second thoughts")

        self.failureResultOf(self.database.write(work), NotFound)
        self.assertEqual(self.successResultOf(self.database.read(ids)), [])

    def test_foreign_keys(self) -> None:
        """SQLite watches over references: what would dangle is an error of ours, not an outage."""
        orphan = text(
            "INSERT INTO credential VALUES (1, 2, '', '', '', '', '', '[]', 0.0, 0.0, NULL)"
        )
        failure = self.failureResultOf(self.database.write(lambda c: c.execute(orphan)))
        self.assertIn("FOREIGN KEY", failure.getErrorMessage())
        self.assertIsNone(failure.check(Unavailable))

    def test_discreet(self) -> None:
        """An error tells the statement, and nothing of what was to be stored."""
        twice = text("INSERT INTO project VALUES (1, :name, 0.0), (1, :name, 0.0)")
        failure = self.failureResultOf(
            self.database.write(lambda c: c.execute(twice, {"name": "what the caller said"}))
        )
        self.assertNotIn("caller", failure.getErrorMessage())

    def test_closed(self) -> None:
        """A closed database says so."""
        self.successResultOf(self.database.close())
        self.successResultOf(self.database.close())
        self.failureResultOf(self.database.read(ids), Unavailable)


class ThreadTests(TestCase):
    """With real threads, on a real file."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp()).resolve()
        self.database = self.open()
        self.database.migrate()

    def open(self, url: str | None = None) -> Database:
        database = Database(url or f"sqlite:///{self.path}", reactor)
        self.addCleanup(database.close)
        return database

    async def test_elsewhere(self) -> None:
        """Work is done in another thread, its answer told in the reactor's."""
        worker = await self.database.write(lambda _: threading.get_ident())
        self.assertNotEqual(worker, threading.get_ident())

    async def test_one_writer(self) -> None:
        """A hundred writes at once are all kept: each waits its turn, none finds a lock."""
        self.patch(engine, "BUSY_TIMEOUT_MS", 0)
        await gatherResults([self.database.write(lambda c, n=n: add(c, n)) for n in range(1, 101)])
        self.assertEqual(await self.database.read(ids), list(range(1, 101)))

    async def test_two_processes(self) -> None:
        """Two that write to one file wait for each other."""
        other = self.open()
        await gatherResults(
            [db.write(lambda c, n=n: add(c, n)) for n in range(1, 21) for db in [self.database]]
            + [other.write(lambda c, n=n: add(c, n)) for n in range(21, 41)]
        )
        self.assertEqual(await other.read(ids), list(range(1, 41)))

    async def test_readers_do_not_wait(self) -> None:
        """While a long write runs, reading goes on, and sees what was before."""
        let_go = threading.Event()
        self.addCleanup(let_go.set)

        def work(connection: Connection) -> bool:
            add(connection, 1)
            return let_go.wait(10)

        written = self.database.write(work)
        self.assertEqual(await self.database.read(ids), [])
        let_go.set()
        self.assertTrue(await written)
        self.assertEqual(await self.database.read(ids), [1])

    async def test_writer_does_not_wait(self) -> None:
        """While a long history is read, what is written is kept at once."""
        self.patch(engine, "BUSY_TIMEOUT_MS", 1)
        let_go, begun = threading.Event(), threading.Event()
        self.addCleanup(let_go.set)
        reading = self.database.read(lambda c: (ids(c), begun.set(), let_go.wait(10), ids(c)))
        begun.wait(10)
        await self.database.write(lambda c: add(c, 1))
        let_go.set()
        before, *_, after = await reading
        self.assertEqual((before, after), ([], []))

    async def test_locked(self) -> None:
        """When another process holds the file too long, that is told as an outage."""
        self.patch(engine, "BUSY_TIMEOUT_MS", 1)
        other = self.open()
        holder = self.open()
        let_go, held = threading.Event(), threading.Event()
        self.addCleanup(let_go.set)
        holding = holder.write(lambda _: (held.set(), let_go.wait(10)))
        held.wait(10)
        with self.assertRaisesRegex(Unavailable, "database is locked"):
            await other.write(lambda c: add(c, 1))
        let_go.set()
        await holding

    async def test_bounded(self) -> None:
        """When too many wait already, the next is told at once; later there is room again."""
        self.patch(module, "MOST_WAITING", 2)
        let_go = threading.Event()
        self.addCleanup(let_go.set)
        waiting = [self.database.write(lambda _: let_go.wait(10)) for _ in range(2)]
        with self.assertRaisesRegex(Unavailable, "2 requests wait"):
            await self.database.write(ids)
        let_go.set()
        await gatherResults(waiting)
        await self.database.write(ids)

    async def test_close_finishes(self) -> None:
        """Closing waits for the work that was accepted."""
        waiting = [self.database.write(lambda c, n=n: add(c, n)) for n in range(1, 11)]
        await self.database.close()
        await gatherResults(waiting)
        self.assertEqual(await self.open().read(ids), list(range(1, 11)))

    async def test_in_memory(self) -> None:
        """A database in memory is one for all its users."""
        database = self.open("sqlite://")
        database.migrate()
        await database.write(lambda c: add(c, 1))
        self.assertEqual(await database.read(ids), [1])
