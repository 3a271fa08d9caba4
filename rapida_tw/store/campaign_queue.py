"""The campaigns' queue: whose turn it is, and what became of each call.

An entry is written as `dialling` before anybody is asked to dial, so that after a crash it is known
which calls may exist: those are never dialled again. Every change names the attempt that it is of,
so that what comes late from a node that was given up changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from sqlalchemy import and_, case, exists, func, insert, or_, select, update
from sqlalchemy.engine import Connection
from twisted.internet.defer import Deferred

from rapida_tw.ids import Ids
from rapida_tw.store import schema
from rapida_tw.store.campaigns import (
    BULK,
    CALLING,
    CAMPAIGN,
    CANCELLED,
    DIALLING,
    FAILED,
    FINISHED,
    OPEN,
    RUNNING,
    WAITING,
    Campaign,
    CampaignEntry,
    read_campaign,
    read_entry,
)
from rapida_tw.store.database import Database
from rapida_tw.store.records import JSON
from rapida_tw.store.states import FINAL

LOST = 25 * 3600.0  # seconds; no call lasts a day and rings
_MOST = 1000  # campaigns of one turn; those longest not looked at come first
_UNDER_WAY = (DIALLING, CALLING)

_table = schema.campaign
_entry = schema.campaign_entry
_conversation = schema.conversation


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign that a node has to look at. `under_way`: entries that are dialled or talked with;
    `is_due`: somebody's turn has come; `is_over`: nobody waits and nobody is under way.
    """

    campaign: Campaign
    under_way: int
    is_due: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class Stranded:
    """An entry under way, as it was read, with its conversation's status and end; "": has none."""

    entry: CampaignEntry
    status: str
    reason: str


class QueueStore(Protocol):
    """What the runner of campaigns needs. All answer by Deferreds."""

    def enqueue(
        self, project_id: int, key_id: int, request: JSON, conversation_id: int
    ) -> Deferred[None]:
        """A call without a campaign, whose conversation is there already; once for each."""

    def withdraw(self, conversation_id: int, project_id: int) -> Deferred[bool]:
        """A call whose conversation waits in line is not made; False: it does not wait."""

    def lease(self, node: str, seconds: float, all_open: bool) -> Deferred[Sequence[Standing]]:
        """Campaigns with something to do that this node has, or takes as nobody else has them.

        `all_open`: also those where nothing is due, and stopped ones with calls under way.
        """

    def due(self, campaign_id: int, most: int) -> Deferred[Sequence[CampaignEntry]]:
        """Whose turn it is, the longest waiting first."""

    def defer(self, later: Mapping[int, float]) -> Deferred[None]:
        """Waiting entries whose turn is not before then."""

    def begin(self, entry: CampaignEntry, node: str) -> Deferred[bool]:
        """From now on it may be dialled; False: it does not wait, or its campaign was stopped."""

    def called(self, entry: CampaignEntry, conversation_id: int) -> Deferred[bool]:
        """Its conversation is known; False: another node has it, or its campaign was stopped."""

    def settle(
        self,
        entry: CampaignEntry,
        state: str,
        outcome: str = "",
        due: float = 0.0,
        counts: bool = True,
        as_read: bool = False,
    ) -> Deferred[None]:
        """This attempt is over: for good, or it waits again, unless the campaign was cancelled.

        Not `counts`: it was not dialled. `as_read`: only if nothing of it has changed since.
        """

    def stranded(self, campaign_id: int) -> Deferred[Sequence[Stranded]]:
        """Entries under way whose conversation is over, waits, or is not there, or whose end
        nobody can tell any more.
        """

    def stopped(self, campaign_ids: Collection[int]) -> Deferred[Collection[int]]:
        """Which of them are cancelled, or gone."""

    def finish(self, campaign_id: int) -> Deferred[bool]:
        """Finished, if nothing of it waits or is under way."""


