"""`rapida deployment`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Rapida


@pytest.fixture
def assistant(rapida: Rapida) -> str:
    made: str = rapida.json("assistant", "create", "--name", "Bob")["id"]
    return made


def test_default(rapida: Rapida, assistant: str) -> None:
    """An assistant that nobody deployed is on the phone by the defaults."""
    assert rapida.json("deployment", "show", assistant)["idleTimeout"] == 30.0


def test_part(rapida: Rapida, assistant: str) -> None:
    """A part is changed, the rest stays."""
    rapida("deployment", "set", assistant, "--greeting", "Hello.", "--voice", "local")
    rapida("deployment", "set", assistant, "--max-call-duration", 60)
    found = rapida.json("deployment", "show", assistant)
    assert (found["greeting"], found["maxCallDuration"]) == ("Hello.", 60.0)
    assert found["tts"]["provider"] == "local"


def test_file(rapida: Rapida, assistant: str, tmp_path: Path) -> None:
    """A file replaces all: what it leaves out is as by default."""
    rapida("deployment", "set", assistant, "--greeting", "Hello.")
    file = tmp_path / "deployment.json"
    file.write_text(json.dumps({"idleTimeout": 5}))
    found = rapida.json("deployment", "set", assistant, "--file", file)
    assert (found["greeting"], found["idleTimeout"]) == ("", 5.0)


def test_for_people(rapida: Rapida, assistant: str) -> None:
    """The table tells who hears and speaks."""
    _, out, _ = rapida("deployment", "show", assistant)
    assert "voice          the server's default" in out


def test_out_of_bounds(rapida: Rapida, assistant: str) -> None:
    """A value that is not allowed is told with its bounds."""
    status, _, err = rapida("deployment", "set", assistant, "--idle-timeout", 0)
    assert status == 1
    assert "idleTimeout must be a number from 1 to 600" in err


def test_credential(rapida: Rapida, assistant: str) -> None:
    """A carrier with its credential, and without one again."""
    vault = ("credential", "create", "--name", "x", "--set", "a=b", "--provider", "acme")
    credential = rapida.json(*vault)["id"]
    found = rapida.json(
        "deployment", "set", assistant, "--carrier", "acme", "--credential", credential
    )
    assert (found["provider"], found["credentialId"]) == ("acme", credential)
    assert credential in rapida("deployment", "show", assistant)[1]
    found = rapida.json("deployment", "set", assistant, "--credential", "")
    assert (found["provider"], found["credentialId"]) == ("acme", None)


def test_wrong_credential(rapida: Rapida, assistant: str) -> None:
    """One of another carrier, or none at all, is told."""
    vault = ("credential", "create", "--name", "x", "--set", "a=b", "--provider", "acme")
    credential = rapida.json(*vault)["id"]
    _, _, err = rapida("deployment", "set", assistant, "--credential", credential)
    assert "is one of acme, the carrier is asterisk" in err
    assert (
        "there is no credential 4" in rapida("deployment", "set", assistant, "--credential", 4)[2]
    )


def test_nothing_given(rapida: Rapida, assistant: str) -> None:
    """Nothing to set is a mistake of usage."""
    assert rapida("deployment", "set", assistant)[0] == 2


def test_unknown_assistant(rapida: Rapida) -> None:
    """There must be somebody to deploy."""
    assert rapida("deployment", "show", 99) == (1, "", "rapida: no assistant 99\n")
