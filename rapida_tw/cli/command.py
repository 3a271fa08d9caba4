"""`rapida`: reads the command line, runs the noun's command, and turns errors into sentences.

Exit status 0, 1 (it failed) or 2 (wrong usage or configuration). No traceback reaches a user,
unless RAPIDA_TRACEBACK asks for it.
"""

from __future__ import annotations

import os
import sys
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Sequence
from io import TextIOWrapper

from rapida_tw import __version__
from rapida_tw.cli import (
    assistant,
    call,
    calls,
    campaign,
    conversations,
    credential,
    demo,
    deployment,
    dialplan,
    doctor,
    init,
    insight,
    key,
    message,
    sim,
    talk,
    webhooks,
)
from rapida_tw.cli.output import Output
from rapida_tw.cli.source import Usage
from rapida_tw.config import ConfigError
from rapida_tw.errors import CallError

_NOUNS = (
    init,
    key,
    assistant,
    credential,
    deployment,
    call,
    calls,
    campaign,
    conversations,
    message,
    insight,
    webhooks,
    talk,
    sim,
    dialplan,
    doctor,
    demo,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal may not know all letters of a name
            stream.reconfigure(errors="replace")
    try:
        arguments = parser().parse_args(argv)
        status: int = arguments.run(arguments, Output(arguments.json))
        sys.stdout.flush()
        return status
    except SystemExit as leaving:
        if isinstance(leaving.code, str):
            return _told(leaving.code, 1)
        return leaving.code or 0  # argparse has said why
    except (Usage, ConfigError) as error:
        return _told(error, 2)
    except BrokenPipeError:
        # Who reads us has seen enough (`| head`); Python must not complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (CallError, OSError) as error:
        return _told(error, 1)
    except KeyboardInterrupt:
        return _told("interrupted", 1)
    except Exception as error:
        if os.environ.get("RAPIDA_TRACEBACK"):
            raise
        return _told(
            f"a bug: {type(error).__name__}: {error} (RAPIDA_TRACEBACK=1 shows where)",
            1,
        )


def parser() -> ArgumentParser:
    """All of the command line."""
    # Given before or after the noun: a noun's parser must not put its defaults over the former.
    common = ArgumentParser(add_help=False, argument_default=SUPPRESS)
    _add_common(common)
    whole = ArgumentParser("rapida", description="Manages and tries an assistant on the phone.")
    whole.add_argument("--version", action="version", version=f"rapida_tw {__version__}")
    _add_common(whole)
    nouns = whole.add_subparsers(metavar="COMMAND", required=True)
    for noun in _NOUNS:
        noun.add(nouns, common)
    return whole


def _add_common(parser: ArgumentParser) -> None:
    """The options of every command."""
    default = parser.argument_default
    group = parser.add_argument_group("where, and in which form")
    group.add_argument("--config", metavar="FILE", help="the server's configuration (TOML)")
    group.add_argument("--env-file", metavar="FILE", help="NAME=value lines that override it")
    group.add_argument("--url", help="a running server instead of the configuration's database")
    group.add_argument("--api-key", metavar="KEY", help="for --url; better: $RAPIDA_API_KEY")
    group.add_argument("--json", action="store_true", default=default or False, help="for programs")


def _told(what: object, status: int) -> int:
    if isinstance(what, ConfigError):
        count = len(what.mistakes)
        what = f"{count} mistake{'s' * (count > 1)} in the configuration:\n  " + "\n  ".join(
            what.mistakes
        )
    elif isinstance(what, OSError) and what.strerror:
        what = f"{what.filename}: {what.strerror}" if what.filename else what.strerror
    print(f"rapida: {str(what) or type(what).__name__}", file=sys.stderr)
    return status
