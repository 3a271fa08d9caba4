"""Who calls whom, as an INVITE tells it (RFC 3261 20.20, RFC 3325, RFC 3323)."""

from __future__ import annotations

import re
from typing import NamedTuple

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sip_message import Request
from rapida_tw.wire.sip_uri import Address, SipUri

_ID = re.compile(r"[0-9]{1,19}")
_ANONYMOUS = {"anonymous", "blocked", "private", "restricted", "unavailable", "unknown"}
_PRIVATE = {"id", "user", "header"}
LONGEST = 128  # characters of a number or name


class Dialled(NamedTuple):
    """What the user part of a Request-URI says: an assistant, a number, or nothing ("")."""

    assistant_id: int | None = None
    number: str = ""


def assistant_id(text: str) -> int | None:
    """An id as it is written in user names; None: it is none."""
    return int(text) if _ID.fullmatch(text) else None


def dialled(user: str) -> Dialled:
    """`agent-123`, `did-15551234567` or `15551234567`."""
    user = user.partition(";")[0]  # parameters of a number: ;npdi;rn=...
    agent = assistant_id(user.removeprefix("agent-")) if user.startswith("agent-") else None
    if agent is not None:
        return Dialled(agent)
    return Dialled(None, user.removeprefix("did-")[:LONGEST])


def uri_of(request: Request) -> SipUri:
    """The Request-URI; `RemoteProtocolError`."""
    return SipUri.parse(request.uri)


def caller(request: Request) -> str:
    """The caller's number or name, "" for one who shows none. The peer must be authenticated.

    P-Asserted-Identity is what the trunk knows, From is what the caller says.
    """
    if request.headers.tokens("Privacy") & _PRIVATE:
        return ""
    for value in request.headers.values("P-Asserted-Identity"):
        try:
            asserted = Address.parse(value)
        except RemoteProtocolError:
            continue
        if asserted.uri.user:
            return _shown(asserted.uri)
    return _shown(request.from_.uri)


def _shown(uri: SipUri) -> str:
    user = uri.user.partition(";")[0]
    hidden = user.lower() in _ANONYMOUS or uri.host == "anonymous.invalid"
    return "" if hidden else printable(user)


def printable(text: str) -> str:
    """For records: neither controls nor halves of characters, and not too long."""
    return "".join(letter for letter in text[:LONGEST] if letter.isprintable())
