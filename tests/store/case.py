"""What the tests of the stores share: a database, a project, and a clock that is set by hand."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.ids import Ids
from rapida_tw.store.database import Database
from rapida_tw.store.projects import Projects

START = 1_800_000_000.0


class StoreCase(SynchronousTestCase):
    """`self.database` works at once, in this thread; `self.project` is the id of one project."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.ids = Ids(self.clock.seconds)
        self.database = self.open_database()
        self.project = self.successResultOf(
            Projects(self.database, self.ids, self.clock.seconds).ensure()
        )

    def open_database(self) -> Database:
        database = Database("sqlite://")
        self.addCleanup(lambda: self.successResultOf(database.close()))
        database.migrate()
        return database
