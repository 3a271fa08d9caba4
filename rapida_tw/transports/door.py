"""Door: through which media sockets come in; who they are handed to, and how many wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.errors import CallError
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.metrics import Counter
from rapida_tw.transports.reading import BeatReader

WAITING = 1_024  # sockets that have not started, at one time

refused = Counter(
    "rapida_websocket_refused_total", "Media sockets that did not become a call.", ("reason",)
)
malformed = Counter(
    "rapida_websocket_malformed_total", "Media messages that made no sense.", ("carrier",)
)

Claim = Callable[[str, str], "Deferred[Any]"]
Attach = Callable[[Any, Leg], LegListener]


class NeverStarted(CallError):
    """The media socket was opened, and what makes a call of it did not come or made no sense."""

    reason = "never-started"


class Abortable(Protocol):
    """An open media socket."""

    def abort(self) -> None:
        """Cut the connection; its call is told."""


class Door:
    """What all media sockets of a server share; no file of transports/ knows a call.

    `claim(context_id, carrier)` answers by a Deferred what `attach(claimed, leg)` needs.
    `release(claimed)` takes back what was claimed for a socket that did not open,
    `abandon(claimed, error)` what opened and never started. `reader` reads for running calls.
    """

    def __init__(
        self,
        clock: IReactorTime,
        claim: Claim,
        attach: Attach,
        release: Callable[[Any], None],
        abandon: Callable[[Any, CallError], None],
        reader: BeatReader | None = None,
    ) -> None:
        self.clock = clock
        self.claim = claim
        self.attach = attach
        self.release = release
        self.abandon = abandon
        self.reader = BeatReader() if reader is None else reader
        self.waiting = 0
        self.sockets: set[Abortable] = set()

    def abort_all(self) -> None:
        """Cut every connection that is left."""
        for socket in tuple(self.sockets):
            socket.abort()
