"""The latch: who is heard, where is sent, and that no stranger moves it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.wire.rtp_source import Address, Learn, Source

PEER = "192.0.2.7"
PROXY = "192.0.2.1"
STRANGER = ("203.0.113.66", 40_000)
EXACT = (PEER, 4000)
OTHER_PORT = (PEER, 4444)
AT_PROXY = (PROXY, 5555)
SSRC = 0xCAFEBABE


def agreed(
    learn: Learn = "signalling", host: str = PEER, port: int = 4000, signalling: str = PROXY
) -> Source:
    source = Source(learn)
    source.agreed(host, port, signalling, 0.0)
    return source


class Stream:
    """Packets 20 ms apart, as they come to `source`."""

    def __init__(self, source: Source, ssrc: int = SSRC) -> None:
        self.source = source
        self.ssrc = ssrc
        self.sequence = 65_530
        self.now = 1.0

    def sends(self, address: Address, packets: int = 5) -> list[bool]:
        """Which of them were taken."""
        return [self._sends(address) for _ in range(packets)]

    def _sends(self, address: Address) -> bool:
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.now += 0.02
        return self.source.accepts(address, self.ssrc, self.sequence, self.now)


YES, NO = [True] * 5, [False] * 5


@pytest.mark.parametrize(
    ("learn", "host", "address", "taken"),
    [
        ("announced", PEER, EXACT, True),
        ("announced", PEER, OTHER_PORT, False),
        ("announced", PEER, AT_PROXY, False),
        ("announced", "10.1.1.1", STRANGER, False),
        ("signalling", PEER, EXACT, True),
        ("signalling", PEER, OTHER_PORT, True),
        ("signalling", PEER, AT_PROXY, True),
        ("signalling", PEER, STRANGER, False),
        ("signalling", "10.1.1.1", AT_PROXY, True),
        ("signalling", "10.1.1.1", STRANGER, False),
        ("signalling", "", AT_PROXY, True),
        ("signalling", "", STRANGER, False),
        ("any", PEER, OTHER_PORT, True),
        ("any", PEER, AT_PROXY, True),
        ("any", PEER, STRANGER, False),
        ("any", "10.1.1.1", STRANGER, True),
        ("any", "172.20.0.2", STRANGER, True),
        ("any", "192.168.1.2", STRANGER, True),
        ("any", "100.64.3.4", STRANGER, True),
        ("any", "169.254.3.4", STRANGER, True),
        ("any", "fd00::1", STRANGER, True),
        ("any", "0.0.0.0", STRANGER, True),
        ("any", "", STRANGER, True),
        ("any", "not an address", STRANGER, True),
    ],
)
def test_who_is_learned(learn: Learn, host: str, address: Address, taken: bool) -> None:
    """The option says whose word is good."""
    source = agreed(learn, host)
    before = source.remote
    assert Stream(source).sends(address) == [taken] * 5
    assert source.remote == (address if taken else before)
    assert source.settled == (address if taken else None)


@pytest.mark.parametrize(
    ("host", "signalling", "sent"),
    [
        (PEER, PROXY, True),
        ("2001:db8::7", PROXY, True),
        ("10.1.1.1", PROXY, False),  # behind a NAT
        ("10.1.1.1", "192.168.1.1", True),  # of our own network
        ("10.1.1.1", "10.1.1.1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "10.1.1.1", False),
        ("127.0.0.1", PROXY, False),
        ("169.254.1.1", "10.1.1.1", False),
        ("::1", "::1", True),
        ("0.0.0.0", PROXY, False),
        ("255.255.255.255", "255.255.255.255", False),
        ("224.0.0.5", PROXY, False),
        ("ff02::1", PROXY, False),
        ("::", PROXY, False),
        ("", PROXY, False),
        ("phone.example.com", PROXY, False),
    ],
)
def test_where_is_sent_first(host: str, signalling: str, sent: bool) -> None:
    """To SDP's address, if it can be reached from here; else nowhere until something comes."""
    source = agreed(host=host, signalling=signalling)
    assert source.remote == ((host, 4000) if sent else None)
    assert source.settled is None


def test_written_otherwise() -> None:
    """IPv6 may be written at length, and IPv4 as a socket of both families tells it."""
    long = agreed("announced", "2001:0DB8:0::0007")
    assert Stream(long).sends(("2001:db8::7", 4000)) == YES
    mapped = agreed("announced")
    assert Stream(mapped).sends(("::ffff:192.0.2.7", 4000)) == YES
    assert mapped.remote == ("::ffff:192.0.2.7", 4000)


