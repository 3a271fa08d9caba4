"""Telephone events: one digit a press, whatever is lost or broken; and digits written."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import LocalProtocolError
from rapida_tw.wire.rtp import Packet, Sender, read
from rapida_tw.wire.telephone_event import DIGITS, EventReader, EventWriter

# The digit 5, 20 ms a packet (protocol notes, "DTMF").
GOLDEN = [
    bytes.fromhex(line)
    for line in (
        "80 e5 13 00 00 02 00 00 ca fe ba be  05 0a 00 a0",
        "80 65 13 01 00 02 00 00 ca fe ba be  05 0a 01 40",
        "80 65 13 02 00 02 00 00 ca fe ba be  05 0a 01 e0",
        "80 65 13 03 00 02 00 00 ca fe ba be  05 8a 02 80",
        "80 65 13 04 00 02 00 00 ca fe ba be  05 8a 02 80",
        "80 65 13 05 00 02 00 00 ca fe ba be  05 8a 02 80",
    )
]

One = tuple[int, int, bool, int, int]  # ms, event, end, duration, timestamp


def press(
    event: int, at: int, updates: int = 5, ends: int = 3, timestamp: int | None = None
) -> list[One]:
    """A press by the book: when each packet comes, and what it says."""
    start = at * 8 if timestamp is None else timestamp
    return [
        (at + 20 * number, event, number >= updates, 160 * min(number + 1, updates), start)
        for number in range(updates + ends)
    ]


def heard(packets: Iterable[One], reader: EventReader | None = None) -> str:
    reader = reader or EventReader()
    return "".join(
        reader.arrived(
            bytes((event, 0x8A if end else 0x0A)) + duration.to_bytes(2),
            timestamp & 0xFFFFFFFF,
            at / 1000,
        )
        for at, event, end, duration, timestamp in packets
    )


def test_golden() -> None:
    """The digit is told at its first packet, and only there."""
    reader = EventReader()
    packets = [packet for packet in map(read, GOLDEN) if packet]
    digits = [
        reader.arrived(one.payload, one.timestamp, at * 0.02, one.ssrc)
        for at, one in enumerate(packets)
    ]
    assert digits == ["5", "", "", "", "", ""]


def test_every_key() -> None:
    """Events 0 to 15 are the sixteen keys; flash and others are none."""
    presses = [one for event in range(20) for one in press(event, event * 300)]
    assert heard(presses) == "0123456789*#ABCD"


@pytest.mark.parametrize("kept", [[0], [1], [4], [5], [7], [0, 7], [2, 6], [5, 6, 7], [0, 1]])
def test_loss(kept: list[int]) -> None:
    """Any one packet that gets through is the digit, and any two are it once."""
    packets = press(5, 0)
    assert heard(packets[number] for number in kept) == "5"


@given(st.sets(st.integers(0, 23)), st.sampled_from([(5, 5, 5), (1, 2, 1), (1, 1, 2)]))
def test_any_loss(kept: set[int], keys: tuple[int, ...]) -> None:
    """Of three presses each is heard once if anything of it gets through."""
    packets = [one for number, key in enumerate(keys) for one in press(key, number * 220)]
    expected = "".join(
        str(key) for number, key in enumerate(keys) if any(at // 8 == number for at in kept)
    )
    assert heard(packets[number] for number in sorted(kept)) == expected


def test_equal_digits_at_once() -> None:
    """Two equal digits 40 ms apart are two: their timestamps tell."""
    tone = 5 * 160
    first = press(1, 0, ends=1)
    second = press(1, 140, ends=1, timestamp=tone + 320)
    assert heard(first + second) == "11"


def test_equal_digits_whose_ends_are_lost() -> None:
    """A new timestamp after a pause is a new press, even if the old one never ended."""
    assert heard(press(1, 0, ends=0) + press(1, 160, ends=0)) == "11"


def test_belated_ends() -> None:
    """Ends of a press that come after the next one has begun are of the old one."""
    first, second = press(1, 0), press(2, 220)
    reader = EventReader()
    assert heard([*first[:6], second[0], *first[6:]], reader) == "12"
    assert reader.down(0.22)
    assert heard(second[1:], reader) == ""
    assert heard(press(1, 440), reader) == "1"


def test_moving_timestamps() -> None:
    """A sender that moves the timestamp in every packet has pressed once."""
    packets = [(at, event, end, length, at * 8) for at, event, end, length, _ in press(7, 1000)]
    assert heard(packets) == "7"
    assert heard([packets[0], packets[2], packets[5]]) == "7"


def test_ends_with_another_timestamp() -> None:
    """A sender that moves it in the ends only, too."""
    packets = press(7, 1000)
    moved = [
        *packets[:5],
        *((*one[:4], one[4] + 800 + 160 * at) for at, one in enumerate(packets[5:])),
    ]
    assert heard(moved) == "7"


def test_moving_timestamps_pressed_twice() -> None:
    """Such a sender is heard twice when it presses twice with a pause."""
    reader = EventReader()
    for begin in (0, 300):
        packets = [(at, key, end, length, at * 8) for at, key, end, length, _ in press(7, begin)]
        assert heard(packets, reader) == "7"


def test_ends_alone() -> None:
    """Some senders send nothing else."""
    assert heard([*press(3, 0)[5:], *press(3, 300)[5:]]) == "33"


def test_audio_between() -> None:
    """After an end, audio, and then the same event under a new timestamp: pressed again."""
    for audio, digits in ((True, "44"), (False, "4")):
        reader = EventReader()
        told = heard(press(4, 0, ends=1), reader)
        if audio:
            reader.audio_arrived()
        assert told + heard([(140, 4, True, 800, 900)], reader) == digits


def long_press(seconds: int) -> list[One]:
    """Segments of at most 65535 samples, each with the timestamp after the last (2.5.1.3)."""
    packets = []
    start = length = 0
    for at in range(0, seconds * 1000, 20):
        length += 160
        if length > 0xFFFF:
            start += 0xFFFF
            length -= 0xFFFF
        packets.append((at, 9, False, length, start))
    at, key, _, length, start = packets[-1]
    return packets + [(at + 20 * end, key, True, length, start) for end in (1, 2, 3)]


def test_long_press() -> None:
    """A key held for half a minute is one press."""
    assert heard(long_press(30)) == "9"


@pytest.mark.parametrize("lost", [1, 3, 7])
def test_long_press_with_loss_where_segments_meet(lost: int) -> None:
    """So it is when packets around the seam are lost."""
    packets = long_press(20)
    for first in range(405, 412):
        kept = packets[:first] + packets[first + lost :]
        assert heard(kept) == "9", first


def test_long_press_that_never_changes() -> None:
    """Senders that stay at the longest duration, or start over in it, have pressed once."""
    stuck = [(at * 20, 1, False, min((at + 1) * 160, 0xFFFF), 0) for at in range(1000)]
    wrapped = [(at * 20, 1, False, (at + 1) * 160 & 0xFFFF, 0) for at in range(1000)]
    assert (heard(stuck), heard(wrapped)) == ("1", "1")


def test_outage_in_a_press() -> None:
    """The key stays the same over 400 ms without packets."""
    packets = press(6, 0, updates=60)
    assert heard(packets[:10] + packets[30:]) == "6"


def test_down() -> None:
    """A key is down from its first packet to its end, or 200 ms after its last packet."""
    reader = EventReader()
    assert not reader.down(0.0)
    heard(press(1, 0)[:3], reader)
    assert reader.down(0.239)
    assert not reader.down(0.241)
    heard(press(1, 0)[3:6], reader)
    assert not reader.down(0.1)


def test_watching() -> None:
    """Audio must be told of while a key is down and, until there was some, 60 ms after."""
    reader = EventReader()
    assert not reader.watching(0.0)
    heard(press(1, 0)[:6], reader)
    assert reader.watching(0.160)
    assert not reader.watching(0.161)
    reader.audio_arrived()
    assert not reader.watching(0.101)


def test_several_events_in_a_packet() -> None:
    """Contiguous events in one payload are digits each, and once."""
    reader = EventReader()
    payload = bytes.fromhex("018a0320 028a0320 108a0320 030a00a0")
    assert reader.arrived(payload, 1000, 0.0) == "123"
    assert reader.arrived(payload[:12] + bytes.fromhex("030a0140"), 1000, 0.02) == ""
    assert reader.arrived(bytes.fromhex("038a0320"), 1000 + 3 * 800, 0.04) == ""


def test_another_stream() -> None:
    """The same timestamp under another SSRC is another press."""
    reader = EventReader()
    assert reader.arrived(bytes.fromhex("018a0320"), 1000, 0.0, ssrc=1) == "1"
    assert reader.arrived(bytes.fromhex("018a0320"), 1000, 0.02, ssrc=2) == "1"


def test_same_timestamp_again() -> None:
    """A sender whose timestamps never change can press again after some seconds."""
    assert heard(press(1, 0, timestamp=0) + press(1, 6000, timestamp=0)) == "11"


def test_wrapped_timestamp() -> None:
    """A segment may begin beyond 32 bits."""
    start = 0xFFFFFFFF - 1000
    first = [(at * 20, 8, False, 160 * (at + 1), start) for at in range(409)]
    second = [(8180 + at * 20, 8, False, 160 * (at + 1), start + 0xFFFF) for at in range(3)]
    assert heard(first + second) == "8"


@given(
    st.lists(
        st.tuples(
            st.binary(max_size=40),
            st.integers(0, 2**32 - 1) | st.integers(0, 2000),
            st.floats(0, 0.3),
        ),
        max_size=60,
    )
)
def test_any_bytes(packets: list[tuple[bytes, int, float]]) -> None:
    """Whatever comes: digits or nothing, no exception, and memory that is bounded."""
    reader = EventReader()
    now = 0.0
    for payload, timestamp, later in packets:
        now += later
        assert set(reader.arrived(payload, timestamp, now)) <= set(DIGITS)
    assert len(reader._known) <= 40


# -- writing --------------------------------------------------------------------------------------


def written(digits: str, rate: int = 8000, audio_samples: int = 160) -> list[Packet | None]:
    """A packet for each tick, None for silence."""
    sender = Sender(0, 0xCAFEBABE, 0x1300, 0x20000)
    writer = EventWriter(101, rate)
    writer.write(digits)
    packets = []
    while writer.busy:
        data = writer.tick(sender, audio_samples)
        packets.append(None if data is None else read(data))
        if data is None:
            sender.next(bytes(160), audio_samples)
    assert writer.tick(sender, audio_samples) is None
    return packets


def test_a_digit() -> None:
    """100 ms of tone, three ends, 60 ms of pause; the timestamp stands, the numbers go on."""
    packets = written("5")
    assert packets[8:] == [None] * 3
    told = [one for one in packets if one]
    assert [one.payload.hex() for one in told] == [
        "050a00a0",
        "050a0140",
        "050a01e0",
        "050a0280",
        "050a0320",
        *["058a0320"] * 3,
    ]
    assert [one.marker for one in told] == [True] + [False] * 7
    assert {one.timestamp for one in told} == {0x20000}
    assert [one.sequence for one in told] == list(range(0x1300, 0x1308))
    assert {one.payload_type for one in told} == {101}


def test_first_packet_of_golden() -> None:
    """The first packet is that of the notes, byte for byte."""
    sender = Sender(0, 0xCAFEBABE, 0x1300, 0x20000)
    writer = EventWriter(101)
    writer.write("5")
    assert [writer.tick(sender, 160) for _ in range(3)] == GOLDEN[:3]


def test_audio_continues_behind() -> None:
    """The next audio is marked and as much later as the digit took."""
    sender = Sender(0, 1, 0, 1000)
    writer = EventWriter(101)
    writer.write("5")
    for _ in range(8):
        assert writer.tick(sender, 160) is not None
    after = read(sender.next(bytes(160), 160))
    assert after is not None
    assert (after.timestamp, after.marker, after.sequence) == (1000 + 8 * 160, True, 8)


def test_other_clock() -> None:
    """Durations are in the event's clock, the time line in the audio's."""
    told = [one for one in written("1", rate=48_000, audio_samples=960) if one]
    assert [int.from_bytes(one.payload[2:]) for one in told][:5] == [960, 1920, 2880, 3840, 4800]


def test_what_is_written_is_read() -> None:
    """Our reader hears what our writer sends, equal digits too, in a call that has audio."""
    digits = "112233*##0ABCD" * 3
    reader = EventReader()
    heard_digits = ""
    for tick, packet in enumerate(written(digits)):
        if packet is None:
            reader.audio_arrived()
        else:
            heard_digits += reader.arrived(packet.payload, packet.timestamp, tick * 0.02)
    assert heard_digits == digits


@pytest.mark.parametrize("pause", [",", "w", "p", "W", "P"])
def test_pauses(pause: str) -> None:
    """Half a second of silence each."""
    packets = written(f"1{pause}2{pause}{pause}")
    assert len(packets) == 11 + 25 + 11 + 50
    assert packets[11:36] == [None] * 25
    assert packets[36] is not None


def test_small_letters() -> None:
    """A to D may be written small."""
    assert [one.payload[0] for one in written("ad") if one and one.marker] == [12, 15]


@pytest.mark.parametrize("digits", ["12x", "+49", "1 2", "E", "٣", "1" * 257])
def test_no_digits(digits: str) -> None:
    """Other characters and endless strings are refused, and nothing of them is sent."""
    writer = EventWriter(101)
    with pytest.raises(LocalProtocolError):
        writer.write(digits)
    assert not writer.busy


def test_clear() -> None:
    """What is under way is finished, with its ends; what waits is forgotten."""
    sender = Sender(0, 1, 0, 0)
    writer = EventWriter(101)
    writer.write("12")
    writer.tick(sender, 160)
    writer.clear()
    ticks = 0
    while writer.busy:
        writer.tick(sender, 160)
        ticks += 1
    assert ticks == 10
    writer.write("3")
    writer.clear()
    assert not writer.busy
