"""The texts of API keys, for SIP: a digest (RFC 7616) is made of the password itself.

What a phone proves to know depends on its user name, which is an assistant that may not yet exist
when the key is made. So a hash cannot serve, and the text is kept, sealed by the vault.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.engine import Connection
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from rapida_tw.store.database import Database
from rapida_tw.store.records import ApiKey
from rapida_tw.store.schema import api_key, assistant
from rapida_tw.store.vault import CredentialUnreadable, Owner, Sealed, Vault

TRUST = 10.0  # seconds that opened texts are used without asking the database again
MOST = 50  # keys of one project that a phone may use
_MOST_OPEN = 1000  # assistants; at the bound the one longest known is forgotten
_PROVIDER = "api-key"
WRAPPED = 60  # bytes: nonce, AES-256 key and tag
_NONCE = 12  # bytes

_Rows = Sequence[tuple[int, int, bytes]]  # key, project, sealed


def select_sealed_keys(connection: Connection, assistant_id: int) -> _Rows:
    """The living keys of the assistant's project that have a text, newest first."""
    query = (
        select(api_key.c.id, api_key.c.project_id, api_key.c.sealed)
        .join(assistant, assistant.c.project_id == api_key.c.project_id)
        .where(assistant.c.id == assistant_id)
        .where(api_key.c.revoked.is_(None), api_key.c.sealed.is_not(None))
        .order_by(api_key.c.id.desc())
        .limit(MOST)
    )
    return [(row.id, row.project_id, row.sealed) for row in connection.execute(query)]


def owner_of_key(key_id: int, project_id: int) -> Owner:
    """Whose text it is."""
    return Owner(key_id, project_id, _PROVIDER)


class KeyTexts:
    """Seals texts for the database, and opens those that may call an assistant."""

    _log = Logger()

    def __init__(self, database: Database, vault: Vault, now: Callable[[], float]) -> None:
        self._database = database
        self._vault = vault
        self._now = now
        # By assistant: the texts, and until when they may be used.
        self._opened: dict[int, tuple[tuple[str, ...], float]] = {}
        self._changes = 0

    def seal(self, key: ApiKey, text: str) -> bytes:
        """What the database keeps of it; `Unavailable` when the vault has no key."""
        sealed = self._vault.seal({"text": text}, owner_of_key(key.id, key.project_id))
        return sealed.wrapped_key + sealed.nonce + sealed.ciphertext

    def of_assistant(self, assistant_id: int) -> Deferred[Sequence[str]]:
        """Newest first, at most `MOST`; none of an unknown assistant. `Unavailable`."""
        opened = self._opened.get(assistant_id)
        if opened is not None and self._now() < opened[1]:
            return succeed(opened[0])
        before = self._changes
        reading = self._database.read(
            # Opened there, too: the server's key may have to be read again.
            lambda c: [(row[0], self._text(*row)) for row in select_sealed_keys(c, assistant_id)]
        )
        return reading.addCallback(self._open, assistant_id, before)

    def forget(self) -> None:
        """A key was made or revoked: ask again."""
        self._changes += 1
        self._opened.clear()

    def _open(
        self, found: Sequence[tuple[int, str]], assistant_id: int, before: int
    ) -> Sequence[str]:
        for key_id, text in found:
            if not text:
                self._log.error(
                    "API key {id} is no SIP password any more: another secret_key sealed it",
                    id=key_id,
                )
        texts = tuple(text for _, text in found if text)
        # An assistant without keys is not remembered: anybody can ask for any number.
        if texts and before == self._changes:
            self._opened.pop(assistant_id, None)
            if len(self._opened) >= _MOST_OPEN:
                del self._opened[next(iter(self._opened))]
            self._opened[assistant_id] = texts, self._now() + TRUST
        return texts

    def _text(self, key_id: int, project_id: int, kept: bytes) -> str:
        """ "" for one that another secret key of the server has sealed."""
        nonce = WRAPPED + _NONCE
        sealed = Sealed(kept[:WRAPPED], kept[WRAPPED:nonce], kept[nonce:])
        try:
            return self._vault.open(sealed, owner_of_key(key_id, project_id))["text"]
        except CredentialUnreadable:
            return ""
