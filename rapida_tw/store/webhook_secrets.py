"""Webhooks' secrets: into the vault when an assistant is saved, whoever saves it.

Each webhook has a credential of the provider `webhook`: `secret` (its requests are signed with it),
`previous_secret` until `previous_until` (seconds since the epoch) after it was replaced, and
`header.NAME` for each of its headers, whose values may be tokens. A webhook without a secret gets
one that is made here, and that the answer to the saving alone holds.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import Connection

from rapida_tw.errors import BadRequest, NotFound, Unavailable
from rapida_tw.store.credentials import (
    change_credential,
    delete_credential,
    insert_credential,
    select_credential,
    select_sealed,
)
from rapida_tw.store.records import JSON, Assistant, Credential
from rapida_tw.store.vault import Owner, Vault
from rapida_tw.store.webhook_documents import HEADER, MASK, PROVIDER

SECRET, PREVIOUS, UNTIL = "secret", "previous_secret", "previous_until"
BOTH_FOR = 24 * 3600.0  # seconds that a replaced secret signs too
_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Saved:
    """`kept` is what the database gets; `shown` besides has the secrets that were made."""

    kept: Assistant
    shown: Assistant


def seal_webhooks(
    connection: Connection,
    vault: Vault | None,
    new: Assistant,
    old: Assistant | None,
    ids: Sequence[int],
    now: float,
) -> Saved:
    """Take the secrets out of `new.webhooks`; `ids`: for credentials, one a webhook.

    `BadRequest` for a credential that is not there, is none of a webhook or another one's. What the
    webhooks of `old` had, and nobody has any more, is deleted.
    """
    kept: list[JSON] = []
    shown: list[JSON] = []
    numbers = iter(ids)
    before = () if old is None else old.webhooks
    # Nobody gets one that stands elsewhere in the list, by its own word.
    taken = {one.get("credentialId") for one in new.webhooks if one in before}
    named = {one.get("credentialId") for one in new.webhooks}
    for at, document in enumerate(new.webhooks):
        if document in before:  # as it is kept: nothing to seal
            kept.append(document)
            shown.append(document)
            continue
        if vault is None:
            raise Unavailable("webhooks need the vault")
        path = f"webhooks[{at}]"
        own = document.get("credentialId")
        if own and own in taken:
            raise BadRequest(f"{path}.credentialId: {own} serves another webhook of this list")
        formerly = _formerly(document, before, taken | named)
        sealing = _Sealing(connection, vault, new, path, numbers, now)
        made, stored = sealing.seal(document, formerly)
        taken.add(stored["credentialId"])
        kept.append(stored)
        shown.append(stored | ({SECRET: made} if made else {}))
    _delete_unused(connection, kept, old)
    return Saved(replace(new, webhooks=tuple(kept)), replace(new, webhooks=tuple(shown)))


def own_name(assistant_id: int) -> str:
    """The name of the credentials that are made here."""
    return f"webhook of assistant {assistant_id}"


def delete_own(connection: Connection, assistant: Assistant) -> None:
    """The assistant is deleted."""
    _delete_unused(connection, [], assistant)


def _formerly(
    document: JSON, before: Sequence[JSON], others: AbstractSet[str | None]
) -> JSON | None:
    """What the same webhook was: by its credential, else by its address, if that is nobody's."""
    own = document.get("credentialId")
    for stored in before:
        found = stored.get("credentialId")
        if own and found == own:
            return stored
        if not own and found and found not in others and stored.get("url") == document["url"]:
            return stored
    return None


