"""The checks of `rapida doctor` for calls that the server is to place.

A deployment with a credential can place calls: its carrier is asked whether it lets us in, and
whether it would find this server is seen from the configuration.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from rapida_tw import telephones
from rapida_tw.ari.plan import AUDIOSOCKET
from rapida_tw.calls.placing import NO_ADDRESS
from rapida_tw.cli.finding import BAD, DOUBTFUL, GOOD, Finding
from rapida_tw.cli.local import Local
from rapida_tw.cli.source import Document
from rapida_tw.config import Config
from rapida_tw.errors import CallError
from rapida_tw.store.documents import LARGEST_PAGE

MOST = 10  # credentials that are asked about
REACHED_WITHIN = 3.0  # seconds
_STATES = {True: GOOD, False: BAD, None: GOOD}  # None: nobody can be asked without a call


@dataclass(frozen=True, slots=True)
class Deployed:
    """One assistant's way to the telephone network."""

    provider: str
    credential_id: int
    options: Mapping[str, Any]


def deployed(books: Local) -> list[Deployed]:
    """Of the newest assistants, those that can place calls."""
    found = []
    for assistant in books.assistants(LARGEST_PAGE).items:
        one = books.deployment(int(assistant["id"]))
        if one["credentialId"]:
            found.append(Deployed(one["provider"], int(one["credentialId"]), one["options"]))
    return found


def addresses(config: Config, found: Sequence[Deployed], running: bool) -> Iterator[Finding]:
    """Whether carriers would find this server; `running`: its ports are its own now."""
    needing = sorted({one.provider for one in found} - set(NO_ADDRESS))
    if needing:
        carriers = ", ".join(needing)
        if config.server.public_host:
            detail = f"{carriers} is told {config.server.public_host}"
            yield Finding("public address", GOOD, detail)
        else:
            detail = f"server.public_host is not set: no call can be placed by {carriers}"
            # Not worse: maybe they are only to be called.
            yield Finding("public address", DOUBTFUL, detail)
    if any(_brings_audiosocket(one) for one in found):
        yield _audiosocket(telephones.settings(config).audiosocket, running)


def _brings_audiosocket(one: Deployed) -> bool:
    """In its other modes Asterisk knows the address by its dialplan, or comes by WebSocket."""
    options = one.options
    media = options.get("media") or AUDIOSOCKET
    return one.provider == "asterisk" and media == AUDIOSOCKET and not options.get("context")


def _audiosocket(address: str, running: bool) -> Finding:
    """As ARI is told to connect to it."""
    what = "AudioSocket for ARI"
    if not address:
        detail = "[audiosocket] is off or has no port: set [outbound] audiosocket, or media"
        return Finding(what, BAD, detail)
    parts = urlsplit(f"//{address}")
    host = parts.hostname or ""
    if running:
        try:
            with socket.create_connection((host, parts.port or 0), REACHED_WITHIN):
                pass
        except (OSError, ValueError) as error:
            return Finding(what, BAD, f"{address} cannot be reached: {error}")
    if _only_here(host):
        detail = f"{address}: good for an Asterisk on this machine; else set [outbound] audiosocket"
        return Finding(what, DOUBTFUL, detail)
    return Finding(what, GOOD, f"Asterisk is told {address}")


def _only_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def asked(reactor: Any, config: Config) -> list[Finding]:
    """What the carriers say to the credentials, one after the other."""
    try:
        with closing(Local(config)) as books:
            wanted = {one.credential_id: one.provider for one in deployed(books)}
            return [
                _told(await books.ask(reactor, credential_id, provider))
                for credential_id, provider in list(wanted.items())[:MOST]
            ]
    except CallError as error:
        return [Finding("credentials", BAD, str(error))]


def _told(seen: Document) -> Finding:
    """A verification's answer in a line: the check that decided it."""
    *_, last = seen["checks"]
    failed = next((one for one in seen["checks"] if one["passed"] is False), last)
    what = f"credential {seen['name']} ({seen['provider']})"
    return Finding(what, _STATES[seen["verified"]], failed["detail"])
