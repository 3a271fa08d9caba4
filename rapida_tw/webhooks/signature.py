"""How a webhook's requests are signed: HMAC-SHA256 of the time and of what is sent.

`X-Rapida-Signature: t=SECONDS,v1=HEX`, over `SECONDS.` and the body, byte by byte (of a GET, which
has none, the query that we added). While a secret is being replaced there is a `v1` for each.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256

from rapida_tw.store.webhook_secrets import PREVIOUS, SECRET, UNTIL

HEADER = "X-Rapida-Signature"


def signature(secrets: Iterable[str], timestamp: int, signed: bytes) -> str:
    """The header's value."""
    text = f"{timestamp}.".encode() + signed
    marks = [hmac.new(secret.encode(), text, sha256).hexdigest() for secret in secrets]
    return ",".join((f"t={timestamp}", *(f"v1={mark}" for mark in marks)))


def living(value: Mapping[str, str], now: float) -> list[str]:
    """Secrets of a webhook's credential that sign at the moment, the newest first."""
    found = [value[SECRET]] if value.get(SECRET) else []
    if value.get(PREVIOUS) and now < _seconds(value.get(UNTIL, "")):
        found.append(value[PREVIOUS])
    return found


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
