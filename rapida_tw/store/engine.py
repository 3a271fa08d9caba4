"""From a database URL to an SQLAlchemy engine, and from a driver's error to words for people."""

from __future__ import annotations

import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import StaticPool

from rapida_tw.errors import Unavailable

BUSY_TIMEOUT_MS = 5000  # how long SQLite waits for another process's write
CONNECT_TIMEOUT = 5  # seconds, PostgreSQL
STATEMENT_TIMEOUT_MS = 10_000  # PostgreSQL
CONNECTIONS = 8  # PostgreSQL, a process
WRITES = {"rapida_writes": True}  # execution option of a connection that will write


class DatabaseUnusable(Unavailable):
    """The database cannot be opened, read or written; the text names it and says why."""

    reason = "database-unusable"


def parse_url(text: str) -> URL:
    """`sqlite:///path`, `sqlite://` (in memory) or `postgresql://…`; else `DatabaseUnusable`."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Without its text: it may hold a password.
        raise DatabaseUnusable("the database URL cannot be parsed") from None
    if url.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite":
        return url
    allowed = "sqlite:///path or postgresql://user@host/name"
    raise DatabaseUnusable(f"no database of the kind {url.drivername!r}: write {allowed}")


def name_of(url: URL) -> str:
    """How the database is called in messages: a file's path, or the URL without its password."""
    if url.get_backend_name() == "sqlite":
        return f"database {url.database or 'in memory'}"
    return f"database {url.render_as_string(hide_password=True)}"


def claim_file(url: URL) -> None:
    """Make sure that an SQLite file and its folder exist and can be written, or say why not."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return
    path = Path(url.database)
    try:
        with suppress(FileExistsError):  # also a file there: the next line tells it better
            path.parent.mkdir(parents=True)
        # SQLite itself only says "unable to open database file". 0600: numbers and transcripts.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseUnusable(f"{name_of(url)}: {error.strerror}") from None


def build_engine(url: URL) -> Engine:
    """The engine with our settings; `DatabaseUnusable` when the driver is not installed."""
    # Parameters stay out of error texts: they hold what callers said.
    common: dict[str, Any] = {"json_serializer": to_json, "hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            # A database in memory lives as long as its only connection.
            common |= {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
        engine = create_engine(url, **common)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(
            url,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=CONNECT_TIMEOUT,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT,
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
            },
            **common,
        )
    except ModuleNotFoundError as error:
        raise DatabaseUnusable(
            f"PostgreSQL needs {error.name}: pip install 'rapida-tw[postgres]'"
        ) from None


def _prepare_sqlite(connection: Any, record: Any) -> None:
    # The driver's own BEGIN comes too late for DDL and for reads; `_begin_sqlite` sends ours.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    # With WAL this loses no consistency, at most the last commits on a loss of power.
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail at once as "locked", without
    # waiting, when another process wrote in between; IMMEDIATE waits its turn at the start.
    writes = connection.get_execution_options().get("rapida_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def to_json(value: Any) -> str:
    """JSON that every database takes: what it has no word for (NaN, objects) becomes null, text."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        return json.dumps(_plain(value), separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return str(value)


def is_outage(error: DBAPIError | PoolTimeout) -> bool:
    """True for what the world did (away, locked, full, damaged), False for our own mistakes."""
    if isinstance(error, PoolTimeout) or error.connection_invalidated:
        return True
    # A bare DatabaseError is SQLite's word for a damaged file.
    kind = type(error)
    return kind is DatabaseError or kind.__name__ in {"OperationalError", "InterfaceError"}


def why(error: DBAPIError | PoolTimeout) -> str:
    """The driver's first line: no statement, no parameter."""
    if isinstance(error, PoolTimeout):
        return "all connections are busy"
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
