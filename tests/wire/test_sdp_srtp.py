"""Keys in offer and answer: when SRTP is spoken, with which key, and for how long."""

from __future__ import annotations

import pytest

from rapida_tw.wire.sdp import Keys, parse
from rapida_tw.wire.sdp_negotiation import Capabilities, NotAcceptable
from tests.wire.test_sdp_negotiation import NARROW, OFFERS, REQUIRED, live, negotiator, offer

OPTIONAL = Capabilities(("PCMU", "PCMA"), "optional", True)
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
FULL, SHORT = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"


def secured(*cryptos: str, version: int = 1, port: int = 4000) -> bytes:
    lines = (f"crypto:{one}" for one in cryptos)
    return offer(*lines, transport="RTP/SAVP", version=version, port=port)


def test_trunk() -> None:
    """Twilio's offer: its key is theirs, ours is fresh, under their tag and in their profile."""
    ours = negotiator(REQUIRED)
    agreed = ours.answer(OFFERS["twilio"], True)
    assert agreed.keys == Keys(FULL, b"\x01" * 30, bytes(range(30)))
    line = live(ours.local)
    assert line.transport == "RTP/SAVP"
    assert list(line.values("crypto")) == [f"1 {FULL} inline:" + "AQEB" * 10]


def test_the_first_usable_line() -> None:
    """Their order is their preference; what cannot be used is passed over."""
    agreed = negotiator(OPTIONAL).answer(OFFERS["baresip-srtp"], False)
    assert agreed.keys is not None
    assert agreed.keys.suite == SHORT
    text = secured(
        f"1 AES_256_CM_HMAC_SHA1_80 inline:{KEY}", f"2 {FULL} inline:{KEY}|2^31|1:1",
        f"3 {SHORT} inline:{KEY}", f"4 {FULL} inline:{KEY}",
    )  # fmt: skip
    ours = negotiator(OPTIONAL)
    agreed = ours.answer(text, False)
    assert agreed.keys is not None
    assert agreed.keys.suite == SHORT
    assert [one.split()[:2] for one in live(ours.local).values("crypto")] == [["3", SHORT]]


@pytest.mark.parametrize(
    "text",
    [
        secured(),
        secured(f"1 {FULL} inline:{KEY}|1:4"),
        secured(f"1 UNKNOWN inline:{KEY}"),
        secured(f"1 {FULL} inline:AAEC"),
    ],
)
def test_no_usable_line(text: bytes) -> None:
    """Never an answer without a key, nor one in another profile."""
    with pytest.raises(NotAcceptable):
        negotiator(OPTIONAL).answer(text, True)


def test_both_offered() -> None:
    """SRTP is taken, wherever it stands, unless it is off; alone RTP is not enough for required."""
    for can, ports in ((OPTIONAL, [0, 10042]), (REQUIRED, [0, 10042]), (NARROW, [10042, 0])):
        ours = negotiator(can)
        agreed = ours.answer(OFFERS["yealink-both"], True)
        assert [one.port for one in parse(ours.local).media] == ports
        assert (agreed.keys is None) is (can is NARROW)
    with pytest.raises(NotAcceptable):
        negotiator(REQUIRED).answer(offer(), True)
    assert negotiator(OPTIONAL).answer(offer(), True).keys is None


def test_without_the_library() -> None:
    """Optional is then off."""
    can = Capabilities(("PCMU",), "optional", False)
    with pytest.raises(NotAcceptable):
        negotiator(can).answer(OFFERS["twilio"], True)
    assert live(negotiator(can, secure=True).offer()).transport == "RTP/AVP"


def test_keys_of_plain_rtp() -> None:
    """A key beside RTP/AVP is not used, and not answered."""
    ours = negotiator(OPTIONAL)
    agreed = ours.answer(offer(f"crypto:1 {FULL} inline:{KEY}"), True)
    assert agreed.keys is None
    assert b"crypto" not in ours.local


