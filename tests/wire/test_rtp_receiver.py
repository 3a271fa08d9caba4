"""Receiver: what a call hears of the datagrams that come to its port."""

from __future__ import annotations

import random

import pytest

from rapida_tw.wire.reorder import Lost, Paused
from rapida_tw.wire.rtp import Sender
from rapida_tw.wire.rtp_receiver import Noise
from tests.wire.rtp_phone import JUNK, OPUS, PEER, STRANGER, TICK, Phone, length, receiver

# -- the ordinary call ----------------------------------------------------------------------------


def test_every_packet_at_once() -> None:
    """Over both wraps: each payload is given out when it comes, and nothing else."""
    phone = Phone(receiver())
    for number in range(200):
        assert phone.deliver(phone.packet(chr(97 + number % 26))) == [
            chr(97 + number % 26).encode() * 160
        ]
        phone.waits(TICK)
    assert phone.receiver.received == 200
    assert phone.receiver.statistics.jitter == pytest.approx(0, abs=1e-6)
    assert phone.receiver.dropped == {}


def test_ordinary_packets_take_the_short_way() -> None:
    """Once the source has settled, the parts are not asked any more."""
    phone = Phone(receiver())
    phone.talks(5)
    phone.receiver._arrived_otherwise = lambda *_: ["the long way"]  # type: ignore[method-assign,list-item,return-value]
    phone.talks(100)
    assert "the long way" not in phone.heard


@pytest.mark.parametrize("milliseconds", [10, 20, 30, 40, 60])
def test_packet_times(milliseconds: int) -> None:
    """Senders of 10 to 60 ms lose nothing and gain nothing."""
    phone = Phone(receiver())
    phone.talks(50, samples=milliseconds * 8)
    assert phone.heard == [b"a" * milliseconds * 8] * 50


def test_packet_times_that_vary() -> None:
    """So do those that change their mind."""
    phone = Phone(receiver())
    for samples in (160, 240, 80, 480, 160) * 10:
        phone.talks(1, samples=samples)
    assert all(isinstance(item, bytes) for item in phone.heard)
    assert length(phone.heard) == 11_200


def test_opus() -> None:
    """Packets of any size follow each other by the time that they say they last."""
    phone = Phone(receiver(OPUS))
    phone.sender.payload_type = 111
    payloads = [b"\x78" + bytes(at) for at in range(20, 80)]
    for payload in payloads:
        phone.deliver(phone.sender.next(payload, 960))
        phone.waits(TICK)
    assert phone.heard == payloads


# -- loss, order, time ----------------------------------------------------------------------------


@pytest.mark.parametrize("percent", [1, 5, 20])
def test_loss_does_not_drift(percent: int) -> None:
    """Random loss leaves the time line as long as it was, over a minute."""
    phone = Phone(receiver())
    chance = random.Random(percent)
    phone.talks(10)
    for _ in range(3000):
        data = phone.packet()
        if chance.random() * 100 >= percent:
            phone.deliver(data)
        phone.waits(TICK)
    phone.talks(2)
    assert length(phone.heard) == 3012 * 160
    assert not any(isinstance(item, Paused) for item in phone.heard)
    assert phone.receiver.reorder.lost == pytest.approx(30 * percent, rel=0.5)


def test_reordering_by_two() -> None:
    """Each third packet comes two places later: everything is heard, in order."""
    phone = Phone(receiver())
    phone.talks(6, "x")
    phone.receiver.statistics.jitter = 240  # as such a network has it: 60 ms are waited
    kept: list[bytes] = []
    for number in range(60):
        data = phone.packet(chr(65 + number))
        if number % 3 == 0:
            kept.append(data)
        else:
            phone.deliver(data)
            if number % 3 == 2:
                phone.deliver(kept.pop())
        phone.waits(TICK)
    assert b"".join(item for item in phone.heard[6:] if isinstance(item, bytes)) == b"".join(
        chr(65 + number).encode() * 160 for number in range(60)
    )
    assert phone.receiver.reorder.lost == 0


def test_gap_at_the_end_is_asked_for() -> None:
    """What waits behind a gap is given out by `due` when nothing more comes."""
    phone = Phone(receiver())
    phone.talks(6)
    phone.packet()
    assert phone.deliver(phone.packet("z")) == []
    assert phone.receiver.waiting
    phone.waits(0.06)
    assert phone.heard[6:] == [Lost(160), b"z" * 160]
    assert not phone.receiver.waiting


def test_silence_suppression() -> None:
    """20 s without packets, and then audio again: a pause, no loss, no jitter."""
    phone = Phone(receiver())
    phone.talks(10)
    phone.deliver(phone.sender.event(13, b"\x4e", False, phone.sender.timestamp))
    phone.sender.skip(160_000)
    phone.waits(20)
    phone.talks(10)
    assert phone.heard[10:12] == [Noise(0x4E), Paused(40_000)]
    assert length(phone.heard[12:]) == 1600
    assert phone.receiver.statistics.jitter_seconds < 0.002


