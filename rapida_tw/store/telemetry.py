"""Everything that happened in an assistant's conversations, page by page in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from sqlalchemy import and_, func, select
from sqlalchemy.engine import Connection
from twisted.internet.defer import Deferred

from rapida_tw.store import schema
from rapida_tw.store.criteria import Criterion, Order
from rapida_tw.store.database import Database
from rapida_tw.store.records import Entry, Page
from rapida_tw.store.selection import Columns, conditions, ordering

KINDS = ("event", "message", "metric")  # of entries

_entry = schema.entry
_conversation = schema.conversation
_COLUMNS: Columns = {
    "id": _entry.c.id,
    "assistant_conversation_id": _entry.c.conversation_id,
    "name": _entry.c.name,
    "scope": _entry.c.kind,
    "created_date": _entry.c.at,
}
_ALIASES = {"time": "created_date", "kind": "scope"}


class TelemetryStore(Protocol):
    """Where it is looked up (`Telemetry`)."""

    def page(
        self,
        project_id: int,
        assistant_id: int,
        number: int,
        size: int,
        criteria: Sequence[Criterion] = (),
    ) -> Deferred[Page]:
        """Entries, oldest first; `BadRequest`."""


def page_of_entries(
    connection: Connection,
    project_id: int,
    assistant_id: int,
    number: int,
    size: int,
    criteria: Sequence[Criterion],
) -> Page:
    asked = [replace(one, key=_ALIASES.get(one.key.strip().lower(), one.key)) for one in criteria]
    wanted = and_(
        _conversation.c.project_id == project_id,
        _conversation.c.assistant_id == assistant_id,
        _entry.c.kind.in_(KINDS),
        *conditions(asked, _COLUMNS),
    )
    both = _entry.join(_conversation, _entry.c.conversation_id == _conversation.c.id)
    total = connection.execute(select(func.count()).select_from(both).where(wanted)).scalar_one()
    sorted_ = ordering(Order("created_date"), _COLUMNS, Order("created_date"))
    page = select(_entry).select_from(both).where(wanted).order_by(*sorted_)
    rows = connection.execute(page.limit(size).offset((number - 1) * size))
    found = [
        Entry(row.conversation_id, row.kind, row.name, row.value, row.data, row.at) for row in rows
    ]
    return Page(found, number, size, total)


class Telemetry:
    """`TelemetryStore` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        project_id: int,
        assistant_id: int,
        number: int,
        size: int,
        criteria: Sequence[Criterion] = (),
    ) -> Deferred[Page]:
        return self._database.read(
            lambda c: page_of_entries(c, project_id, assistant_id, number, size, criteria)
        )


_conforms: type[TelemetryStore] = Telemetry
