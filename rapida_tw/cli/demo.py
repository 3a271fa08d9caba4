"""`rapida demo`: what `make demo` runs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from rapida_tw.cli.opening import Nouns, command
from rapida_tw.cli.output import Output


def add(nouns: Nouns, common: ArgumentParser) -> None:
    about = "a server on this machine, one real call to it, its recording and picture"
    parser = command(nouns, common, "demo", run, about)
    parser.add_argument(
        "--data-dir", type=Path, default=Path("var/demo"), help="recordings and database"
    )


def run(arguments: Namespace, out: Output) -> int:
    from rapida_tw.demo import demo

    return demo(arguments.data_dir)
