"""Campaigns and their queue: calls that wait for their turn, and what became of them.

An entry is written as `dialling` before anybody is asked to dial, so that after a crash it is known
which calls may exist: those are never dialled again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Protocol

from sqlalchemy import Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection, Row
from twisted.internet.defer import Deferred

from rapida_tw.errors import NotFound
from rapida_tw.ids import Ids
from rapida_tw.store import schema
from rapida_tw.store.conversations import FINAL
from rapida_tw.store.database import Database
from rapida_tw.store.projects import require_project
from rapida_tw.store.records import JSON, Page

BULK, CAMPAIGN = "bulk", "campaign"
RUNNING, PAUSED, FINISHED, CANCELLED = "running", "paused", "finished", "cancelled"
WAITING, DIALLING, CALLING, DONE, FAILED, UNKNOWN = (
    "waiting",
    "dialling",
    "calling",
    "done",
    "failed",
    "unknown",
)
OPEN = (WAITING, DIALLING, CALLING)  # states of an entry that is not over
_BATCH = 500  # rows of one INSERT

_table = schema.campaign
_entry = schema.campaign_entry
_conversation = schema.conversation


@dataclass(frozen=True, slots=True)
class Campaign:
    """`settings`: see `campaigns.settings`; `lease`: until when `node` runs it."""

    id: int
    project_id: int
    assistant_id: int
    name: str
    settings: JSON = field(default_factory=dict)
    key_id: int = 0
    kind: str = CAMPAIGN
    state: str = RUNNING
    node: str = ""
    lease: float = 0.0
    created: float = 0.0
    updated: float = 0.0


@dataclass(frozen=True, slots=True)
class CampaignEntry:
    """One who is to be called. `conversation_id`: of the last attempt; `outcome`: its end."""

    id: int
    campaign_id: int
    request: JSON
    state: str = WAITING
    attempts: int = 0
    due: float = 0.0
    conversation_id: int | None = None
    outcome: str = ""
    node: str = ""
    updated: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How many entries are in which state, and how those that are over came out."""

    states: Mapping[str, int]
    outcomes: Mapping[str, int]


class CampaignStore(Protocol):
    """`NotFound` for another project's. All answer by Deferreds."""

    def create(self, campaign: Campaign, entries: Sequence[JSON]) -> Deferred[Campaign]:
        """Its requests in their order, due at once. `id` 0 = choose one."""

    def add(self, campaign: Campaign, entries: Sequence[JSON]) -> Deferred[None]:
        """Further ones; a finished campaign runs again."""

    def get(self, campaign_id: int, project_id: int) -> Deferred[Campaign]: ...
    def page(self, project_id: int, number: int, size: int) -> Deferred[Page]:
        """Newest first, without the bulk calls."""

    def change(self, campaign_id: int, project_id: int, state: str) -> Deferred[Campaign]:
        """Pause, resume or cancel it; what is over stays so."""

    def delete(self, campaign_id: int, project_id: int) -> Deferred[None]:
        """With its entries; the conversations stay."""

    def progress(self, campaign_id: int) -> Deferred[Progress]: ...
    def entries(self, campaign_id: int, number: int, size: int) -> Deferred[Page]:
        """In their order."""

    def enqueue(
        self, project_id: int, key_id: int, request: JSON, conversation_id: int, due: float
    ) -> Deferred[None]:
        """A call without a campaign, whose conversation is there already."""

    def lease(self, node: str, until: float) -> Deferred[Sequence[Campaign]]:
        """The running ones that this node has, or takes over because nobody has them now."""

    def due(self, campaign_id: int, most: int) -> Deferred[Sequence[CampaignEntry]]:
        """Whose turn it is, the longest waiting first."""

    def calling(self, campaign_id: int) -> Deferred[int]:
        """How many are dialled or talked with."""

    def begin(self, entry_id: int, node: str) -> Deferred[bool]:
        """From now on it may be dialled; False: it is not waiting any more."""

    def called(self, entry_id: int, conversation_id: int) -> Deferred[None]:
        """Its conversation is known."""

    def settle(
        self, entry_id: int, state: str, outcome: str = "", due: float = 0.0
    ) -> Deferred[None]:
        """Over, or waiting again. An entry that is over stays so."""

    def postpone(self, entry_id: int, due: float) -> Deferred[None]:
        """It was not dialled: it waits again, and the attempt does not count."""

    def of_conversation(self, conversation_id: int) -> Deferred[CampaignEntry | None]: ...
    def stranded(self, campaign_id: int) -> Deferred[Sequence[tuple[CampaignEntry, str, str]]]:
        """Entries under way whose conversation is over, or that never got one: with the
        conversation's status and end reason, "" where there is none.
        """

    def finish(self, campaign_id: int) -> Deferred[bool]:
        """Finished, if nothing of it waits or is under way."""


