"""What a fake carrier with WebSocket media is made of, whichever carrier it is.

Phase 1 is a webhook by HTTP, and its answer says where the media goes; phase 2 is a WebSocket, on
which the carrier's `Dialect` is spoken; after it come callbacks. Values here, I/O elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from rapida_tw.sim.buffer import Buffer, Playing
from rapida_tw.sim.handshake import Handshake
from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.phone import Ending


class Desk(Protocol):
    """What a dialect may do with its line."""

    interval: float  # seconds of audio in each packet of the phone's
    buffer: Buffer  # what the caller hears

    def say(self, message: str | bytes, media: bool = False) -> None:
        """Send text, or bytes as a binary message; `media` is what may be lost on the way."""

    def complain(self, why: str) -> None:
        """The server's message is not understood: counted, and ignored if the line is lenient."""

    def end(self, ending: Ending) -> None:
        """The call is over; the connection is closed."""

    def cut(self, ending: Ending) -> None:
        """The call is over; the connection is torn down without a word."""


class Dialect(Protocol):
    """How a carrier talks over its media socket: one call's state, no I/O, no clock."""

    rate: int  # Hz, of the phone
    playing: Playing
    fragmented: bool  # the carrier puts fragmented messages together
    longest: int  # bytes of a message that it takes

    def opened(self, desk: Desk) -> None:
        """The connection is up: what the carrier says first."""

    def audio(self, desk: Desk, payload: bytes) -> None:
        """A packet of the phone's: int16, little-endian, at `rate`, `desk.interval` long."""

    def digit(self, desk: Desk, digit: str) -> None:
        """A key was pressed."""

    def text(self, desk: Desk, message: str) -> None:
        """The server sent text."""

    def binary(self, desk: Desk, message: bytes) -> None:
        """The server sent bytes."""

    def reached(self, desk: Desk, name: str) -> None:
        """The buffer has played all that was before the mark, or was cleared."""

    def hung_up(self, desk: Desk) -> None:
        """The caller hung up: what the carrier says before it closes."""


@dataclass(frozen=True, slots=True)
class Media:
    """Where a call's media goes and what is spoken there; `url` as the server gave it."""

    url: str
    dialect: Dialect
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    subprotocols: Sequence[str] = ()

    def handshake(self, nonce: bytes) -> Handshake:
        """The request for the server; to whatever address it is sent, it asks for `url`'s host."""
        parts = urlsplit(self.url)
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        host = parts.netloc.rpartition("@")[2]
        return Handshake(host, path, self.headers, self.subprotocols, nonce)


class FakeCarrier(Protocol):
    """One call as a carrier makes it. `now`: seconds since the epoch, for stamps and signatures."""

    def webhook(self, now: float) -> HttpRequest:
        """Ask the server what to do with a new call."""

    def invited(self, answer: HttpAnswer, now: float) -> Media:
        """Read the answer; `CallFailed` says why there will be no media."""

    def started(self, now: float) -> Sequence[HttpRequest]:
        """What the carrier reports when the media has begun, in this order."""

    def ended(self, ending: Ending, now: float) -> Sequence[HttpRequest]:
        """What the carrier reports when the media is over, in this order."""
