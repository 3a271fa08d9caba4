"""The database: its threads, and the one way in, `read` and `write`.

Work is a function of a connection, run inside one transaction on a thread of ours; the Deferred
answers in the reactor's thread. SQLite (WAL) has one writer and several readers, PostgreSQL one
pool for both. Without a reactor the work is done at once in the calling thread: for tests,
simulations and commands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from twisted.internet.defer import Deferred, execute, fail, succeed
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from rapida_tw.errors import Unavailable
from rapida_tw.store.engine import (
    CONNECTIONS,
    WRITES,
    DatabaseUnusable,
    build_engine,
    claim_file,
    is_outage,
    name_of,
    parse_url,
    why,
)
from rapida_tw.store.migrate import upgrade

T = TypeVar("T")
Work = Callable[[Connection], T]

MOST_WAITING = 1000  # requests; when more wait, the database has stopped answering
_SQLITE_READERS = 4  # threads


class Database:
    """One database of one process. `migrate()` first, `close()` last."""

    def __init__(self, url: str, reactor: Any = None) -> None:
        """`reactor` provides IReactorThreads; None = work at once in the calling thread.

        `url` is `sqlite:///path`, `sqlite://` (in memory) or `postgresql://…`;
        `DatabaseUnusable` when it is not understood or its driver is not installed.
        """
        self._url = parse_url(url)
        self._engine = build_engine(self._url)
        self._reactor = reactor
        self._waiting = 0
        self._closed = False
        self._writers, self._readers = self._start_threads()

    def __str__(self) -> str:
        return name_of(self._url)

    def migrate(self) -> None:
        """Make or renew the tables. Blocks: call it before the reactor runs.

        `DatabaseUnusable` names the database and the reason: a folder or file that cannot be
        written, a damaged file, a schema newer than this program, a server that is away.
        """
        claim_file(self._url)
        try:
            with self._engine.connect().execution_options(**WRITES) as connection:
                upgrade(connection, str(self))
        except (DBAPIError, PoolTimeout) as error:
            raise DatabaseUnusable(f"{self}: {why(error)}") from None

    def read(self, work: Work[T]) -> Deferred[T]:
        """The answer of `work(connection)`, which only reads. Errors as for `write`."""
        return self._later(self._readers, lambda: self.read_now(work))

    def write(self, work: Work[T]) -> Deferred[T]:
        """The answer of `work(connection)`; committed when it returns, undone when it raises.

        `Unavailable` when the database is away, locked, full, closed, or too many wait for it.
        Cancelling gives up the answer, not the work.
        """
        return self._later(self._writers, lambda: self.write_now(work))

    def read_now(self, work: Work[T]) -> T:
        """The same as `read`, blocking, in this thread."""
        return self._transact(work, {})

    def write_now(self, work: Work[T]) -> T:
        """The same as `write`, blocking, in this thread."""
        return self._transact(work, WRITES)

    def settle(self) -> None:
        """Block until all that was committed is on the disk, and nothing older in SQLite's log.

        `Unavailable` when others read and write all the time.
        """
        if self._url.get_backend_name() != "sqlite":
            return
        connection = self._engine.raw_connection()
        try:
            busy, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.close()
        if busy:
            raise Unavailable(f"{self}: busy; try again")

    def close(self) -> Deferred[None]:
        """Take no more work, finish what waits, close the connections. Twice does no harm."""
        if self._closed:
            return succeed(None)
        self._closed = True
        if self._reactor is None:
            return execute(self._engine.dispose)
        # Joining threads blocks until their work is done: one of the reactor's own does it.
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self._stop)

    def close_now(self) -> None:
        """The same as `close`, blocking: for a process that does not come to run its reactor."""
        if not self._closed:
            self._closed = True
            self._stop()

    def _start_threads(self) -> tuple[ThreadPool | None, ThreadPool | None]:
        if self._reactor is None:
            return None, None
        sqlite = self._url.get_backend_name() == "sqlite"
        writers = ThreadPool(0, 1 if sqlite else CONNECTIONS, "database")
        writers.start()
        if not sqlite or self._url.database in (None, "", ":memory:"):
            # One connection, when in memory, is for one thread.
            return writers, writers
        readers = ThreadPool(0, _SQLITE_READERS, "database-readers")
        readers.start()
        return writers, readers

    def _stop(self) -> None:
        for pool in {self._writers, self._readers}:
            if pool is not None:
                pool.stop()
        self._engine.dispose()

    def _later(self, pool: ThreadPool | None, work: Callable[[], T]) -> Deferred[T]:
        if self._closed:
            return fail(Unavailable(f"{self} is closed"))
        if pool is None:
            return execute(work)
        if self._waiting >= MOST_WAITING:
            return fail(Unavailable(f"{self}: {self._waiting} requests wait already"))
        self._waiting += 1
        return deferToThreadPool(self._reactor, pool, work).addBoth(self._answered)

    def _answered(self, result: Any) -> Any:
        self._waiting -= 1
        return result

    def _transact(self, work: Work[T], options: dict[str, Any]) -> T:
        try:
            with (
                self._engine.connect().execution_options(**options) as connection,
                connection.begin(),
            ):
                return work(connection)
        except (DBAPIError, PoolTimeout) as error:
            if is_outage(error):
                raise Unavailable(f"{self}: {why(error)}") from None
            raise
