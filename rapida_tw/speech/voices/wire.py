"""VoiceWire and VoiceRequest: what one vendor wants to be told to speak, without I/O.

A vendor is one file: its options, its wire (WebSocket) or its request (HTTP), and a provider that
names both. Connecting, pacing, cancelling, retrying and conversion are the shells' (voices/line.py
and voices/upload.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred

from rapida_tw.audio.format import Encoding
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.speech.base import Word


@dataclass(frozen=True, slots=True)
class Ready:
    """Text may be sent: only from wires with `greets`."""


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound of a phrase, cut anywhere, also inside a sample. `context` "": of the present one."""

    context: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Words:
    """When words of a phrase are spoken; seconds from the phrase's beginning."""

    context: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The phrase is complete, or its cancelling is acknowledged."""

    context: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """The vendor is not content with a phrase, or (`context` "") with the connection.

    `retryable`: another connection may do; never for a wrong key, an empty account, a wrong option.
    """

    context: str
    reason: str
    retryable: bool = True


Event = Ready | Audio | Words | Done | Complaint


class VoiceWire(Protocol):
    """One connection; made anew for each. Nothing raises but `received` (RemoteProtocolError)."""

    encoding: Encoding
    rate: int  # Hz
    greets: bool  # the vendor says when it takes text; the others take it at once
    contexts: int  # phrases that one socket may have open (cancelled ones too); 1: unlabelled audio
    per_minute: int  # phrases that one socket takes within 60 s; 0: any number
    keep_alive_every: float  # seconds without text; 0: never
    idle: float  # seconds without text after which the vendor closes; 0: it does not

    def address(self, net: Net) -> Deferred[Request]: ...
    def hello(self) -> Sequence[Frame]: ...
    def say(self, context: str, text: str) -> Sequence[Frame]:
        """One whole phrase, and that it is whole. `context`: a name of ours, new each time."""

    def cancel(self, context: str) -> Sequence[Frame] | None:
        """Stop it; `Done` acknowledges. None: the vendor can only be stopped by closing."""

    def keep_alive(self) -> Sequence[Frame]: ...
    def goodbye(self) -> Sequence[Frame]: ...
    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        """Understand one message; unknown kinds are (). RemoteProtocolError for garbage."""

    def closed(self, code: int, reason: str) -> Complaint:
        """What the vendor means by closing with this code."""


class BodyReader(Protocol):
    """Takes the sound out of the body of one answer."""

    # What the sound is in; may be known only after the first `feed` (a WAV header).
    encoding: Encoding
    rate: int  # Hz

    def feed(self, data: bytes) -> bytes:
        """The sound in the next bytes of the body; RemoteProtocolError for garbage."""

    def finish(self) -> bytes:
        """The body is over: what is left. RemoteProtocolError when it is not whole."""


class VoiceRequest(Protocol):
    """One phrase by one HTTP request."""

    def request(self, net: Net, text: str) -> Deferred[Request]:
        """By way of another request where a token is needed first."""

    def reader(self) -> BodyReader:
        """For one answer of status 200."""

    def refused(self, status: int, body: str) -> Complaint:
        """What the vendor means by another status."""