def test_clock_drift() -> None:
    """A sender whose clock is 500 ppm fast or slow is heard without gaps, for five minutes."""
    for drift in (1.0005, 0.9995):
        phone = Phone(receiver())
        for _ in range(15_000):
            phone.deliver(phone.packet())
            phone.now += TICK * drift
        assert len(phone.heard) == 15_000


def test_stalled_reactor() -> None:
    """Packets that are read in one go after a stall of 100 ms are all heard, at once."""
    phone = Phone(receiver())
    phone.talks(10)
    phone.now += 0.1
    for _ in range(6):
        phone.deliver(phone.packet())
    assert phone.heard == [b"a" * 160] * 16


def test_jitter_is_measured() -> None:
    """Every second packet 8 ms late."""
    phone = Phone(receiver())
    for _ in range(200):
        phone.deliver(phone.packet())
        phone.now += 0.028
        phone.deliver(phone.packet())
        phone.now += 0.012
    assert phone.receiver.statistics.jitter_seconds == pytest.approx(0.008, rel=0.05)


# -- who and what ---------------------------------------------------------------------------------


def test_junk_changes_nothing() -> None:
    """A thousand datagrams of junk, from the peer and from others, are counted and that is all."""
    phone = Phone(receiver())
    for number in range(1000):
        phone.deliver(JUNK[number % len(JUNK)], PEER if number % 2 else STRANGER)
        if number % 10 == 0:
            phone.deliver(phone.packet())
            phone.waits(TICK)
    assert phone.heard == [b"a" * 160] * 100
    assert sum(phone.receiver.dropped.values()) == 1000
    assert set(phone.receiver.dropped) == {
        *("short", "stun", "dtls", "payload-type", "truncated", "padding", "length", "version"),
        "long",
    }


def test_stranger_is_not_heard() -> None:
    """Forged packets, even with the right numbers, change neither what is heard nor where to."""
    phone = Phone(receiver())
    forger = Phone(phone.receiver, phone.sender.sequence, phone.sender.timestamp)
    for _ in range(50):
        forger.deliver(forger.packet("x"), STRANGER)
        phone.talks(1)
    assert forger.heard == []
    assert phone.heard == [b"a" * 160] * 50
    assert phone.receiver.source.remote == PEER
    assert phone.receiver.dropped == {"source": 50}


def test_junk_does_not_teach() -> None:
    """Only a packet that could be heard may teach an address."""
    phone = Phone(receiver())
    for data in JUNK:
        phone.deliver(data, (PEER[0], 5))
    assert phone.receiver.source.remote == PEER
    assert phone.receiver.source.heard_at < 0


def test_rebinding_goes_on() -> None:
    """After 3 s of silence the call goes on from another port, with a pause and no restart."""
    phone = Phone(receiver())
    phone.talks(50)
    phone.sender.skip(24_000)
    phone.waits(3)
    phone.address = (PEER[0], 4444)
    phone.talks(10)
    assert phone.heard[50:] == [Paused(24_000), *[b"a" * 160] * 10]
    assert phone.receiver.source.settled == (PEER[0], 4444)


def test_another_ssrc() -> None:
    """Music on hold, a transfer: heard from its first packet, wherever its numbers begin."""
    for first, begin in ((0, 1234), (65_499, 1234), (30_000, 1234), (65_510, 0xFFFFF640)):
        phone = Phone(receiver())
        phone.talks(10)
        phone.sender = Sender(0, 8, first, begin)
        phone.talks(10, "b")
        assert phone.heard == [b"a" * 160] * 10 + [b"b" * 160] * 10
        assert (phone.receiver.streams, phone.receiver.ssrc) == (2, 8)
        assert (phone.receiver.received, phone.receiver.reorder.lost) == (20, 0)


def test_what_was_held_is_heard_before_another_ssrc() -> None:
    """The end of the old stream is not lost with it."""
    phone = Phone(receiver())
    phone.talks(6)
    phone.packet()
    phone.deliver(phone.packet("z"))
    phone.sender = Sender(0, 8, 100, 1234)
    assert phone.deliver(phone.packet("b")) == [Lost(160), b"z" * 160, b"b" * 160]


def test_another_numbering() -> None:
    """The same SSRC begins anew: nothing is thrown away, and the report is of the new stream."""
    phone = Phone(receiver())
    phone.talks(10)
    phone.sender.sequence = 40_000
    phone.talks(10, "b")
    assert phone.heard == [b"a" * 160] * 10 + [b"b" * 160] * 10
    report = phone.receiver.report(phone.now)
    assert report is not None
    assert (report.lost, report.fraction, report.highest) == (0, 0, 40_009)
    assert (phone.receiver.received, phone.receiver.streams) == (20, 2)


def test_report() -> None:
    """Loss, order and cycles as RFC 3550 counts them."""
    phone = Phone(receiver(), first=65_530)
    assert phone.receiver.report(0.0) is None
    phone.talks(10)
    phone.packet()
    phone.talks(1)
    report = phone.receiver.report(phone.now)
    assert report is not None
    assert (report.ssrc, report.lost, report.highest) == (7, 1, 65_541)
    assert report.fraction == 256 // 12
