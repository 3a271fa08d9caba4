"""A vendor as it is typed: `deepgram:CREDENTIAL,model=nova-3`; given again, a fallback."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence

from rapida_tw.cli.opening import an_id
from rapida_tw.cli.source import Document

HOW = "NAME[:CREDENTIAL][,OPTION=VALUE]..."


def add_choice(parser: ArgumentParser, name: str, help: str) -> None:
    """An option that may be given several times: the first, then its fallbacks."""
    parser.add_argument(
        name,
        action="append",
        type=choice,
        metavar="VENDOR",
        help=f"{help}: {HOW}; again for whom to ask when the first fails",
    )


def choice(text: str) -> Document:
    """An argument's type: the API's object."""
    named, *given = text.split(",")
    provider, colon, credential = named.partition(":")
    chosen: Document = {"provider": provider.strip()}
    if colon:
        chosen["credentialId"] = str(an_id(credential))
    options = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not key.strip() or not equals:
            raise ArgumentTypeError(f"{one!r} is no OPTION=VALUE")
        options[key.strip()] = value
    if options:
        chosen["options"] = options
    return chosen


def chosen(choices: Sequence[Document] | None) -> Document | None:
    """The API's object of all that were given; None when none was."""
    if not choices:
        return None
    first, *fallbacks = choices
    return {**first, "fallbacks": fallbacks} if fallbacks else dict(first)
