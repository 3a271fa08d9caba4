"""Deliveries: the queue of what assistants' webhooks are told, and the log of each attempt.

Several workers may share it: a delivery is claimed by one of them, for as long as its attempt may
take; after that it is anybody's again. What is delivered is remembered for some days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, insert, select, update
from sqlalchemy.engine import Connection, Row
from twisted.internet.defer import Deferred

from rapida_tw.errors import InUse, NotFound
from rapida_tw.ids import Ids
from rapida_tw.store import schema
from rapida_tw.store.database import Database
from rapida_tw.store.records import JSON, Page

WAITING, SENDING, DELIVERED, FAILED = "waiting", "sending", "delivered", "failed"
STATES = (WAITING, SENDING, DELIVERED, FAILED)
# Later events of a conversation wait for an earlier one until so many of its attempts have failed.
IN_ORDER = 3
_SWEPT = 1_000  # rows that are deleted in one transaction

_table = schema.delivery
_attempt = schema.delivery_attempt
_open = _table.c.state.in_((WAITING, SENDING))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook. `due`, `created`, `updated`: seconds since the epoch.

    `webhook`: the definition of then, without secrets. `attempts`: those that have begun.
    """

    id: int
    project_id: int
    assistant_id: int
    conversation_id: int  # 0: of none
    event_id: str
    event: str
    url: str
    host: str
    webhook: JSON
    body: JSON
    state: str = WAITING
    node: str = ""
    attempts: int = 0
    due: float = 0.0
    created: float = 0.0
    updated: float = 0.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one request. `status`: HTTP; 0: no answer. `response`: its beginning."""

    at: float
    status: int
    error: str
    seconds: float
    response: str


@dataclass(frozen=True, slots=True)
class Logged:
    """A delivery with its attempts, oldest first."""

    delivery: Delivery
    attempts: Sequence[Attempt] = field(default_factory=tuple)


class Look(NamedTuple):
    """`later`: when the next one is due that is not yet; None: there is none."""

    due: bool
    later: float | None


_columns = [_table.c[one.name] for one in fields(Delivery)]
_attempt_columns = [_attempt.c[one.name] for one in fields(Attempt)]


def insert_deliveries(connection: Connection, new: Sequence[Delivery]) -> int:
    """Those whose event the same receiver was not told of already; answers how many these are."""
    wanted = {one.event_id for one in new}
    conversations = {one.conversation_id for one in new}
    known = select(_table.c.event_id, _table.c.url).where(
        _table.c.conversation_id.in_(conversations), _table.c.event_id.in_(wanted)
    )
    there = {tuple(row) for row in connection.execute(known)}
    rows = [asdict(one) for one in new if (one.event_id, one.url) not in there]
    if rows:
        connection.execute(insert(_table), rows)
    return len(rows)


def due_now(now: float, full: Iterable[str]) -> ColumnElement[bool]:
    """What may be sent now, but to hosts that have enough to do."""
    earlier = _table.alias("earlier")
    blocked = exists().where(
        earlier.c.conversation_id == _table.c.conversation_id,
        earlier.c.conversation_id != 0,
        earlier.c.url == _table.c.url,
        earlier.c.id < _table.c.id,
        earlier.c.state.in_((WAITING, SENDING)),
        # The attempt that is under way has not failed yet.
        earlier.c.attempts - case((earlier.c.state == SENDING, 1), else_=0) < IN_ORDER,
    )
    return and_(_open, _table.c.due <= now, _table.c.host.not_in(tuple(full)), ~blocked)


def look(connection: Connection, now: float, full: Iterable[str]) -> Look:
    """See `Deliveries.look`."""
    due = select(_table.c.id).where(due_now(now, full)).limit(1)
    later = select(func.min(_table.c.due)).where(_open, _table.c.due > now)
    return Look(connection.execute(due).first() is not None, connection.execute(later).scalar_one())


def claim(
    connection: Connection,
    node: str,
    now: float,
    until: float,
    room: Mapping[str, int],
    each: int,
    most: int,
) -> list[Delivery]:
    """Take those that are due, oldest first, `most` in all and `each` for a host.

    `room`: hosts that take fewer. They are this node's until `until`.
    """
    full = [host for host, left in room.items() if left <= 0]
    query = select(*_columns).where(due_now(now, full)).order_by(_table.c.due, _table.c.id)
    # Another worker's transaction may hold some of them (PostgreSQL): those are not waited for.
    query = query.limit(4 * most).with_for_update(skip_locked=True)
    left = dict(room)
    taken: list[Delivery] = []
    for row in connection.execute(query):
        found = _delivery(row)
        if len(taken) < most and left.setdefault(found.host, each) > 0:
            left[found.host] -= 1
            taken.append(found)
    if taken:
        values = {"state": SENDING, "node": node, "due": until, "updated": now}
        values |= {"attempts": _table.c.attempts + 1}
        mine = _table.c.id.in_([one.id for one in taken])
        connection.execute(update(_table).where(mine).values(values))
    return taken


def settle(
    connection: Connection,
    delivery: Delivery,
    attempt: Attempt,
    state: str,
    due: float,
    now: float,
) -> bool:
    """Write down what came of a claimed delivery; False when it is not ours any more."""
    row = asdict(attempt) | {"delivery_id": delivery.id}
    mine = _claimed(delivery)
    values = {"state": state, "due": due, "updated": now, "node": ""}
    if connection.execute(update(_table).where(mine).values(values)).rowcount == 0:
        return False
    connection.execute(insert(_attempt), row)
    return True


def put_back(connection: Connection, delivery: Delivery, due: float) -> None:
    """It was claimed and not sent: no attempt."""
    values = {"state": WAITING, "due": due, "node": "", "attempts": delivery.attempts}
    connection.execute(update(_table).where(_claimed(delivery)).values(values))


def release(connection: Connection, node: str, now: float) -> int:
    """What this node was sending when it died is to be sent again; answers how many that are."""
    mine = and_(_table.c.state == SENDING, _table.c.node == node)
    values = {"state": WAITING, "node": "", "due": now, "updated": now}
    return connection.execute(update(_table).where(mine).values(values)).rowcount


def retry(connection: Connection, delivery_id: int, project_id: int, now: float) -> Delivery:
    """Once more, now, with all attempts before it; `InUse` while it is being sent."""
    found = select_delivery(connection, delivery_id, project_id).delivery
    if found.state == SENDING:
        raise InUse(f"delivery {delivery_id} is being sent at the moment")
    values = {"state": WAITING, "due": now, "attempts": 0, "updated": now}
    connection.execute(update(_table).where(_table.c.id == delivery_id).values(values))
    return select_delivery(connection, delivery_id, project_id).delivery


def sweep(connection: Connection, before: float) -> int:
    """Forget some of those that are over since then; answers how many."""
    over = select(_table.c.id).where(~_open, _table.c.updated < before).limit(_SWEPT)
    ids = list(connection.execute(over).scalars())
    if ids:
        connection.execute(delete(_table).where(_table.c.id.in_(ids)))
    return len(ids)


def disable(connection: Connection, delivery: Delivery, reason: str, now: float) -> None:
    """The receiver wants nothing more: its assistant's webhook is switched off, and says why."""
    table = schema.assistant
    mine = table.c.id == delivery.assistant_id
    query = select(table.c.webhooks).where(mine).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        return
    named = delivery.webhook.get("credentialId")
    changed = [
        stored | {"enabled": False, "disabledReason": reason}
        if (stored.get("url"), stored.get("credentialId")) == (delivery.url, named)
        else stored
        for stored in row.webhooks
    ]
    # Who has read it before may not switch it on again by saving something else.
    connection.execute(update(table).where(mine).values(webhooks=changed, updated=now))


