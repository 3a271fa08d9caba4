"""`rapida credential rotate-key`: another key of the server, on its machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from rapida_tw.store import rotation
from tests.cli.conftest import Rapida
from tests.cli.test_credential import SECRET, create, opened

GIVEN = "a new key that somebody has chosen"
DONE = {"credentials": 1, "api_keys": 1, "unreadable": 0, "resumed": False, "restart": False}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "SETTLING", 0.0)


def key(rapida: Rapida) -> str:
    return (rapida.config.parent / "var" / "secret_key").read_text().strip()


def configured(rapida: Rapida, key: str) -> None:
    folder = rapida.config.parent / "var"
    rapida.config.write_text(f'[server]\ndata_dir = "{folder}"\nsecret_key = "{key}"\n')


def test_rotated(rapida: Rapida) -> None:
    """Credentials and API keys are sealed with another key, and the old one is nowhere."""
    made = create(rapida, "--set", f"token={SECRET}")
    rapida.json("key", "create")
    old = key(rapida)
    assert rapida.json("credential", "rotate-key") == DONE
    assert key(rapida) != old
    assert opened(rapida, made) == {"token": SECRET}
    for path in rapida.config.parent.rglob("*"):
        assert path.is_dir() or old.encode() not in path.read_bytes()


def test_told(rapida: Rapida) -> None:
    """In words, without a key."""
    create(rapida, "--set", f"token={SECRET}")
    status, out, err = rapida("credential", "rotate-key")
    assert (status, err) == (0, "")
    assert "sealed anew: 1 credentials, 0 API keys" in out
    assert "Running servers go on" in out
    assert key(rapida) not in out


def test_given(rapida: Rapida, tmp_path: Path) -> None:
    """A chosen key is read from a file; blanks around it are none of it."""
    made = create(rapida, "--set", f"token={SECRET}")
    file = tmp_path / "new"
    file.write_text(f"\n{GIVEN}\n")
    rapida.json("credential", "rotate-key", "--new-key-file", file)
    assert key(rapida) == GIVEN
    assert opened(rapida, made) == {"token": SECRET}


def test_configured(rapida: Rapida, tmp_path: Path) -> None:
    """A key in the configuration is its owner's to change, and what to do is told."""
    configured(rapida, "the key that was there before")
    made = create(rapida, "--set", f"token={SECRET}")
    status, out, err = rapida("credential", "rotate-key")
    assert (status, out) == (1, "")
    assert "comes from its configuration" in err
    assert "--new-key-file" in err
    assert opened(rapida, made) == {"token": SECRET}
    file = tmp_path / "new"
    file.write_text(GIVEN)
    out = rapida("credential", "rotate-key", "--new-key-file", file)[1]
    assert "restart the server" in out
    assert rapida("credential", "verify", made["id"])[0] == 1
    configured(rapida, GIVEN)
    assert opened(rapida, made) == {"token": SECRET}


@pytest.mark.parametrize("given", ["", " \n", "too short"])
def test_no_key(rapida: Rapida, tmp_path: Path, given: str) -> None:
    """A file without a usable key changes nothing."""
    rapida.json("key", "create")
    old = key(rapida)
    file = tmp_path / "new"
    file.write_text(given)
    status, _, err = rapida("credential", "rotate-key", "--new-key-file", file)
    assert status in (1, 2)
    assert err.startswith("rapida: ")
    assert key(rapida) == old


def test_missing_file(rapida: Rapida, tmp_path: Path) -> None:
    """So does a file that is not there."""
    status, _, err = rapida("credential", "rotate-key", "--new-key-file", tmp_path / "none")
    assert (status, "No such file" in err) == (1, True)


def test_not_remote(rapida: Rapida) -> None:
    """The key never travels: the command works on the server's machine."""
    status, _, err = rapida("credential", "rotate-key", "--url", "http://localhost:9")
    assert (status, "on the server's machine" in err) == (2, True)