class CampaignQueue:
    """`QueueStore` over a database."""

    def __init__(self, database: Database, ids: Ids, now: Callable[[], float]) -> None:
        self._database = database
        self._ids = ids
        self._now = now

    def enqueue(
        self, project_id: int, key_id: int, request: JSON, conversation_id: int
    ) -> Deferred[None]:
        now, new, entry_id = self._now(), self._ids.new(), self._ids.new()

        def work(connection: Connection) -> None:
            known = _entry.c.conversation_id == conversation_id
            if connection.execute(select(_entry.c.id).where(known).limit(1)).first() is not None:
                return
            campaign = _bulk_of(connection, project_id, key_id, new, now)
            entry = CampaignEntry(entry_id, campaign, request, due=now, updated=now)
            row = asdict(entry) | {"conversation_id": conversation_id}
            connection.execute(insert(_entry).values(row))

        return self._database.write(work)

    def withdraw(self, conversation_id: int, project_id: int) -> Deferred[bool]:
        now = self._now()
        mine = select(_table.c.id).where(_table.c.project_id == project_id)
        entry = update(_entry).where(
            _entry.c.conversation_id == conversation_id,
            _entry.c.state == WAITING,
            _entry.c.campaign_id.in_(mine),
        )
        over = entry.values(state=FAILED, outcome="cancelled", updated=now)
        where = (_conversation.c.id == conversation_id, _conversation.c.status == "queued")
        ended = {"status": "failed", "end_reason": "cancelled", "updated": now}

        def work(connection: Connection) -> bool:
            if connection.execute(over).rowcount == 0:
                return False
            connection.execute(update(_conversation).where(*where).values(ended))
            return True

        return self._database.write(work)

    def lease(self, node: str, seconds: float, all_open: bool) -> Deferred[Sequence[Standing]]:
        return Deferred.fromCoroutine(self._lease(node, seconds, all_open))

    async def _lease(self, node: str, seconds: float, all_open: bool) -> Sequence[Standing]:
        now = self._now()
        free = or_(_table.c.node == node, _table.c.lease < now)
        found = await self._database.read(lambda c: _standings(c, free, now, all_open))
        # Written now and then, and not in each turn: a disk may be slow.
        stale = [
            one.campaign.id
            for one in found
            if one.campaign.node != node or one.campaign.lease < now + seconds * 2 / 3
        ]
        if not stale:
            return found

        def work(connection: Connection) -> set[int]:
            taken = update(_table).where(_table.c.id.in_(stale), free)
            connection.execute(taken.values(node=node, lease=now + seconds))
            had = select(_table.c.id).where(_table.c.id.in_(stale), _table.c.node == node)
            return set(connection.execute(had).scalars())

        lost = set(stale) - await self._database.write(work)
        return [one for one in found if one.campaign.id not in lost]

    def due(self, campaign_id: int, most: int) -> Deferred[Sequence[CampaignEntry]]:
        mine = (_entry.c.campaign_id == campaign_id, _entry.c.state == WAITING)
        query = select(_entry).where(*mine, _entry.c.due <= self._now())
        query = query.order_by(_entry.c.due, _entry.c.id).limit(most)
        return self._database.read(lambda c: [read_entry(row) for row in c.execute(query)])

    def defer(self, later: Mapping[int, float]) -> Deferred[None]:
        def work(connection: Connection) -> None:
            for due in sorted(set(later.values())):
                ids = [entry_id for entry_id, then in later.items() if then == due]
                mine = (_entry.c.id.in_(ids), _entry.c.state == WAITING)
                connection.execute(update(_entry).where(*mine).values(due=due))

        return self._database.write(work)

    def begin(self, entry: CampaignEntry, node: str) -> Deferred[bool]:
        # Of a call of many it is there before; of an attempt before this one it tells nothing.
        first = case((_entry.c.attempts == 0, _entry.c.conversation_id), else_=None)
        change = update(_entry).where(*_of(entry), _entry.c.state == WAITING, _runs())
        change = change.values(
            state=DIALLING,
            node=node,
            attempts=_entry.c.attempts + 1,
            conversation_id=first,
            updated=self._now(),
        )
        return self._database.write(lambda c: c.execute(change).rowcount == 1)

    def called(self, entry: CampaignEntry, conversation_id: int) -> Deferred[bool]:
        change = update(_entry).where(*_of(entry), _entry.c.state == DIALLING, _runs())
        change = change.values(state=CALLING, conversation_id=conversation_id, updated=self._now())
        return self._database.write(lambda c: c.execute(change).rowcount == 1)

    def settle(
        self,
        entry: CampaignEntry,
        state: str,
        outcome: str = "",
        due: float = 0.0,
        counts: bool = True,
        as_read: bool = False,
    ) -> Deferred[None]:
        where = [*_of(entry), _entry.c.state.in_(OPEN)]
        if as_read:
            same = _entry.c.conversation_id.is_not_distinct_from(entry.conversation_id)
            where += [_entry.c.state == entry.state, same]
        values: dict[str, Any] = {"state": state, "outcome": outcome, "due": due}
        values |= {"attempts": entry.attempts - (not counts), "updated": self._now()}

        def work(connection: Connection) -> None:
            if state == WAITING and _stopped(connection, (entry.campaign_id,)):
                values.update(state=FAILED, outcome=outcome or "cancelled")
            connection.execute(update(_entry).where(*where).values(values))

        return self._database.write(work)

    def stranded(self, campaign_id: int) -> Deferred[Sequence[Stranded]]:
        joined = _entry.outerjoin(_conversation, _conversation.c.id == _entry.c.conversation_id)
        over = or_(
            _conversation.c.id.is_(None),
            _conversation.c.status.in_((*FINAL, "queued")),
            _entry.c.updated < self._now() - LOST,
        )
        query = select(_entry, _conversation.c.status, _conversation.c.end_reason)
        query = query.select_from(joined).where(
            _entry.c.campaign_id == campaign_id, _entry.c.state.in_(_UNDER_WAY), over
        )

        def work(connection: Connection) -> list[Stranded]:
            return [
                Stranded(read_entry(row), row.status or "", row.end_reason or "")
                for row in connection.execute(query)
            ]

        return self._database.read(work)

    def stopped(self, campaign_ids: Collection[int]) -> Deferred[Collection[int]]:
        return self._database.read(lambda c: _stopped(c, campaign_ids))

    def finish(self, campaign_id: int) -> Deferred[bool]:
        still = exists().where(_entry.c.campaign_id == campaign_id, _entry.c.state.in_(OPEN))
        mine = (_table.c.id == campaign_id, _table.c.state == RUNNING, _table.c.kind == CAMPAIGN)
        done = update(_table).where(*mine, ~still).values(state=FINISHED, updated=self._now())
        return self._database.write(lambda c: c.execute(done).rowcount == 1)


