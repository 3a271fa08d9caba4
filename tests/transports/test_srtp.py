"""SRTP between two sides that know each other's keys, and others that do not."""

from __future__ import annotations

import struct

import pytest

from rapida_tw.errors import LocalProtocolError, NotSupported
from rapida_tw.transports import srtp
from rapida_tw.transports.srtp import Secrecy, Srtp
from rapida_tw.wire.sdp import Keys

SUITES = {
    "AES_CM_128_HMAC_SHA1_80": (30, 10),
    "AES_CM_128_HMAC_SHA1_32": (30, 4),
    "AEAD_AES_128_GCM": (28, 16),
    "AEAD_AES_256_GCM": (44, 16),
}
SUITE = "AES_CM_128_HMAC_SHA1_80"
OURS, THEIRS, OTHER = bytes(range(30)), bytes(range(30, 60)), bytes(range(60, 90))
# RFC 3550 6.4.2: an empty receiver report.
REPORT = bytes.fromhex("80c90001cafebabe")


def packet(sequence: int, payload: bytes = b"sound" * 32, ssrc: int = 0xCAFEBABE) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, sequence % 65_536, sequence * 160, ssrc) + payload


def sides(suite: str = SUITE, ours: bytes = OURS, theirs: bytes = THEIRS) -> tuple[Srtp, Srtp]:
    return Srtp(Keys(suite, ours, theirs)), Srtp(Keys(suite, theirs, ours))


def opened(side: Srtp, protected: bytes | None) -> bytes | None:
    assert protected is not None
    return side.unprotect(protected)


@pytest.mark.parametrize("suite", SUITES)
def test_both_ways(suite: str) -> None:
    """What one side protects the other reads, with the tag of its suite between them."""
    length, tag = SUITES[suite]
    near, far = sides(suite, bytes(range(length)), bytes(range(1, length + 1)))
    for one, other in ((near, far), (far, near)):
        protected = one.protect(packet(7))
        assert protected is not None
        assert len(protected) == len(packet(7)) + tag
        assert b"sound" not in protected
        assert other.unprotect(protected) == packet(7)
    assert near.failures == far.failures == 0


@pytest.mark.parametrize("suite", SUITES)
def test_reports(suite: str) -> None:
    """RTCP is protected, too."""
    length, _ = SUITES[suite]
    near, far = sides(suite, bytes(range(length)), bytes(range(1, length + 1)))
    protected = near.protect_rtcp(REPORT)
    assert protected is not None
    assert protected != REPORT
    assert far.unprotect_rtcp(protected) == REPORT
    assert far.unprotect_rtcp(REPORT) is None
    assert far.failures == 1


def test_wrong_key() -> None:
    """A stranger's packets, and those in clear, are nothing, and are counted."""
    near, _ = sides()
    stranger = Srtp(Keys(SUITE, OTHER, OTHER))
    before = srtp.failed.value("not-authentic")
    assert opened(near, stranger.protect(packet(1))) is None
    assert near.unprotect(packet(1)) is None
    assert near.failures == 2
    assert srtp.failed.value("not-authentic") - before == 2


def test_replay() -> None:
    """The same packet again is nothing, though its tag is right."""
    near, far = sides()
    before = srtp.failed.value("replayed")
    protected = near.protect(packet(1))
    assert opened(far, protected) == packet(1)
    assert opened(far, protected) is None
    assert srtp.failed.value("replayed") - before == 1


def test_changed_on_the_way() -> None:
    """One bit is enough, in the header as well as in the sound."""
    for place in (1, 3, 8, 20, -1):
        near, far = sides()
        protected = bytearray(near.protect(packet(1)) or b"")
        protected[place] ^= 1
        assert far.unprotect(bytes(protected)) is None


@pytest.mark.parametrize("junk", [b"", b"\x80", bytes(11), bytes(12), b"\xff" * 1500, bytes(9000)])
def test_junk(junk: bytes) -> None:
    """Whatever comes is counted and is nothing."""
    near, _ = sides()
    assert near.unprotect(junk) is None
    assert near.unprotect_rtcp(junk) is None
    assert near.failures == 2


def test_too_long() -> None:
    """What libsrtp has no room for is not sent; the next packet is."""
    near, far = sides()
    assert near.protect(packet(1, bytes(2_000))) is None
    assert near.protect_rtcp(REPORT * 300) is None
    assert opened(far, near.protect(packet(2))) == packet(2)


