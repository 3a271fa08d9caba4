"""`rapida assistant`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Rapida


def test_shortcuts(rapida: Rapida) -> None:
    """A name and a prompt make an assistant."""
    made = rapida.json("assistant", "create", "--name", "Bob", "--prompt", "Be kind.")
    shown = rapida.json("assistant", "show", made["id"])
    assert shown["name"] == "Bob"
    assert shown["model"]["prompt"] == [{"role": "system", "content": "Be kind."}]


def test_file(rapida: Rapida, tmp_path: Path) -> None:
    """A file has what the API has; the shortcuts go on top."""
    file = tmp_path / "bob.json"
    file.write_text(json.dumps({"name": "Bob", "model": {"options": {"a": 1}}}))
    made = rapida.json("assistant", "create", "--file", file, "--model", "scripted")
    assert (made["name"], made["model"]["provider"]) == ("Bob", "scripted")
    assert made["model"]["options"] == {"a": 1}


def test_standard_input(rapida: Rapida, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--file -` reads what is piped into it."""
    monkeypatch.setattr("sys.stdin", io.StringIO('{"name": "Piped"}'))
    assert rapida.json("assistant", "create", "--file", "-")["name"] == "Piped"


def test_update(rapida: Rapida) -> None:
    """What is not given stays."""
    made = rapida.json("assistant", "create", "--name", "Bob", "--prompt", "Be kind.")
    rapida("assistant", "update", made["id"], "--name", "Rob")
    shown = rapida.json("assistant", "show", made["id"])
    assert (shown["name"], shown["model"]["prompt"][0]["content"]) == ("Rob", "Be kind.")


def test_shown_document_comes_back(rapida: Rapida, tmp_path: Path) -> None:
    """What `show --json` prints can be edited and given to `update`."""
    made = rapida.json("assistant", "create", "--name", "Bob")
    file = tmp_path / "bob.json"
    file.write_text(json.dumps({**made, "description": "new"}))
    assert rapida.json("assistant", "update", made["id"], "--file", file)["description"] == "new"


def test_list(rapida: Rapida) -> None:
    """Newest first, in a table with its head."""
    for name in ("Ann", "Bob"):
        rapida("assistant", "create", "--name", name)
    lines = rapida("assistant", "list")[1].splitlines()
    assert [line.split()[-1] for line in lines] == ["NAME", "Bob", "Ann"]


def test_delete(rapida: Rapida) -> None:
    """It is gone."""
    made = rapida.json("assistant", "create", "--name", "Bob")
    assert rapida("assistant", "delete", made["id"])[0] == 0
    status, _, err = rapida("assistant", "show", made["id"])
    assert (status, err) == (1, f"rapida: no assistant {made['id']}\n")


def test_nothing_given(rapida: Rapida) -> None:
    """To make one out of nothing is a mistake of usage."""
    status, _, err = rapida("assistant", "create")
    assert status == 2
    assert "--file" in err


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "not JSON"), ("[]", "a JSON object"), ("[" * 100_000, "nested too deeply")],
)
def test_bad_file(rapida: Rapida, tmp_path: Path, text: str, says: str) -> None:
    """A file that is no document is named, with what is wrong."""
    file = tmp_path / "bad.json"
    file.write_text(text)
    status, _, err = rapida("assistant", "create", "--file", file)
    assert status == 2
    assert f"{file}: " in err
    assert says in err


def test_missing_file(rapida: Rapida) -> None:
    """A file that is not there is one sentence."""
    status, _, err = rapida("assistant", "create", "--file", "no-such.json")
    assert (status, err) == (1, "rapida: no-such.json: No such file or directory\n")


def test_mistakes_in_it(rapida: Rapida, tmp_path: Path) -> None:
    """All mistakes of a document are told at once."""
    file = tmp_path / "bad.json"
    file.write_text('{"name": 5, "nonsense": true}')
    status, _, err = rapida("assistant", "create", "--file", file)
    assert status == 1
    assert "name" in err
    assert "nonsense" in err
