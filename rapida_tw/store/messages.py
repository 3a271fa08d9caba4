"""Messages of conversations, page by page."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, func, select
from sqlalchemy.engine import Connection

from rapida_tw.errors import NotFound
from rapida_tw.store import schema
from rapida_tw.store.criteria import Criterion, Order
from rapida_tw.store.records import Message, Page
from rapida_tw.store.selection import MESSAGES, conditions, ordering

_entry = schema.entry
_conversation = schema.conversation


def page_of_messages(
    connection: Connection,
    project_id: int,
    number: int,
    size: int,
    conversation_id: int | None,
    criteria: Sequence[Criterion] = (),
    order: Order | None = None,
) -> Page:
    """Oldest first unless told; `NotFound` for a conversation that is not the project's."""
    wanted = and_(
        _conversation.c.project_id == project_id,
        _entry.c.kind == "message",
        *conditions(criteria, MESSAGES),
    )
    if conversation_id is not None:
        wanted = and_(wanted, _entry.c.conversation_id == conversation_id)
        mine = select(_conversation.c.id).where(
            _conversation.c.id == conversation_id, _conversation.c.project_id == project_id
        )
        if connection.execute(mine).first() is None:
            raise NotFound(f"no conversation {conversation_id}")
    both = _entry.join(_conversation, _entry.c.conversation_id == _conversation.c.id)
    total = connection.execute(select(func.count()).select_from(both).where(wanted)).scalar_one()
    columns = (
        _entry.c.id,
        _entry.c.conversation_id,
        _conversation.c.assistant_id,
        _entry.c.name,
        _entry.c.value,
        _entry.c.data,
        _entry.c.at,
        _conversation.c.source,
    )
    sorted_ = ordering(order, MESSAGES, Order("created_date"))
    page = select(*columns).select_from(both).where(wanted).order_by(*sorted_)
    rows = connection.execute(page.limit(size).offset((number - 1) * size))
    return Page([Message(*row) for row in rows], number, size, total)
