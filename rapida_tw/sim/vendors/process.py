"""Fakes of vendors in a process of their own: `python -m rapida_tw.sim.vendors.process NAME...`.

NAME is a module of this package that holds one fake. Prints a line of JSON with the port, and with
`--tell` another one for each request and handshake.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from rapida_tw.sim.vendors.base import Asked, FakeVendor
from rapida_tw.sim.vendors.port import VendorPort


def make(name: str, options: Mapping[str, Any]) -> FakeVendor:
    """The fake of that module, with these arguments; `ValueError` where there is none."""
    module = import_module(f"rapida_tw.sim.vendors.{name}")
    fakes = {
        one
        for one in vars(module).values()
        if isinstance(one, type)
        and one.__module__ == module.__name__
        and all(hasattr(one, attribute) for attribute in ("hosts", "connect", "answer"))
    }
    if len(fakes) != 1:
        raise ValueError(f"{module.__name__} has {len(fakes)} fakes, not one")
    fake: FakeVendor = fakes.pop()(**options)
    return fake


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until it is ended."""
    parser = ArgumentParser("rapida_tw.sim.vendors.process", description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--options", default="{}", help="JSON: arguments of each fake by its name")
    parser.add_argument("--certificate", type=Path, help="PEM; with --key, it speaks TLS")
    parser.add_argument("--key", type=Path)
    parser.add_argument("--tell", action="store_true", help="print what is asked for")
    given = parser.parse_args(arguments)
    options = json.loads(given.options)
    vendors = [make(name, options.get(name, {})) for name in given.names]

    def serve(reactor: Any) -> Deferred[None]:
        port = VendorPort(reactor, *vendors)
        if given.tell:
            port.site.telling = _tell
        number = port.start(given.port, given.certificate, given.key)
        print(json.dumps({"port": number}), flush=True)
        return Deferred()  # until a signal

    react(serve)


def _tell(asked: Asked) -> None:
    told = {**asdict(asked), "body": asked.body.decode("utf-8", "replace")}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