def test_before_any_agreement() -> None:
    """Nobody is heard before there is an agreement."""
    source = Source("any")
    assert Stream(source).sends(STRANGER) == NO
    assert source.remote is None


def test_port_zero() -> None:
    """Nothing can be sent back to port 0."""
    assert Stream(agreed()).sends((PEER, 0)) == NO
    assert agreed(port=0).remote is None


def test_settles_after_five() -> None:
    """Five packets in a row from one address, and nobody else is heard any more."""
    source = agreed()
    stream = Stream(source)
    stream.sends(OTHER_PORT, 4)
    assert source.settled is None
    stream.sends(OTHER_PORT, 1)
    assert source.settled == OTHER_PORT
    assert stream.sends(EXACT) == NO
    assert stream.sends(OTHER_PORT) == YES


def test_settles_after_five_seconds() -> None:
    """Whoever is heard when the time of learning is over stays."""
    source = agreed()
    assert source.accepts(OTHER_PORT, SSRC, 1, 4.9)
    assert source.settled is None
    assert source.accepts(OTHER_PORT, SSRC, 2, 5.0)
    assert source.settled == OTHER_PORT


def test_first_packet_comes_late() -> None:
    """A peer that is silent for long is still learned, at its first packet."""
    source = agreed()
    assert source.accepts(OTHER_PORT, SSRC, 1, 60.0)
    assert source.settled == OTHER_PORT


@pytest.mark.parametrize(
    ("worse", "better"),
    [(OTHER_PORT, EXACT), (AT_PROXY, EXACT), (AT_PROXY, OTHER_PORT), (STRANGER, AT_PROXY)],
)
def test_better_vouched_for(worse: Address, better: Address) -> None:
    """While it is learned, an address that is better vouched for wins, and keeps it."""
    announced = "10.1.1.1" if worse == STRANGER else PEER
    source = agreed("any", announced)
    stream = Stream(source)
    assert stream.sends(worse, 3) == [True] * 3
    assert stream.sends(better, 3) == [True] * 3
    assert source.remote == better
    assert stream.sends(worse, 8) == [False] * 8
    assert source.remote == better


def test_two_of_the_same_rank() -> None:
    """Of two ports of one host the first is heard, unless it falls silent at once."""
    source = agreed()
    first, second = OTHER_PORT, (PEER, 6666)
    stream = Stream(source)
    stream.sends(first, 1)
    for _ in range(6):
        assert stream.sends(second, 1) == [False]
        assert stream.sends(first, 1) == [True]
    assert stream.sends(second, 5) == [False] * 4 + [True]
    assert source.remote == second


def test_strangers_do_not_delay() -> None:
    """Junk between the peer's packets does not keep it from being settled."""
    source = agreed()
    stream, junk = Stream(source), Stream(source, 1)
    for _ in range(5):
        assert stream.sends(EXACT, 1) == [True]
        assert junk.sends(STRANGER, 10) == [False] * 10
    assert source.settled == EXACT


@pytest.mark.parametrize("learn", ["announced", "signalling", "any"])
@given(data=st.data())
def test_no_stranger_moves_it(learn: Learn, data: st.DataObject) -> None:
    """RTPbleed: whatever strangers send, before and after, they hear and say nothing."""
    source = agreed(learn)
    strangers = st.tuples(
        st.sampled_from(["203.0.113.66", "198.51.100.9", "10.1.1.1", "2001:db8::66"]),
        st.integers(0, 65535),
    )
    sequence, now = 0, 0.0
    for from_peer, later in data.draw(st.lists(st.tuples(st.booleans(), st.floats(0, 3)))):
        now += later
        sequence = (sequence + 1) & 0xFFFF
        if from_peer:
            assert source.accepts(EXACT, SSRC, sequence, now)
        else:
            assert not source.accepts(data.draw(strangers), SSRC, sequence, now)
        assert source.remote == EXACT


# -- a new agreement ------------------------------------------------------------------------------


def settled(address: Address = EXACT, learn: Learn = "signalling") -> tuple[Source, Stream]:
    source = agreed(learn)
    stream = Stream(source)
    stream.sends(address)
    assert source.settled == address
    return source, stream


@pytest.mark.parametrize("host", [PEER, ""])
def test_the_same_again(host: str) -> None:
    """A refresh, or a hold without an address, changes nothing."""
    source, stream = settled(OTHER_PORT)
    source.agreed(host, 4000, PROXY, stream.now)
    assert source.settled == OTHER_PORT
    assert stream.sends(EXACT) == NO


