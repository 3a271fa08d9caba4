"""Assistants and their phone deployments: rows on one side, records on the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, TypeVar

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred, succeed

from rapida_tw.errors import AssistantNotFound, BadRequest, ChangedMeanwhile
from rapida_tw.ids import Ids
from rapida_tw.store import schema
from rapida_tw.store.database import Database, Work
from rapida_tw.store.projects import require_project
from rapida_tw.store.recent import Recent
from rapida_tw.store.records import (
    Assistant,
    AssistantStore,
    Deployment,
    Page,
    PromptMessage,
    VendorChoice,
)
from rapida_tw.store.vault import Vault
from rapida_tw.store.webhook_secrets import delete_own, seal_webhooks

T = TypeVar("T")

# The tables are laid out as the records are: `asdict` is a row, nested values become JSON.
_table = schema.assistant
_phone = schema.deployment
_VENDORS = ("stt", "tts", "vad", "end_of_speech")


def insert_assistant(connection: Connection, assistant: Assistant) -> Assistant:
    """Store it as it is; `NotFound` for its project, `BadRequest` when the id is taken."""
    require_project(connection, assistant.project_id)
    try:
        connection.execute(insert(_table).values(asdict(assistant)))
    except IntegrityError:
        raise BadRequest(f"assistant id {assistant.id} is taken") from None
    return assistant


def select_assistant(
    connection: Connection, assistant_id: int, project_id: int | None = None, lock: bool = False
) -> Assistant:
    """`AssistantNotFound` when it does not exist, or not in that project.

    `lock`: for a change in the same transaction.
    """
    query = select(_table).where(_table.c.id == assistant_id)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None or project_id not in (None, row.project_id):
        raise AssistantNotFound(f"no assistant {assistant_id}")
    return _assistant(row)


def update_assistant(connection: Connection, assistant: Assistant) -> Assistant:
    """Store everything but id, project and `created`; answers it as stored."""
    found = select_assistant(connection, assistant.id, assistant.project_id)
    assistant = replace(assistant, created=found.created)
    where = _table.c.id == assistant.id
    connection.execute(update(_table).where(where).values(asdict(assistant)))
    return assistant


def delete_assistant(connection: Connection, assistant_id: int, project_id: int) -> None:
    """Its deployment goes with it, its conversations stay."""
    where = (_table.c.id == assistant_id, _table.c.project_id == project_id)
    if connection.execute(delete(_table).where(*where)).rowcount == 0:
        raise AssistantNotFound(f"no assistant {assistant_id}")


def page_of_assistants(connection: Connection, project_id: int, number: int, size: int) -> Page:
    """Newest first (ids are in the order of time); pages count from 1."""
    mine = _table.c.project_id == project_id
    total = connection.execute(select(func.count()).select_from(_table).where(mine)).scalar_one()
    query = select(_table).where(mine).order_by(_table.c.id.desc())
    rows = connection.execute(query.limit(size).offset((number - 1) * size))
    return Page([_assistant(row) for row in rows], number, size, total)


def select_deployment(connection: Connection, assistant_id: int) -> Deployment:
    """A default one when none was set; `AssistantNotFound` when the assistant is unknown."""
    row = connection.execute(select(_phone).where(_phone.c.assistant_id == assistant_id)).first()
    if row is None:
        select_assistant(connection, assistant_id)
        return Deployment(assistant_id)
    columns = dict(row._mapping)
    return Deployment(**columns | {name: _choice(columns[name]) for name in _VENDORS})


def select_dialled(connection: Connection, number: str, project_id: int | None) -> Assistant | None:
    """Numbers are compared without the + in front of them."""
    digits = number.removeprefix("+")
    phone = _phone.c.options["phone"].as_string()
    query = _deployed().where(phone.in_((digits, f"+{digits}")))
    if project_id is not None:
        query = query.where(_table.c.project_id == project_id)
    return _only(connection, query)


def select_on_trunk(connection: Connection, credential_id: int) -> Assistant | None:
    return _only(connection, _deployed().where(_phone.c.credential_id == credential_id))


def _deployed() -> Select[Any]:
    return select(_table).join(_phone, _phone.c.assistant_id == _table.c.id)


def _only(connection: Connection, query: Select[Any]) -> Assistant | None:
    """The assistant that it finds; None when there are several, and no way to choose."""
    rows = list(connection.execute(query.limit(2)))
    return _assistant(rows[0]) if len(rows) == 1 else None


def put_deployment(connection: Connection, deployment: Deployment) -> Deployment:
    """Set or replace it; `AssistantNotFound` when the assistant is unknown."""
    # The assistant's row is also the lock between two first deployments (PostgreSQL).
    lock = select(_table.c.id).where(_table.c.id == deployment.assistant_id).with_for_update()
    if connection.execute(lock).first() is None:
        raise AssistantNotFound(f"no assistant {deployment.assistant_id}")
    where = _phone.c.assistant_id == deployment.assistant_id
    connection.execute(delete(_phone).where(where))
    connection.execute(insert(_phone).values(asdict(deployment)))
    return deployment


def delete_deployment(connection: Connection, assistant_id: int) -> None:
    """The assistant is as if none had been set; no error where none was."""
    connection.execute(delete(_phone).where(_phone.c.assistant_id == assistant_id))


def _assistant(row: Row[Any]) -> Assistant:
    columns = dict(row._mapping)
    columns["model"] = _choice(columns["model"])
    columns["prompt"] = tuple(PromptMessage(**message) for message in columns["prompt"])
    columns["tools"] = tuple(columns["tools"])
    columns["webhooks"] = tuple(columns["webhooks"])
    return Assistant(**columns)


def _choice(stored: Mapping[str, Any]) -> VendorChoice:
    fallbacks = tuple(_choice(one) for one in stored.get("fallbacks", ()))
    return VendorChoice(**{**stored, "fallbacks": fallbacks})


class Assistants:
    """`AssistantStore` over a database.

    What another process has changed is taken for what it was for `TRUST` more.
    """

    def __init__(
        self, database: Database, ids: Ids, now: Callable[[], float], vault: Vault | None = None
    ) -> None:
        """`vault`: for the secrets of webhooks; without one there are none."""
        self._database = database
        self._ids = ids
        self._now = now
        self._vault = vault
        self._known: Recent[Assistant] = Recent(now)
        self._deployed: Recent[Deployment] = Recent(now)

    def create(self, assistant: Assistant) -> Deferred[Assistant]:
        now = self._now()
        new = replace(assistant, id=assistant.id or self._ids.new(), created=now, updated=now)
        ids = self._ids_for(new)

        def work(connection: Connection) -> Assistant:
            saved = seal_webhooks(connection, self._vault, new, None, ids, now)
            insert_assistant(connection, saved.kept)
            return saved.shown

        return self._write(work)

    def get(self, assistant_id: int, project_id: int | None = None) -> Deferred[Assistant]:
        known = self._known.get(assistant_id)
        if known is not None and project_id in (None, known.project_id):
            return succeed(known)
        found = self._database.read(lambda c: select_assistant(c, assistant_id, project_id))
        return found.addCallback(self._known.keep(assistant_id))

    def update(self, assistant: Assistant) -> Deferred[Assistant]:
        """`ChangedMeanwhile` unless `updated` is still what it was when it was read."""
        now, read = self._now(), assistant.updated
        changed = replace(assistant, updated=now)
        ids = self._ids_for(changed)

        def work(connection: Connection) -> Assistant:
            before = select_assistant(connection, changed.id, changed.project_id, lock=True)
            if before.updated != read:
                raise ChangedMeanwhile(f"assistant {changed.id} was changed meanwhile")
            saved = seal_webhooks(connection, self._vault, changed, before, ids, now)
            stored = update_assistant(connection, saved.kept)
            return replace(stored, webhooks=saved.shown.webhooks)

        return self._write(work)

    def delete(self, assistant_id: int, project_id: int) -> Deferred[None]:
        def work(connection: Connection) -> None:
            delete_own(connection, select_assistant(connection, assistant_id, project_id))
            delete_assistant(connection, assistant_id, project_id)

        return self._write(work)

    def page(self, project_id: int, number: int = 1, size: int = 20) -> Deferred[Page]:
        return self._database.read(lambda c: page_of_assistants(c, project_id, number, size))

    def deployment(self, assistant_id: int) -> Deferred[Deployment]:
        known = self._deployed.get(assistant_id)
        if known is not None:
            return succeed(known)
        found = self._database.read(lambda c: select_deployment(c, assistant_id))
        return found.addCallback(self._deployed.keep(assistant_id))

    def deploy(self, deployment: Deployment) -> Deferred[Deployment]:
        stamped = replace(deployment, updated=self._now())
        return self._write(lambda c: put_deployment(c, stamped))

    def withdraw(self, assistant_id: int) -> Deferred[None]:
        return self._write(lambda c: delete_deployment(c, assistant_id))

    def dialled(self, number: str, project_id: int | None = None) -> Deferred[Assistant | None]:
        return self._database.read(lambda c: select_dialled(c, number, project_id))

    def on_trunk(self, credential_id: int) -> Deferred[Assistant | None]:
        return self._database.read(lambda c: select_on_trunk(c, credential_id))

    def _ids_for(self, assistant: Assistant) -> list[int]:
        """For the credentials of its webhooks; ids are given in the reactor's thread."""
        return [self._ids.new() for _ in assistant.webhooks]

    def _write(self, work: Work[T]) -> Deferred[T]:
        """Of what is known nothing is believed any more, once it is done, whatever came of it."""
        return self._database.write(work).addBoth(self._forget)

    def _forget(self, result: T) -> T:
        self._known.forget()
        self._deployed.forget()
        return result


_conforms: type[AssistantStore] = Assistants