def select_delivery(connection: Connection, delivery_id: int, project_id: int) -> Logged:
    """`NotFound` for those of other projects too."""
    where = (_table.c.id == delivery_id, _table.c.project_id == project_id)
    row = connection.execute(select(*_columns).where(*where)).first()
    if row is None:
        raise NotFound(f"no webhook delivery {delivery_id}")
    mine = _attempt.c.delivery_id == delivery_id
    order = (_attempt.c.at, _attempt.c.id)
    attempts = connection.execute(select(*_attempt_columns).where(mine).order_by(*order))
    return Logged(_delivery(row), tuple(Attempt(*one) for one in attempts))


def page_of_deliveries(
    connection: Connection,
    project_id: int,
    number: int,
    size: int,
    conversation_id: int | None,
    assistant_id: int | None,
    state: str,
) -> Page:
    """Newest first; pages count from 1. None and "": any."""
    mine = [_table.c.project_id == project_id]
    if conversation_id is not None:
        mine.append(_table.c.conversation_id == conversation_id)
    if assistant_id is not None:
        mine.append(_table.c.assistant_id == assistant_id)
    if state:
        mine.append(_table.c.state == state)
    total = connection.execute(select(func.count()).select_from(_table).where(*mine)).scalar_one()
    newest = select(*_columns).where(*mine).order_by(_table.c.created.desc(), _table.c.id.desc())
    rows = connection.execute(newest.limit(size).offset((number - 1) * size))
    return Page([_delivery(row) for row in rows], number, size, total)


