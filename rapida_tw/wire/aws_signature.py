"""AWS's signatures of addresses and of requests (its documentation, "Signature Version 4").

Whoever has a signed address may use it until it expires; the secret is not in it.
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
    signature = _signature(asked, moment, scope, credentials.secret)
    return f"{parts.scheme}://{parts.netloc}{path}?{signed}&X-Amz-Signature={signature}"


def signed_headers(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    credentials: Credentials,
    region: str,
    service: str,
    seconds: float,
) -> dict[str, str]:
    """`headers` of a POST to `url` (without a query), and those that sign them and the body.

    `seconds` since the epoch; AWS takes it for five minutes.
    """
    parts = urlsplit(url)
    moment = f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%SZ}"
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    sent = {**headers, "X-Amz-Date": moment}
    if credentials.token:
        sent["X-Amz-Security-Token"] = credentials.token
    fields = {name.lower(): " ".join(value.split()) for name, value in sent.items()}
    fields["host"] = parts.netloc
    lines = "".join(f"{name}:{fields[name]}\n" for name in sorted(fields))
    names = ";".join(sorted(fields))
    path = quote(parts.path or "/", safe="/-_.~")
    asked = "\n".join(("POST", path, "", lines, names, hashlib.sha256(body).hexdigest()))
    signature = _signature(asked, moment, scope, credentials.secret)
    sent["Authorization"] = (
        f"{_ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={names},"
        f" Signature={signature}"
    )
    return sent


def _signature(asked: str, moment: str, scope: str, secret: str) -> str:
    """Of a canonical request."""
    digest = hashlib.sha256(asked.encode()).hexdigest()
    told = "\n".join((_ALGORITHM, moment, scope, digest))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, told.encode(), "sha256").hex()


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