class Campaigns:
    """`CampaignStore` over a database."""

    def __init__(self, database: Database, ids: Ids, now: Callable[[], float]) -> None:
        self._database = database
        self._ids = ids
        self._now = now

    def create(self, campaign: Campaign, entries: Sequence[JSON]) -> Deferred[Campaign]:
        now = self._now()
        made = replace(campaign, id=campaign.id or self._ids.new(), created=now, updated=now)
        rows = self._rows(made, entries)

        def work(connection: Connection) -> Campaign:
            require_project(connection, made.project_id)
            connection.execute(insert(_table).values(asdict(made)))
            _insert(connection, rows)
            return made

        return self._database.write(work)

    def _rows(self, campaign: Campaign, entries: Sequence[JSON]) -> list[dict[str, Any]]:
        now = self._now()
        return [
            asdict(CampaignEntry(self._ids.new(), campaign.id, request, due=now, updated=now))
            for request in entries
        ]

    def add(self, campaign: Campaign, entries: Sequence[JSON]) -> Deferred[None]:
        now, rows = self._now(), self._rows(campaign, entries)

        def work(connection: Connection) -> None:
            _insert(connection, rows)
            over = (_table.c.id == campaign.id, _table.c.state == FINISHED)
            connection.execute(update(_table).where(*over).values(state=RUNNING, updated=now))

        return self._database.write(work)

    def get(self, campaign_id: int, project_id: int) -> Deferred[Campaign]:
        return self._database.read(lambda c: select_campaign(c, campaign_id, project_id))

    def page(self, project_id: int, number: int, size: int) -> Deferred[Page]:
        mine = and_(_table.c.project_id == project_id, _table.c.kind == CAMPAIGN)
        query = select(_table).where(mine).order_by(_table.c.created.desc(), _table.c.id.desc())
        return self._page(query, _campaign, number, size)

    def entries(self, campaign_id: int, number: int, size: int) -> Deferred[Page]:
        query = select(_entry).where(_entry.c.campaign_id == campaign_id).order_by(_entry.c.id)
        return self._page(query, _read_entry, number, size)

    def _page(
        self, query: Select[Any], read: Callable[[Row[Any]], Any], number: int, size: int
    ) -> Deferred[Page]:
        def work(connection: Connection) -> Page:
            counting = select(func.count()).select_from(query.order_by(None).subquery())
            total = connection.execute(counting).scalar_one()
            rows = connection.execute(query.limit(size).offset((number - 1) * size))
            return Page([read(row) for row in rows], number, size, total)

        return self._database.read(work)

    def change(self, campaign_id: int, project_id: int, state: str) -> Deferred[Campaign]:
        now = self._now()

        def work(connection: Connection) -> Campaign:
            found = select_campaign(connection, campaign_id, project_id)
            if found.state in (FINISHED, CANCELLED):
                return found
            changed = {"state": state, "updated": now}
            connection.execute(update(_table).where(_table.c.id == campaign_id).values(changed))
            if state == CANCELLED:
                waiting = (_entry.c.campaign_id == campaign_id, _entry.c.state == WAITING)
                over = {"state": FAILED, "outcome": "cancelled", "updated": now}
                connection.execute(update(_entry).where(*waiting).values(over))
            return replace(found, state=state, updated=now)

        return self._database.write(work)

    def delete(self, campaign_id: int, project_id: int) -> Deferred[None]:
        def work(connection: Connection) -> None:
            select_campaign(connection, campaign_id, project_id)
            connection.execute(delete(_entry).where(_entry.c.campaign_id == campaign_id))
            connection.execute(delete(_table).where(_table.c.id == campaign_id))

        return self._database.write(work)

    def progress(self, campaign_id: int) -> Deferred[Progress]:
        def work(connection: Connection) -> Progress:
            return Progress(
                _counted(connection, _entry.c.state, campaign_id, ()),
                _counted(connection, _entry.c.outcome, campaign_id, OPEN),
            )

        return self._database.read(work)

    def enqueue(
        self, project_id: int, key_id: int, request: JSON, conversation_id: int, due: float
    ) -> Deferred[None]:
        now, new, entry_id = self._now(), self._ids.new(), self._ids.new()

        def work(connection: Connection) -> None:
            campaign = _bulk_of(connection, project_id, key_id, new, now)
            entry = CampaignEntry(entry_id, campaign, request, due=due, updated=now)
            row = asdict(replace(entry, conversation_id=conversation_id))
            connection.execute(insert(_entry).values(row))

        return self._database.write(work)

    def lease(self, node: str, until: float) -> Deferred[Sequence[Campaign]]:
        now = self._now()
        free = or_(_table.c.node == node, _table.c.lease < now)

        def work(connection: Connection) -> list[Campaign]:
            mine = and_(_table.c.state == RUNNING, free)
            ids = connection.execute(select(_table.c.id).where(mine)).scalars().all()
            if not ids:
                return []
            taken = update(_table).where(_table.c.id.in_(ids), mine)
            connection.execute(taken.values(node=node, lease=until))
            had = select(_table).where(_table.c.id.in_(ids), _table.c.node == node)
            return [_campaign(row) for row in connection.execute(had)]

        return self._database.write(work)

    def due(self, campaign_id: int, most: int) -> Deferred[Sequence[CampaignEntry]]:
        now = self._now()
        mine = and_(
            _entry.c.campaign_id == campaign_id, _entry.c.state == WAITING, _entry.c.due <= now
        )
        query = select(_entry).where(mine).order_by(_entry.c.due, _entry.c.id).limit(most)
        return self._database.read(lambda c: [_read_entry(row) for row in c.execute(query)])

    def calling(self, campaign_id: int) -> Deferred[int]:
        under_way = _entry.c.state.in_((DIALLING, CALLING))
        query = select(func.count()).select_from(_entry)
        query = query.where(_entry.c.campaign_id == campaign_id, under_way)
        return self._database.read(lambda c: c.execute(query).scalar_one())

    def begin(self, entry_id: int, node: str) -> Deferred[bool]:
        now = self._now()
        change = update(_entry).where(_entry.c.id == entry_id, _entry.c.state == WAITING)
        change = change.values(
            state=DIALLING, node=node, attempts=_entry.c.attempts + 1, updated=now
        )
        return self._database.write(lambda c: c.execute(change).rowcount == 1)

    def called(self, entry_id: int, conversation_id: int) -> Deferred[None]:
        return self._change(entry_id, (DIALLING,), conversation_id=conversation_id, state=CALLING)

    def settle(
        self, entry_id: int, state: str, outcome: str = "", due: float = 0.0
    ) -> Deferred[None]:
        return self._change(entry_id, OPEN, state=state, outcome=outcome, due=due)

    def postpone(self, entry_id: int, due: float) -> Deferred[None]:
        attempts = _entry.c.attempts - 1
        return self._change(entry_id, OPEN, state=WAITING, due=due, attempts=attempts)

    def _change(self, entry_id: int, states: Sequence[str], **columns: Any) -> Deferred[None]:
        change = update(_entry).where(_entry.c.id == entry_id, _entry.c.state.in_(states))
        change = change.values(updated=self._now(), **columns)

        def work(connection: Connection) -> None:
            connection.execute(change)

        return self._database.write(work)

    def of_conversation(self, conversation_id: int) -> Deferred[CampaignEntry | None]:
        query = select(_entry).where(_entry.c.conversation_id == conversation_id)

        def work(connection: Connection) -> CampaignEntry | None:
            row = connection.execute(query).first()
            return None if row is None else _read_entry(row)

        return self._database.read(work)

    def stranded(self, campaign_id: int) -> Deferred[Sequence[tuple[CampaignEntry, str, str]]]:
        joined = _entry.outerjoin(_conversation, _conversation.c.id == _entry.c.conversation_id)
        over = or_(_conversation.c.id.is_(None), _conversation.c.status.in_((*FINAL, "queued")))
        query = select(_entry, _conversation.c.status, _conversation.c.end_reason)
        query = query.select_from(joined).where(
            _entry.c.campaign_id == campaign_id, _entry.c.state.in_((DIALLING, CALLING)), over
        )

        def work(connection: Connection) -> list[tuple[CampaignEntry, str, str]]:
            return [
                (_read_entry(row), row.status or "", row.end_reason or "")
                for row in connection.execute(query)
            ]

        return self._database.read(work)

    def finish(self, campaign_id: int) -> Deferred[bool]:
        now = self._now()

        def work(connection: Connection) -> bool:
            left = select(_entry.c.id).where(
                _entry.c.campaign_id == campaign_id, _entry.c.state.in_(OPEN)
            )
            if connection.execute(left.limit(1)).first() is not None:
                return False
            mine = (_table.c.id == campaign_id, _table.c.state == RUNNING, _table.c.kind != BULK)
            done = update(_table).where(*mine).values(state=FINISHED, updated=now)
            return connection.execute(done).rowcount == 1

        return self._database.write(work)


def _insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    for first in range(0, len(rows), _BATCH):
        connection.execute(insert(_entry), rows[first : first + _BATCH])


def select_campaign(connection: Connection, campaign_id: int, project_id: int) -> Campaign:
    mine = (_table.c.id == campaign_id, _table.c.project_id == project_id)
    row = connection.execute(select(_table).where(*mine)).first()
    if row is None:
        raise NotFound(f"no campaign {campaign_id}")
    return _campaign(row)


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


def _counted(
    connection: Connection, column: Any, campaign_id: int, without: Sequence[str]
) -> dict[str, int]:
    mine = (_entry.c.campaign_id == campaign_id, _entry.c.state.not_in(without))
    query = select(column, func.count()).where(*mine).group_by(column)
    return {str(name): count for name, count in connection.execute(query) if name}


_FIELDS = [entry.name for entry in fields(CampaignEntry)]


def _campaign(row: Row[Any]) -> Campaign:
    return Campaign(**row._mapping)


def _read_entry(row: Row[Any]) -> CampaignEntry:
    return CampaignEntry(**{name: row._mapping[_entry.c[name]] for name in _FIELDS})


_conforms: type[CampaignStore] = Campaigns
