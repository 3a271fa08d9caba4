"""Dialect: how one vendor's HTTP API is asked for a reply, without I/O.

A vendor is one file: its options, its dialect and a provider that names both. Sending, reading,
retrying, time-outs and cancelling are the shell's (models/streamed.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred

from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.net.base import Net, Request


@dataclass(frozen=True, slots=True)
class Text:
    """The reply goes on; never reasoning, never a tool's JSON."""

    delta: str


@dataclass(frozen=True, slots=True)
class Working:
    """A sign of life: a piece of what is not spoken, of reasoning or of a tool's arguments."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tool call, complete."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of this run so far: `input`, `output`, and `cached` among the input."""

    tokens: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Finished:
    """The vendor's own end of the run: `reason` in its words ("stop", "tool_use", ...)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """The vendor refused, or failed in mid-stream with an answer of status 200.

    `again`: the dialect has changed its mind about what to send, and wants to be asked for a
    request once more. `retry_after`: seconds, where the body names some.
    """

    reason: str
    retryable: bool = True
    again: bool = False
    retry_after: float | None = None


Event = Text | Working | Wanted | Usage | Finished | Complaint


class Reader(Protocol):
    """Reads the body of one answer of status 200."""

    def feed(self, data: bytes) -> Sequence[Event]:
        """The next bytes, cut anywhere; RemoteProtocolError for garbage."""

    def finish(self) -> Sequence[Event]:
        """The body is over. A body that ends before its own end is a Complaint."""


class Dialect(Protocol):
    """One assistant's settings at one vendor; may be shared by its calls."""

    def request(
        self, net: Net, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> Deferred[Request]:
        """By way of another request where a token is needed first."""

    def reader(self) -> Reader: ...
    def refused(self, status: int, body: str) -> Complaint:
        """What the vendor means by a status other than 200."""
