"""Keys of SRTP in descriptions: a=crypto (RFC 4568, suites also of RFC 7714)."""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rapida_tw.wire.sdp import Media

# Bytes of key and salt together.
SUITES = {
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
    "AEAD_AES_128_GCM": 28,
    "AEAD_AES_256_GCM": 44,
}
OFFERED = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")  # what every peer knows one of
_MOST_LINES = 32

# Profiles that we speak, and whether they are SRTP. DTLS (UDP/TLS/RTP/SAVP) has its keys elsewhere.
PROFILES = {"RTP/AVP": False, "RTP/AVPF": False, "RTP/SAVP": True, "RTP/SAVPF": True}

_CRYPTO = re.compile(r"([0-9]{1,9})[ \t]+([A-Za-z0-9_]{1,64})[ \t]+([^ \t]{1,512})(?:[ \t]+(.*))?")
# A lifetime may follow the key. An MKI would be in every packet, and a second key needs MKIs.
_INLINE = re.compile(
    r"inline:([A-Za-z0-9+/]{1,128}={0,2})(?:\|(?:2\^)?[0-9]{1,20})?", re.IGNORECASE
)
# The one session parameter that may be passed over (6.3.7): a hint for the replay window.
_WINDOW = re.compile(r"WSH=[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Crypto:
    """One usable line: the key with which its writer will send."""

    tag: str
    suite: str
    key: bytes = field(repr=False)

    @property
    def value(self) -> str:
        """What is behind `a=crypto:`."""
        return f"{self.tag} {self.suite} inline:{b64encode(self.key).decode('ascii')}"


def encrypted(transport: str) -> bool | None:
    """Whether a profile is SRTP; None when we do not speak it."""
    return PROFILES.get(transport.upper())


def lines(media: Media) -> Iterator[Crypto]:
    """The lines that we can use, in their order, which is their writer's preference (5.1.1).

    One with an MKI, an unknown suite, a key of another length, or a session parameter that changes
    the packets is left out: to disregard any of these would be noise on the line.
    """
    for number, value in enumerate(media.values("crypto")):
        if number == _MOST_LINES:
            return
        matched = _CRYPTO.fullmatch(value)
        if matched is None:
            continue
        tag, suite, parameters, rest = matched.groups("")
        suite = suite.upper()
        inline = _INLINE.fullmatch(parameters)
        if inline is None or not all(_WINDOW.fullmatch(one) for one in rest.split()):
            continue
        key = _decoded(inline[1])
        if key and len(key) == SUITES.get(suite):
            yield Crypto(tag, suite, key)


def _decoded(text: str) -> bytes:
    text = text.rstrip("=")
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return b""


class OwnKeys:
    """The keys with which we send, one a suite, made when they are needed.

    They stay as long as our address, our port and the suite do, so that a context with its
    roll-over counter does (RFC 4568 7.1.4); a key that was used and left is never used again.
    """

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._keys: dict[str, bytes] = {}
        self._used = ""

    def of(self, suite: str) -> bytes:
        if suite not in self._keys:
            self._keys[suite] = self._random(SUITES[suite])
        return self._keys[suite]

    def use(self, suite: str) -> None:
        """The suite that is agreed on; "": none."""
        if self._used != suite:
            self._keys.pop(self._used, None)
            self._used = suite

    def forget(self) -> None:
        """Our address or port is another."""
        self._keys.clear()
        self._used = ""
