"""All that the stores promise, once more on a real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.engine import Connection
from twisted.trial.unittest import SynchronousTestCase, TestCase

from rapida_tw.errors import Unavailable
from rapida_tw.store.database import Database
from rapida_tw.store.engine import DatabaseUnusable
from rapida_tw.store.projects import ensure_project
from rapida_tw.store.schema import metadata
from tests.store import (
    postgres,
    test_assistants,
    test_conversations,
    test_credentials,
    test_deliveries,
    test_keys,
    test_migrate,
    test_names,
    test_projects,
    test_threads,
    test_webhook_secrets,
)
from tests.store.case import StoreCase

_TABLES = ", ".join(name for name in metadata.tables if name != "installation")
EMPTY = text(f"TRUNCATE {_TABLES}")


class OnPostgres(StoreCase):
    """Put before a test case of the stores: the same tests, another database."""

    skip = postgres.missing()

    def open_database(self) -> Database:
        database = Database(postgres.url())
        self.addCleanup(lambda: self.successResultOf(database.close()))
        database.migrate()
        database.write_now(lambda c: c.execute(EMPTY))
        return database


class PostgresAssistantsTests(OnPostgres, test_assistants.AssistantsTests):
    pass


class PostgresConversationsTests(OnPostgres, test_conversations.ConversationsTests):
    pass


class PostgresCredentialsTests(OnPostgres, test_credentials.CredentialsTests):
    pass


class PostgresThreadsTests(OnPostgres, test_threads.ThreadsTests):
    pass


class PostgresDeliveriesTests(OnPostgres, test_deliveries.DeliveriesTests):
    pass


class PostgresWebhookSecretsTests(OnPostgres, test_webhook_secrets.SecretsTests):
    pass


class PostgresKeysTests(OnPostgres, test_keys.KeysTests):
    pass


class PostgresMigrateTests(OnPostgres, test_migrate.MigrateTests):
    pass


class PostgresNamesTests(OnPostgres, test_names.NamesTests):
    pass


class PostgresProjectsTests(OnPostgres, test_projects.ProjectsTests):
    pass


class ManyTests(OnPostgres):
    """Several processes on one PostgreSQL, played by threads."""

    def at_once(self, work: Callable[[], object]) -> list[object]:
        results: list[object] = []
        threads = [
            threading.Thread(target=lambda: results.append(work()), daemon=True) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        return results

    def fresh(self) -> Database:
        database = Database(postgres.url())
        self.addCleanup(lambda: self.successResultOf(database.close()))
        return database

    def test_start_together(self) -> None:
        """Of workers that start together on an empty database one makes the tables."""
        schema = text("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        self.database.write_now(lambda c: c.execute(schema))
        databases = [self.fresh() for _ in range(4)]
        self.assertEqual(self.at_once(lambda: databases.pop().migrate()), [None] * 4)

    def test_one_first_project(self) -> None:
        """While one worker makes the first project, another waits for it, and uses it."""
        self.database.write_now(lambda c: c.execute(EMPTY))
        made, let_go, second_is_done = (threading.Event() for _ in range(3))
        found: list[int] = []

        def first(connection: Connection) -> None:
            found.append(ensure_project(connection, 1, "x", 0.0))
            made.set()
            let_go.wait(10)

        def second(connection: Connection) -> None:
            found.append(ensure_project(connection, 2, "x", 0.0))
            second_is_done.set()

        threads = [
            threading.Thread(target=self.database.write_now, args=(work,), daemon=True)
            for work in (first, second)
        ]
        threads[0].start()
        made.wait(10)
        threads[1].start()
        self.assertFalse(second_is_done.wait(0.2))
        let_go.set()
        for thread in threads:
            thread.join(10)
        self.assertEqual(found, [1, 1])


class AwayTests(SynchronousTestCase):
    skip = postgres.missing()

    def test_away(self) -> None:
        """A server that is not there is named at the start, and is an outage later."""
        database = Database(f"postgresql://rapida:s3cret@/postgres?host=/{self.id()}")
        with self.assertRaises(DatabaseUnusable) as caught:
            database.migrate()
        self.assertIn(self.id(), str(caught.exception))
        self.assertNotIn("s3cret", str(caught.exception))
        self.failureResultOf(database.read(lambda c: None), Unavailable)


class RestartTests(TestCase):
    skip = postgres.missing()

    def test_lost_connection(self) -> None:
        """After the server cut all connections, the next request finds a new one."""
        database = Database(postgres.url())
        self.addCleanup(database.close)
        one = text("SELECT 1")
        database.read_now(lambda c: c.execute(one))
        cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != :me")
        other = Database(postgres.url())
        self.addCleanup(other.close)
        other.read_now(
            lambda c: c.execute(cut, {"me": c.connection.dbapi_connection.info.backend_pid})
        )
        self.assertEqual(database.read_now(lambda c: c.execute(one).scalar_one()), 1)
