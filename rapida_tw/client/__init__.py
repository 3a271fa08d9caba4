"""Clients of a server's REST API: `Rapida` blocks, `client.twisted.Rapida` returns Deferreds.

Nothing here imports the server.
"""

from __future__ import annotations

from rapida_tw.client.blocking import Rapida
from rapida_tw.client.errors import (
    AuthenticationError,
    BadRequestError,
    CallNotStartedError,
    ConflictError,
    ConnectionFailed,
    NotFoundError,
    RapidaError,
    RateLimitError,
    ServerError,
)

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "CallNotStartedError",
    "ConflictError",
    "ConnectionFailed",
    "NotFoundError",
    "Rapida",
    "RapidaError",
    "RateLimitError",
    "ServerError",
]
