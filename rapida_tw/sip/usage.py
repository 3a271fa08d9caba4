"""Requests of ours within a dialog, and answers to theirs (RFC 3261 12.2, RFC 5057)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """What challenges of the far side are answered with (a trunk's credential)."""

    username: str
    password: str = field(repr=False)
