"""Reorder: order without delay, and a time line that neither loses nor invents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapida_tw.wire.reorder import Lost, Paused, Released, Reorder, wait_for
from rapida_tw.wire.rtp import Packet

RATE = 8000
TICK = 0.020  # seconds
STEP = 160  # samples of a tick


def packet(number: int, first: int = 1000, at: int | None = None) -> Packet:
    """The `number`th of a steady stream, whose timestamps are `at` if they are not steady."""
    timestamp = (number * STEP if at is None else at) & 0xFFFFFFFF
    return Packet(0, False, (first + number) & 0xFFFF, timestamp, 7, b"%d" % number)


def told(items: Iterable[Released]) -> list[object]:
    """Packets as their payloads' numbers, the rest as it is."""
    return [int(one.payload) if isinstance(one, Packet) else one for one in items]


def run(
    reorder: Reorder, numbers: Iterable[int], first: int = 1000, begin: float = 0.0
) -> list[object]:
    """These packets of a steady stream, 20 ms apart, and what came of them."""
    return [
        item
        for at, number in enumerate(numbers)
        for item in told(reorder.arrived(packet(number, first), STEP, begin + at * TICK))
    ]


def test_in_order_at_once() -> None:
    """What is in order does not wait."""
    reorder = Reorder()
    for number in range(5):
        released = reorder.arrived(packet(number), STEP, number * TICK)
        assert told(released) == [number]
    assert not reorder.waiting


@pytest.mark.parametrize("first", [0, 65533, 65535, 32766])
def test_sequence_wraps(first: int) -> None:
    """16 bits are not the end of a call."""
    assert run(Reorder(), range(6), first) == [*range(6)]


def test_three_rounds() -> None:
    """The extended number goes on counting over every wrap."""
    reorder = Reorder()
    assert run(reorder, range(0, 200_000, 100), 65000)[0] == 0
    assert reorder.highest == 65536 + 65000 + 199_900


def test_timestamp_wraps() -> None:
    """A sender may begin just before the end of 32 bits, and lose a packet there."""
    reorder = Reorder()
    times = [0xFFFFFF00, 0xFFFFFFA0, 0x40, 0xE0]
    items: list[Released] = []
    for number in (0, 1, 3):
        one = packet(number, at=times[number])
        items += reorder.arrived(one, STEP, number * TICK)
    items += reorder.due(1.0)
    assert told(items) == [0, 1, Lost(STEP), 3]


def test_swapped() -> None:
    """Two that have overtaken each other come out in order, and nothing was lost."""
    reorder = Reorder()
    assert told(reorder.arrived(packet(0), STEP, 0.0)) == [0]
    assert told(reorder.arrived(packet(2), STEP, 0.020)) == []
    assert reorder.waiting
    assert told(reorder.arrived(packet(1), STEP, 0.030)) == [1, 2]
    assert (reorder.lost, reorder.late, reorder.waiting) == (0, 0, False)


def test_waits_so_long() -> None:
    """A gap is waited for, and no longer: judged when asked."""
    reorder = Reorder()
    run(reorder, [0])
    assert told(reorder.arrived(packet(2), STEP, 0.040, 0.030)) == []
    assert told(reorder.due(0.069, 0.030)) == []
    assert told(reorder.due(0.070, 0.030)) == [Lost(STEP), 2]


def test_judged_at_the_next_arrival() -> None:
    """With 20 ms a packet and a steady network, the next packet ends the wait."""
    assert run(Reorder(), [0, 2, 3, 4]) == [0, Lost(STEP), 2, 3, 4]


@pytest.mark.parametrize(
    ("jitter", "seconds"), [(0.0, 0.020), (0.010, 0.020), (0.020, 0.040), (0.5, 0.060)]
)
def test_wait(jitter: float, seconds: float) -> None:
    """Twice the jitter, from 20 to 60 ms."""
    assert wait_for(jitter) == pytest.approx(seconds)


