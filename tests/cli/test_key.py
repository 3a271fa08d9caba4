"""`rapida key`."""

from __future__ import annotations

from contextlib import closing

import pytest

from rapida_tw.cli.local import now
from rapida_tw.config import load
from rapida_tw.errors import Unauthenticated
from rapida_tw.ids import Ids
from rapida_tw.store.database import Database
from rapida_tw.store.keys import Keys
from tests.cli.conftest import Rapida


def check(rapida: Rapida, text: str) -> str:
    """The name of the key of that text, as a server would find it."""
    database = Database(load(rapida.config, {}).database.url)
    with closing(database):
        return now(Keys(database, Ids(lambda: 0.0), lambda: 0.0).check(text)).name


def test_create(rapida: Rapida) -> None:
    """The new key opens the server."""
    made = rapida.json("key", "create", "--name", "reception")
    assert check(rapida, made["api_key"]) == "reception"


def test_list(rapida: Rapida) -> None:
    """Keys are listed by name and beginning, never by their text."""
    made = rapida.json("key", "create", "--name", "reception")
    status, out, _ = rapida("key", "list")
    assert status == 0
    assert "reception" in out
    assert made["prefix"] in out
    assert made["api_key"] not in out
    assert "api_key" not in rapida.json("key", "list")[0]


def test_scopes(rapida: Rapida) -> None:
    """A key can be limited; the list tells to what."""
    arguments = ("--scope", "calls:write", "--scope", "talk", "--scope", "calls:write")
    made = rapida.json("key", "create", *arguments)
    assert made["scopes"] == ["talk", "calls:write"]
    assert "talk calls:write" in rapida("key", "list")[1]
    assert rapida.json("key", "create")["scopes"] is None
    assert "everything" in rapida("key", "list")[1]


def test_unknown_scope(rapida: Rapida) -> None:
    """What is no scope is wrong usage, and the answer has them all."""
    status, _, err = rapida("key", "create", "--scope", "admin")
    assert status == 2
    assert "conversations:read" in err
    assert rapida.json("key", "list") == []


def test_none(rapida: Rapida) -> None:
    """An empty list says so, and is a list for programs."""
    assert rapida("key", "list")[1] == "none\n"
    assert rapida.json("key", "list") == []


def test_revoke(rapida: Rapida) -> None:
    """A revoked key opens nothing, and stays in the list."""
    made = rapida.json("key", "create")
    assert rapida("key", "revoke", made["id"])[0] == 0
    with pytest.raises(Unauthenticated):
        check(rapida, made["api_key"])
    assert rapida.json("key", "list")[0]["revoked"]


def test_unknown(rapida: Rapida) -> None:
    """There is no such key."""
    status, _, err = rapida("key", "revoke", "123")
    assert (status, err) == (1, "rapida: no API key 123\n")
