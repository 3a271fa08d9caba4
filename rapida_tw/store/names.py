"""Under which names carriers know a conversation: written with it, asked for by its callbacks."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from rapida_tw.errors import NotFound
from rapida_tw.store import schema
from rapida_tw.store.records import Conversation, NamedCall

LONGEST = 200  # characters of a name
MOST = 16  # names of a call

_table = schema.call_name
_conversation = schema.conversation


def insert_names(connection: Connection, conversation: Conversation, names: Sequence[str]) -> None:
    """Empty names, too long ones and those beyond `MOST` are left out."""
    kept = usable(names)
    if kept:
        common = {"carrier": conversation.carrier, "conversation_id": conversation.id}
        rows = [common | {"name": name, "created": conversation.created} for name in kept]
        connection.execute(insert(_table), rows)


def add_names(connection: Connection, conversation_id: int, names: Sequence[str]) -> None:
    """Those that it has not; `NotFound` for the conversation."""
    columns = (_conversation.c.carrier, _conversation.c.created)
    mine = select(*columns).where(_conversation.c.id == conversation_id)
    row = connection.execute(mine).first()
    if row is None:
        raise NotFound(f"no conversation {conversation_id}")
    had = select(_table.c.name).where(_table.c.conversation_id == conversation_id)
    known = set(connection.execute(had).scalars())
    common = {"carrier": row.carrier, "conversation_id": conversation_id, "created": row.created}
    rows = [common | {"name": name} for name in usable(names) if name not in known]
    if rows:
        connection.execute(insert(_table), rows)


def select_named(
    connection: Connection, carrier: str, names: Sequence[str], project_id: int | None
) -> NamedCall | None:
    """The newest call that has the first of `names` that any has, in the project if one is given.

    A name may come back: a call flow that returns to us keeps the carrier's name of the call.
    """
    found = select(_conversation.c.id, _conversation.c.assistant_id, _conversation.c.project_id)
    found = found.join(_table, _table.c.conversation_id == _conversation.c.id)
    found = found.where(_table.c.carrier == carrier)
    if project_id is not None:
        found = found.where(_conversation.c.project_id == project_id)
    newest = found.order_by(_table.c.conversation_id.desc()).limit(1)
    for name in usable(names):
        row = connection.execute(newest.where(_table.c.name == name)).first()
        if row is not None:
            return NamedCall(*row)
    return None


def usable(names: Sequence[str]) -> list[str]:
    """Each once, in their order."""
    return [name for name in dict.fromkeys(names) if 0 < len(name) <= LONGEST][:MOST]