class _Sealing:
    """One webhook's."""

    def __init__(
        self,
        connection: Connection,
        vault: Vault,
        assistant: Assistant,
        path: str,
        ids: Iterator[int],
        now: float,
    ) -> None:
        self._connection = connection
        self._vault = vault
        self._assistant = assistant
        self._path = path
        self._ids = ids
        self._now = now

    def seal(self, document: JSON, formerly: JSON | None) -> tuple[str, dict[str, Any]]:
        """The secret that was made, if one was, and the document without secrets."""
        credential, value = self._known(document, formerly)
        changed = dict(value)
        self._take_headers(document, formerly, changed)
        given, made = document.get(SECRET, ""), ""
        if given and given != value.get(SECRET):
            if value.get(SECRET):
                changed |= {PREVIOUS: value[SECRET], UNTIL: str(self._now + BOTH_FOR)}
            changed[SECRET] = given
        elif not value.get(SECRET):
            made = changed[SECRET] = _PREFIX + secrets.token_urlsafe(32)
        if changed != value:
            credential = self._save(credential, changed)
        assert credential is not None
        stored = {key: value for key, value in document.items() if key != SECRET}
        masked = dict.fromkeys(document["headers"], MASK)
        return made, stored | {
            "headers": masked,
            "credentialId": str(credential.id),
            "secretSet": True,
        }

    def _known(
        self, document: JSON, formerly: JSON | None
    ) -> tuple[Credential | None, Mapping[str, str]]:
        named = document.get("credentialId") or (formerly or {}).get("credentialId")
        if not named:
            return None, {}
        credential_id = int(named)
        try:
            found, sealed = select_sealed(
                self._connection, credential_id, self._assistant.project_id
            )
        except NotFound:
            if formerly is not None:  # it was deleted by hand: a new one is made
                return None, {}
            raise BadRequest(
                f"{self._path}.credentialId: there is no credential {credential_id}"
            ) from None
        if found.provider != PROVIDER:
            raise BadRequest(
                f"{self._path}.credentialId: credential {credential_id} is one of "
                f"{found.provider}, a webhook's are of {PROVIDER}"
            )
        return found, self._vault.open(sealed, _owner(found))

    def _take_headers(self, document: JSON, formerly: JSON | None, value: dict[str, str]) -> None:
        wanted: Mapping[str, str] = document["headers"]
        # Whoever may write an assistant may not read these: they are sent nowhere else unseen.
        stays = formerly is not None and _origin(formerly) == _origin(document)
        for name, content in wanted.items():
            key = f"{HEADER}{name}"
            if content != MASK:
                value[key] = content
            elif key not in value:
                raise BadRequest(f"{self._path}.headers: the value of {name} is missing")
            elif not stays:
                raise BadRequest(
                    f"{self._path}.headers: give the value of {name} again: it was for another host"
                )
        for key in [one for one in value if one.startswith(HEADER)]:
            if key.removeprefix(HEADER) not in wanted:
                del value[key]

    def _save(self, credential: Credential | None, value: Mapping[str, str]) -> Credential:
        keys = tuple(sorted(value))
        if credential is None:
            name = own_name(self._assistant.id)
            project = self._assistant.project_id
            new = Credential(next(self._ids), project, name, PROVIDER, keys, self._now, self._now)
            return insert_credential(self._connection, new, self._vault.seal(value, _owner(new)))
        columns = asdict(self._vault.seal(value, _owner(credential)))
        columns |= {"keys_set": keys, "updated": self._now}
        change_credential(self._connection, credential.id, columns)
        return credential


def _origin(document: JSON) -> tuple[str, str]:
    parts = urlsplit(document["url"])
    return parts.scheme, parts.netloc.lower()


def _owner(credential: Credential) -> Owner:
    return Owner(credential.id, credential.project_id, credential.provider)


def _delete_unused(connection: Connection, kept: Sequence[JSON], old: Assistant | None) -> None:
    if old is None:
        return
    used = {document.get("credentialId") for document in kept}
    for stored in old.webhooks:
        credential_id = stored.get("credentialId")
        if not credential_id or credential_id in used:
            continue
        try:
            found = select_credential(connection, int(credential_id), old.project_id)
        except NotFound:
            continue
        if found.provider == PROVIDER and found.name == own_name(old.id):
            delete_credential(connection, found.id, old.project_id)