def test_another_address() -> None:
    """A re-INVITE moves at once; what is still on the way from before is ignored for 500 ms."""
    source, stream = settled()
    source.agreed("198.51.100.9", 7000, PROXY, stream.now)
    assert source.remote == ("198.51.100.9", 7000)
    assert source.settled is None
    assert stream.sends(EXACT, 24) == [False] * 24
    assert stream.sends(("198.51.100.9", 7000)) == YES
    assert stream.sends(EXACT, 50) == [False] * 50


def test_old_host_is_not_relearned() -> None:
    """The old peer that goes on sending for long is not heard instead of the new one."""
    source, stream = settled()
    source.agreed("198.51.100.9", 7000, PROXY, stream.now)
    assert stream.sends(EXACT, 500) == [False] * 500
    assert source.remote == ("198.51.100.9", 7000)


def test_old_port_gives_way() -> None:
    """Where only the port was changed, the old one is heard until the new one sends."""
    source, stream = settled()
    source.agreed(PEER, 7000, PROXY, stream.now)
    assert stream.sends(EXACT, 24) == [False] * 24
    assert stream.sends(EXACT, 10) == [True] * 10
    assert source.settled is None
    assert stream.sends((PEER, 7000)) == YES
    assert source.settled == (PEER, 7000)


def test_back_again() -> None:
    """There and back: the first address is as good as it was."""
    source, stream = settled()
    source.agreed("198.51.100.9", 7000, PROXY, stream.now)
    source.agreed(PEER, 4000, PROXY, stream.now)
    assert stream.sends(EXACT) == YES
    assert source.settled == EXACT


def test_they_learn_how_we_see_them() -> None:
    """A phone that finds out its public address and announces it stays where it is."""
    source = agreed(host="10.1.1.1", signalling=PEER)
    stream = Stream(source)
    stream.sends(OTHER_PORT)
    source.agreed(*OTHER_PORT, PEER, stream.now)
    assert source.settled == OTHER_PORT
    assert stream.sends(OTHER_PORT) == YES


def test_signalling_moves() -> None:
    """A phone that signals from another network may send from there as well."""
    source = agreed(host="10.1.1.1", signalling=PEER)
    stream = Stream(source)
    stream.sends(OTHER_PORT)
    source.agreed("10.1.1.1", 4000, "198.51.100.9", stream.now)
    assert source.remote == OTHER_PORT
    assert stream.sends(("198.51.100.9", 7000)) == YES
    assert source.remote == ("198.51.100.9", 7000)


# -- NAT rebinding --------------------------------------------------------------------------------


def test_rebinding() -> None:
    """After 2 s of silence the same stream may go on from another port."""
    source, stream = settled()
    stream.now += 1.9
    assert stream.sends(OTHER_PORT, 1) == [False]
    stream.now += 0.1
    stream.sequence += 100
    assert stream.sends(OTHER_PORT) == YES
    assert source.settled == OTHER_PORT
    assert stream.sends(EXACT, 24) == [False] * 24


@pytest.mark.parametrize(
    ("address", "ssrc", "skipped"),
    [
        (STRANGER, SSRC, 100),
        (OTHER_PORT, SSRC + 1, 100),
        (OTHER_PORT, SSRC, -2),
        (OTHER_PORT, SSRC, 5000),
    ],
)
def test_no_rebinding(address: Address, ssrc: int, skipped: int) -> None:
    """Not to a stranger, nor with another SSRC or other numbers."""
    source, stream = settled()
    stream.now += 3
    stream.ssrc = ssrc
    stream.sequence += skipped
    assert stream.sends(address, 1) == [False]
    assert source.settled == EXACT


def test_rebinding_is_not_announced() -> None:
    """Where only the announced address counts, there is none."""
    _, stream = settled(learn="announced")
    stream.now += 3
    assert stream.sends(OTHER_PORT) == NO


def test_rtcp() -> None:
    """RTCP has no numbers: the SSRC is what must be the same."""
    source = agreed()
    taken: Sequence[bool] = [source.accepts(EXACT, SSRC, None, at * 5.0) for at in range(6)]
    assert all(taken)
    assert not source.accepts(OTHER_PORT, 1, None, 40.0)
    assert source.accepts(OTHER_PORT, SSRC, None, 41.0)
    assert source.remote == OTHER_PORT
