"""Conversations: the history of calls, and all that is remembered of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred

from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.store import schema
from rapida_tw.store.criteria import Criterion, Order
from rapida_tw.store.database import Database
from rapida_tw.store.messages import page_of_messages
from rapida_tw.store.names import add_names, insert_names, select_named
from rapida_tw.store.projects import require_project
from rapida_tw.store.records import Conversation, ConversationStore, Entry, NamedCall, Page
from rapida_tw.store.selection import CONVERSATIONS, conditions, ordering
from rapida_tw.store.states import FINAL, later_than

CRASHED = "server_crashed"  # the end reason of a call whose worker died with it

_table = schema.conversation
_entry = schema.entry
_ENTRY_FIELDS = [field.name for field in fields(Entry)]
_columns = [column for column in _table.c if column.name != "node"]

# A call ends once. But one that was given up for its worker's crash may live on elsewhere: its
# context still lies in Redis.
_open = or_(
    _table.c.status.not_in(FINAL),
    and_(_table.c.status == "failed", _table.c.end_reason == CRASHED),
)


def insert_conversation(connection: Connection, conversation: Conversation, node: str) -> None:
    """Its entries are not looked at; `NotFound` for its project, `BadRequest` for a taken id."""
    require_project(connection, conversation.project_id)
    row = asdict(conversation) | {"node": node}
    del row["entries"]
    try:
        connection.execute(insert(_table).values(row))
    except IntegrityError:
        raise BadRequest(f"conversation id {conversation.id} is taken") from None


def set_status(
    connection: Connection,
    conversation_id: int,
    status: str,
    end_reason: str,
    duration: float | None,
    now: float,
) -> None:
    """Move it on; the first end stays. `duration` None keeps what is there."""
    values: dict[str, Any] = {"status": status, "end_reason": end_reason, "updated": now}
    if duration is not None:
        values["duration"] = duration
    where = [_table.c.id == conversation_id, _open]
    later = later_than(status)
    if later:
        where.append(_table.c.status.not_in(later))
    change = update(_table).where(*where).values(values)
    if connection.execute(change).rowcount == 0:
        # There is nothing to change, or nobody to change it of.
        _row(connection, conversation_id, None)


def append_entries(connection: Connection, entries: Sequence[Entry]) -> Counter[int]:
    """Write all entries but those of unknown conversations; answers how many of each of these."""
    ids = {entry.conversation_id for entry in entries}
    known = set(connection.execute(select(_table.c.id).where(_table.c.id.in_(ids))).scalars())
    rows = [
        {name: getattr(entry, name) for name in _ENTRY_FIELDS}
        for entry in entries
        if entry.conversation_id in known
    ]
    if rows:
        connection.execute(insert(_entry), rows)
    return Counter(entry.conversation_id for entry in entries if entry.conversation_id not in known)


def select_conversation(
    connection: Connection, conversation_id: int, project_id: int | None = None
) -> Conversation:
    """With all its entries in the order of time, equal times as they were written."""
    found = _conversation(_row(connection, conversation_id, project_id))
    mine = _entry.c.conversation_id == conversation_id
    rows = connection.execute(select(_entry).where(mine).order_by(_entry.c.at, _entry.c.id))
    entries = (Entry(*(getattr(row, name) for name in _ENTRY_FIELDS)) for row in rows)
    return replace(found, entries=tuple(entries))


def page_of_conversations(
    connection: Connection,
    project_id: int,
    number: int,
    size: int,
    assistant_id: int | None,
    criteria: Sequence[Criterion] = (),
    order: Order | None = None,
) -> Page:
    """Newest first unless told, without entries; pages count from 1."""
    mine = and_(_table.c.project_id == project_id, *conditions(criteria, CONVERSATIONS))
    if assistant_id is not None:
        mine = and_(mine, _table.c.assistant_id == assistant_id)
    total = connection.execute(select(func.count()).select_from(_table).where(mine)).scalar_one()
    sorted_ = ordering(order, CONVERSATIONS, Order("created_date", descending=True))
    wanted = select(*_columns).where(mine).order_by(*sorted_)
    rows = connection.execute(wanted.limit(size).offset((number - 1) * size))
    return Page([_conversation(row) for row in rows], number, size, total)


def close_unfinished(connection: Connection, node: str, now: float) -> int:
    """End what a crash of this node left open; answers how many calls that were.

    Those whose turn to be dialled has not come wait on.
    """
    queue = schema.campaign_entry
    waiting = select(queue.c.conversation_id).where(
        queue.c.state.in_(("waiting", "dialling", "calling")),
        queue.c.conversation_id.is_not(None),
    )
    left = update(_table).where(
        _table.c.node == node,
        _table.c.status.not_in(FINAL),
        or_(_table.c.status != "queued", _table.c.id.not_in(waiting)),
    )
    done = connection.execute(left.values(status="failed", end_reason=CRASHED, updated=now))
    return done.rowcount


def _row(connection: Connection, conversation_id: int, project_id: int | None) -> Row[Any]:
    row = connection.execute(select(*_columns).where(_table.c.id == conversation_id)).first()
    if row is None or project_id not in (None, row.project_id):
        raise NotFound(f"no conversation {conversation_id}")
    return row


def _conversation(row: Row[Any]) -> Conversation:
    return Conversation(**row._mapping)


class Conversations:
    """`ConversationStore` over a database.

    `node` names this worker: no two that run at once may share it, or the start of one would
    close the calls of the other.
    """

    def __init__(self, database: Database, now: Callable[[], float], node: str) -> None:
        self._database = database
        self._now = now
        self._node = node

    def create(self, conversation: Conversation, names: Sequence[str] = ()) -> Deferred[None]:
        """`created` and `updated` 0 = now."""
        now = self._now()
        new = replace(
            conversation,
            created=conversation.created or now,
            updated=conversation.updated or now,
        )

        def work(connection: Connection) -> None:
            insert_conversation(connection, new, self._node)
            insert_names(connection, new, names)

        return self._database.write(work)

    def add_names(self, conversation_id: int, names: Sequence[str]) -> Deferred[None]:
        return self._database.write(lambda c: add_names(c, conversation_id, names))

    def named(
        self, carrier: str, names: Sequence[str], project_id: int | None = None
    ) -> Deferred[NamedCall | None]:
        return self._database.read(lambda c: select_named(c, carrier, names, project_id))

    def set_status(
        self, conversation_id: int, status: str, end_reason: str = "", duration: float | None = None
    ) -> Deferred[None]:
        """The first end stays: later changes of an ended call do nothing."""
        now = self._now()
        return self._database.write(
            lambda c: set_status(c, conversation_id, status, end_reason, duration, now)
        )

    def append(self, entries: Sequence[Entry]) -> Deferred[None]:
        """Write a batch in one transaction.

        Entries of unknown conversations are dropped and named by `NotFound`; the others of the
        batch are kept: do not send it again. Nothing is kept on `Unavailable`: send it again.
        """
        batch = tuple(entries)
        done = self._database.write(lambda c: append_entries(c, batch))
        return done.addCallback(_complain)

    def get(self, conversation_id: int, project_id: int | None = None) -> Deferred[Conversation]:
        return self._database.read(lambda c: select_conversation(c, conversation_id, project_id))

    def page(
        self,
        project_id: int,
        number: int = 1,
        size: int = 20,
        assistant_id: int | None = None,
        criteria: Sequence[Criterion] = (),
        order: Order | None = None,
    ) -> Deferred[Page]:
        return self._database.read(
            lambda c: page_of_conversations(
                c, project_id, number, size, assistant_id, criteria, order
            )
        )

    def messages(
        self,
        project_id: int,
        number: int = 1,
        size: int = 20,
        conversation_id: int | None = None,
        criteria: Sequence[Criterion] = (),
        order: Order | None = None,
    ) -> Deferred[Page]:
        return self._database.read(
            lambda c: page_of_messages(
                c, project_id, number, size, conversation_id, criteria, order
            )
        )

    def close_unfinished(self, now: float) -> Deferred[int]:
        """At start-up: calls that this node left open in a crash failed; answers how many."""
        return self._database.write(lambda c: close_unfinished(c, self._node, now))


def _complain(dropped: Counter[int]) -> None:
    if dropped:
        what = ", ".join(f"{count} of conversation {id}" for id, count in dropped.items())
        raise NotFound(f"entries of unknown conversations were dropped: {what}")


_conforms: type[ConversationStore] = Conversations
