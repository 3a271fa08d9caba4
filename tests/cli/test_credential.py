"""`rapida credential`: what is put into the vault is used and never shown."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rapida_tw.cli.local import now
from rapida_tw.config import load, secret_key
from rapida_tw.ids import Ids
from rapida_tw.store.credentials import Credentials
from rapida_tw.store.database import Database
from rapida_tw.store.vault import Vault
from tests.cli.conftest import BEGAN, Rapida
from tests.store.private_keys import rsa_pem

SECRET = "e5c2-hunter2-0f3a"


class Typed(io.StringIO):
    """Standard input that is a terminal."""

    def isatty(self) -> bool:
        return True


def opened(rapida: Rapida, made: Mapping[str, Any]) -> dict[str, str]:
    """The value, as a server with this configuration opens it."""
    config = load(rapida.config, {})
    vault = Vault(lambda: secret_key(config.server))
    with closing(Database(config.database.url)) as database:
        store = Credentials(database, vault, Ids(lambda: BEGAN), lambda: BEGAN)
        return dict(now(store.secrets(int(made["id"]), int(made["projectId"]))))


def create(rapida: Rapida, *arguments: object, provider: str = "acme") -> Any:
    return rapida.json("credential", "create", "--name", "Main", "--provider", provider, *arguments)


def test_set(rapida: Rapida) -> None:
    """Parts of the value, one by one; what stands behind the first = is the value."""
    made = create(rapida, "--set", "sid=AC1", "--set", f"token={SECRET}==")
    assert made["keysSet"] == ["sid", "token"]
    assert opened(rapida, made) == {"sid": "AC1", "token": f"{SECRET}=="}


def test_file(rapida: Rapida, tmp_path: Path) -> None:
    """A JSON file has the value; parts go on top."""
    file = tmp_path / "value.json"
    file.write_text(json.dumps({"sid": "AC1", "token": "old"}))
    made = create(rapida, "--from-file", file, "--set", f"token={SECRET}")
    assert opened(rapida, made) == {"sid": "AC1", "token": SECRET}


def test_part_of_a_file(rapida: Rapida, tmp_path: Path) -> None:
    """A part may stand in a file of its own, which ends with a line break as files do."""
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    assert opened(rapida, create(rapida, "--set", f"token=@{file}")) == {"token": SECRET}


def test_private_key(rapida: Rapida, tmp_path: Path) -> None:
    """As Vonage hands it out."""
    file = tmp_path / "private.key"
    file.write_text(rsa_pem())
    assert opened(rapida, create(rapida, "--set", f"private_key=@{file}")) == {
        "private_key": rsa_pem().strip()
    }


def test_piped(rapida: Rapida, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is piped in is on no command line."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    assert opened(rapida, create(rapida, "--set", "token=-")) == {"token": SECRET}


def test_typed(rapida: Rapida, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal each is asked for by its name, without an echo."""
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return SECRET

    monkeypatch.setattr("sys.stdin", Typed())
    monkeypatch.setattr("rapida_tw.cli.credential.getpass", ask)
    made = create(rapida, "--set", "key=-", "--set", "token=-")
    assert opened(rapida, made) == {"key": SECRET, "token": SECRET}
    assert asked == ["key: ", "token: "]


def test_list(rapida: Rapida) -> None:
    """Newest first, and no value."""
    for name in ("Ann", "Bob"):
        rapida(
            *("credential", "create", "--name", name, "--provider", "acme"),
            *("--set", f"token={SECRET}"),
        )
    status, out, _ = rapida("credential", "list")
    assert status == 0
    assert [line.split()[-1] for line in out.splitlines()] == ["NAME", "Bob", "Ann"]
    assert "never" in out


def test_show(rapida: Rapida) -> None:
    """All but the value."""
    made = create(rapida, "--set", f"token={SECRET}")
    _, out, _ = rapida("credential", "show", made["id"])
    assert "set are     token" in out
    assert rapida.json("credential", "show", made["id"]) == made


