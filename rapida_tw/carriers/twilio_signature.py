"""X-Twilio-Signature (Twilio's documentation, "Webhooks security", and its Python library).

An HMAC over the address that Twilio asked for and the fields of a form; a body of another kind is
covered by its digest in the address. The secret is the account's auth token or a shared key.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Final

from rapida_tw.carriers.base import WebhookRequest
from rapida_tw.carriers.fields import printable
from rapida_tw.carriers.pairs import Pairs, form, pairs
from rapida_tw.errors import Forged

HEADER: Final = "x-twilio-signature"
SETTINGS: Final = "x-twilio-webhooks-signature-settings"

# The algorithm that the settings name → the hash, and where its secret may stand.
_ALGORITHMS: Final = {
    "HMAC_SHA1": ("sha1", ("account_token", "auth_token")),
    "HMAC_SHA256": ("sha256", ("shared_key",)),
}
_DIGEST = "bodySHA256"
_PORTS = {"http": "80", "ws": "80"}  # of all others 443
_LONGEST_LIST = 500  # characters of the names of fields in an error


def verify(request: WebhookRequest, secrets: Mapping[str, str]) -> bool:
    """Whether the request is signed with one of `secrets`; as `Carrier.verify`."""
    signature = request.headers.get(HEADER, "").strip()
    if not signature:
        return False
    algorithm = _algorithm(request.headers.get(SETTINGS, ""))
    if algorithm not in _ALGORITHMS:
        raise Forged(f"signed by an unknown algorithm: {printable(algorithm[:40])}")
    name, places = _ALGORITHMS[algorithm]
    secret = next((secrets[place] for place in places if secrets.get(place)), "")
    if not secret:
        return False
    fields = _signed_fields(request)
    text = "".join(field + value for field, value in fields)
    given = signature.encode("utf-8", "replace")
    right = [
        hmac.compare_digest(_sign(secret, address + text, name), given)
        for address in _addresses(request.url)
    ]
    if not any(right):
        # Names alone: they show what was added on the way, and values are the caller's.
        names = ", ".join(dict.fromkeys(field for field, _ in fields)) or "none"
        raise Forged(
            "the signature does not match the address and the fields "
            + printable(names[:_LONGEST_LIST])
        )
    return True


def _algorithm(settings: str) -> str:
    """What `key=…,algorithm=…` names; without it, the signature of old."""
    for setting in settings.split(","):
        name, _, value = setting.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return "HMAC_SHA1"


def _signed_fields(request: WebhookRequest) -> Pairs:
    """The form's fields as they are signed: sorted, and what is repeated once.

    `Forged` for a body of another kind that is not the one of the address's digest.
    """
    fields = form(request)
    if fields is not None:
        return sorted(set(fields))
    _, _, query = request.url.partition("?")
    claimed = dict(pairs(query)).get(_DIGEST, "")
    if claimed or request.body:
        digest = hashlib.sha256(request.body).hexdigest()
        if not hmac.compare_digest(digest.encode(), claimed.encode("utf-8", "replace")):
            raise Forged(f"the body is not the one of {_DIGEST}")
    return []


def _addresses(url: str) -> Iterator[str]:
    """The forms of our address that Twilio may have signed.

    With the port and without it, as its services do not agree; never with a user and password. A
    socket's may have a slash more.
    """
    scheme, _, rest = url.partition("://")
    end = next((at for at, character in enumerate(rest) if character in "/?#"), len(rest))
    host, tail = rest[:end].rpartition("@")[2], rest[end:]
    port = _PORTS.get(scheme.lower(), "443")
    name, colon, number = host.rpartition(":")
    if colon and number.isdigit():  # not the end of an IPv6 address, which has its brackets
        host, port = name, number
    for address in (f"{scheme}://{host}{tail}", f"{scheme}://{host}:{port}{tail}"):
        yield address
        if scheme.lower() in ("wss", "ws"):
            yield f"{address}/"


def _sign(secret: str, text: str, algorithm: str) -> bytes:
    key = secret.encode("utf-8", "replace")
    return b64encode(hmac.digest(key, text.encode("utf-8", "replace"), algorithm))