def _of(entry: CampaignEntry) -> tuple[Any, ...]:
    """This attempt and no other one."""
    return _entry.c.id == entry.id, _entry.c.attempts == entry.attempts


def _runs() -> Any:
    """The entry's campaign does."""
    return exists().where(_table.c.id == _entry.c.campaign_id, _table.c.state == RUNNING)


def _standings(connection: Connection, free: Any, now: float, all_open: bool) -> Sequence[Standing]:
    mine = _entry.c.campaign_id == _table.c.id
    is_open = exists().where(mine, _entry.c.state.in_(OPEN))
    is_due = exists().where(mine, _entry.c.state == WAITING, _entry.c.due <= now)
    under_way = select(func.count()).select_from(_entry)
    under_way = under_way.where(mine, _entry.c.state.in_(_UNDER_WAY))
    counted = under_way.correlate(_table).scalar_subquery()
    over = and_(_table.c.kind == CAMPAIGN, ~is_open)
    wanted = and_(_table.c.state == RUNNING, or_(is_due, over))
    if all_open:
        wanted = or_(wanted, and_(_table.c.state != FINISHED, is_open))
    query = select(
        _table, counted.label("under_way"), is_due.label("is_due"), is_open.label("is_open")
    )
    query = query.where(free, wanted).order_by(_table.c.lease, _table.c.id).limit(_MOST)
    return [
        Standing(read_campaign(row), row.under_way, bool(row.is_due), not row.is_open)
        for row in connection.execute(query)
    ]


def _stopped(connection: Connection, campaign_ids: Collection[int]) -> Collection[int]:
    mine = (_table.c.id.in_(campaign_ids), _table.c.state != CANCELLED)
    return {*campaign_ids} - {*connection.execute(select(_table.c.id).where(*mine)).scalars()}


def _bulk_of(connection: Connection, project_id: int, key_id: int, new: int, now: float) -> int:
    """The project's campaign of calls without one; made when it is needed first."""
    mine = (_table.c.project_id == project_id, _table.c.kind == BULK, _table.c.key_id == key_id)
    query = select(_table.c.id).where(*mine).order_by(_table.c.id).limit(1)
    found = connection.execute(query).scalar()
    if found is not None:
        return int(found)
    campaign = Campaign(new, project_id, 0, BULK, {}, key_id, BULK, created=now, updated=now)
    connection.execute(insert(_table).values(asdict(campaign)))
    return new


_conforms: type[QueueStore] = CampaignQueue
