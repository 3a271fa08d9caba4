"""API keys: made, checked and revoked.

A key is 256 random bits, so nobody can guess it from its hash and a slow hash would only cost
time: a plain HMAC-SHA256 under this installation's salt makes the look-up one indexed query,
and the same key in two installations looks different. The text itself is kept only where SIP needs
it, sealed (key_texts.py).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.engine import Connection, Row
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import NotFound, Unauthenticated, Unavailable
from rapida_tw.ids import Ids
from rapida_tw.store.database import Database
from rapida_tw.store.key_texts import KeyTexts
from rapida_tw.store.projects import require_project
from rapida_tw.store.records import ApiKey, KeyStore
from rapida_tw.store.schema import api_key, installation

TRUST = 10.0  # seconds that a checked key is believed without asking the database again
_MOST_TRUSTED = 1000  # keys; at the bound the longest known is forgotten
_USE_STEP = 60.0  # seconds; `last_used` is not written more often
_KEY = re.compile(r"rpd-[A-Za-z0-9_-]{43}")
_SHOWN = 8  # characters: "rpd-ab12"

_columns = [api_key.c[field.name] for field in fields(ApiKey)]  # all but the secrets


def insert_key(connection: Connection, key: ApiKey, text: str, sealed: bytes | None = None) -> None:
    """Keep the key, and of its text the hash and what was sealed; `NotFound` for its project."""
    require_project(connection, key.project_id)
    connection.execute(
        insert(api_key).values(
            id=key.id,
            project_id=key.project_id,
            name=key.name,
            prefix=key.prefix,
            hash=_hash(connection, text),
            created=key.created,
            sealed=sealed,
        )
    )


def find_key(connection: Connection, text: str) -> tuple[ApiKey, bool]:
    """The living key of that text, and whether it is sealed; else `Unauthenticated`."""
    kept = api_key.c.sealed.is_not(None).label("kept")
    query: Select[Any] = select(*_columns, kept).where(api_key.c.hash == _hash(connection, text))
    row = connection.execute(query).first()
    if row is None:
        raise Unauthenticated("the API key is unknown")
    if row.revoked is not None:
        raise Unauthenticated(f"the API key {row.prefix}… was revoked")
    return _key(row), row.kept


def note_use(connection: Connection, key_id: int, now: float) -> None:
    """Remember when the key was last seen."""
    connection.execute(update(api_key).where(api_key.c.id == key_id).values(last_used=now))


def keep_sealed(connection: Connection, key_id: int, sealed: bytes) -> None:
    """Of a key that was made when texts were not yet kept."""
    connection.execute(update(api_key).where(api_key.c.id == key_id).values(sealed=sealed))


def list_keys(connection: Connection, project_id: int) -> list[ApiKey]:
    """All keys of a project, revoked ones too, newest first."""
    mine = api_key.c.project_id == project_id
    query = select(*_columns).where(mine).order_by(api_key.c.id.desc())
    return [_key(row) for row in connection.execute(query)]


def revoke_key(
    connection: Connection, key_id: int, now: float, project_id: int | None = None
) -> None:
    """From `now` on the key opens nothing; `NotFound` when there is none. Twice does no harm."""
    owner = select(api_key.c.project_id).where(api_key.c.id == key_id)
    found = connection.execute(owner).scalar()
    if found is None or project_id not in (None, found):
        raise NotFound(f"no API key {key_id}")
    living = (api_key.c.id == key_id, api_key.c.revoked.is_(None))
    connection.execute(update(api_key).where(*living).values(revoked=now))


def _hash(connection: Connection, text: str) -> bytes:
    salt = connection.execute(select(installation.c.key_salt)).scalar_one()
    return hmac.digest(salt, text.encode(), "sha256")


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(**{column.name: row._mapping[column] for column in _columns})


class Keys:
    """`KeyStore` over a database. A key revoked by another process is believed for `TRUST` more."""

    _log = Logger()

    def __init__(
        self,
        database: Database,
        ids: Ids,
        now: Callable[[], float],
        texts: KeyTexts | None = None,
    ) -> None:
        """Without `texts` none is kept, and no key is a SIP password."""
        self._database = database
        self._ids = ids
        self._now = now
        self._texts = texts
        # By hash, so that no key's text stays in memory: the key and until when it is believed.
        self._trusted: dict[bytes, tuple[ApiKey, float]] = {}
        self._revocations = 0

    def create(self, project_id: int, name: str) -> Deferred[tuple[ApiKey, str]]:
        """A new key and its text, shown this once; `NotFound` for the project."""
        text = f"rpd-{secrets.token_urlsafe(32)}"
        key = ApiKey(self._ids.new(), project_id, name, text[:_SHOWN], self._now())
        return Deferred.fromCoroutine(self._create(key, text))

    async def _create(self, key: ApiKey, text: str) -> tuple[ApiKey, str]:
        sealed = self._texts.seal(key, text) if self._texts is not None else None
        await self._database.write(lambda c: insert_key(c, key, text, sealed))
        if self._texts is not None:
            self._texts.forget()
        return key, text

    def check(self, text: str) -> Deferred[ApiKey]:
        """The living key of that text; `Unauthenticated` otherwise."""
        if not _KEY.fullmatch(text):
            return fail(Unauthenticated("this is not an API key"))
        mark = hashlib.sha256(text.encode()).digest()
        trusted = self._trusted.get(mark)
        if trusted is not None and self._now() < trusted[1]:
            return succeed(trusted[0])
        before = self._revocations
        done = self._database.read(lambda c: find_key(c, text))
        return done.addCallback(self._found, text, mark, before)

    def list(self, project_id: int) -> Deferred[Sequence[ApiKey]]:
        return self._database.read(lambda c: list_keys(c, project_id))

    def revoke(self, key_id: int, project_id: int | None = None) -> Deferred[None]:
        """At once in this process; `NotFound` when there is none (in the project)."""
        now = self._now()
        done = self._database.write(lambda c: revoke_key(c, key_id, now, project_id))
        return done.addCallback(lambda _: self._distrust())

    def _found(self, found: tuple[ApiKey, bool], text: str, mark: bytes, before: int) -> ApiKey:
        key, sealed = found
        now = self._now()
        if self._texts is not None and not sealed:
            self._seal(self._texts, key, text)
        if key.last_used is None or now - key.last_used >= _USE_STEP:
            noted = self._database.write(lambda c: note_use(c, key.id, now))
            noted.addErrback(self._not_noted)
            key = replace(key, last_used=now)
        # A look-up that began before a revocation may have read the key as living.
        if before == self._revocations:
            self._trust(mark, key, now + TRUST)
        return key

    def _seal(self, texts: KeyTexts, key: ApiKey, text: str) -> None:
        try:
            sealed = texts.seal(key, text)
        except Unavailable as error:  # the key opens all but SIP
            self._log.warn("an API key was not kept for SIP: {error}", error=error)
            return
        kept = self._database.write(lambda c: keep_sealed(c, key.id, sealed))
        kept.addCallbacks(lambda _: texts.forget(), self._not_noted)

    def _trust(self, mark: bytes, key: ApiKey, until: float) -> None:
        self._trusted.pop(mark, None)
        if len(self._trusted) >= _MOST_TRUSTED:
            del self._trusted[next(iter(self._trusted))]
        self._trusted[mark] = key, until

    def _distrust(self) -> None:
        self._revocations += 1
        self._trusted.clear()
        if self._texts is not None:
            self._texts.forget()

    def _not_noted(self, failure: Failure) -> None:
        # Of no weight: the key is good all the same.
        self._log.warn("nothing was noted of an API key: {error}", error=failure.value)


_conforms: type[KeyStore] = Keys
