"""The token with which an application asks at Vonage ("JSON Web Tokens": RS256)."""

from __future__ import annotations

from typing import Any

import jwt

_SHORTEST, _LONGEST = 30, 86_400  # seconds from iat to exp
_AHEAD = 60  # seconds that the client's clock may be ahead


class BadToken(Exception):
    """Why it is not taken."""


def check_token(token: str, public_key: str, application_id: str, now: float) -> None:
    """Raises `BadToken`. `public_key` in PEM; `now`: seconds since the epoch."""
    if not token:
        raise BadToken("no token")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            public_key,
            ["RS256"],
            # Time is checked below, by the simulation's own clock.
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except jwt.InvalidTokenError as error:
        raise BadToken(f"{type(error).__name__}: {error}") from None
    if claims.get("application_id") != application_id:
        raise BadToken("another application_id")
    for name in ("iat", "exp"):
        if not isinstance(claims.get(name), int):
            raise BadToken(f"no {name}, or no whole number")
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise BadToken("no jti")
    issued, expires = claims["iat"], claims["exp"]
    if issued > now + _AHEAD:
        raise BadToken("it is from the future")
    if expires <= now:
        raise BadToken("it has expired")
    if not _SHORTEST <= expires - issued <= _LONGEST:
        raise BadToken(f"it is valid for {expires - issued} s")
    if claims.get("nbf", 0) > now + _AHEAD:
        raise BadToken("it is not valid yet")
