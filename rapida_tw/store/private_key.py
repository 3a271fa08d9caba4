"""Private keys as people paste them: on one line, with a literal `\\n`, in quotes (RFC 7468)."""

from __future__ import annotations

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_BLOCK = re.compile(
    r"-----BEGIN (?P<label>[A-Z ]*)-----(?P<body>[^-]*)-----END (?P=label)-----", re.ASCII
)
_BREAK = re.compile(r"\\r|\\n")
_WIDTH = 64  # characters of a line (RFC 7468, section 2)


def normalised(text: str) -> str:
    """The key as PEM in lines; ValueError says what is wrong, without repeating it."""
    found = _BLOCK.search(_BREAK.sub("\n", text))
    if found is None:
        if "Proc-Type" in text:
            raise ValueError(_PROTECTED)
        raise ValueError(
            "must be a private key in PEM, from -----BEGIN PRIVATE KEY----- to "
            "-----END PRIVATE KEY-----"
        )
    label = found["label"]
    if "PRIVATE KEY" not in label:
        raise ValueError(f"must be a private key: this is a {label.lower()}")
    if "ENCRYPTED" in label:
        raise ValueError(_PROTECTED)
    body = "".join(found["body"].split())
    lines = [body[n : n + _WIDTH] for n in range(0, len(body), _WIDTH)]
    whole = "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
    if not _is_readable(whole):
        raise ValueError("is no private key that can be read: is it whole?")
    return whole


_PROTECTED = "is protected by a passphrase: give the key without one"


def _is_readable(pem: str) -> bool:
    try:
        # cryptography's own check of an RSA key looks for primes: 40 ms for 2048 bits, seconds for
        # 8192, with the interpreter's lock held, and every call would be silent for as long.
        key = load_pem_private_key(pem.encode("ascii"), None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return not isinstance(key, RSAPrivateKey) or _belong_together(key)


def _belong_together(key: RSAPrivateKey) -> bool:
    """Whether the numbers are those of one key (RFC 8017, section 3.2): a wrong letter shows."""
    numbers = key.private_numbers()
    p, q, d = numbers.p, numbers.q, numbers.d
    n, e = numbers.public_numbers.n, numbers.public_numbers.e
    return (
        min(p, q) > 1
        and p * q == n
        and d * e % (p - 1) == 1
        and d * e % (q - 1) == 1
        and numbers.dmp1 == d % (p - 1)
        and numbers.dmq1 == d % (q - 1)
        and numbers.iqmp * q % p == 1
    )
