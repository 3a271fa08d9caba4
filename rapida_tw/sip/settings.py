"""What an operator decides about SIP, and what every part of the user agent is given."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Protocol

from twisted.internet.interfaces import IReactorTime

from rapida_tw.sip.base import Flow, Flows

if TYPE_CHECKING:
    from rapida_tw.sip.dialogs import Dialogs
    from rapida_tw.sip.media import Offers, Stream
    from rapida_tw.sip.transactions import Transactions
    from rapida_tw.wire.sip_dialog import Dialog

# Best first: of what the peer offers the first one is taken. Opus and L16 are left out where their
# encoders are not there.
CODECS = ("G722", "opus", "L16", "PCMU", "PCMA")
# PJSIP before 2.15 and SIPp up to 3.6 look at the first challenge alone; see also peculiar.py.
ALGORITHMS = ("MD5", "SHA-256")
# What we take; REFER in and NOTIFY come within dialogs of ours alone, and Session decides on them.
METHODS = tuple("INVITE ACK CANCEL BYE OPTIONS INFO UPDATE PRACK REFER NOTIFY".split())
EXTENSIONS = ("timer", "100rel")


@dataclass(frozen=True, slots=True)
class SipSettings:
    """Numbers without a unit are seconds.

    `host`, `host6`: the addresses that SDP tells to peers over IPv4 and IPv6, literals without
    brackets; "" where that family is not served. `learning`: whose RTP is taken although its
    address is not the announced one, see wire/rtp_source.py. `trusted_networks`: no password is
    asked of them, the dialled number says for whom the call is.
    """

    host: str
    host6: str = ""
    port: int = 5090
    realm: str = "rapida"
    codecs: tuple[str, ...] = CODECS
    srtp: str = "optional"  # off, optional, required
    algorithms: tuple[str, ...] = ALGORITHMS
    trusted_networks: tuple[str, ...] = ()
    learning: str = "signalling"  # announced, signalling, any
    rtp_timeout: float = 30.0
    refer_in: bool = True  # a peer may send its own call elsewhere, on its own host
    user_agent: str = "rapida_tw"
    answer_within: float = 5.0  # to know for whom the call is and to have it admitted
    ring_limit: float = 60.0  # outgoing calls
    most_calls: int = 2_000  # dialogs at one time
    secret: bytes = field(default_factory=lambda: os.urandom(32), repr=False)  # nonces, To tags


class Stack(Protocol):
    """The user agent, as its parts see it."""

    clock: IReactorTime
    now: Callable[[], float]  # seconds since the epoch, for stamps
    random: Random
    settings: SipSettings
    transactions: Transactions
    dialogs: Dialogs
    flows: Flows

    def contact(self, flow: Flow) -> str:
        """The value of Contact for a peer on that way: our URI in <>."""

    def open_line(self, flow: Flow, learning: str = "") -> tuple[Offers, Stream]:
        """Ports for a call over that way, and what is to be said of them.

        `learning`: as in SipSettings, where a trunk has its own.
        The stream's `close` gives them back. `CapacityExceeded`.
        """

    def calling(self, dialog: Dialog, flow: Flow) -> None:
        """The far side is in a call until the dialog is removed: the guard spares it.

        Said again when the way to it has changed.
        """
