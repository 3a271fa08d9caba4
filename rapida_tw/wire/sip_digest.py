"""Digest authentication, both sides (RFC 3261 22, RFC 7616, RFC 8760), always with qop=auth."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError
from rapida_tw.wire.sip_headers import parameters, quote
from rapida_tw.wire.sip_nonces import Nonces

__all__ = ["ALGORITHMS", "Challenge", "Credentials", "Nonces", "answer", "check", "expected", "ha1"]

ALGORITHMS: Final = ("MD5", "SHA-256")

_HASHES: Final = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_COUNT = re.compile(r"[0-9A-Fa-f]{8}")


def _hash(algorithm: str, *parts: str) -> str:
    try:
        data = ":".join(parts).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise LocalProtocolError("a lone surrogate within credentials") from None
    return _HASHES[algorithm](data, usedforsecurity=False).hexdigest()


def ha1(algorithm: str, username: str, realm: str, password: str) -> str:
    """H(username:realm:password) in hex; `algorithm` is one of `ALGORITHMS`."""
    return _hash(algorithm, username, realm, password)


def expected(
    algorithm: str, ha1: str, nonce: str, nc: str, cnonce: str, method: str, uri: str
) -> str:
    """The right response, in lower-case hex (RFC 7616 3.4.1). `nc`: eight hex digits, as sent."""
    return _hash(algorithm, ha1, nonce, nc, cnonce, "auth", _hash(algorithm, method, uri))


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an Authorization or Proxy-Authorization header says.

    `algorithm` is in upper case, MD5 where none was named; `qop` in lower case. `qop`, `nc`,
    `cnonce` and `opaque` may be "".
    """

    username: str
    realm: str
    nonce: str
    uri: str
    response: str = field(repr=False)
    algorithm: str = "MD5"
    qop: str = ""
    nc: str = ""
    cnonce: str = ""
    opaque: str = ""

    @classmethod
    def parse(cls, header: str) -> Credentials:
        """`RemoteProtocolError`: another scheme, something missing, or an nc that is none."""
        found = _digest(header)
        lacking = {"username", "realm", "nonce", "uri", "response"} - found.keys()
        if lacking:
            raise RemoteProtocolError(f"digest without {min(lacking)}")
        qop, nc = found.get("qop", "").lower(), found.get("nc", "")
        if nc and not _COUNT.fullmatch(nc):
            raise RemoteProtocolError("digest whose nc is not eight hex digits")
        if qop and not (nc and found.get("cnonce")):
            raise RemoteProtocolError("digest with qop and without nc or cnonce")
        return cls(
            username=found["username"],
            realm=found["realm"],
            nonce=found["nonce"],
            uri=found["uri"],
            response=found["response"],
            algorithm=found.get("algorithm", "MD5").upper(),
            qop=qop,
            nc=nc,
            cnonce=found.get("cnonce", ""),
            opaque=found.get("opaque", ""),
        )

    def __str__(self) -> str:
        opaque = f", opaque={quote(self.opaque)}" if self.opaque else ""
        return (
            f"Digest username={quote(self.username)}, realm={quote(self.realm)},"
            f" nonce={quote(self.nonce)}, uri={quote(self.uri)}, response={quote(self.response)},"
            f" algorithm={self.algorithm}, qop={self.qop}, nc={self.nc},"
            f" cnonce={quote(self.cnonce)}{opaque}"
        )


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a WWW-Authenticate or Proxy-Authenticate header says; `qop` may be a list."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: str = "auth"
    stale: bool = False
    opaque: str = ""

    @classmethod
    def parse(cls, header: str) -> Challenge:
        """`RemoteProtocolError`: another scheme, or no realm or nonce."""
        found = _digest(header)
        if "realm" not in found or not found.get("nonce"):
            raise RemoteProtocolError("a challenge without realm or nonce")
        return cls(
            realm=found["realm"],
            nonce=found["nonce"],
            algorithm=found.get("algorithm", "MD5").upper(),
            qop=found.get("qop", "").lower(),
            stale=found.get("stale", "").lower() == "true",
            opaque=found.get("opaque", ""),
        )

    def __str__(self) -> str:
        opaque = f", opaque={quote(self.opaque)}" if self.opaque else ""
        return (
            f"Digest realm={quote(self.realm)}, nonce={quote(self.nonce)},"
            f" algorithm={self.algorithm}, qop={quote(self.qop)}"
            f"{', stale=true' if self.stale else ''}{opaque}"
        )


def check(credentials: Credentials, method: str, secrets: Iterable[str]) -> int | None:
    """The place of the secret (an HA1 of the credentials' algorithm) that the response fits.

    All are tried: the time tells nothing. None as well for an algorithm or a qop that we never
    offered (RFC 8760 2.6).
    """
    if credentials.algorithm not in ALGORITHMS or credentials.qop != "auth":
        return None
    given = credentials.response.lower().encode("utf-8", "surrogateescape")
    found = None
    for place, secret in enumerate(secrets):
        right = expected(
            credentials.algorithm,
            secret,
            credentials.nonce,
            credentials.nc,
            credentials.cnonce,
            method,
            credentials.uri,
        )
        # Of bytes: of text it raises for what is no ASCII.
        if hmac.compare_digest(right.encode("ascii"), given) and found is None:
            found = place
    return found


def answer(
    challenges: Iterable[str],
    method: str,
    uri: str,
    username: str,
    password: str,
    cnonce: str,
    nc: int = 1,
) -> str | None:
    """The value of (Proxy-)Authorization for the first challenge that can be met; None: for none.

    `uri` is the Request-URI byte for byte: strict peers compare.
    """
    for header in challenges:
        try:
            challenge = Challenge.parse(header)
        except RemoteProtocolError:
            continue
        offered = {word.strip() for word in challenge.qop.split(",")}
        if challenge.algorithm not in ALGORITHMS or not offered & {"", "auth"}:
            continue
        return _answer(challenge, method, uri, username, password, cnonce, nc)
    return None


def _answer(
    challenge: Challenge,
    method: str,
    uri: str,
    username: str,
    password: str,
    cnonce: str,
    nc: int,
) -> str:
    algorithm, count = challenge.algorithm, f"{nc:08x}"
    secret = ha1(algorithm, username, challenge.realm, password)
    right = expected(algorithm, secret, challenge.nonce, count, cnonce, method, uri)
    if challenge.qop:
        return str(
            Credentials(
                username, challenge.realm, challenge.nonce, uri, right, algorithm, "auth",
                count, cnonce, challenge.opaque,
            )
        )  # fmt: skip
    # RFC 2069: registrars of that age still ask without qop.
    right = _hash(algorithm, secret, challenge.nonce, _hash(algorithm, method, uri))
    opaque = f", opaque={quote(challenge.opaque)}" if challenge.opaque else ""
    return (
        f"Digest username={quote(username)}, realm={quote(challenge.realm)},"
        f" nonce={quote(challenge.nonce)}, uri={quote(uri)}, response={quote(right)},"
        f" algorithm={algorithm}{opaque}"
    )


def _digest(header: str) -> dict[str, str]:
    """The parameters of a header of the scheme Digest."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "digest":
        raise RemoteProtocolError("an authentication scheme that is not Digest")
    return parameters(rest, ",")
