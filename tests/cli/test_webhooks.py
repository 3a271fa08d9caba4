"""`rapida webhooks`."""

from __future__ import annotations

from contextlib import closing

import pytest

from rapida_tw.cli.local import now
from tests.cli.conftest import Rapida

URL = "https://hooks.example.org/in?token=planted"


@pytest.fixture
def pinged(rapida: Rapida) -> str:
    """The id of an assistant whose webhook was pinged."""
    with closing(rapida.local()) as books:
        document = {"name": "Ada", "webhooks": [{"url": URL}]}
        made = books.create_assistant(document)
    found = rapida.json("webhooks", "test", "--assistant", made["id"])
    assert [one["event"] for one in found] == ["ping"]
    return str(made["id"])


def test_list(rapida: Rapida, pinged: str) -> None:
    """Newest first, without what may be secret in an address."""
    _, out, _ = rapida("webhooks", "list", "--assistant", pinged)
    (line,) = out.splitlines()[1:]
    assert all(word in line for word in ("ping", "https://hooks.example.org/in", "waiting"))
    assert "planted" not in out


def test_choice(rapida: Rapida, pinged: str) -> None:
    """By state, assistant and conversation."""
    assert len(rapida.json("webhooks", "list", "--state", "waiting")) == 1
    assert rapida.json("webhooks", "list", "--state", "failed") == []
    assert rapida.json("webhooks", "list", "--conversation", 7) == []


def test_show(rapida: Rapida, pinged: str) -> None:
    """What is sent."""
    (one,) = rapida.json("webhooks", "list")
    _, out, _ = rapida("webhooks", "show", one["id"])
    assert one["eventId"] in out
    assert f'"id": "{pinged}"' in out


def test_retry(rapida: Rapida, pinged: str) -> None:
    """It is due at once."""
    (one,) = rapida.json("webhooks", "list")
    assert rapida("webhooks", "retry", one["id"])[0] == 0
    assert rapida("webhooks", "retry", 1)[0] == 1


def test_none(rapida: Rapida) -> None:
    """An assistant without webhooks: nothing is told, and the command says so."""
    with closing(rapida.local()) as books:
        made = books.create_assistant({"name": "Ada"})
        assert list(now(books._deliveries.page(books.project)).items) == []
    status, out, _ = rapida("webhooks", "test", "--assistant", made["id"])
    assert status == 1
    assert "no webhook" in out
