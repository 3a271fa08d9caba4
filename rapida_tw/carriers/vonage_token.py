"""The JWT with which an application shows itself to Vonage ("Authentication: JWT")."""

from __future__ import annotations

from hashlib import sha256
from typing import Final
from uuid import uuid4

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant

LASTS: Final = 300  # seconds: one token a request, and clocks that differ
_KEYS: Final = 256  # parsed ones that are kept
_LONGEST_PEM: Final = 20_000  # characters
_WRONG: Final = "Vonage's private_key is no RSA key in PEM, from BEGIN to END"


class Tokens:
    """The applications' keys, parsed once: the reactor waits for it."""

    def __init__(self) -> None:
        self._keys: dict[bytes, RSAPrivateKey] = {}

    def token(self, account: Account, now: float) -> str:
        """`MisconfiguredAssistant` says what the account lacks."""
        application = account.need("application_id", "applicationId")
        issued = int(now)
        claims = {
            "application_id": application,
            "iat": issued,
            "exp": issued + LASTS,
            "jti": str(uuid4()),
        }
        key = self._key(account.need("private_key", "privateKey"))
        return jwt.encode(claims, key, "RS256")

    def _key(self, pem: str) -> RSAPrivateKey:
        digest = sha256(pem.encode("utf-8", "replace")).digest()
        if digest not in self._keys:
            if len(self._keys) >= _KEYS:
                self._keys.clear()
            self._keys[digest] = _parsed(pem)
        return self._keys[digest]


def _parsed(pem: str) -> RSAPrivateKey:
    try:
        # Checking the primes would hold up all calls for some 40 ms; Vonage made them.
        key = load_pem_private_key(_lines(pem), None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise MisconfiguredAssistant(_WRONG) from None
    if not isinstance(key, RSAPrivateKey):
        raise MisconfiguredAssistant(_WRONG)
    return key


def _lines(pem: str) -> bytes:
    """The PEM with its lines again: pasted into one, they are lost or written as backslash n."""
    rest = pem[:_LONGEST_PEM].replace("\\n", "\n").strip()
    head, _, rest = rest.removeprefix("-----BEGIN ").partition("-----")
    body, _, tail = rest.partition("-----END ")
    if not tail or not head.isascii():
        raise ValueError("no PEM")
    packed = "".join(body.split())
    lines = [packed[at : at + 64] for at in range(0, len(packed), 64)]
    text = "\n".join([f"-----BEGIN {head}-----", *lines, f"-----END {head}-----", ""])
    return text.encode("ascii", "replace")
