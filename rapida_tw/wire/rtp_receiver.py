"""Receiver: what a call hears of the packets that come to its port.

One call a packet, 50 times a second a call: the packet that is due is recognised and counted here
in one piece; whatever else comes goes the long way through the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from rapida_tw.wire.reorder import Lost, Paused, Released, Reorder, wait_for
from rapida_tw.wire.rtcp import Block
from rapida_tw.wire.rtcp_statistics import Statistics
from rapida_tw.wire.rtp import (
    HEADER,
    HEADER_BYTES,
    LONGEST,
    Packet,
    duration,
    read,
    refusal,
)
from rapida_tw.wire.rtp_source import Address, Source
from rapida_tw.wire.sdp import Agreed, Codec
from rapida_tw.wire.telephone_event import EventReader


class Switched(NamedTuple):
    """From here on audio is of this codec, which may come unasked (RFC 3264 5.1)."""

    codec: Codec


class Digit(NamedTuple):
    """A key was pressed."""

    digit: str  # one of 0-9 A-D * #


class Noise(NamedTuple):
    """The far side is silent, and sounds like this (RFC 3389)."""

    level: int  # -dBov


Item = bytes | Lost | Paused | Switched | Digit | Noise
_NOTHING: Final[Sequence[Item]] = ()

_EVENT: Final = "event"
_NOISE: Final = "noise"
_COMFORT_NOISE: Final = 13  # RFC 3551 table 4
_NO_TYPE: Final = -1  # of no packet: everything goes the long way


class _Audio(NamedTuple):
    """What a payload type of audio means."""

    codec: Codec
    duration: Callable[[bytes], int]


class Receiver:
    """One call's incoming audio, in order, with its digits. Times are seconds.

    `agree` must come first. Audio is `bytes`, of the codec that was agreed to be sent or of what
    `Switched` last said; samples are of that codec's clock. Nothing that arrives makes it raise.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.reorder = Reorder()
        self.statistics = Statistics()  # of the present stream
        self.codec: Codec | None = None  # of the audio given out
        self.ssrc = -1  # of the present stream; -1: none has come
        self.streams = 0  # SSRCs, and numberings begun anew
        self.dropped: dict[str, int] = {}  # reason (`wire.rtp.refusal` and some) -> datagrams
        self._kinds: dict[int, _Audio | str] = {}
        self._events = EventReader()
        self._type = _NO_TYPE  # of the packet that is due
        self._duration: Callable[[bytes], int] = len
        self._audio_type = _NO_TYPE  # of the last audio given out
        self._received_before = 0  # of earlier streams
        self._counted = (-1, -1, 0)  # the stream that is counted: SSRC, first number, restarts

    def agree(self, agreed: Agreed) -> None:
        """An offer and its answer: what payload types mean from now on."""
        self._kinds = {
            payload_type: _Audio(codec, duration(codec))
            for payload_type, codec in agreed.receive.items()
        }
        # Gateways send it unasked, under its static number.
        self._kinds.setdefault(_COMFORT_NOISE, _NOISE)
        if agreed.comfort_noise is not None:
            self._kinds[agreed.comfort_noise] = _NOISE
        self._kinds.update(dict.fromkeys(agreed.receive_events, _EVENT))
        if agreed.event is not None:
            self._kinds[agreed.event.payload_type] = _EVENT
            self._events.rate = agreed.event.rate
        self.codec = agreed.codec
        self._type = self._audio_type = _NO_TYPE

    @property
    def waiting(self) -> bool:
        """Something is held back behind a gap: `due` must be asked."""
        return self.reorder.waiting

    @property
    def received(self) -> int:
        """Packets of the call, of all its streams."""
        return self._received_before + self.statistics.received

    def report(self, now: float) -> Block | None:
        """The block about the present stream for our next report; it begins a new interval."""
        if self.ssrc < 0:
            return None
        return self.statistics.block(self.ssrc, self.reorder.highest, now)

    def arrived(self, data: bytes, address: Address, now: float) -> Sequence[Item]:
        """What there is to hear, in order, now that the datagram is here."""
        if HEADER_BYTES < len(data) <= LONGEST:
            first, second, sequence, timestamp, ssrc = _unpack(data)
            reorder = self.reorder
            source = self.source
            if (
                timestamp == reorder.expected
                and sequence == reorder.next & 0xFFFF
                and second & 0x7F == self._type
                and first == 0x80
                and ssrc == self.ssrc
                and address == source.settled
            ):
                payload = data[HEADER_BYTES:]
                samples = self._duration(payload)
                if samples > 0:
                    # What Reorder, Source and Statistics do with the packet that is due.
                    reorder.next += 1
                    reorder.expected = (timestamp + samples) & 0xFFFFFFFF
                    reorder.step = samples
                    reorder.arrived_at = source.heard_at = now
                    source.sequence = sequence
                    statistics = self.statistics
                    statistics.received += 1
                    rate = statistics.rate
                    moved = (now - statistics.arrived_at) * rate - timestamp + statistics.timestamp
                    if -rate < moved < rate:
                        statistics.jitter += (abs(moved) - statistics.jitter) * 0.0625
                        statistics.arrived_at = now
                        statistics.timestamp = timestamp
                    else:  # the timestamps have wrapped, or time stood still
                        statistics.arrived(timestamp, now)
                    return (payload,)
        return self._arrived_otherwise(data, address, now)

    def due(self, now: float) -> Sequence[Item]:
        """What has waited long enough for a packet that did not come."""
        if not self.reorder.waiting:
            return _NOTHING
        items: list[Item] = []
        self._sort(self.reorder.due(now, wait_for(self.statistics.jitter_seconds)), now, items)
        self._expect(now)
        return items

    def _arrived_otherwise(self, data: bytes, address: Address, now: float) -> Sequence[Item]:
        packet = read(data)
        if packet is None:
            return self._drop(refusal(data))
        kind = self._kinds.get(packet.payload_type)
        if kind is None:
            self._drop("payload-type")
            if packet.ssrc != self.ssrc or address != self.source.settled:
                return _NOTHING
            # It is not heard, but it has a number, and is not lost.
        samples = kind.duration(packet.payload) if isinstance(kind, _Audio) else 0
        if samples <= 0 and isinstance(kind, _Audio):
            return self._drop("length")
        if not self.source.accepts(address, packet.ssrc, packet.sequence, now):
            return self._drop("source")
        if kind == _EVENT and self.ssrc >= 0 and packet.ssrc != self.ssrc:
            return self._inserted(packet, now)
        items: list[Item] = []
        if packet.ssrc != self.ssrc:
            self._sort(self.reorder.reset(), now, items)
            self.ssrc = packet.ssrc
        if isinstance(kind, _Audio) and kind.codec.rate != self.reorder.rate:
            self._change_rate(kind.codec.rate)
        wait = wait_for(self.statistics.jitter_seconds)
        released = self.reorder.arrived(packet, samples, now, wait)
        self._count(packet, samples, now)
        self._sort(released, now, items)
        self._expect(now)
        return items

    def _drop(self, reason: str) -> Sequence[Item]:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        return _NOTHING

    def _inserted(self, packet: Packet, now: float) -> Sequence[Item]:
        """A digit that a gateway has put in, with an SSRC of its own; the audio's goes on."""
        self.source.ssrc = self.ssrc
        self.source.sequence = self.reorder.highest & 0xFFFF
        items: list[Item] = []
        self._press(packet, now, items)
        self._expect(now)
        return items

    def _change_rate(self, rate: int) -> None:
        """Timestamps of two clocks say nothing of each other."""
        self.reorder.rate = rate
        self.reorder.expected = -1
        self.statistics.rate = rate
        self.statistics.jitter = 0.0
        self.statistics.arrived_at = -1.0

    def _count(self, packet: Packet, samples: int, now: float) -> None:
        stream = (packet.ssrc, self.reorder.first, self.reorder.restarted)
        if stream != self._counted:
            # A numbering is known to be new by its second packet: the first was counted before.
            probes = stream[2] - self._counted[2]
            self._counted = stream
            self._received_before = self.received - probes
            self.statistics = Statistics(self.reorder.rate, self.reorder.first)
            self.statistics.received = probes
            self.streams += 1
        self.statistics.received += 1
        if samples:
            self.statistics.arrived(packet.timestamp, now)

    def _sort(self, released: Iterable[Released], now: float, items: list[Item]) -> None:
        """Packets that are out of the buffer become what they mean."""
        for one in released:
            if not isinstance(one, Packet):
                items.append(one)
                continue
            kind = self._kinds.get(one.payload_type)
            if isinstance(kind, _Audio):
                self._hear(kind, one, now, items)
            elif kind == _EVENT:
                self._press(one, now, items)
            elif kind == _NOISE:
                items.append(Noise(one.payload[0] & 0x7F))

    def _hear(self, kind: _Audio, packet: Packet, now: float, items: list[Item]) -> None:
        if packet.payload_type != self._audio_type:
            self._audio_type = packet.payload_type
            self._duration = kind.duration
            if self.codec is None or _way(kind.codec) != _way(self.codec):
                self.codec = kind.codec
                items.append(Switched(kind.codec))
        if self._events.down(now):  # a gateway leaks the tone
            items.append(Paused(kind.duration(packet.payload)))
        else:
            items.append(packet.payload)
        self._events.audio_arrived()

    def _press(self, packet: Packet, now: float, items: list[Item]) -> None:
        pressed = self._events.arrived(packet.payload, packet.timestamp, now, packet.ssrc)
        items += map(Digit, pressed)

    def _expect(self, now: float) -> None:
        """The next packet may take the short way, unless something special is going on."""
        special = self.reorder.waiting or self._events.watching(now)
        self._type = _NO_TYPE if special else self._audio_type


_unpack = HEADER.unpack_from


def _way(codec: Codec) -> tuple[str, int, int]:
    """What makes two codecs the same, whatever their payload types."""
    return codec.name, codec.rate, codec.channels
