"""SRTP with keys of SDES (RFC 3711, RFC 4568, RFC 7714), by libsrtp: the extra `srtp`.

One context a direction. It holds the roll-over counter and what has been seen, so it lives as long
as its key does, whatever is negotiated meanwhile.
"""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from rapida_tw.errors import LocalProtocolError, NotSupported
from rapida_tw.metrics import Counter
from rapida_tw.wire.sdp import Keys

try:
    import pylibsrtp
except ImportError:  # the extra is not installed
    pylibsrtp = None  # type: ignore[assignment]

# Suite: libsrtp's profile (its names in pylibsrtp.Policy), bytes of key and salt together.
_SUITES = {
    "AES_CM_128_HMAC_SHA1_80": ("SRTP_PROFILE_AES128_CM_SHA1_80", 30),
    "AES_CM_128_HMAC_SHA1_32": ("SRTP_PROFILE_AES128_CM_SHA1_32", 30),
    "AEAD_AES_128_GCM": ("SRTP_PROFILE_AEAD_AES_128_GCM", 28),
    "AEAD_AES_256_GCM": ("SRTP_PROFILE_AEAD_AES_256_GCM", 44),
}
# pylibsrtp raises its own Error, ValueError for more than 1 500 bytes, and IndexError for a status
# of a newer libsrtp that it has no text for.
_FAILURES: tuple[type[Exception], ...] = (ValueError, IndexError)
if pylibsrtp is not None:
    _FAILURES += (pylibsrtp.Error,)

failed = Counter("rapida_srtp_failed_total", "Packets that SRTP did not let through.", ("reason",))


def installed() -> bool:
    """Whether SRTP can be agreed on."""
    return pylibsrtp is not None


class Srtp:
    """Both directions of one call. What fails is counted and is None; nothing raises."""

    __slots__ = ("_in", "_keys", "_out", "failures")

    def __init__(self, keys: Keys) -> None:
        """`NotSupported` without the library, `LocalProtocolError` for an impossible key."""
        self.failures = 0  # packets that came and were not authentic, or had come before
        self._out = _context(keys.suite, keys.ours, outbound=True)
        self._in = _context(keys.suite, keys.theirs, outbound=False)
        self._keys = keys

    def change(self, keys: Keys) -> None:
        """What was agreed on anew: a direction whose key is the same goes on as it was.

        The same errors, and then nothing has changed.
        """
        before = self._keys
        ours, theirs = self._out, self._in
        if (keys.suite, keys.ours) != (before.suite, before.ours):
            ours = _context(keys.suite, keys.ours, outbound=True)
        if (keys.suite, keys.theirs) != (before.suite, before.theirs):
            theirs = _context(keys.suite, keys.theirs, outbound=False)
        self._out, self._in, self._keys = ours, theirs, keys

    def protect(self, packet: bytes) -> bytes | None:
        try:
            return self._out.protect(packet)  # type: ignore[no-any-return]
        except _FAILURES:
            failed.inc("not-protected")
            return None

    def protect_rtcp(self, packet: bytes) -> bytes | None:
        try:
            return self._out.protect_rtcp(packet)  # type: ignore[no-any-return]
        except _FAILURES:
            failed.inc("not-protected")
            return None

    def unprotect(self, packet: bytes) -> bytes | None:
        """The packet in clear; None when it is not theirs, or is a copy (3.3.2)."""
        try:
            return self._in.unprotect(packet)  # type: ignore[no-any-return]
        except _FAILURES as error:
            self._refused(error)
            return None

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        try:
            return self._in.unprotect_rtcp(packet)  # type: ignore[no-any-return]
        except _FAILURES as error:
            self._refused(error)
            return None

    def _refused(self, error: Exception) -> None:
        self.failures += 1
        failed.inc("replayed" if "replay" in str(error) else "not-authentic")


class Secrecy:
    """Whether a call is encrypted, and by what. Without usable keys nothing passes: never in clear
    instead.
    """

    __slots__ = ("_former", "_srtp", "is_on")

    _log = Logger()

    def __init__(self) -> None:
        self.is_on = False
        self._srtp: Srtp | None = None
        self._former = 0  # failures of contexts that are gone

    @property
    def failures(self) -> int:
        return self._former + (self._srtp.failures if self._srtp is not None else 0)

    def agree(self, keys: Keys | None) -> bool:
        """What was agreed on, None: nothing is secret. False: it is, and we cannot."""
        self.is_on = keys is not None
        if keys is None:
            self._drop()
            return True
        try:
            if self._srtp is None:
                self._srtp = Srtp(keys)
            else:
                self._srtp.change(keys)
        except (NotSupported, LocalProtocolError) as error:
            self._log.warn("no SRTP, and so no audio: {error}", error=error)
            self._drop()
            return False
        return True

    def _drop(self) -> None:
        self._former = self.failures
        self._srtp = None

    def protect(self, packet: bytes) -> bytes | None:
        """As it may be sent; None: not at all."""
        if not self.is_on:
            return packet
        return self._srtp.protect(packet) if self._srtp is not None else None

    def protect_rtcp(self, packet: bytes) -> bytes | None:
        if not self.is_on:
            return packet
        return self._srtp.protect_rtcp(packet) if self._srtp is not None else None

    def unprotect(self, packet: bytes) -> bytes | None:
        """As it was meant; None: it is not theirs."""
        if not self.is_on:
            return packet
        return self._srtp.unprotect(packet) if self._srtp is not None else None

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        if not self.is_on:
            return packet
        return self._srtp.unprotect_rtcp(packet) if self._srtp is not None else None


def _context(suite: str, key: bytes, outbound: bool) -> Any:
    if pylibsrtp is None:
        raise NotSupported("SRTP needs pylibsrtp (the extra `srtp`)")
    if suite not in _SUITES:
        raise LocalProtocolError(f"SRTP has no suite {suite}")
    profile, length = _SUITES[suite]
    if len(key) != length:
        raise LocalProtocolError(f"a key of {suite} has {length} bytes, not {len(key)}")
    policy = pylibsrtp.Policy
    direction = policy.SSRC_ANY_OUTBOUND if outbound else policy.SSRC_ANY_INBOUND
    try:
        return pylibsrtp.Session(policy(key, direction, 0, getattr(policy, profile)))
    except _FAILURES as error:
        raise NotSupported(f"libsrtp does not take {suite}: {error}") from error
