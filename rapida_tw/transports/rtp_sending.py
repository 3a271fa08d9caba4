"""What we send of a call: a tick of audio at a time becomes packets, digits take its place.

The time line is the beat's: whatever was not sent, because of a hold, a pause or a beat that left
ticks out, is a step of the timestamp and a marker, never a burst.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rapida_tw.audio.format import TICK, TICK_MS, TICKS_PER_SECOND
from rapida_tw.errors import LocalProtocolError, NotSupported
from rapida_tw.transports.datagrams import HostPort
from rapida_tw.wire.rtp import TIMESTAMPS, Sender
from rapida_tw.wire.rtp_source import Source
from rapida_tw.wire.sdp import Codec
from rapida_tw.wire.telephone_event import EventWriter

# Sub-beats round differently by one, and so do two sessions that follow each other; more is a gap.
_STEADY = 2  # ticks
_LOOK_AFTER = (_STEADY + 0.5) * TICK  # seconds without a tick, until that is looked at closely
_LOOK_EVERY = 256  # ticks
_LONGEST = 1_300  # bytes of a payload: with headers and SRTP's tag it fits every MTU
_INDIVISIBLE = "opus"  # a packet of RTP is one of the codec


class Ticks(Protocol):
    """The beat, as far as time goes (MediaClock)."""

    behind: int  # whole ticks by which the running beat is late

    @property
    def now(self) -> int:
        """The current tick."""

    def seconds(self) -> float:
        """The clock's."""


class Sending:
    """One stream from us: one SSRC, one numbering and one time line for the whole call.

    `send(packet, address)` is given each packet when it is due, with where `source` says that the
    far side is; as long as that is not known, time passes without packets.
    """

    __slots__ = (
        "_event",
        "_gathered",
        "_parts",
        "_plain",
        "_samples",
        "_seconds",
        "_silence",
        "_source",
        "_tick",
        "_ticked_at",
        "_ticks",
        "_ticks_a_packet",
        "_writer",
        "send",
        "sender",
    )

    def __init__(
        self, ticks: Ticks, source: Source, send: Callable[[bytes, HostPort], object]
    ) -> None:
        self._ticks = ticks
        self._seconds = ticks.seconds
        self._source = source
        self.send = send
        self.sender = Sender.random(0)
        self._silence = b""
        self._tick = -1  # the one that is due; negative: there was none
        self._ticked_at = -_LOOK_AFTER  # seconds
        self._samples = 160  # of a tick, by the codec's clock
        self._parts = 1  # packets a tick
        self._ticks_a_packet = 1
        self._plain = True  # a tick is a packet, and no digit is in its way
        self._gathered: list[bytes] = []  # ticks of the next packet
        self._event: Codec | None = None
        self._writer: EventWriter | None = None  # while digits are sent

    def agree(self, codec: Codec, event: Codec | None, ptime: int, silence: bytes) -> None:
        """Send like this from the next tick on; `silence` is one tick of it."""
        self._flush()
        self.sender.payload_type = codec.payload_type
        self._samples = codec.rate // TICKS_PER_SECOND
        self._silence = silence
        divisible = codec.name.lower() != _INDIVISIBLE
        self._parts = 2 if divisible and ptime == TICK_MS // 2 else 1
        most = max(1, _LONGEST // len(silence)) if divisible and not ptime % TICK_MS else 1
        self._ticks_a_packet = max(1, min(ptime // TICK_MS, most))
        if event != self._event:
            self._event = event
            self._writer = None  # its digits cannot be told any more
        self._decide()

    def _decide(self) -> None:
        self._plain = self._parts == self._ticks_a_packet == 1 and self._writer is None

    def digits(self, digits: str) -> bool:
        """Send these, from the next tick on, behind those that wait. False: nobody would know them.

        `NotSupported` when these are no digits, or too many.
        """
        if self._event is None:
            return False
        writer = self._writer or EventWriter(self._event.payload_type, self._event.rate)
        try:
            writer.write(digits)
        except LocalProtocolError as error:
            raise NotSupported(str(error)) from error
        if writer.busy:
            self._writer = writer
            self._decide()
        return True

    def tick(self, payload: bytes) -> None:
        """One tick has passed; `payload` is its audio."""
        remote = self._source.remote
        if remote is None:
            return
        now = self._seconds()
        if now - self._ticked_at >= _LOOK_AFTER or not self._tick % _LOOK_EVERY:
            self._look()
        self._ticked_at = now
        self._tick += 1
        if self._plain:
            self.send(self.sender.next(payload, self._samples), remote)
        elif self._writer is not None:
            self._write(self._writer)
        elif self._parts > 1:
            half = len(payload) // 2
            self.send(self.sender.next(payload[:half], self._samples // 2), remote)
            self.send(self.sender.next(payload[half:], self._samples // 2), remote)
        else:
            self._gathered.append(payload)
            if len(self._gathered) >= self._ticks_a_packet:
                self._flush()

    def stop(self) -> None:
        """Nothing is sent for a while: what was not sent yet will not be, digits neither."""
        self.sender.skip(len(self._gathered) * self._samples)
        self._gathered.clear()
        self._writer = None
        self._decide()

    def timestamp(self) -> int:
        """What a packet would bear that began now (RFC 3550 6.4.1)."""
        passed = (self._ticks.now - self._tick + len(self._gathered)) * self._samples
        return (self.sender.timestamp + passed) % TIMESTAMPS

    def _look(self) -> None:
        """Were ticks left out, or is the beat just late?"""
        missed = self._ticks.now - self._ticks.behind - self._tick
        if self._tick < 0:
            self._tick += missed
        elif missed > _STEADY:
            self._flush()
            self.sender.skip(missed * self._samples)
            self._tick += missed

    def _flush(self) -> None:
        if self._gathered:
            samples = len(self._gathered) * self._samples
            packet = self.sender.next(b"".join(self._gathered), samples)
            self._gathered.clear()
            if self._source.remote is not None:
                self.send(packet, self._source.remote)

    def _write(self, writer: EventWriter) -> None:
        self._flush()
        packet = writer.tick(self.sender, self._samples)
        if not writer.busy:
            self._writer = None
            self._decide()
        packet = packet or self.sender.next(self._silence, self._samples)
        if self._source.remote is not None:
            self.send(packet, self._source.remote)
