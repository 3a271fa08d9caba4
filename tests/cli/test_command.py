"""The command line as a whole: options, exit status, and errors as sentences."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from rapida_tw.cli import key, main
from rapida_tw.cli.output import Output
from tests.cli.conftest import Rapida


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` names the program."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("rapida_tw ")


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["key"], ["key", "revoke", "x"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage is 2, with what would be right."""
    assert main(arguments) == 2
    assert "usage: rapida" in capsys.readouterr().err


def test_options_before_and_after(rapida: Rapida) -> None:
    """Common options may stand on either side of the noun, and do not undo each other."""
    for arguments in (["--json", "key", "list"], ["key", "list", "--json"]):
        assert rapida(*arguments)[1] == "[]\n"


def test_configuration(rapida: Rapida) -> None:
    """All mistakes of the configuration are told, and it is 2."""
    rapida.config.write_text("[http]\nprot = 1\n[nonsense]\n")
    status, out, err = rapida("key", "list")
    assert (status, out) == (2, "")
    assert err.startswith("rapida: 2 mistakes in the configuration:\n")
    assert "did you mean port?" in err


def test_database(rapida: Rapida, tmp_path: Path) -> None:
    """A database that cannot be used is named."""
    (tmp_path / "var").write_text("in the way")
    status, _, err = rapida("key", "list")
    assert status == 1
    assert err.startswith(f"rapida: database {tmp_path / 'var'}")
    assert err.count("\n") == 1


def raising(error: BaseException) -> object:
    def run(arguments: Namespace, out: Output) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (KeyError("x"), "rapida: a bug: KeyError: 'x' (RAPIDA_TRACEBACK=1 shows where)\n"),
        (KeyboardInterrupt(), "rapida: interrupted\n"),
        (
            OSError(28, "No space left on device", "a.wav"),
            "rapida: a.wav: No space left on device\n",
        ),
        (SystemExit("cannot listen"), "rapida: cannot listen\n"),
    ],
)
def test_anything(
    rapida: Rapida, monkeypatch: pytest.MonkeyPatch, error: BaseException, says: str
) -> None:
    """Whatever happens is one sentence, and 1."""
    monkeypatch.setattr(key, "run_list", raising(error))
    assert rapida("key", "list") == (1, "", says)


def test_traceback(rapida: Rapida, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for it sees where the bug is."""
    monkeypatch.setattr(key, "run_list", raising(KeyError("x")))
    monkeypatch.setenv("RAPIDA_TRACEBACK", "1")
    with pytest.raises(KeyError):
        rapida("key", "list")


def test_reader_gone(rapida: Rapida) -> None:
    """`rapida ... | head` ends quietly."""
    command = (sys.executable, "-m", "rapida_tw.cli", "--config", str(rapida.config), "dialplan")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_letters_that_the_terminal_lacks(rapida: Rapida) -> None:
    """They are replaced, and nothing fails."""
    rapida("assistant", "create", "--name", "Zoë")
    command = (sys.executable, "-m", "rapida_tw.cli", "--config", str(rapida.config))
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*command, "assistant", "list"], capture_output=True, env=environ, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Zo?" in done.stdout