def test_late() -> None:
    """What was given up and comes after all is counted and not heard."""
    reorder = Reorder()
    assert run(reorder, [0, 2, 3, 1, 4, 1]) == [0, Lost(STEP), 2, 3, 4]
    assert (reorder.lost, reorder.late, reorder.duplicates) == (1, 1, 1)


def test_duplicates() -> None:
    """The same packet twice is one, released already or held."""
    reorder = Reorder()
    assert run(reorder, [0, 0, 1, 0, 1]) == [0, 1]
    reorder.arrived(packet(3), STEP, 0.1)
    assert reorder.arrived(packet(3), STEP, 0.1) == []
    assert reorder.duplicates == 4
    assert reorder.late == 0


def test_before_the_first() -> None:
    """A packet from before the first one is late."""
    reorder = Reorder()
    assert run(reorder, [3, 2, 4]) == [3, 4]
    assert reorder.late == 1


def test_two_gaps() -> None:
    """Each gap has its own wait, from when something came behind it."""
    reorder = Reorder()
    run(reorder, [0])
    reorder.arrived(packet(2), STEP, 0.040, 0.060)
    reorder.arrived(packet(4), STEP, 0.080, 0.060)
    assert told(reorder.due(0.100, 0.060)) == [Lost(STEP), 2]
    assert told(reorder.due(0.139, 0.060)) == []
    assert told(reorder.due(0.140, 0.060)) == [Lost(STEP), 4]


@pytest.mark.parametrize(
    ("missing", "items"),
    [
        (10, [Lost(1600)]),
        (11, [Lost(1600), Paused(160)]),
        (100, [Lost(1600), Paused(14_400)]),
        (2000, [Lost(1600), Paused(40_000)]),
    ],
)
def test_long_loss(missing: int, items: list[object]) -> None:
    """200 ms of a gap are concealed, 5 s more are silence, beyond that the gap is closed."""
    reorder = Reorder()
    run(reorder, range(3))
    after = packet(3 + missing)
    assert reorder.arrived(after, STEP, (3 + missing) * TICK) == []
    assert told(reorder.due(100)) == [*items, 3 + missing]


def test_pause() -> None:
    """Time without packets between two that follow each other was silence."""
    reorder = Reorder()
    run(reorder, range(2))
    assert told(reorder.arrived(packet(2, at=2 * STEP + 8000), STEP, 1.04)) == [Paused(8000), 2]


def test_long_pause() -> None:
    """Of 20 s of silence 5 are told: the call has heard it by the clock."""
    reorder = Reorder()
    run(reorder, range(2))
    late = packet(2, at=2 * STEP + 20 * RATE)
    assert told(reorder.arrived(late, STEP, 20.04)) == [Paused(40_000), 2]


def test_time_that_stands_still() -> None:
    """A sender that stops its timestamps in a pause adds nothing: the clock has."""
    reorder = Reorder()
    run(reorder, range(2))
    assert told(reorder.arrived(packet(2), STEP, 20.0)) == [2]


@pytest.mark.parametrize("jump", [-100_000, 80_000, 0x7FFF0000])
def test_timestamps_set_anew(jump: int) -> None:
    """Timestamps that jump without time having passed are followed, and mean no silence."""
    reorder = Reorder()
    run(reorder, range(2))
    for number in (2, 3):
        one = packet(number, at=number * STEP + jump)
        assert told(reorder.arrived(one, STEP, number * TICK)) == [number]


def test_timestamps_set_anew_in_a_gap() -> None:
    """Then the numbers alone say how much was lost."""
    reorder = Reorder()
    run(reorder, range(2))
    reorder.arrived(packet(4, at=0x70000000), STEP, 0.08)
    assert told(reorder.due(0.2)) == [Lost(2 * STEP), 4]


def test_loss_in_a_pause() -> None:
    """What was lost beside a pause is told apart from it by the numbers."""
    reorder = Reorder()
    run(reorder, range(2))
    reorder.arrived(packet(3, at=3 * STEP + 8000), STEP, 1.06)
    assert told(reorder.due(1.2)) == [Lost(STEP), Paused(8000), 3]


