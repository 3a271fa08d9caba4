"""A running server as commands on calls need one: of `--url`, else of the configuration."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from rapida_tw.cli.local import configuration
from rapida_tw.cli.remote import Refused, api_key, checked_url
from rapida_tw.cli.source import Usage
from rapida_tw.client import (
    CallNotStartedError,
    ConnectionFailed,
    Rapida,
    RapidaError,
)
from rapida_tw.errors import Unavailable

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}


@contextmanager
def running(arguments: Namespace) -> Iterator[Rapida]:
    """Its client, whose errors become sentences for people."""
    url = checked_url(arguments.url) if arguments.url else _own(arguments)
    try:
        yield Rapida(api_key(arguments), url)
    except ConnectionFailed as error:
        hint = "" if error.sent or arguments.url else "; start it, or name another one with --url"
        raise Unavailable(f"{error}{hint}") from None
    except CallNotStartedError as error:
        known = error.conversation_id
        more = f"; more by: rapida conversations show {known}" if known else ""
        raise Refused(f"the call was not placed: {error} ({error.code}){more}") from None
    except RapidaError as error:
        code = f" ({error.code})" if error.code else ""
        raise Refused(f"{error}{code}") from None


def _own(arguments: Namespace) -> str:
    """The configured server on this machine."""
    http = configuration(arguments).http
    if http.tls_certificate or http.listen:
        raise Usage("the server's own address is not known from its configuration: give --url")
    if not (arguments.api_key or os.environ.get("RAPIDA_API_KEY")):
        raise Usage(
            "calls are made by the running server, which wants an API key: give --api-key, or set "
            "RAPIDA_API_KEY (`rapida key create` makes one)"
        )
    host = _ANYWHERE.get(http.host, f"[{http.host}]" if ":" in http.host else http.host)
    return f"http://{host}:{http.port}"
