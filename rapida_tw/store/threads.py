"""Threads: conversations in writing that go on from message to message, on whichever worker.

They belong to no worker, so that no restart ends them. Two messages of a thread that come at once,
to two workers even, find the same conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.engine import Connection, Row
from twisted.internet.defer import Deferred

from rapida_tw.store import schema
from rapida_tw.store.conversations import insert_conversation
from rapida_tw.store.database import Database
from rapida_tw.store.names import usable
from rapida_tw.store.records import Arrival, Conversation, Thread
from rapida_tw.store.states import FINAL

IDLE = "idle"  # the end reason of a conversation in which nobody has written for long
_NOBODYS = ""  # the node

_table = schema.conversation
_name = schema.call_name
_columns = [column for column in _table.c if column.name != "node"]


class Threads:
    """Finds and begins the conversations of threads; `Unavailable`."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def arrive(self, thread: Thread, message: str, since: float, new_id: int) -> Deferred[Arrival]:
        """Whose a message of that name is, and whether it has come before; all in one step.

        The thread's newest conversation goes on if somebody has written in it `since` then; else it
        has ended, and one with `new_id` begins. `NotFound` for the project.
        """
        now = self._now()
        return self._database.write(lambda c: _arrive(c, thread, message, since, new_id, now))

    def name(self, conversation_id: int, names: Sequence[str]) -> Deferred[None]:
        """Further names of it (its messages' at the carrier); those of before stay."""
        now = self._now()
        return self._database.write(lambda c: _add(c, conversation_id, names, now))

    def close_idle(self, source: str, before: float) -> Deferred[int]:
        """End those in which nobody has written since; answers how many."""
        old = (_table.c.source == source, _table.c.updated < before)
        return self._database.write(lambda c: _close(c, *old))


def _arrive(
    connection: Connection, thread: Thread, message: str, since: float, new_id: int, now: float
) -> Arrival:
    if connection.dialect.name == "postgresql":
        # Others of the same thread wait here until this one is written. SQLite has one writer.
        lock = func.pg_advisory_xact_lock(func.hashtextextended(thread.name, 0))
        connection.execute(select(lock))
    again = _newest(connection, thread, message)
    if again is not None:
        return Arrival(Conversation(**again._mapping), known=True)
    found = _newest(connection, thread, thread.name)
    if found is not None and found.status not in FINAL and found.updated >= since:
        touched = update(_table).where(_table.c.id == found.id).values(updated=now)
        connection.execute(touched)
        _add(connection, found.id, [message], now)
        return Arrival(Conversation(**found._mapping))
    if found is not None:
        _close(connection, _table.c.id == found.id)
    begun = Conversation(
        new_id,
        thread.project_id,
        thread.assistant_id,
        thread.identifier,
        thread.source,
        thread.direction,
        thread.carrier,
        "active",
        created=now,
        updated=now,
    )
    insert_conversation(connection, begun, _NOBODYS)
    _add(connection, begun.id, [thread.name, message], now)
    return Arrival(begun, begun=True)


def _newest(connection: Connection, thread: Thread, name: str) -> Row[Any] | None:
    """The newest conversation of that name, of this assistant alone."""
    found = (
        select(*_columns)
        .join(_name, _name.c.conversation_id == _table.c.id)
        .where(_name.c.carrier == thread.carrier, _name.c.name == name)
        .where(_table.c.project_id == thread.project_id)
        .where(_table.c.assistant_id == thread.assistant_id)
        .order_by(_name.c.conversation_id.desc())
        .limit(1)
    )
    return connection.execute(found).first()


def _add(connection: Connection, conversation_id: int, names: Sequence[str], now: float) -> None:
    carrier = select(_table.c.carrier).where(_table.c.id == conversation_id)
    had = select(_name.c.name).where(_name.c.conversation_id == conversation_id)
    new = usable(names)
    known = set(connection.execute(had.where(_name.c.name.in_(new))).scalars())
    common = {
        "carrier": connection.execute(carrier).scalar_one(),
        "conversation_id": conversation_id,
        "created": now,
    }
    rows = [common | {"name": name} for name in new if name not in known]
    if rows:
        connection.execute(insert(_name), rows)


def _close(connection: Connection, *which: ColumnElement[bool]) -> int:
    """Those of them that are still open."""
    open_ones = update(_table).where(
        *which, _table.c.node == _NOBODYS, _table.c.status.not_in(FINAL)
    )
    return connection.execute(open_ones.values(status="ended", end_reason=IDLE)).rowcount