def test_pause_after_a_loss() -> None:
    """A loss that has been told of is not told again with the next pause."""
    reorder = Reorder()
    run(reorder, [0, 2, 3])
    assert told(reorder.arrived(packet(4, at=4 * STEP + 800), STEP, 0.2)) == [Paused(800), 4]


def test_packets_without_time() -> None:
    """Events and comfort noise are ordered; lost ones are not lost audio."""
    reorder = Reorder()
    run(reorder, range(2))
    event = packet(2, at=2 * STEP)
    assert told(reorder.arrived(event, 0, 0.04)) == [2]
    assert told(reorder.arrived(packet(4, at=2 * STEP), 0, 0.08)) == []
    assert told(reorder.due(0.2)) == [4]
    # Of what is between, a packet's time may have been audio: one was lost.
    assert told(reorder.arrived(packet(5), STEP, 0.10)) == [Lost(STEP), Paused(2 * STEP), 5]


def test_wrong_clock() -> None:
    """A sender that counts twice too fast (G.722 at 16 kHz) is not heard in pieces."""
    reorder = Reorder()
    items = [
        item
        for number in range(50)
        for item in told(reorder.arrived(packet(number, at=number * 320), STEP, number * TICK))
    ]
    assert [item for item in items if not isinstance(item, int)] == [Paused(160)] * 3


def test_short_pauses_are_no_wrong_clock() -> None:
    """Pauses of one packet now and then are all told."""
    reorder = Reorder()
    paused = 0
    at = 0
    for number in range(100):
        at += 320 if number % 2 else 160
        for item in reorder.arrived(packet(number, at=at), STEP, at / RATE):
            paused += item.samples if isinstance(item, Paused) else 0
    assert paused == 50 * 160


@pytest.mark.parametrize("jump", [-30_000, -101, 3001, 32_767])
def test_numbering_begins_anew(jump: int) -> None:
    """Two packets of another numbering begin it, and neither is thrown away."""
    reorder = Reorder()
    run(reorder, range(3))
    assert run(reorder, [10, 11, 12], 993 + jump, 0.06) == [10, 11, 12]
    assert (reorder.restarted, reorder.lost) == (1, 0)


@pytest.mark.parametrize(
    ("numbers", "items"),
    [((10, 9, 11), [9, 10, 11]), ((10, 12, 13), [10, Lost(STEP), 12, 13])],
)
def test_new_numbering_out_of_order(numbers: Sequence[int], items: list[object]) -> None:
    """Its first packets may be swapped, or one of them lost."""
    reorder = Reorder()
    run(reorder, range(3))
    assert run(reorder, numbers, 20_000, 0.06) == items


def test_stray_packet() -> None:
    """One packet of a far number changes nothing."""
    reorder = Reorder()
    run(reorder, range(3))
    assert run(reorder, [0], 40_000) == []
    assert run(reorder, range(3, 6), begin=0.06) == [3, 4, 5]
    assert reorder.restarted == 0


def test_stray_packets_far_from_each_other() -> None:
    """Two strays are no numbering when they are seconds apart, or of far numbers."""
    reorder = Reorder()
    run(reorder, range(3))
    assert run(reorder, [0, 50], 40_000, 0.06) == []
    assert run(reorder, [51], 40_000, 5.0) == []
    assert reorder.restarted == 0
    assert run(reorder, [3], begin=5.02) == [3]


def test_held_ones_come_before_the_new_numbering() -> None:
    """What waited for a gap is heard before another numbering begins."""
    reorder = Reorder()
    run(reorder, [0])
    reorder.arrived(packet(2), STEP, 0.04, 0.06)
    assert reorder.arrived(packet(50, 20_000), STEP, 0.05, 0.06) == []
    assert told(reorder.arrived(packet(51, 20_000), STEP, 0.06, 0.06)) == [Lost(STEP), 2, 50, 51]


