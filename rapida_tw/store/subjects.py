"""Whose calls they are that webhooks are to be told of: many conversations in one look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.engine import Connection
from twisted.internet.defer import Deferred

from rapida_tw.store import schema
from rapida_tw.store.conversations import CRASHED
from rapida_tw.store.database import Database

_table = schema.conversation
_entry = schema.entry
_METADATA = ("client.assistant_phone", "client.context_id", "client.provider_call_id")


@dataclass(frozen=True, slots=True)
class Facts:
    """A conversation without its entries, but for some of `metadata`."""

    project_id: int
    assistant_id: int
    identifier: str
    direction: str
    carrier: str
    metadata: dict[str, str] = field(default_factory=dict)


def select_facts(connection: Connection, ids: Iterable[int]) -> dict[int, Facts]:
    """Of those that there are."""
    wanted = tuple(ids)
    columns = (_table.c.project_id, _table.c.assistant_id, _table.c.identifier)
    query = select(_table.c.id, *columns, _table.c.direction, _table.c.carrier)
    rows = connection.execute(query.where(_table.c.id.in_(wanted)))
    found = {row[0]: Facts(*row[1:]) for row in rows}
    told = select(_entry.c.conversation_id, _entry.c.name, _entry.c.value).where(
        _entry.c.conversation_id.in_(wanted),
        _entry.c.kind == "metadata",
        _entry.c.name.in_(_METADATA),
    )
    for conversation_id, name, value in connection.execute(told):
        if conversation_id in found:
            found[conversation_id].metadata[name] = value
    return found


class Subjects:
    """Over a database. `node` as in `Conversations`."""

    def __init__(self, database: Database, node: str) -> None:
        self._database = database
        self._node = node

    def facts(self, ids: Iterable[int]) -> Deferred[dict[int, Facts]]:
        wanted = tuple(ids)
        return self._database.read(lambda c: select_facts(c, wanted))

    def cut_off(self, since: float) -> Deferred[list[int]]:
        """Calls that a crash of this node ended, as it was found out at or after `since`."""
        query = select(_table.c.id).where(
            _table.c.node == self._node,
            _table.c.status == "failed",
            _table.c.end_reason == CRASHED,
            _table.c.updated >= since,
        )
        return self._database.read(lambda c: list(c.execute(query).scalars()))
