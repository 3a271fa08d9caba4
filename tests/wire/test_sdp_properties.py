"""What holds for offers and answers of any kind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sdp import DIRECTIONS, Agreed, parse
from rapida_tw.wire.sdp_codecs import AUDIO, formats, key
from rapida_tw.wire.sdp_negotiation import Capabilities, Negotiator, NotAcceptable
from tests.wire.test_sdp_negotiation import OFFERS, live, negotiator, version

CAPABILITIES = st.builds(
    Capabilities,
    st.lists(st.sampled_from(sorted(AUDIO)), min_size=1, max_size=5, unique=True).map(tuple),
    st.sampled_from(["off", "optional", "required"]),
    st.just(True),
)
LINES = sorted({line for text in OFFERS.values() for line in text.splitlines()})
PIECES = st.one_of(
    st.sampled_from(LINES),
    st.sampled_from([b"m=audio 0 RTP/AVP 0", b"m=audio 4000 RTP/AVP", b"c=IN IP4 0.0.0.0", b"\0"]),
    st.binary(max_size=40),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A known offer with lines and bytes lost, doubled, exchanged and put in."""
    lines = draw(st.sampled_from(sorted(OFFERS.values()))).splitlines()
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(lines)))
        lines[at : at + draw(st.integers(0, 2))] = draw(st.lists(PIECES, max_size=2))
    text = bytearray(draw(st.sampled_from([b"\r\n", b"\n"])).join(lines))
    for _ in range(draw(st.integers(0, 4))):
        if text:
            text[draw(st.integers(0, len(text) - 1))] = draw(st.integers(0, 255))
    return bytes(text)


def check(ours: Negotiator, theirs: bytes, agreed: Agreed) -> None:
    """An answer can be read and has as many lines, its formats are theirs, one line lives."""
    offered, answered = parse(theirs), parse(ours.local)
    assert len(answered.media) == len(offered.media)
    assert answered.timing == offered.timing
    for one, other in zip(answered.media, offered.media, strict=True):
        assert (one.kind, one.transport) == (other.kind, other.transport)
        assert one.formats
        assert set(one.formats) <= {*other.formats, "0"}
    if agreed.port:
        assert str(agreed.codec.payload_type) == live(ours.local).formats[0]
        assert agreed.codec.payload_type in agreed.receive
        assert ("SAVP" in live(ours.local).transport.upper()) is (agreed.keys is not None)


@given(CAPABILITIES, st.lists(st.one_of(mutated(), st.binary(max_size=100)), max_size=5))
def test_garbage(can: Capabilities, texts: list[bytes]) -> None:
    """No offer raises anything else, and what it leaves behind can still offer."""
    ours = negotiator(can)
    for text in texts:
        before = ours.local, ours.agreed
        try:
            agreed = ours.answer(text, True)
        except RemoteProtocolError:
            assert (ours.local, ours.agreed) == before
            continue
        check(ours, text, agreed)
        local = ours.local
        assert ours.answer(text, True) == agreed
        assert ours.local == local
        assert live(ours.offer()).formats


@given(CAPABILITIES, mutated())
def test_garbage_answered(can: Capabilities, text: bytes) -> None:
    """No answer raises anything else either."""
    ours = negotiator(can)
    ours.offer()
    try:
        agreed = ours.answered(text)
    except RemoteProtocolError:
        assert ours.agreed is None
        return
    assert agreed.codec.name in AUDIO


def exchange(one: Negotiator, other: Negotiator, refresh: bool) -> None:
    """Offer, answer; both must have come to the same, and count versions only for news."""
    before = one.local, other.local
    offered = one.refresh() if refresh else one.offer()
    theirs = other.answer(offered, True)
    ours = one.answered(other.local)
    assert (ours.codec.name, ours.codec.rate) == (theirs.codec.name, theirs.codec.rate)
    assert ours.codec.payload_type in theirs.receive
    assert theirs.codec.payload_type in ours.receive
    assert (ours.sends, ours.hears) == (theirs.hears, theirs.sends)
    assert (ours.event is None) is (theirs.event is None)
    assert ours.event is None or theirs.event is None or ours.event.rate == theirs.event.rate
    assert (ours.rtcp_mux, ours.comfort_noise) == (theirs.rtcp_mux, theirs.comfort_noise)
    assert (ours.keys is None) is (theirs.keys is None)
    if ours.keys is not None and theirs.keys is not None:
        assert (ours.keys.ours, ours.keys.theirs) == (theirs.keys.theirs, theirs.keys.ours)
    for was, now in zip(before, (one.local, other.local), strict=True):
        assert version(now) == (version(was) + (was != now) if was else 1)


@given(
    CAPABILITIES,
    CAPABILITIES,
    st.booleans(),
    st.lists(st.tuples(st.booleans(), st.booleans()), max_size=6),
)
def test_against_ourselves(
    mine: Capabilities, yours: Capabilities, secure: bool, turns: list[tuple[bool, bool]]
) -> None:
    """Two of ours always agree, whoever offers, or both see that they cannot."""
    one = negotiator(mine, secure=secure)
    other = negotiator(yours, "198.51.100.7", 20000)
    encrypted = "SAVP" in live(one.offer()).transport
    fits = set(mine.codecs) & set(yours.codecs) and encrypted in yours.profiles
    try:
        exchange(one, other, False)
    except NotAcceptable:
        assert not fits
        return
    assert fits
    assert one.agreed is not None
    meant = meanings(one)
    for swapped, refresh in turns:
        first, second = (other, one) if swapped else (one, other)
        exchange(first, second, refresh)
        assert meanings(one) == meant


def meanings(ours: Negotiator) -> dict[int, tuple[str, int]]:
    """What each payload type of an offer means, in any order."""
    return {number: key(codec) for number, codec in formats(live(ours.offer())).items()}


@given(st.sampled_from(DIRECTIONS), st.booleans())
def test_mirrored(direction: str, old: bool) -> None:
    """Whatever direction they offer, nobody sends to one who does not hear."""
    text = OFFERS["freeswitch"] + f"a={direction}\n".encode()
    if old:
        text = text.replace(b"c=IN IP4 203.0.113.80", b"c=IN IP4 0.0.0.0")
    ours = negotiator()
    agreed = ours.answer(text, False)
    answered = live(ours.local).direction
    assert agreed.sends is (answered in ("sendrecv", "sendonly"))
    assert agreed.hears is (answered in ("sendrecv", "recvonly"))
    assert agreed.sends is (direction in ("sendrecv", "recvonly") and not old)
    assert agreed.hears is (direction in ("sendrecv", "sendonly"))
