"""Receiver: packets of other payload types than the last one: codecs and digits."""

from __future__ import annotations

import pytest

from rapida_tw.wire.reorder import Paused
from rapida_tw.wire.rtp import Sender
from rapida_tw.wire.rtp_receiver import Noise, Switched
from rapida_tw.wire.sdp import Agreed
from rapida_tw.wire.telephone_event import EventWriter
from tests.wire.rtp_phone import (
    L16,
    PCMA,
    PCMU,
    PEER,
    TICK,
    Phone,
    agreed,
    digits,
    length,
    receiver,
)

# -- codecs ---------------------------------------------------------------------------------------


def test_codec_changes_unasked() -> None:
    """PCMA where PCMU was expected is heard as what it is, and back."""
    phone = Phone(receiver())
    phone.talks(6)
    phone.sender.payload_type = 8
    phone.talks(6, "b")
    phone.sender.payload_type = 0
    phone.talks(6)
    assert phone.heard == [
        *[b"a" * 160] * 6,
        Switched(PCMA),
        *[b"b" * 160] * 6,
        Switched(PCMU),
        *[b"a" * 160] * 6,
    ]


def test_first_packet_of_another_codec() -> None:
    """The very first packet may be of another codec than the one that we send."""
    phone = Phone(receiver(PCMA))
    phone.talks(1)
    assert phone.heard == [Switched(PCMU), b"a" * 160]


def test_another_clock() -> None:
    """A change to a codec of another clock is no pause and no loss."""
    phone = Phone(receiver())
    phone.talks(6)
    phone.sender.payload_type = 112
    for _ in range(6):
        phone.deliver(phone.sender.next(bytes(640), 320))
        phone.waits(TICK)
    assert phone.heard[6:] == [Switched(L16), *[bytes(640)] * 6]
    assert phone.receiver.reorder.rate == 16_000


def test_held_packets_keep_their_codec() -> None:
    """Packets of two codecs that wait together are each told as what they are."""
    phone = Phone(receiver())
    phone.talks(6)
    missing = phone.packet("m")
    first = phone.packet("n")
    phone.sender.payload_type = 8
    second = phone.packet("o")
    assert phone.deliver(first) + phone.deliver(second) == []
    assert phone.deliver(missing) == [b"m" * 160, b"n" * 160, Switched(PCMA), b"o" * 160]


def test_agreed_anew() -> None:
    """A later agreement changes what is understood, and nothing of the stream."""
    phone = Phone(receiver())
    phone.talks(6)
    phone.receiver.agree(agreed())
    phone.talks(6)
    only = Agreed(PCMA, {8: PCMA}, *PEER, *PEER)
    phone.receiver.agree(only)
    phone.talks(1)
    assert phone.heard == [b"a" * 160] * 12
    assert phone.receiver.dropped == {"payload-type": 1}


def test_unknown_type_is_not_lost() -> None:
    """A packet of the stream that cannot be heard has a number: nothing waits for it."""
    phone = Phone(receiver())
    phone.talks(6)
    assert phone.deliver(phone.sender.event(97, b"what", False, 5)) == []
    assert phone.deliver(phone.packet()) == [b"a" * 160]
    assert phone.receiver.dropped == {"payload-type": 1}
    assert phone.receiver.reorder.lost == 0


def test_unknown_type_begins_nothing() -> None:
    """Nor does a stream begin with one, or change its source."""
    phone = Phone(receiver())
    phone.deliver(phone.sender.event(97, b"what", False, 5))
    assert (phone.receiver.ssrc, phone.receiver.source.heard_at) == (-1, -1.0)


def test_comfort_noise_unasked() -> None:
    """Its static number needs no agreement."""
    phone = Phone(receiver())
    phone.receiver.agree(Agreed(PCMU, {0: PCMU}, *PEER, *PEER))
    phone.talks(6)
    assert phone.deliver(phone.sender.event(13, b"\x40", False, 5)) == [Noise(0x40)]


# -- digits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [(), (0,), (5, 6, 7), (0, 1, 2, 3, 4, 6, 7), (2, 3)])
def test_digit(lost: tuple[int, ...]) -> None:
    """One digit, the time line as long as ever, whatever of it is lost."""
    phone = Phone(receiver())
    phone.talks(10)
    phone.presses("5", lost)
    phone.talks(10)
    assert digits(phone.heard) == "5"
    assert length(phone.heard) == 31 * 160
    # Without its end a key is down for 200 ms.
    assert phone.heard[-4:] == [b"a" * 160] * 4


def test_many_digits() -> None:
    """Pairs of equal ones too."""
    phone = Phone(receiver())
    phone.talks(10)
    phone.presses("1122*#00D")
    assert digits(phone.heard) == "1122*#00D"


def test_leaked_tone() -> None:
    """Audio that comes while a key is down is its tone: silence of the same length is heard."""
    phone = Phone(receiver())
    phone.talks(10)
    start = phone.sender.timestamp
    for at in range(8):
        payload = bytes((5, 0x8A if at > 4 else 0x0A)) + (160 * min(at + 1, 5)).to_bytes(2)
        phone.deliver(phone.sender.event(101, payload, at == 0, start))
        phone.deliver(phone.packet("t"))
        phone.waits(TICK)
    phone.talks(10)
    assert digits(phone.heard) == "5"
    assert length(phone.heard) == 28 * 160
    assert [item for item in phone.heard if isinstance(item, Paused)] == [Paused(160)] * 5
    assert phone.heard.count(b"t" * 160) == 3


def test_key_that_is_never_released() -> None:
    """200 ms after the last packet of a press audio is heard again."""
    phone = Phone(receiver())
    phone.talks(10)
    phone.deliver(phone.sender.event(101, b"\5\x0a\0\xa0", True, phone.sender.timestamp))
    phone.talks(20)
    assert phone.heard.count(Paused(160)) == 10
    assert phone.heard[-10:] == [b"a" * 160] * 10


def test_long_press() -> None:
    """Ten seconds on one key: one digit, and a pause of which at most 5 s are told."""
    phone = Phone(receiver())
    phone.talks(10)
    start = phone.sender.timestamp
    for at in range(500):
        duration = 160 * (at + 1)
        segment, told = divmod(duration, 0xFFFF)
        payload = bytes((9, 0x0A)) + told.to_bytes(2)
        began = (start + segment * 0xFFFF) & 0xFFFFFFFF
        phone.deliver(phone.sender.event(101, payload, at == 0, began))
        phone.sender.skip(160)
        phone.waits(TICK)
    phone.talks(20)
    assert digits(phone.heard) == "9"
    assert Paused(40_000) in phone.heard


def test_digit_with_an_ssrc_of_its_own() -> None:
    """A gateway that inserts digits into another stream does not disturb the audio."""
    phone = Phone(receiver())
    phone.talks(10)
    inserted = Sender(0, 99, 5, 77)
    writer = EventWriter(101)
    writer.write("7")
    while writer.busy:
        data = writer.tick(inserted, 160)
        if data is not None:
            phone.deliver(data)
        phone.talks(1)
    assert digits(phone.heard) == "7"
    assert length(phone.heard) == 21 * 160
    assert (phone.receiver.ssrc, phone.receiver.streams) == (7, 1)
    assert phone.receiver.source.ssrc == 7


def test_call_that_begins_with_a_digit() -> None:
    """Before any audio, too."""
    phone = Phone(receiver())
    phone.presses("3")
    assert digits(phone.heard) == "3"