def test_our_key_stays() -> None:
    """Through hold, a new port or key of theirs and offers of ours; RFC 4568 7.1.4."""
    ours = negotiator(OPTIONAL)
    first = ours.answer(secured(f"1 {FULL} inline:{KEY}"), True).keys
    other = KEY.replace("AAEC", "BBEC")
    second = ours.answer(secured(f"1 {FULL} inline:{other}", version=2, port=5000), True).keys
    assert first is not None
    assert second is not None
    assert (second.ours, second.theirs == first.theirs) == (first.ours, False)
    ours.offer()
    third = ours.answered(secured(f"1 {FULL} inline:{other}", version=3)).keys
    assert third == second


def test_a_key_that_was_left_is_never_used_again() -> None:
    """Not after another suite, not after plain RTP, not at another port."""
    ours = negotiator(OPTIONAL)
    seen = set()
    texts = [
        secured(f"1 {FULL} inline:{KEY}"),
        secured(f"1 {SHORT} inline:{KEY}", version=2),
        secured(f"1 {FULL} inline:{KEY}", version=3),
        offer(version=4),
        secured(f"1 {FULL} inline:{KEY}", version=5),
    ]
    for text in texts:
        keys = ours.answer(text, True).keys
        assert keys is None or keys.ours not in seen
        if keys is not None:
            seen.add(keys.ours)
    ours.move("203.0.113.10", 10044)
    keys = ours.answer(secured(f"1 {FULL} inline:{KEY}", version=6), True).keys
    assert keys is not None
    assert keys.ours not in seen
    assert len(seen) == 4


def test_offer() -> None:
    """With keys when that is required, or when nobody can read them on the way."""
    for can, secure, transport in (
        (REQUIRED, False, "RTP/SAVP"),
        (OPTIONAL, True, "RTP/SAVP"),
        (OPTIONAL, False, "RTP/AVP"),
        (NARROW, True, "RTP/AVP"),
    ):
        line = live(negotiator(can, secure=secure).offer())
        assert line.transport == transport
        assert len(list(line.values("crypto"))) == (2 if transport == "RTP/SAVP" else 0)


def test_suite_in_use_comes_first() -> None:
    """With its key, also when it is not one that we would offer by ourselves."""
    ours = negotiator(OPTIONAL)
    key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="
    agreed = ours.answer(secured(f"1 AEAD_AES_128_GCM inline:{key}"), True)
    ours.offer()
    assert ours.answered(secured(f"1 AEAD_AES_128_GCM inline:{key}", version=2)).keys == agreed.keys
    suites = [one.split()[1] for one in live(ours.offer()).values("crypto")]
    assert suites == ["AEAD_AES_128_GCM", FULL, SHORT]


def test_answers_to_keys() -> None:
    """The line of their tag and suite; none, another one, or plain RTP is no answer."""
    for text, fine in (
        (secured(f"2 {SHORT} inline:{KEY}"), True),
        (secured(f"1 {FULL} inline:{KEY}"), True),
        (secured(f"1 {SHORT} inline:{KEY}"), False),
        (secured(f"3 {FULL} inline:{KEY}"), False),
        (secured(f"1 {FULL} inline:{KEY}|1:1"), False),
        (secured(), False),
        (offer(), False),
    ):
        ours = negotiator(REQUIRED)
        ours.offer()
        if fine:
            keys = ours.answered(text).keys
            assert keys is not None
            assert keys.theirs == bytes(range(30))
        else:
            with pytest.raises(NotAcceptable):
                ours.answered(text)


def test_key_in_no_repr() -> None:
    """Neither what is agreed on nor what was read shows it."""
    ours = negotiator(REQUIRED)
    agreed = ours.answer(OFFERS["twilio"], True)
    told = repr(agreed) + repr(parse(OFFERS["twilio"])) + repr(parse(ours.local))
    assert "inline" not in told
    assert repr(bytes(range(30)))[2:20] not in told
