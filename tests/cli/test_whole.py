"""All commands that are promised, and what holds for each of them."""

from __future__ import annotations

from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator

import pytest

from rapida_tw.cli import main
from rapida_tw.cli.command import parser

PROMISED = """
    init
    key create|list|revoke
    assistant create|list|show|update|delete
    credential create|list|show|verify|delete
    deployment set|show
    call
    calls list|show|hangup|transfer|dtmf|say
    conversations list|show
    talk
    sim load
    doctor
    dialplan
"""
# The options that are promised, by the command.
OPTIONS = {
    "init": "--if-missing",
    "call": "--assistant --to --from --metadata --wait",
    "talk": "--assistant --transport --say --wav --dtmf",
    "sim load": "--transport --calls --seconds",
    "doctor": "--call",
    "dialplan": "--transport --outbound",
}


def promised() -> Iterator[str]:
    for line in PROMISED.split("\n"):
        noun, _, verbs = line.strip().partition(" ")
        if noun:
            yield from (f"{noun} {verb}".strip() for verb in verbs.split("|"))


def commands(of: ArgumentParser, path: str = "") -> Iterator[tuple[str, ArgumentParser]]:
    """Each command with its parser."""
    inner = [action for action in of._actions if isinstance(action, _SubParsersAction)]
    if not inner:
        yield path, of
    for action in inner:
        for name, one in action.choices.items():
            yield from commands(one, f"{path} {name}".strip())


ALL = dict(commands(parser()))


@pytest.mark.parametrize("command", [*promised()])
def test_promised(command: str) -> None:
    """It is there, with its options."""
    known = {name for action in ALL[command]._actions for name in action.option_strings}
    assert set(OPTIONS.get(command, "").split()) <= known


@pytest.mark.parametrize("command", ALL)
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each tells what it does and takes --json; asking is no failure, nonsense is 2."""
    assert main([*command.split(), "--help"]) == 0
    out = capsys.readouterr().out
    assert "--json" in out
    assert "--config" in out
    assert main([*command.split(), "--nonsense"]) == 2
    assert "usage: rapida" in capsys.readouterr().err
