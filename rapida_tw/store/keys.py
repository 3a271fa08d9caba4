"""API keys: made, checked and revoked.

A key is 256 random bits, so nobody can guess it from its hash and a slow hash would only cost
time: a plain HMAC-SHA256 under this installation's salt makes the look-up one indexed query,
and the same key in two installations looks different. The text itself is kept only where SIP needs
it, sealed (key_texts.py).
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.engine import Connection, Row
from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import NotFound, Unauthenticated
from rapida_tw.ids import Ids
from rapida_tw.store.database import Database
from rapida_tw.store.key_texts import KeyTexts
from rapida_tw.store.projects import require_project
from rapida_tw.store.records import ApiKey, KeyStore
from rapida_tw.store.schema import api_key, installation
from rapida_tw.store.scopes import TALK, may
from rapida_tw.store.together import Together

_USE_STEP = 60.0  # seconds; `last_used` is not written more often
_KEY = re.compile(r"rpd-[A-Za-z0-9_-]{43}")
_SHOWN = 8  # characters: "rpd-ab12"
_Found = tuple[ApiKey, bool] | None  # a key, and whether its text is sealed; None: unknown

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
            hash=_hashes(connection, [text])[0],
            created=key.created,
            sealed=sealed,
            scopes=None if key.scopes is None else list(key.scopes),
        )
    )


def find_keys(connection: Connection, texts: Set[str]) -> Mapping[str, _Found]:
    """The keys of those texts, revoked ones too, each with whether it is sealed."""
    hashes = dict(zip(texts, _hashes(connection, texts), strict=True))
    kept = api_key.c.sealed.is_not(None).label("kept")
    query: Select[Any] = select(*_columns, api_key.c.hash, kept)
    query = query.where(api_key.c.hash.in_(hashes.values()))
    rows = {row.hash: (_key(row), row.kept) for row in connection.execute(query)}
    return {text: rows.get(mark) for text, mark in hashes.items()}


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


def _hashes(connection: Connection, texts: Iterable[str]) -> list[bytes]:
    salt = connection.execute(select(installation.c.key_salt)).scalar_one()
    return [hmac.digest(salt, text.encode(), "sha256") for text in texts]


def _key(row: Row[Any]) -> ApiKey:
    columns = {column.name: row._mapping[column] for column in _columns}
    scopes = columns["scopes"]
    return ApiKey(**columns | {"scopes": None if scopes is None else tuple(scopes)})


class Keys:
    """`KeyStore` over a database, which is asked each time: a revoked key opens nothing at once.

    That costs a request a read, which it shares with others (together.py): 0.6 ms of one core, a
    tenth of it in the reactor's thread.
    """

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
        self._asked = Together[str, _Found](
            lambda texts: database.read(lambda c: find_keys(c, texts))
        )

    def create(
        self, project_id: int, name: str, scopes: Sequence[str] | None = None
    ) -> Deferred[tuple[ApiKey, str]]:
        """A new key and its text, shown this once; `NotFound` for the project."""
        text = f"rpd-{secrets.token_urlsafe(32)}"
        limits = None if scopes is None else tuple(scopes)
        made = self._now()
        key = ApiKey(self._ids.new(), project_id, name, text[:_SHOWN], made, scopes=limits)
        return Deferred.fromCoroutine(self._create(key, text))

    async def _create(self, key: ApiKey, text: str) -> tuple[ApiKey, str]:
        texts = self._texts if may(key, TALK) else None

        def work(connection: Connection) -> None:
            sealed = texts.seal(key, text) if texts is not None else None
            insert_key(connection, key, text, sealed)

        await self._database.write(work)
        if texts is not None:
            texts.forget()
        return key, text

    def check(self, text: str) -> Deferred[ApiKey]:
        """The living key of that text; `Unauthenticated` otherwise."""
        if not _KEY.fullmatch(text):
            return fail(Unauthenticated("this is not an API key"))
        return self._asked.get(text).addCallback(self._living, text)

    def list(self, project_id: int) -> Deferred[Sequence[ApiKey]]:
        return self._database.read(lambda c: list_keys(c, project_id))

    def revoke(self, key_id: int, project_id: int | None = None) -> Deferred[None]:
        """At once, in every process; `NotFound` when there is none (in the project)."""
        now = self._now()
        done = self._database.write(lambda c: revoke_key(c, key_id, now, project_id))
        return done.addCallback(lambda _: self._revoked())

    def _living(self, found: _Found, text: str) -> ApiKey:
        if found is None:
            raise Unauthenticated("the API key is unknown")
        key, sealed = found
        if key.revoked is not None:
            raise Unauthenticated(f"the API key {key.prefix}… was revoked")
        now = self._now()
        if self._texts is not None and not sealed and may(key, TALK):
            self._seal(self._texts, key, text)
        if key.last_used is None or now - key.last_used >= _USE_STEP:
            noted = self._database.write(lambda c: note_use(c, key.id, now))
            noted.addErrback(self._not_noted)
            key = replace(key, last_used=now)
        return key

    def _seal(self, texts: KeyTexts, key: ApiKey, text: str) -> None:
        # Without it the key opens all but SIP.
        kept = self._database.write(lambda c: keep_sealed(c, key.id, texts.seal(key, text)))
        kept.addCallbacks(lambda _: texts.forget(), self._not_noted)

    def _revoked(self) -> None:
        if self._texts is not None:
            self._texts.forget()

    def _not_noted(self, failure: Failure) -> None:
        # Of no weight: the key is good all the same.
        self._log.warn("nothing was noted of an API key: {error}", error=failure.value)


_conforms: type[KeyStore] = Keys
