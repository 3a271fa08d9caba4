"""What every noun begins with: its parser, its source, its ids and documents."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

from rapida_tw.cli.local import Local, configuration
from rapida_tw.cli.output import Output
from rapida_tw.cli.remote import remote
from rapida_tw.cli.source import Document, Source, Usage
from rapida_tw.errors import BadRequest
from rapida_tw.ids import parse_id

Run = Callable[[Namespace, Output], int]


class Nouns(Protocol):
    """argparse's sub-parsers, as much as we use of them."""

    def add_parser(self, name: str, **options: Any) -> ArgumentParser: ...


def command(nouns: Nouns, common: ArgumentParser, name: str, run: Run, help: str) -> ArgumentParser:
    """A parser that ends in `run`."""
    parser = nouns.add_parser(name, parents=[common], help=help, description=help)
    parser.set_defaults(run=run)
    return parser


def noun(nouns: Nouns, name: str, help: str) -> Nouns:
    """A parser with verbs of its own."""
    parser = nouns.add_parser(name, help=help, description=help)
    verbs: Nouns = parser.add_subparsers(metavar="VERB", required=True)
    return verbs


@contextmanager
def source(arguments: Namespace) -> Iterator[Source]:
    """The server of `--url`, else the configuration's database."""
    found: Source = remote(arguments) if arguments.url else Local(configuration(arguments))
    with closing(found):
        yield found


@contextmanager
def local(arguments: Namespace, what: str) -> Iterator[Local]:
    """The configuration's database; `Usage` when a server was named, which cannot do `what`."""
    if arguments.url:
        raise Usage(f"{what} works on the database, on the server's machine: leave --url out")
    with closing(Local(configuration(arguments))) as found:
        yield found


def an_id(text: str) -> int:
    """An argument's type."""
    try:
        return parse_id(text)
    except BadRequest as error:
        raise ArgumentTypeError(str(error)) from None


def document(name: str) -> Document:
    """The JSON object of a file, or of standard input for "-"; `Usage`, `OSError`."""
    try:
        if name == "-":
            found = json.load(sys.stdin)
        else:
            with open(name, encoding="utf-8") as file:
                found = json.load(file)
    except ValueError as error:
        raise Usage(f"{name}: not JSON: {error}") from None
    except RecursionError:
        raise Usage(f"{name}: nested too deeply") from None
    if not isinstance(found, dict):
        raise Usage(f"{name}: give a JSON object")
    return found
