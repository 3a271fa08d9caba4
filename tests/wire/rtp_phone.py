"""A phone that sends RTP to a Receiver, for tests of what is heard of it."""

from __future__ import annotations

from collections.abc import Iterable

from rapida_tw.wire.reorder import Lost, Paused
from rapida_tw.wire.rtp import Sender
from rapida_tw.wire.rtp_receiver import Digit, Item, Receiver
from rapida_tw.wire.rtp_source import Address, Learn, Source
from rapida_tw.wire.sdp import Agreed, Codec
from rapida_tw.wire.telephone_event import EventWriter

PCMU = Codec("PCMU", 8000, 0)
PCMA = Codec("PCMA", 8000, 8)
OPUS = Codec("opus", 48_000, 111, 2)
L16 = Codec("L16", 16_000, 112)
EVENT = Codec("telephone-event", 8000, 101)
PEER = ("192.0.2.7", 4000)
STRANGER = ("203.0.113.66", 40_000)
TICK = 0.020


def agreed(codec: Codec = PCMU) -> Agreed:
    receive = {one.payload_type: one for one in (PCMU, PCMA, OPUS, L16)}
    host, port = PEER
    return Agreed(codec, receive, host, port, host, port + 1, EVENT, 13)


def receiver(codec: Codec = PCMU, learn: Learn = "signalling") -> Receiver:
    source = Source(learn)
    source.agreed(*PEER, PEER[0], 0.0)
    made = Receiver(source)
    made.agree(agreed(codec))
    return made


class Phone:
    """Sends to `receiver` in real time and keeps what was heard."""

    def __init__(self, receiver: Receiver, first: int = 65_500, begin: int = 0xFFFFF000) -> None:
        self.receiver = receiver
        self.sender = Sender(0, 7, first, begin)
        self.now = 1.0
        self.heard: list[Item] = []
        self.address = PEER

    def deliver(self, data: bytes, address: Address | None = None) -> list[Item]:
        items = list(self.receiver.arrived(data, address or self.address, self.now))
        self.heard += items
        return items

    def waits(self, seconds: float) -> None:
        """20 ms at a time, asking as a beat does."""
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            self.heard += self.receiver.due(self.now)

    def packet(self, letter: str = "a", samples: int = 160) -> bytes:
        return self.sender.next(letter.encode() * samples, samples)

    def talks(self, packets: int, letter: str = "a", samples: int = 160) -> None:
        for _ in range(packets):
            self.deliver(self.packet(letter, samples))
            self.waits(samples / 8000)

    def presses(self, digits: str, lost: Iterable[int] = ()) -> None:
        """A tick at a time; `lost` of the event packets do not get through."""
        writer = EventWriter(101)
        writer.write(digits)
        told = 0
        while writer.busy:
            data = writer.tick(self.sender, 160)
            if data is None:
                self.deliver(self.packet("s"))
            else:
                if told not in lost:
                    self.deliver(data)
                told += 1
            self.waits(TICK)


def digits(items: Iterable[Item]) -> str:
    return "".join(item.digit for item in items if isinstance(item, Digit))


def length(items: Iterable[Item]) -> int:
    """Samples of the time line, at a byte each."""
    total = 0
    for item in items:
        if isinstance(item, bytes):
            total += len(item)
        elif isinstance(item, Lost | Paused):
            total += item.samples
    return total


# What is no RTP of the call, from whomever it comes.
JUNK = [
    b"",
    b"\0" * 5,
    bytes.fromhex("000100002112a442") + bytes(12),  # STUN
    b"\x16\xfe\xfd" + bytes(60),  # DTLS
    bytes.fromhex("80c80006") + bytes(24),  # RTCP
    bytes.fromhex("8f00") + bytes(20),  # CSRCs that are not there
    bytes.fromhex("9000") + bytes(10) + b"\xbe\xde\xff\xff" + bytes(20),
    bytes.fromhex("a000") + bytes(20) + b"\xff",
    bytes.fromhex("8012") + bytes(170),  # G.729, which was not agreed on
    bytes.fromhex("80f0") + b"\1" * 173,  # half a sample of L16
    b"\x40" + bytes(171),
    bytes.fromhex("8000") + bytes(3000),
]
