"""Where a test call goes: the server's HTTP side, its AudioSocket, its SIP, and a key."""

from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rapida_tw.cli.local import Local, configuration
from rapida_tw.cli.opening import an_id
from rapida_tw.cli.remote import api_key, checked_url
from rapida_tw.cli.source import Usage
from rapida_tw.config import Config

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class Target:
    """A server that takes calls. `host`, `port`: of AudioSocket."""

    url: str
    api_key: str = field(repr=False)
    host: str
    port: int
    sip: tuple[str, int] = ("127.0.0.1", 5090)


def add_target(parser: ArgumentParser, transports: Sequence[str], *, assistant: bool) -> None:
    """`transports`: those that the caller has; the first is meant where none is given."""
    there_is = ", ".join(transports)
    parser.add_argument("--assistant", type=an_id, metavar="ID", required=assistant)
    parser.add_argument(
        "--transport",
        type=_Transport(transports),
        default=transports[0],
        metavar="NAME",
        help=f"{there_is} (default: {transports[0]})",
    )
    parser.add_argument(
        "--audiosocket", type=_address, metavar="HOST:PORT", help="instead of what is configured"
    )
    parser.add_argument("--sip", type=_address, metavar="HOST:PORT", help="likewise, of SIP")


@contextmanager
def target(arguments: Namespace) -> Iterator[Target]:
    """The server of `--url`, else the one that runs with the configuration here.

    For the latter a key is made for as long as the call lasts, if none is given.
    """
    config = configuration(arguments)
    host, port = arguments.audiosocket or ("", config.audiosocket.port)
    if arguments.url:
        url = checked_url(arguments.url)
        there = urlsplit(url).hostname or ""
        sip = arguments.sip or (there, config.sip.port)
        yield Target(url, api_key(arguments), host or there, port, sip)
        return
    host = host or _reachable(config.audiosocket.host)
    sip = arguments.sip or (_reachable(config.sip.server), config.sip.port)
    url = own_url(config)
    given = arguments.api_key or os.environ.get("RAPIDA_API_KEY")
    if given:
        yield Target(url, given, host, port, sip)
        return
    with closing(Local(config)) as books:
        key, text = books.create_key(f"rapida {arguments.noun}")
        try:
            yield Target(url, text, host, port, sip)
        finally:
            books.revoke_key(key.id)


def own_url(config: Config) -> str:
    """The HTTP port of the server that runs with this configuration."""
    if config.http.listen:
        raise Usage("the configuration leaves the HTTP port to its [http] listen: give --url")
    host = _reachable(config.http.host)
    scheme = "https" if config.http.tls_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{config.http.port}"


def _reachable(host: str) -> str:
    return _ANYWHERE.get(host, host)


class _Transport:
    """The type of --transport."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __call__(self, name: str) -> str:
        if name in self._names:
            return name
        there_is = ", ".join(self._names)
        raise ArgumentTypeError(
            f"a simulated caller by {name} is not there yet; there is: {there_is}"
        )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ArgumentTypeError(f"{text!r}: give HOST:PORT")
    return host.strip("[]"), int(port)
