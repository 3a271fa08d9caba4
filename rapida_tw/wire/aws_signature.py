"""AWS's signatures of addresses (its documentation, "Signature Version 4", query parameters).

Whoever has the address may use it until it expires; the secret is not in it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
NO_PAYLOAD = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Credentials:
    """`token`: of a session, where the key is a temporary one."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def presigned(
    base: str,
    query: Mapping[str, str],
    credentials: Credentials,
    region: str,
    service: str,
    seconds: float,
    expires: int = 300,
    payload: str = NO_PAYLOAD,
) -> str:
    """`base` (scheme, host, path) with `query`, signed for a GET.

    `seconds` since the epoch; valid for `expires` seconds from there. `payload`: the hash of the
    body, or UNSIGNED-PAYLOAD.
    """
    parts = urlsplit(base)
    moment = f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%SZ}"
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    fields = {
        **query,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.key_id}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.token:
        fields["X-Amz-Security-Token"] = credentials.token
    pairs = sorted((_quoted(name), _quoted(value)) for name, value in fields.items())
    signed = "&".join(f"{name}={value}" for name, value in pairs)
    path = quote(parts.path or "/", safe="/-_.~")
    asked = "\n".join(("GET", path, signed, f"host:{parts.netloc}\n", "host", payload))
    digest = hashlib.sha256(asked.encode()).hexdigest()
    told = "\n".join((_ALGORITHM, moment, scope, digest))
    key = f"AWS4{credentials.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, told.encode(), "sha256").hex()
    return f"{parts.scheme}://{parts.netloc}{path}?{signed}&X-Amz-Signature={signature}"


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
