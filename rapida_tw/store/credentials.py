"""Credentials: rows on one side, records on the other; the values go through the vault."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection, Row
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import InUse, NotFound
from rapida_tw.ids import Ids
from rapida_tw.store.database import Database
from rapida_tw.store.projects import require_project
from rapida_tw.store.records import Credential, CredentialStore, Page
from rapida_tw.store.schema import assistant as _assistant
from rapida_tw.store.schema import credential as _table
from rapida_tw.store.vault import CredentialUnreadable, Owner, Sealed, Secrets, Vault
from rapida_tw.store.webhook_documents import HEADER as WEBHOOK_HEADER
from rapida_tw.store.webhook_documents import PROVIDER as WEBHOOK

TRUST = 10.0  # seconds that an opened value is used without asking the database again
_MOST_OPEN = 200  # values; at the bound the one longest in memory is forgotten
_USE_STEP = 60.0  # seconds; `last_used` is not written more often

_columns = [_table.c[field.name] for field in fields(Credential)]  # all but the value


def insert_credential(connection: Connection, new: Credential, sealed: Sealed) -> Credential:
    """Store it as it is; `NotFound` for its project."""
    require_project(connection, new.project_id)
    connection.execute(insert(_table).values(asdict(new) | asdict(sealed)))
    return new


def select_credential(connection: Connection, credential_id: int, project_id: int) -> Credential:
    """`NotFound` when it does not exist, or not in that project."""
    return _credential(_row(connection, _columns, credential_id, project_id))


def select_sealed(
    connection: Connection, credential_id: int, project_id: int
) -> tuple[Credential, Sealed]:
    """The same with its value."""
    parts = [_table.c[field.name] for field in fields(Sealed)]
    row = _row(connection, [*_columns, *parts], credential_id, project_id)
    return _credential(row), Sealed(*(row._mapping[part] for part in parts))


def page_of_credentials(connection: Connection, project_id: int, number: int, size: int) -> Page:
    """Newest first (ids are in the order of time); pages count from 1."""
    mine = _table.c.project_id == project_id
    total = connection.execute(select(func.count()).select_from(_table).where(mine)).scalar_one()
    query = select(*_columns).where(mine).order_by(_table.c.id.desc())
    rows = connection.execute(query.limit(size).offset((number - 1) * size))
    return Page([_credential(row) for row in rows], number, size, total)


def credentials_of_provider(connection: Connection, provider: str) -> list[Credential]:
    """Of all projects, oldest first."""
    query = select(*_columns).where(_table.c.provider == provider).order_by(_table.c.id)
    return [_credential(row) for row in connection.execute(query)]


def change_credential(connection: Connection, credential_id: int, columns: dict[str, Any]) -> None:
    connection.execute(update(_table).where(_table.c.id == credential_id).values(columns))


def delete_credential(connection: Connection, credential_id: int, project_id: int) -> None:
    """Deployments that name it keep its id, and say so when they need it."""
    where = (_table.c.id == credential_id, _table.c.project_id == project_id)
    if connection.execute(delete(_table).where(*where)).rowcount == 0:
        raise NotFound(f"no credential {credential_id}")


def refuse_used(connection: Connection, credential_id: int, project_id: int) -> None:
    """`InUse` when a webhook of an assistant names it."""
    mine = _assistant.c.project_id == project_id
    for row in connection.execute(select(_assistant.c.id, _assistant.c.webhooks).where(mine)):
        if any(one.get("credentialId") == str(credential_id) for one in row.webhooks):
            raise InUse(
                f"credential {credential_id} belongs to a webhook of assistant {row.id}: "
                "take it out there"
            )


def _row(
    connection: Connection, columns: list[Any], credential_id: int, project_id: int
) -> Row[Any]:
    where = (_table.c.id == credential_id, _table.c.project_id == project_id)
    row = connection.execute(select(*columns).where(*where)).first()
    if row is None:
        raise NotFound(f"no credential {credential_id}")
    return row


def _credential(row: Row[Any]) -> Credential:
    columns = {column.name: row._mapping[column] for column in _columns}
    return Credential(**columns | {"keys_set": tuple(columns["keys_set"])})


def _owner(credential: Credential) -> Owner:
    return Owner(credential.id, credential.project_id, credential.provider)


def _keys_set(value: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(key for key, text in value.items() if text))


class Credentials:
    """`CredentialStore` over a database and a vault.

    A value that another process has changed or deleted is used for `TRUST` more.
    """

    _log = Logger()

    def __init__(
        self, database: Database, vault: Vault, ids: Ids, now: Callable[[], float]
    ) -> None:
        self._database = database
        self._vault = vault
        self._ids = ids
        self._now = now
        # By credential: its project, the value, and until when it may be used.
        self._opened: dict[int, tuple[int, Secrets, float]] = {}
        self._changes = 0

    def create(
        self, project_id: int, name: str, provider: str, value: Mapping[str, str]
    ) -> Deferred[Credential]:
        now = self._now()
        keys = _keys_set(value)
        new = Credential(self._ids.new(), project_id, name, provider, keys, now, now)

        def work(connection: Connection) -> Credential:
            return insert_credential(connection, new, self._vault.seal(value, _owner(new)))

        return self._database.write(work)

    def get(self, credential_id: int, project_id: int) -> Deferred[Credential]:
        return self._database.read(lambda c: select_credential(c, credential_id, project_id))

    def of_provider(self, provider: str) -> Deferred[Sequence[Credential]]:
        return self._database.read(lambda c: credentials_of_provider(c, provider))

    def page(self, project_id: int, number: int = 1, size: int = 20) -> Deferred[Page]:
        return self._database.read(lambda c: page_of_credentials(c, project_id, number, size))

    def update(
        self,
        credential_id: int,
        project_id: int,
        name: str | None = None,
        value: Mapping[str, str] | None = None,
    ) -> Deferred[Credential]:
        now = self._now()

        def work(connection: Connection) -> Credential:
            found = select_credential(connection, credential_id, project_id)
            changed = replace(found, name=found.name if name is None else name, updated=now)
            columns: dict[str, Any] = {"name": changed.name, "updated": now}
            if value is not None:
                whole = value
                if found.provider == WEBHOOK:  # headers are set where the webhook is
                    whole = {**self._headers(connection, found), **value}
                changed = replace(changed, keys_set=_keys_set(whole))
                columns |= asdict(self._vault.seal(whole, _owner(changed)))
                columns["keys_set"] = changed.keys_set
            change_credential(connection, credential_id, columns)
            return changed

        return self._database.write(work).addBoth(self._changed)

    def _headers(self, connection: Connection, found: Credential) -> dict[str, str]:
        _, sealed = select_sealed(connection, found.id, found.project_id)
        try:
            value = self._vault.open(sealed, _owner(found))
        except CredentialUnreadable:
            return {}
        return {key: value[key] for key in value if key.startswith(WEBHOOK_HEADER)}

    def delete(self, credential_id: int, project_id: int) -> Deferred[None]:
        """`InUse` while a webhook signs with it."""

        def work(connection: Connection) -> None:
            if select_credential(connection, credential_id, project_id).provider == WEBHOOK:
                refuse_used(connection, credential_id, project_id)
            delete_credential(connection, credential_id, project_id)

        return self._database.write(work).addBoth(self._changed)

    def secrets(self, credential_id: int, project_id: int) -> Deferred[Mapping[str, str]]:
        """At once for a value that was opened in the last `TRUST` seconds."""
        now = self._now()
        project, value, until = self._opened.get(credential_id, (0, Secrets({}), now))
        if project == project_id and now < until:
            return succeed(value)
        before = self._changes

        def work(connection: Connection) -> tuple[Credential, Secrets]:
            found, sealed = select_sealed(connection, credential_id, project_id)
            return found, self._vault.open(sealed, _owner(found))

        return self._database.read(work).addCallback(self._open, before)

    def _open(self, found: tuple[Credential, Secrets], before: int) -> Mapping[str, str]:
        credential, value = found
        now = self._now()
        if credential.last_used is None or now - credential.last_used >= _USE_STEP:
            columns = {"last_used": now}
            noted = self._database.write(lambda c: change_credential(c, credential.id, columns))
            noted.addErrback(self._not_noted)
        # What was read before a change may be the old value.
        if before == self._changes:
            self._keep(credential, value, now)
        return value

    def _keep(self, credential: Credential, value: Secrets, now: float) -> None:
        self._opened.pop(credential.id, None)
        # No value stays in memory only because nobody has asked for it again.
        for known in [one for one, (_, _, until) in self._opened.items() if until <= now]:
            del self._opened[known]
        if len(self._opened) >= _MOST_OPEN:
            del self._opened[next(iter(self._opened))]
        self._opened[credential.id] = credential.project_id, value, now + TRUST

    def _changed(self, result: Any) -> Any:
        self._changes += 1
        self._opened.clear()
        return result

    def _not_noted(self, failure: Failure) -> None:
        # Of no weight: the value is good all the same.
        self._log.warn("the use of a credential was not noted: {error}", error=failure.value)


_conforms: type[CredentialStore] = Credentials
