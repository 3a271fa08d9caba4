"""Vonage's signed webhooks: a JWT of HS256 in the header `Authorization` (Voice API, "Signed
webhooks").

Its claims say when it was made and what the body's hash is. They do not cover the query of a GET.
A token is good for every repetition of the same body within its time: the memory that would tell a
replay from Vonage's own retry is state, which a carrier has none of, and both are told to a call
that takes the same event twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Any

import jwt

from rapida_tw.carriers.base import WebhookRequest
from rapida_tw.errors import Forged

OLDEST = 300  # seconds between the token's making and now, either way

_OUR_KEYS = "rpd-"  # what an API key of ours begins with; it may come as a bearer, too
# The signature alone: the library would compare times with a clock of its own.
_SIGNATURE_ONLY: Any = {
    "require": ["iat", "iss"],
    **{f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")},
}


def verify(request: WebhookRequest, secrets: Mapping[str, str], now: float) -> bool:
    """Whether Vonage has signed the request; `Forged` where it should have and did not.

    With a signature secret every webhook carries a token. A media socket carries one only when the
    NCCO has asked for it. Without a secret nothing can be told.
    """
    secret = secrets.get("signature_secret", "")
    if not secret:
        return False
    upgrade = request.url.startswith(("ws://", "wss://"))
    token = _token(request)
    if not token:
        if upgrade:
            return False
        raise Forged("the webhook carries no token of Vonage")
    claims = _claims(token, secret)
    _check_origin(claims, secrets.get("application_id", ""), now)
    if not upgrade and request.method not in ("GET", "HEAD"):
        _check_body(claims, request.body)
    return True


def _token(request: WebhookRequest) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    return "" if scheme.lower() != "bearer" or token.startswith(_OUR_KEYS) else token


def _claims(token: str, secret: str) -> dict[str, Any]:
    try:
        return jwt.decode(token, secret, algorithms=["HS256"], options=_SIGNATURE_ONLY)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        # The last three: older PyJWT lets them out. Not the text, which may quote the token.
        raise Forged(f"the token is not good: {type(error).__name__}") from None


def _check_origin(claims: Mapping[str, Any], application_id: str, now: float) -> None:
    if claims["iss"] != "Vonage":
        raise Forged("the token's issuer is not Vonage")
    made = claims["iat"]
    if not isinstance(made, int | float):
        raise Forged("the token does not say when it was made")
    if not abs(now - made) <= OLDEST:  # nor is it with NaN
        raise Forged(f"the token is {now - made:.0f} s old, or our clock is wrong")
    named = claims.get("application_id")
    if named and application_id and named != application_id:
        raise Forged("the token is for another application")


def _check_body(claims: Mapping[str, Any], body: bytes) -> None:
    claimed = claims.get("payload_hash")
    if not isinstance(claimed, str):
        raise Forged("the token says nothing of the body")
    if not compare_digest(
        claimed.lower().encode("utf-8", "replace"), sha256(body).hexdigest().encode()
    ):
        raise Forged("the body is not the one that was signed")
