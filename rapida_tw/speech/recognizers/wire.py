"""RecognizerWire: what one vendor's WebSocket says and wants to hear, without I/O.

A vendor is one file: its options, its wire, and a provider that names both. Everything that all
have in common (connecting, gathering, reconnecting, replaying, time-outs) is the shell's
(recognizers/line.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred

from rapida_tw.audio.format import Encoding
from rapida_tw.net.base import Frame, Net, Request


@dataclass(frozen=True, slots=True)
class Ready:
    """Audio may be sent: only from wires with `greets`."""


@dataclass(frozen=True, slots=True)
class Partial:
    """The words after the latest Final so far; replaces the Partial before it."""

    text: str


@dataclass(frozen=True, slots=True)
class Final:
    """Words that will not change any more; "" only in answer to `finalize`."""

    text: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Flushed:
    """All that was sent before `finalize` has been told.

    Of a vendor that has told it once, Finals that come before it are pieces of one answer.
    """


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The vendor hears a voice, by a detector that is worth believing."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The vendor's own model says that the caller has finished; Finals came before it.

    Only from wires with `turns`.
    """


@dataclass(frozen=True, slots=True)
class Say:
    """The vendor waits for these messages, now."""

    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Complaint:
    """The vendor is not content.

    `fatal`: this connection is of no use any more. `retryable`: another one may be; never for a
    wrong key, an empty account or a wrong option.
    """

    reason: str
    fatal: bool = True
    retryable: bool = True


Event = Ready | Partial | Final | Flushed | SpeechStarted | TurnEnded | Say | Complaint


class RecognizerWire(Protocol):
    """One connection; made anew for each. Nothing raises but `received` (RemoteProtocolError)."""

    encoding: Encoding  # of what `audio` takes
    rate: int  # Hz
    gather: int  # ms of audio in a message
    greets: bool  # the vendor says when it takes audio; the others take it at once
    turns: bool  # the vendor tells whole turns, better than silence does
    flush_within: float  # seconds for the answer to `finalize`
    # Seconds without audio after which `keep_alive` is sent; 0: never.
    keep_alive_every: float
    # How much faster than real time audio that has waited may be sent; 0: at once.
    catch_up: float

    def address(self, net: Net) -> Deferred[Request]:
        """Where to connect, and with what; by way of a request where the vendor wants that.

        A WebSocket, or where the URL is https (http), a gRPC call: messages are binary, and
        `closed` is told the HTTP status that means the same as gRPC's.
        """

    def hello(self) -> Sequence[Frame]:
        """What is said first, as soon as the socket is open."""

    def audio(self, payload: bytes) -> Frame:
        """`payload` in `encoding` at `rate`, of `gather` ms; less only before `finalize`."""

    def finalize(self) -> Sequence[Frame]:
        """The turn seems over: wants all words now.

        () where the vendor decides alone, and then always; the shell asks a wire of which nothing
        else is made.
        """

    def keep_alive(self) -> Sequence[Frame]: ...
    def goodbye(self) -> Sequence[Frame]:
        """What is said before the socket is closed at the end of the call."""

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        """Understand one message; unknown kinds are (). RemoteProtocolError for garbage."""

    def closed(self, code: int, reason: str) -> Complaint:
        """What the vendor means by closing with this code."""


class VocabularyWire(RecognizerWire, Protocol):
    """A wire whose vendor takes other words worth boosting at any time."""

    def expect(self, phrases: Sequence[str]) -> Sequence[Frame]:
        """What the caller may say next, besides the words of the options; () is nothing special.

        Before `address` it changes the request, and what it answers is not sent.
        """