def test_same_keys() -> None:
    """A re-INVITE with the same keys changes nothing: the roll-over counters go on."""
    near, far = sides()
    for sequence in range(65_530, 65_540):  # across the roll-over
        assert opened(far, near.protect(packet(sequence))) is not None
    near.change(Keys(SUITE, OURS, THEIRS))
    far.change(Keys(SUITE, THEIRS, OURS))
    assert opened(far, near.protect(packet(65_540))) == packet(65_540)
    repeated = near.protect(packet(65_541))
    assert opened(far, repeated) is not None
    far.change(Keys(SUITE, THEIRS, OURS))
    assert opened(far, repeated) is None  # what was seen is still known


def test_new_key_of_theirs() -> None:
    """Their new key is heard at once, the former no more; ours goes on."""
    near, far = sides()
    assert opened(far, near.protect(packet(1))) is not None
    far.change(Keys(SUITE, OTHER, OURS))
    near.change(Keys(SUITE, OURS, OTHER))
    assert opened(near, far.protect(packet(1))) == packet(1)
    former = Srtp(Keys(SUITE, THEIRS, OURS))
    assert opened(near, former.protect(packet(2))) is None
    assert opened(far, near.protect(packet(2))) == packet(2)


def test_new_stream() -> None:
    """Another SSRC under the same key is heard (transfer, music on hold)."""
    near, far = sides()
    assert opened(far, near.protect(packet(500, ssrc=1))) is not None
    assert opened(far, near.protect(packet(3, ssrc=2))) == packet(3, ssrc=2)


@pytest.mark.parametrize(
    "keys",
    [
        Keys("NULL", OURS, THEIRS),
        Keys(SUITE, OURS[:-1], THEIRS),
        Keys(SUITE, OURS, THEIRS + b"x"),
    ],
)
def test_impossible(keys: Keys) -> None:
    """What cannot be a key is refused, and what was agreed before goes on."""
    with pytest.raises(LocalProtocolError):
        Srtp(keys)
    near, far = sides()
    with pytest.raises(LocalProtocolError):
        near.change(keys)
    assert opened(far, near.protect(packet(1))) == packet(1)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked about before, and says what is missing."""
    assert srtp.installed()
    monkeypatch.setattr(srtp, "pylibsrtp", None)
    assert not srtp.installed()
    with pytest.raises(NotSupported, match="extra"):
        Srtp(Keys(SUITE, OURS, THEIRS))


def everything(secrecy: Secrecy, data: bytes) -> set[bytes | None]:
    """What it makes of a packet, either way."""
    return {
        secrecy.protect(data),
        secrecy.protect_rtcp(data),
        secrecy.unprotect(data),
        secrecy.unprotect_rtcp(data),
    }


def test_nothing_secret() -> None:
    """Without keys all passes as it is."""
    secrecy = Secrecy()
    assert everything(secrecy, packet(1)) == {packet(1)}
    assert secrecy.agree(None)
    assert not secrecy.is_on
    assert everything(secrecy, packet(1)) == {packet(1)}


def test_unusable() -> None:
    """With keys that cannot be used nothing passes, in clear least of all."""
    secrecy = Secrecy()
    for keys in (Keys("NULL", OURS, THEIRS), Keys(SUITE, b"", THEIRS)):
        assert not secrecy.agree(keys)
        assert secrecy.is_on
        assert everything(secrecy, packet(1)) == {None}
    assert secrecy.agree(Keys(SUITE, OURS, THEIRS))
    assert not secrecy.agree(Keys("NULL", OURS, THEIRS))
    assert everything(secrecy, packet(1)) == {None}


def test_failures_add_up() -> None:
    """Over all that was agreed on in a call."""
    secrecy = Secrecy()
    assert secrecy.agree(Keys(SUITE, OURS, THEIRS))
    assert secrecy.unprotect(packet(1)) is None
    assert secrecy.agree(None)
    assert secrecy.agree(Keys(SUITE, OURS, OTHER))
    assert secrecy.unprotect(packet(1)) is None
    assert secrecy.failures == 2


def test_keys_are_not_shown() -> None:
    """Neither does the repr of what holds them."""
    assert "sound" not in repr(Srtp(Keys(SUITE, OURS, THEIRS)))
    assert OURS.hex() not in repr(Keys(SUITE, OURS, THEIRS))
    assert repr(OURS) not in repr(Keys(SUITE, OURS, THEIRS))
