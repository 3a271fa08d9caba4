"""Campaigns as their owners see them: made, paused, cancelled, listed, with their progress.

What runs them is in `store.campaign_queue`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Protocol

from sqlalchemy import Select, and_, delete, func, insert, select, update
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred

from rapida_tw.errors import Conflict, NotFound
from rapida_tw.ids import Ids
from rapida_tw.store import schema
from rapida_tw.store.database import Database
from rapida_tw.store.projects import require_project
from rapida_tw.store.records import JSON, Page

BULK, CAMPAIGN = "bulk", "campaign"
RUNNING, PAUSED, FINISHED, CANCELLED = "running", "paused", "finished", "cancelled"
STATES = (RUNNING, PAUSED, FINISHED, CANCELLED)
WAITING, DIALLING, CALLING, DONE, FAILED, UNKNOWN = (
    "waiting",
    "dialling",
    "calling",
    "done",
    "failed",
    "unknown",
)
OPEN = (WAITING, DIALLING, CALLING)  # states of an entry that is not over
ENTRY_STATES = (*OPEN, DONE, FAILED, UNKNOWN)
_BATCH = 500  # rows of one INSERT

_table = schema.campaign
_entry = schema.campaign_entry


@dataclass(frozen=True, slots=True)
class Campaign:
    """`settings`: see `campaigns.settings`; `lease`: until when `node` runs it.

    `digest` tells equal requests; `idempotency_key` None = it has none.
    """

    id: int
    project_id: int
    assistant_id: int
    name: str
    settings: JSON = field(default_factory=dict)
    key_id: int = 0
    kind: str = CAMPAIGN
    idempotency_key: str | None = None
    digest: str = ""
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
    """`NotFound` for another project's, and for what is no campaign. All answer by Deferreds."""

    def create(
        self, campaign: Campaign, entries: Sequence[JSON], due: float = 0.0
    ) -> Deferred[Campaign]:
        """Its requests in their order, not before `due`. `id` 0 = choose one.

        The one that was made with the same key before is answered; `Conflict`: of another request.
        """

    def known(self, campaign: Campaign) -> Deferred[Campaign | None]:
        """The one that was made with its key; None: there is none. `Conflict`."""

    def add(
        self, campaign: Campaign, entries: Sequence[JSON], due: float = 0.0
    ) -> Deferred[Campaign]:
        """Further ones; a finished campaign runs again, to a cancelled one nothing is added."""

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


class Campaigns:
    """`CampaignStore` over a database."""

    def __init__(self, database: Database, ids: Ids, now: Callable[[], float]) -> None:
        self._database = database
        self._ids = ids
        self._now = now

    def create(
        self, campaign: Campaign, entries: Sequence[JSON], due: float = 0.0
    ) -> Deferred[Campaign]:
        return Deferred.fromCoroutine(self._create(campaign, entries, due))

    def known(self, campaign: Campaign) -> Deferred[Campaign | None]:
        return self._database.read(lambda c: _known(c, campaign))

    async def _create(self, campaign: Campaign, entries: Sequence[JSON], due: float) -> Campaign:
        try:
            return await self._insert(campaign, entries, due)
        except IntegrityError:
            # Somebody was faster with the same key.
            found = await self.known(campaign)
            if found is None:
                raise
            return found

    def _insert(
        self, campaign: Campaign, entries: Sequence[JSON], due: float
    ) -> Deferred[Campaign]:
        now = self._now()
        made = replace(campaign, id=campaign.id or self._ids.new(), created=now, updated=now)
        new = [self._ids.new() for _ in entries]

        def work(connection: Connection) -> Campaign:
            require_project(connection, made.project_id)
            connection.execute(insert(_table).values(asdict(made)))
            _insert(connection, made.id, new, entries, max(due, now), now)
            return made

        return self._database.write(work)

    def add(
        self, campaign: Campaign, entries: Sequence[JSON], due: float = 0.0
    ) -> Deferred[Campaign]:
        now = self._now()
        new = [self._ids.new() for _ in entries]

        def work(connection: Connection) -> Campaign:
            found = select_campaign(connection, campaign.id, campaign.project_id)
            if found.state == CANCELLED:
                return found
            _insert(connection, found.id, new, entries, max(due, now), now)
            state = RUNNING if found.state == FINISHED else found.state
            mine = _table.c.id == found.id
            connection.execute(update(_table).where(mine).values(state=state, updated=now))
            return replace(found, state=state, updated=now)

        return self._database.write(work)

    def get(self, campaign_id: int, project_id: int) -> Deferred[Campaign]:
        return self._database.read(lambda c: select_campaign(c, campaign_id, project_id))

    def page(self, project_id: int, number: int, size: int) -> Deferred[Page]:
        mine = and_(_table.c.project_id == project_id, _table.c.kind == CAMPAIGN)
        query = select(_table).where(mine).order_by(_table.c.created.desc(), _table.c.id.desc())
        return self._page(query, read_campaign, number, size)

    def entries(self, campaign_id: int, number: int, size: int) -> Deferred[Page]:
        query = select(_entry).where(_entry.c.campaign_id == campaign_id).order_by(_entry.c.id)
        return self._page(query, read_entry, number, size)

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
            if found.state in (FINISHED, CANCELLED, state):
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


def select_campaign(connection: Connection, campaign_id: int, project_id: int) -> Campaign:
    mine = (_table.c.id == campaign_id, _table.c.project_id == project_id)
    query = select(_table).where(*mine, _table.c.kind == CAMPAIGN)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"no campaign {campaign_id}")
    return read_campaign(row)


def _known(connection: Connection, campaign: Campaign) -> Campaign | None:
    key = campaign.idempotency_key
    if key is None:
        return None
    mine = (_table.c.project_id == campaign.project_id, _table.c.idempotency_key == key)
    row = connection.execute(select(_table).where(*mine)).first()
    if row is None:
        return None
    if row.digest != campaign.digest:
        raise Conflict("the idempotency key was used for another request")
    return read_campaign(row)


def _insert(
    connection: Connection,
    campaign_id: int,
    ids: Sequence[int],
    requests: Sequence[JSON],
    due: float,
    now: float,
) -> None:
    usual = asdict(CampaignEntry(0, campaign_id, {}, due=due, updated=now))
    rows = [{**usual, "id": new, "request": one} for new, one in zip(ids, requests, strict=True)]
    for first in range(0, len(rows), _BATCH):
        connection.execute(insert(_entry), rows[first : first + _BATCH])


def _counted(
    connection: Connection, column: Any, campaign_id: int, without: Sequence[str]
) -> dict[str, int]:
    mine = (_entry.c.campaign_id == campaign_id, _entry.c.state.not_in(without))
    query = select(column, func.count()).where(*mine).group_by(column)
    return {str(name): count for name, count in connection.execute(query) if name}


_CAMPAIGN_FIELDS = [one.name for one in fields(Campaign)]
_ENTRY_FIELDS = [one.name for one in fields(CampaignEntry)]


def read_campaign(row: Row[Any]) -> Campaign:
    """Of a row with the table's columns, and maybe others."""
    return Campaign(**{name: row._mapping[_table.c[name]] for name in _CAMPAIGN_FIELDS})


def read_entry(row: Row[Any]) -> CampaignEntry:
    """The same, of an entry."""
    return CampaignEntry(**{name: row._mapping[_entry.c[name]] for name in _ENTRY_FIELDS})


_conforms: type[CampaignStore] = Campaigns
