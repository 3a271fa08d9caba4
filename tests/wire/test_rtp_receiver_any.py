"""Receiver: whatever comes, and the short way beside the long one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapida_tw.wire.reorder import Lost, Paused
from rapida_tw.wire.rtp import Sender
from rapida_tw.wire.rtp_receiver import Noise
from rapida_tw.wire.rtp_source import Address, Learn
from tests.wire.rtp_phone import JUNK, PEER, STRANGER, receiver

Fate = tuple[int, int, int]  # what is sent, what becomes of it, milliseconds until the next
FATES = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from([0, 5, 20, 20, 20, 45, 300])),
    max_size=120,
)


def network(fates: list[Fate]) -> list[tuple[bytes, Address, float]]:
    """Audio of two codecs, digits, pauses, junk and strangers; lost, doubled, overtaken."""
    sender = Sender(0, 7, 65_530, 0xFFFFFE00)
    arrivals: list[tuple[bytes, Address, float]] = []
    now = 1.0
    for kind, fate, later in fates:
        sender.payload_type = 8 if kind == 9 else 0
        if kind == 8:
            data = sender.event(101, b"\5\x0a\0\xa0", True, sender.timestamp)
        else:
            data = sender.next(bytes((kind,)) * (80 if kind == 7 else 160), 160)
        if kind == 6:
            sender.skip(1600)
        if fate != 0:
            arrivals.append((data, STRANGER if fate == 1 else PEER, now))
        if fate == 2:
            arrivals.append((data, PEER, now))
        if fate == 3 and len(arrivals) > 1:
            arrivals[-1], arrivals[-2] = (
                (*arrivals[-2][:2], arrivals[-1][2]),
                (*arrivals[-1][:2], arrivals[-2][2]),
            )
        if fate == 4:
            arrivals.append((JUNK[kind], PEER, now))
        now += later / 1000
    return arrivals


@settings(max_examples=150)
@given(FATES)
def test_short_and_long_way_are_one(fates: list[Fate]) -> None:
    """What is recognised in one piece is what the parts would have made of it."""
    short, long = receiver(), receiver()
    for data, address, now in network(fates):
        short_items = [*short.due(now), *short.arrived(data, address, now)]
        long_items = [*long.due(now), *long._arrived_otherwise(data, address, now)]
        assert short_items == long_items
    assert short.received == long.received
    assert short.dropped == long.dropped
    assert short.reorder.__dict__ == long.reorder.__dict__
    assert short.source.__dict__ == long.source.__dict__
    assert short.statistics.jitter == pytest.approx(long.statistics.jitter)
    assert short.report(9) == long.report(9)


HEADERS = st.tuples(
    st.sampled_from([0x80, 0x80, 0x80, 0x90, 0xA0, 0x81, 0xB3]),
    st.sampled_from([0, 0, 8, 0x80, 101, 0xE5, 13, 111, 112, 72]),
    st.integers(0, 65_535) | st.integers(0, 200),
    st.integers(0, 2**32 - 1) | st.integers(0, 30_000),
    st.sampled_from([7, 7, 7, 8]),
)
DATAGRAMS = st.binary(max_size=60) | st.builds(
    lambda header, payload: (
        bytes(header[:2])
        + header[2].to_bytes(2)
        + header[3].to_bytes(4)
        + header[4].to_bytes(4)
        + payload
    ),
    HEADERS,
    st.binary(max_size=40) | st.just(bytes(160)),
)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(DATAGRAMS, st.sampled_from([PEER, PEER, STRANGER]), st.floats(0, 1))),
    st.sampled_from(["announced", "signalling", "any"]),
)
def test_any_datagrams(stream: list[tuple[bytes, Address, float]], learn: Learn) -> None:
    """Whatever comes from whomever: no exception, what is heard is whole, what waits comes out."""
    made = receiver(learn=learn)
    now = 0.0
    for data, address, later in stream:
        now += later
        for item in made.arrived(data, address, now):
            assert item or isinstance(item, Noise)
            if isinstance(item, Lost | Paused):
                assert 0 < item.samples <= 48_000 * 5
    made.due(now + 1)
    assert not made.waiting
    made.report(now)