def test_reset() -> None:
    """Another stream begins with any number; what was held of the old one is not lost."""
    reorder = Reorder()
    run(reorder, [0])
    reorder.arrived(packet(2), STEP, 0.04, 0.06)
    assert told(reorder.reset()) == [Lost(STEP), 2]
    assert run(reorder, range(3), 1000, 1.0) == [0, 1, 2]
    assert run(reorder, [1], 1000, 2.0) == []
    assert (reorder.restarted, reorder.late, reorder.duplicates) == (0, 0, 1)


def test_flood_within_the_wait() -> None:
    """What is held has a bound: beyond it the gap is given up."""
    reorder = Reorder()
    run(reorder, [0])
    items = [
        item
        for number in range(2, 400)
        for item in told(reorder.arrived(packet(number), STEP, 0.01, 0.06))
    ]
    assert items[:2] == [Lost(STEP), 2]
    assert not reorder.waiting


# -- properties -----------------------------------------------------------------------------------

Fate = tuple[bool, bool, int]  # lost, doubled, by how many milliseconds late
FATES = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.integers(0, 55)), min_size=2, max_size=80
)
PAUSES = st.lists(st.sampled_from([0, 0, 0, 80, 160, 400, 8000]), min_size=80, max_size=80)
SIZES = st.lists(st.sampled_from([80, 160, 240, 320, 480]), min_size=80, max_size=80)


@settings(max_examples=150)
@given(FATES, PAUSES, SIZES, st.integers(0, 65535), st.integers(0, 2**32 - 1))
def test_any_network(
    fates: list[Fate], pauses: list[int], sizes: list[int], first: int, begin: int
) -> None:
    """Loss, doubling and delays within the wait leave the order and the length of time alone."""
    at = 0
    arrivals = []
    for number, (lost, doubled, late) in enumerate(fates):
        edge = number in (0, len(fates) - 1)
        at += 0 if edge else pauses[number]
        one = packet(number, first, begin + at)
        if edge or not lost:
            came = at / RATE + (0 if edge else late / 1000)
            arrivals.append((came, number, one))
            if doubled:
                arrivals.append((came + 0.001, number, one))
        at += sizes[number]
    reorder = Reorder(RATE)
    released: list[Released] = []
    end = 0.0
    for came, number, one in sorted(arrivals):
        released += reorder.arrived(one, sizes[number], came, 0.060)
        end = came
    released += reorder.due(end + 1, 0.060)
    numbers = [item for item in told(released) if isinstance(item, int)]
    assert numbers == sorted({number for _, number, _ in arrivals})
    length = sum(
        sizes[int(item.payload)] if isinstance(item, Packet) else item.samples for item in released
    )
    assert length == at
    assert reorder.late == 0
    assert reorder.lost == len(fates) - len(numbers)


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 65535) | st.integers(990, 1100),
            st.integers(0, 2**32 - 1) | st.integers(0, 10_000),
            st.sampled_from([0, 160, 480]),
            st.floats(0, 0.1),
        ),
        max_size=120,
    )
)
def test_any_packets(stream: list[tuple[int, int, int, float]]) -> None:
    """Whatever comes, in whatever order: each packet at most once, gaps bounded, no exception."""
    reorder = Reorder()
    now = 0.0
    released: list[Released] = []
    for number, (sequence, timestamp, samples, later) in enumerate(stream):
        now += later
        one = Packet(0, False, sequence, timestamp, 1, b"%d" % number)
        released += reorder.arrived(one, samples, now)
    released += reorder.due(now + 1)
    assert not reorder.waiting
    payloads = [item.payload for item in released if isinstance(item, Packet)]
    assert len(payloads) == len(set(payloads))
    for item in released:
        if isinstance(item, Lost):
            assert 0 < item.samples <= 1600
        elif isinstance(item, Paused):
            assert 0 < item.samples <= 40_000
