"""`rapida init`."""

from __future__ import annotations

from tests.cli.conftest import Rapida


def test_first(rapida: Rapida) -> None:
    """The three ids that everything else begins with, as strings."""
    made = rapida.json("init")
    assert made.keys() == {"project_id", "api_key", "assistant_id"}
    assert all(isinstance(value, str) for value in made.values())
    assert made["api_key"].startswith("rpd-")


def test_again(rapida: Rapida) -> None:
    """Project and assistant stay; the key is a new one, because the old one's text is not kept."""
    first, second = rapida.json("init"), rapida.json("init")
    assert first["api_key"] != second["api_key"]
    assert {**first, "api_key": ""} == {**second, "api_key": ""}
    assert len(rapida.json("assistant", "list")) == 1


def test_if_missing(rapida: Rapida) -> None:
    """Where there is an installation already, nothing is made."""
    first = rapida.json("init", "--if-missing")
    assert first["api_key"]
    assert rapida.json("init", "--if-missing") == {**first, "api_key": None}
    assert len(rapida.json("key", "list")) == 1


def test_after_revocation(rapida: Rapida) -> None:
    """An installation whose keys are all revoked lacks one."""
    rapida.json("init")
    (key,) = rapida.json("key", "list")
    rapida("key", "revoke", key["id"])
    assert rapida.json("init", "--if-missing")["api_key"]


def test_for_people(rapida: Rapida) -> None:
    """The key is shown, with the warning that it will not be again."""
    status, out, _ = rapida("init")
    assert status == 0
    assert "rpd-" in out
    assert "once" in out


def test_not_elsewhere(rapida: Rapida) -> None:
    """It cannot be done to a server by its URL."""
    status, _, err = rapida("init", "--url", "http://localhost:9007")
    assert status == 2
    assert "leave --url out" in err
