"""Metrics that clients add to conversations and messages: one of each name, the newest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import and_, delete, func, insert, select
from sqlalchemy.engine import Connection
from twisted.internet.defer import Deferred

from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.store import schema
from rapida_tw.store.database import Database
from rapida_tw.store.records import Entry

PREFIX = "custom."  # of their names
MESSAGE = "messageId"  # in the data of a message's
MOST = 1_000  # of one conversation, with those of its messages

_entry = schema.entry
_conversation = schema.conversation


class ClientMetricStore(Protocol):
    """Who keeps them (`ClientMetrics`)."""

    def put(
        self, conversation_id: int, project_id: int, assistant_id: int, metrics: Sequence[Entry]
    ) -> Deferred[None]:
        """Add or replace, by their names and messages; `NotFound`, `BadRequest` for too many."""

    def of_messages(self, conversation_ids: Sequence[int]) -> Deferred[Sequence[Entry]]:
        """Those of single messages."""


def put_metrics(
    connection: Connection,
    conversation_id: int,
    project_id: int,
    assistant_id: int,
    metrics: Sequence[Entry],
) -> None:
    """`assistant_id` 0: whichever it is."""
    mine = and_(
        _conversation.c.id == conversation_id,
        _conversation.c.project_id == project_id,
        *((_conversation.c.assistant_id == assistant_id,) if assistant_id else ()),
    )
    # Also the lock between two that add the same one (PostgreSQL).
    wanted = select(_conversation.c.id).where(mine).with_for_update()
    if connection.execute(wanted).first() is None:
        raise NotFound(f"no conversation {conversation_id}")
    custom = and_(
        _entry.c.conversation_id == conversation_id,
        _entry.c.kind == "metric",
        _entry.c.name.startswith(PREFIX),
    )
    message = _entry.c.data[MESSAGE].as_string()
    for metric in metrics:
        of = metric.data.get(MESSAGE)
        same = message.is_(None) if of is None else message == of
        connection.execute(delete(_entry).where(custom, _entry.c.name == metric.name, same))
        row = {
            "conversation_id": conversation_id,
            "kind": "metric",
            "name": metric.name,
            "value": metric.value,
            "data": dict(metric.data),
            "at": metric.at,
        }
        connection.execute(insert(_entry).values(row))
    count = select(func.count()).select_from(_entry).where(custom)
    if connection.execute(count).scalar_one() > MOST:
        raise BadRequest(f"a conversation has at most {MOST} metrics of its clients")


def metrics_of_messages(connection: Connection, conversation_ids: Sequence[int]) -> list[Entry]:
    wanted = select(_entry).where(
        _entry.c.conversation_id.in_(conversation_ids),
        _entry.c.kind == "metric",
        _entry.c.name.startswith(PREFIX),
        _entry.c.data[MESSAGE].as_string().is_not(None),
    )
    return [
        Entry(row.conversation_id, row.kind, row.name, row.value, row.data, row.at)
        for row in connection.execute(wanted.order_by(_entry.c.id))
    ]


class ClientMetrics:
    """`ClientMetricStore` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self, conversation_id: int, project_id: int, assistant_id: int, metrics: Sequence[Entry]
    ) -> Deferred[None]:
        batch = tuple(metrics)
        return self._database.write(
            lambda c: put_metrics(c, conversation_id, project_id, assistant_id, batch)
        )

    def of_messages(self, conversation_ids: Sequence[int]) -> Deferred[Sequence[Entry]]:
        ids = tuple(set(conversation_ids))
        return self._database.read(lambda c: metrics_of_messages(c, ids))


_conforms: type[ClientMetricStore] = ClientMetrics