def _claimed(delivery: Delivery) -> ColumnElement[bool]:
    """Still the claim that it was taken with."""
    return and_(
        _table.c.id == delivery.id,
        _table.c.state == SENDING,
        _table.c.attempts == delivery.attempts + 1,
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._mapping)


class Deliveries:
    """The queue of one database. `node` names this worker, as in `Conversations`."""

    def __init__(self, database: Database, ids: Ids, now: Callable[[], float], node: str) -> None:
        self._database = database
        self._ids = ids
        self._now = now
        self._node = node

    def new_id(self) -> int:
        """For the next delivery: they are sent in the order of their ids."""
        return self._ids.new()

    def add(self, new: Sequence[Delivery]) -> Deferred[int]:
        return self._database.write(lambda c: insert_deliveries(c, new))

    def look(self, full: Iterable[str]) -> Deferred[Look]:
        """Whether a claim would take something now, and when the next is due; it only reads."""
        now = self._now()
        return self._database.read(lambda c: look(c, now, full))

    def claim(
        self, seconds: float, room: Mapping[str, int], each: int, most: int
    ) -> Deferred[list[Delivery]]:
        """For so long; see the function."""
        now = self._now()
        return self._database.write(
            lambda c: claim(c, self._node, now, now + seconds, room, each, most)
        )

    def settle(
        self, delivery: Delivery, attempt: Attempt, state: str, due: float = 0.0
    ) -> Deferred[bool]:
        now = self._now()
        return self._database.write(lambda c: settle(c, delivery, attempt, state, due, now))

    def put_back(self, delivery: Delivery, due: float) -> Deferred[None]:
        return self._database.write(lambda c: put_back(c, delivery, due))

    def fill(self, delivery: Delivery, body: JSON) -> Deferred[None]:
        """What was not known when it was queued; equal in all attempts from now on."""
        change = update(_table).where(_table.c.id == delivery.id).values(body=body)
        return self._database.write(lambda c: c.execute(change)).addCallback(lambda _: None)

    def release(self) -> Deferred[int]:
        """At the start, before anything is claimed."""
        now = self._now()
        return self._database.write(lambda c: release(c, self._node, now))

    def disable(self, delivery: Delivery, reason: str) -> Deferred[None]:
        now = self._now()
        return self._database.write(lambda c: disable(c, delivery, reason, now))

    def sweep(self, before: float) -> Deferred[int]:
        return self._database.write(lambda c: sweep(c, before))

    # -- for people -------------------------------------------------------------------------------

    def get(self, delivery_id: int, project_id: int) -> Deferred[Logged]:
        return self._database.read(lambda c: select_delivery(c, delivery_id, project_id))

    def retry(self, delivery_id: int, project_id: int) -> Deferred[Delivery]:
        now = self._now()
        return self._database.write(lambda c: retry(c, delivery_id, project_id, now))

    def page(
        self,
        project_id: int,
        number: int = 1,
        size: int = 20,
        conversation_id: int | None = None,
        assistant_id: int | None = None,
        state: str = "",
    ) -> Deferred[Page]:
        return self._database.read(
            lambda c: page_of_deliveries(
                c, project_id, number, size, conversation_id, assistant_id, state
            )
        )
