"""Calls that were placed: one conversation for an idempotency key, and how many by each API key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred

from rapida_tw.errors import BadRequest, Conflict
from rapida_tw.store import schema
from rapida_tw.store.conversations import insert_conversation, select_conversation
from rapida_tw.store.database import Database
from rapida_tw.store.names import insert_names
from rapida_tw.store.records import Conversation

LONGEST_KEY = 200  # characters

_table = schema.placement


@dataclass(frozen=True, slots=True)
class Placement:
    """A request for a call. `digest` tells equal requests; `idempotency_key` "" = it has none."""

    conversation_id: int
    project_id: int
    key_id: int
    digest: str
    created: float
    idempotency_key: str = ""


class PlacementStore(Protocol):
    """What was asked to be placed."""

    def find(
        self, project_id: int, idempotency_key: str, digest: str
    ) -> Deferred[Conversation | None]:
        """The conversation of that key; None: there is none. `Conflict`: of another request."""

    def create(
        self, placement: Placement, conversation: Conversation, names: Sequence[str]
    ) -> Deferred[Conversation]:
        """Both in one; a conversation that another request with the key has made is answered."""

    def begin(self, conversation_id: int) -> Deferred[bool]:
        """From now on it is being dialled; False: it is already, or is over.

        Written before anybody is asked: after a crash nothing is dialled twice.
        """

    def since(self, key_id: int, then: float) -> Deferred[int]:
        """How many calls the API key has placed from then on."""


def find_placement(
    connection: Connection, project_id: int, idempotency_key: str, digest: str
) -> Conversation | None:
    mine = (_table.c.project_id == project_id, _table.c.idempotency_key == idempotency_key)
    query = select(_table.c.conversation_id, _table.c.digest).where(*mine)
    row = connection.execute(query).first()
    if row is None:
        return None
    if row.digest != digest:
        raise Conflict("the idempotency key was used for another request")
    return select_conversation(connection, row.conversation_id, project_id)


def insert_placement(connection: Connection, placement: Placement) -> None:
    row = asdict(placement) | {"idempotency_key": placement.idempotency_key or None}
    connection.execute(insert(_table).values(row))


def begin_dialling(connection: Connection, conversation_id: int, now: float) -> bool:
    table = schema.conversation
    where = (table.c.id == conversation_id, table.c.status == "queued")
    change = update(table).where(*where).values(status="dialling", updated=now)
    return connection.execute(change).rowcount == 1


def count_placements(connection: Connection, key_id: int, then: float) -> int:
    mine = (_table.c.key_id == key_id, _table.c.created >= then)
    query = select(func.count()).select_from(_table).where(*mine)
    return connection.execute(query).scalar_one()


class Placements:
    """`PlacementStore` over a database. `node`: as of `Conversations`."""

    def __init__(self, database: Database, now: Callable[[], float], node: str) -> None:
        self._database = database
        self._now = now
        self._node = node

    def find(
        self, project_id: int, idempotency_key: str, digest: str
    ) -> Deferred[Conversation | None]:
        return self._database.read(lambda c: find_placement(c, project_id, idempotency_key, digest))

    def create(
        self, placement: Placement, conversation: Conversation, names: Sequence[str]
    ) -> Deferred[Conversation]:
        key = placement.idempotency_key
        if len(key) > LONGEST_KEY:
            raise BadRequest(f"the idempotency key is longer than {LONGEST_KEY} characters")
        work = self._creating(placement, conversation, names)
        return Deferred.fromCoroutine(self._create(work, placement))

    def _creating(
        self, placement: Placement, conversation: Conversation, names: Sequence[str]
    ) -> Callable[[Connection], Conversation]:
        def work(connection: Connection) -> Conversation:
            insert_conversation(connection, conversation, self._node)
            insert_names(connection, conversation, names)
            insert_placement(connection, placement)
            return conversation

        return work

    async def _create(
        self, work: Callable[[Connection], Conversation], placement: Placement
    ) -> Conversation:
        try:
            return await self._database.write(work)
        except IntegrityError:
            # Somebody was faster with the same key, here or on another node.
            found = await self.find(
                placement.project_id, placement.idempotency_key, placement.digest
            )
            if found is None:
                raise
            return found

    def begin(self, conversation_id: int) -> Deferred[bool]:
        now = self._now()
        return self._database.write(lambda c: begin_dialling(c, conversation_id, now))

    def since(self, key_id: int, then: float) -> Deferred[int]:
        return self._database.read(lambda c: count_placements(c, key_id, then))


_conforms: type[PlacementStore] = Placements
