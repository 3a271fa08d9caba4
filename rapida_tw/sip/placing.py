"""The port by which a session has a new INVITE placed when its far side refers it elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.defer import Deferred

from rapida_tw.sip.base import Flow
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_uri import Address


class Declined(Exception):
    """The INVITE came to nothing: with `status`, 408 when there was no answer."""

    def __init__(self, status: int, phrase: str = "") -> None:
        super().__init__(f"{status} {phrase}".strip())
        self.status = status
        self.phrase = phrase


@dataclass(frozen=True, slots=True)
class Invitation:
    """An INVITE in a dialog of its own, over a way that is there already.

    `uri` is the Request-URI, `local` goes into From (without a tag), `headers` are added as they
    are (Replaces, Referred-By). No password may be used for it: a challenge declines it.
    """

    uri: str
    local: Address
    flow: Flow
    offer: bytes
    headers: tuple[tuple[str, str], ...] = ()
    # Told of each provisional response above 100, for those who wait for news.
    progress: Callable[[Response], None] = field(default=lambda response: None)


@dataclass(frozen=True, slots=True)
class Placed:
    """Their 2xx, with the ACK sent; who placed it repeats that for repeated ones (13.2.2.4)."""

    dialog: Dialog
    flow: Flow
    invite: Request
    response: Response


class Place(Protocol):
    """Places an INVITE (sip/outbound.py)."""

    def __call__(self, invitation: Invitation) -> Deferred[Placed]:
        """`Declined`. Cancelling it sends CANCEL; a 2xx that was faster is ACKed and told BYE."""
