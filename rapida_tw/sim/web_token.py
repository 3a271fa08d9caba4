"""JSON Web Tokens with HS256, as the farm's carriers make them (RFC 7519, RFC 7515)."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any


def signed(claims: Mapping[str, Any], secret: str) -> str:
    """The token; claims in their order, in compact JSON."""
    header = {"alg": "HS256", "typ": "JWT"}
    text = b".".join(
        _base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)
    )
    return b".".join((text, _base64url(hmac.digest(secret.encode(), text, "sha256")))).decode()


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
