"""Answering a challenge, as a phone does (RFC 7616; RFC 8760 for SHA-256)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

ANY = "any"  # algorithm: the first one that is known
_VALUE = re.compile(r"([A-Za-z]+) ?= ?(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]+))(?:, ?|$)")
_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class BadChallenge(Exception):
    """There is no challenge that can be answered; the text says why."""


def read(value: str) -> dict[str, str]:
    """The parameters of one WWW-Authenticate; `BadChallenge`."""
    scheme, _, rest = value.partition(" ")
    if scheme != "Digest":
        raise BadChallenge(f"scheme {scheme[:20]!r}")
    found = {name.lower(): quoted or token for name, quoted, token in _VALUE.findall(rest)}
    if _VALUE.sub("", rest).strip():
        raise BadChallenge(f"not understood: {_VALUE.sub('', rest)[:40]!r}")
    if missing := {"realm", "nonce", "qop"} - found.keys():
        raise BadChallenge(f"no {', '.join(sorted(missing))}")
    return found


def answer(
    challenges: Iterable[str],
    algorithm: str,
    method: str,
    uri: str,
    username: str,
    password: str,
    cnonce: str,
    count: int = 1,
) -> str:
    """The value of Authorization for the challenge of that algorithm. `BadChallenge`."""
    for challenge in map(read, challenges):
        offered = challenge.get("algorithm", "MD5")
        if offered == algorithm or (algorithm == ANY and offered in _HASHES):
            break
    else:
        raise BadChallenge(f"no challenge for {algorithm}")
    hashed = _HASHES[offered]

    def digest(text: str) -> str:
        return hashed(text.encode()).hexdigest()

    realm, nonce, nc = challenge["realm"], challenge["nonce"], f"{count:08x}"
    ha1 = digest(f"{username}:{realm}:{password}")
    ha2 = digest(f"{method}:{uri}")
    response = digest(f"{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}")
    opaque = f', opaque="{challenge["opaque"]}"' if "opaque" in challenge else ""
    return (
        f'Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
        f'response="{response}", algorithm={offered}, cnonce="{cnonce}", qop=auth, nc={nc}'
        f"{opaque}"
    )
