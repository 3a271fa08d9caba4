"""Campaigns once more, on a real PostgreSQL."""

from __future__ import annotations

from rapida_tw.store.database import Database
from tests.campaigns import test_races, test_runner
from tests.campaigns.case import CampaignCase
from tests.store import postgres
from tests.store.test_postgres import EMPTY


class OnPostgres(CampaignCase):
    """Put before a test case: the same tests, another database."""

    skip = postgres.missing()

    def open_database(self) -> Database:
        database = Database(postgres.url())
        self.addCleanup(lambda: self.successResultOf(database.close()))
        database.migrate()
        database.write_now(lambda c: c.execute(EMPTY))
        return database


class PostgresRunTests(OnPostgres, test_runner.RunTests):
    pass


class PostgresRetryTests(OnPostgres, test_runner.RetryTests):
    pass


class PostgresCrashTests(OnPostgres, test_runner.CrashTests):
    pass


class PostgresQueueTests(OnPostgres, test_runner.QueueTests):
    pass


class PostgresNodeTests(OnPostgres, test_races.NodeTests):
    pass


class PostgresStoppedTests(OnPostgres, test_races.StoppedTests):
    pass


class PostgresCutOffTests(OnPostgres, test_races.CutOffTests):
    pass
