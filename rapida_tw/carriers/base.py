"""The port of carriers: webhook requests in, documents out, without any HTTP library.

`WebhookRequest` and `Document` are values, so a carrier is tested by tables; only `web/talk.py`
knows Klein.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rapida_tw.errors import CallError


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A carrier's HTTP request. Names of headers are lower case; values are the last given."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def value(self, *names: str) -> str | None:
        """The first of `names` that the query or the form has; None when there is none."""
        for name in names:
            for source in (self.query, self.form):
                if name in source:
                    return source[name]
        return None


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """What a carrier's webhook tells of a new call. Numbers as the carrier wrote them."""

    carrier: str
    caller: str  # "" for an anonymous caller
    callee: str = ""
    provider_call_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """The answer to a webhook."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Carrier(Protocol):
    """One telephony provider: stateless, one a process, found by `rapida_tw.carriers`."""

    name: str

    def read_call(self, request: WebhookRequest) -> IncomingCall:
        """Understand the webhook of a new call; `BadRequest` says what is missing."""

    def answer(self, context_id: str, incoming: IncomingCall) -> Document:
        """Tell the carrier to open its media connection for the context."""

    def apology(self, error: CallError) -> Document:
        """Refuse the call in the form that the carrier understands."""
