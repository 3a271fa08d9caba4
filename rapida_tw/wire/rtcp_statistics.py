"""Statistics of one stream that is received: what a report block says of it (RFC 3550 A.3, A.8)."""

from __future__ import annotations

from typing import Final

from rapida_tw.wire.rtcp import Block, middle
from rapida_tw.wire.rtp import later

_MOST_LOST: Final = (1 << 23) - 1
# A sender's clock that was set anew, or stood still in a pause: no jitter of the network.
_JUMP: Final = 1.0  # seconds


class Statistics:
    """One SSRC's packets, duplicates and late ones too. Times are seconds of one clock.

    `first`: the extended number of its first packet.
    Public state, for the packet that is due (wire/rtp_receiver.py counts that by itself).
    """

    def __init__(self, rate: int = 8000, first: int = 0) -> None:
        self.rate = rate  # Hz, of the timestamps
        self.received = 0  # packets
        self.jitter = 0.0  # samples of the stream's clock
        self.arrived_at = -1.0  # when the last audio packet came; negative: none has
        self.timestamp = 0  # of that packet
        self._first = first
        self._expected_before = 0  # at the last report
        self._received_before = 0
        self._last_sr = 0  # the middle of NTP time in their last sender report
        self._last_sr_at = 0.0

    @property
    def jitter_seconds(self) -> float:
        return self.jitter / self.rate

    def arrived(self, timestamp: int, now: float) -> None:
        """An audio packet: how much its way took longer or less long than that of the last one.

        Packets whose timestamps are no sampling time (events, comfort noise) are not told.
        """
        if self.arrived_at >= 0:
            difference = (now - self.arrived_at) * self.rate - later(timestamp, self.timestamp)
            if difference < 0:
                difference = -difference
            if difference < _JUMP * self.rate:
                self.jitter += (difference - self.jitter) / 16
        self.arrived_at = now
        self.timestamp = timestamp

    def sender_reported(self, ntp: int, now: float) -> None:
        """Their sender report came, with this NTP time."""
        self._last_sr = middle(ntp)
        self._last_sr_at = now

    def block(self, ssrc: int, highest: int, now: float) -> Block:
        """The block of our next report; a fraction counts from one call of this to the next.

        `highest`: the extended number that came furthest, counted as `first` is.
        """
        expected = highest - self._first + 1
        lost = expected - self.received
        expected_now = expected - self._expected_before
        lost_now = expected_now - (self.received - self._received_before)
        self._expected_before = expected
        self._received_before = self.received
        fraction = min(lost_now * 256 // expected_now, 255) if lost_now > 0 < expected_now else 0
        since = int((now - self._last_sr_at) * 65536) if self._last_sr else 0
        return Block(
            ssrc,
            fraction,
            max(min(lost, _MOST_LOST), -_MOST_LOST - 1),
            # Cycles count from the stream's first packet on.
            (highest - (self._first & ~0xFFFF)) & 0xFFFFFFFF,
            min(int(self.jitter), 0xFFFFFFFF),
            self._last_sr,
            max(0, min(since, 0xFFFFFFFF)),
        )