def test_nothing_secret(rapida: Rapida) -> None:
    """No command prints a value, and no file of the server holds it readable."""
    made = create(rapida, "--set", f"token={SECRET}")
    number = made["id"]
    told = [
        json.dumps(made),
        *rapida("credential", "update", number, "--set", f"token={SECRET}")[1:],
        *rapida("credential", "list", "--json")[1:],
        *rapida("credential", "show", number)[1:],
        *rapida("credential", "verify", number)[1:],
        *rapida("credential", "verify", number, "--json")[1:],
    ]
    assert SECRET not in "".join(told)
    for file in (rapida.config.parent / "var").rglob("*"):
        assert SECRET.encode() not in file.read_bytes(), file


def test_update(rapida: Rapida) -> None:
    """Its name, its value as a whole; what is not given stays."""
    made = create(rapida, "--set", "sid=AC1", "--set", "token=old")
    assert rapida.json("credential", "update", made["id"], "--name", "New")["name"] == "New"
    changed = rapida.json("credential", "update", made["id"], "--set", f"token={SECRET}")
    assert (changed["name"], changed["keysSet"]) == ("New", ["token"])
    assert opened(rapida, made) == {"token": SECRET}


def test_verify(rapida: Rapida) -> None:
    """What was looked at; nothing is claimed about the rest."""
    made = create(rapida, "--set", f"token={SECRET}")
    status, out, _ = rapida("credential", "verify", made["id"])
    assert (status, out.splitlines()[-1]) == (0, "verified: unknown")
    assert "not asked" in out


def test_verify_fails(rapida: Rapida) -> None:
    """After the secret key was lost the credential cannot be opened: exit status 1."""
    made = create(rapida, "--set", f"token={SECRET}")
    (rapida.config.parent / "var/secret_key").write_text("another key of the server")
    status, out, _ = rapida("credential", "verify", made["id"])
    assert (status, out.splitlines()[-1]) == (1, "verified: NO")
    assert "secret_key" in out


def test_delete(rapida: Rapida) -> None:
    """It is gone."""
    made = create(rapida, "--set", "a=b")
    assert rapida("credential", "delete", made["id"])[0] == 0
    gone = 1, "", f"rapida: no credential {made['id']}\n"
    for verb in ("show", "verify", "delete"):
        assert rapida("credential", verb, made["id"]) == gone


def test_known_carrier(rapida: Rapida) -> None:
    """A carrier's keys are known here too."""
    status, _, err = rapida(
        *("credential", "create", "--name", "x", "--provider", "asterisk"),
        *("--set", f"tokn={SECRET}"),
    )
    assert status == 1
    assert "known are ari_url" in err
    assert SECRET not in err


@pytest.mark.parametrize("given", [SECRET, f"={SECRET}"])
def test_not_a_pair(rapida: Rapida, given: str) -> None:
    """What is no pair is refused, without repeating it."""
    status, _, err = rapida(
        "credential", "create", "--name", "x", "--provider", "acme", "--set", given
    )
    assert status == 2
    assert "KEY=VALUE" in err
    assert SECRET not in err


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("--set", "a=-", "--set", "b=-"),
        ("--set", "a=-", "--from-file", "-"),
    ],
)
def test_usage(rapida: Rapida, given: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing given, or two that would read the same input."""
    monkeypatch.setattr("sys.stdin", io.StringIO("x"))
    status, _, err = rapida("credential", "create", "--name", "x", "--provider", "acme", *given)
    assert status == 2
    assert "--set" in err or "standard input" in err


def test_nothing_to_update(rapida: Rapida) -> None:
    """To change nothing is a mistake of usage."""
    assert rapida("credential", "update", 5)[0] == 2


def test_no_text(rapida: Rapida, tmp_path: Path) -> None:
    """A file that is no text is named."""
    file = tmp_path / "key.der"
    file.write_bytes(b"\xff\xfe\x00")
    status, _, err = rapida(
        "credential", "create", "--name", "x", "--provider", "acme", "--set", f"a=@{file}"
    )
    assert (status, err) == (2, f"rapida: {file}: this is no text in UTF-8\n")
