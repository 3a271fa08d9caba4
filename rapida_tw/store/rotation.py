"""Rotation of the server's key: all data keys are sealed with another one, in one transaction.

The data keys themselves stay, and with them what they seal: whoever had the old key together with
a copy of the database has read the values, and only other values help against that.

The order of a rotation of the key file, each step on the disk before the next: the old key gets a
second name, the new key takes its place, the database is changed, the old key goes. From the second
step on a vault takes both (vault.py), so it may be cut off anywhere, and done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from rapida_tw.config.secret_key import (
    exchange,
    exchanging,
    forget_former,
    former_key,
    new_key,
    secret_key,
)
from rapida_tw.config.sections import Server
from rapida_tw.errors import BadRequest, Conflict, Unavailable
from rapida_tw.store.database import Database
from rapida_tw.store.key_texts import WRAPPED, owner_of_key
from rapida_tw.store.schema import api_key, credential
from rapida_tw.store.vault import CredentialUnreadable, Owner, Vault

SHORTEST = 16  # characters of a key that is given, as of [server] secret_key
LONGEST = 1000
# Seconds for those who read the old key in the moment of the exchange to have written with it.
SETTLING = 1.0


@dataclass(frozen=True, slots=True)
class Rotation:
    """What was done. `unreadable`: sealed with neither key before, and left as they were.

    `resumed`: one that was cut off was finished, with its key. `restart`: the key stands in the
    configuration, which running servers have read: it is to be changed there.
    """

    credentials: int
    api_keys: int
    unreadable: int = 0
    resumed: bool = False
    restart: bool = False


def rotate(
    database: Database, server: Server, given: str = "", wait: Callable[[float], None] | None = None
) -> Rotation:
    """Blocks. `given`: the new key; "" = a random one, where the key is in a file of ours.

    `wait`: sleeps. `BadRequest` for what cannot be done, `Conflict`, `Unavailable`, OSError.
    """
    if given and not SHORTEST <= len(given) <= LONGEST:
        raise BadRequest(f"a secret_key has {SHORTEST} to {LONGEST} characters")
    if server.secret_key:
        return _configured(database, server.secret_key, given)
    in_force = secret_key(server)
    if given == in_force:
        raise BadRequest("this is the key in use: give another one")
    try:
        with exchanging(server):
            return _file(database, server, given, wait)
    except BlockingIOError:
        raise Conflict("another process rotates the key at this moment") from None


def _configured(database: Database, old: str, given: str) -> Rotation:
    if not given:
        raise BadRequest(
            "the server's secret_key comes from its configuration: write a new one into a file, "
            "give it with --new-key-file, then put it where the old one stands and restart the "
            "server"
        )
    if given == old:
        raise BadRequest("this is the key in use: give another one")
    credentials, api_keys, unreadable = _rewrap(database, Vault(lambda: given, lambda: old))
    database.settle()
    return Rotation(credentials, api_keys, unreadable, restart=True)


def _file(
    database: Database, server: Server, given: str, wait: Callable[[float], None] | None
) -> Rotation:
    former = former_key(server)
    resumed = former not in ("", secret_key(server))
    if resumed and given and given != secret_key(server):
        raise Conflict("a rotation was cut off: finish it first, without a key")
    if not resumed:
        exchange(server, given or new_key())
    vault = Vault(partial(secret_key, server), partial(former_key, server))
    credentials, api_keys, unreadable = _rewrap(database, vault)
    if wait is not None:
        wait(SETTLING)
    late = _rewrap(database, vault)
    try:
        database.settle()
    except Unavailable:
        # All is well but for a loss of power, until the old key may go.
        raise Unavailable(
            "the new key is in use, and the old one is kept beside it as secret_key.old: the "
            "database was too busy to write all of it to the disk; run the command again"
        ) from None
    forget_former(server)
    return Rotation(credentials + late[0], api_keys + late[1], unreadable, resumed)


def _rewrap(database: Database, vault: Vault) -> tuple[int, int, int]:
    """How many credentials and keys were sealed anew, and how many open with no key."""
    return database.write_now(lambda c: rewrap(c, vault))


def rewrap(connection: Connection, vault: Vault) -> tuple[int, int, int]:
    """The same within a transaction; a vault without its key is `Unavailable`."""
    credentials, unreadable = _rewrap_credentials(connection, vault)
    keys, more = _rewrap_keys(connection, vault)
    return credentials, keys, unreadable + more


def _rewrap_credentials(connection: Connection, vault: Vault) -> tuple[int, int]:
    done = unreadable = 0
    columns = credential.c
    query = select(columns.id, columns.project_id, columns.provider, columns.wrapped_key)
    for row in connection.execute(query).all():
        owner = Owner(row.id, row.project_id, row.provider)
        try:
            wrapped = vault.rewrapped(row.wrapped_key, owner)
        except CredentialUnreadable:
            unreadable += 1
            continue
        if wrapped is not None:
            where = columns.id == row.id
            connection.execute(update(credential).where(where).values(wrapped_key=wrapped))
            done += 1
    return done, unreadable


def _rewrap_keys(connection: Connection, vault: Vault) -> tuple[int, int]:
    """Those of revoked keys too: whatever is kept opens with one key."""
    done = unreadable = 0
    columns = api_key.c
    query = select(columns.id, columns.project_id, columns.sealed)
    for row in connection.execute(query.where(columns.sealed.is_not(None))).all():
        owner = owner_of_key(row.id, row.project_id)
        try:
            wrapped = vault.rewrapped(row.sealed[:WRAPPED], owner)
        except CredentialUnreadable:
            unreadable += 1
            continue
        if wrapped is not None:
            sealed = wrapped + row.sealed[WRAPPED:]
            connection.execute(update(api_key).where(columns.id == row.id).values(sealed=sealed))
            done += 1
    return done, unreadable
