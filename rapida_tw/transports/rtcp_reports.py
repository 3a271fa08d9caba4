"""RTCP of one call: what we report, and what is learned from what they report (RFC 3550 6)."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_urlsafe

from rapida_tw.wire import rtcp
from rapida_tw.wire.rtp import Sender
from rapida_tw.wire.rtp_receiver import Receiver


class Reports:
    """Writes our reports and reads theirs. Time is given: `now` on the clock, `ntp` of the day."""

    __slots__ = (
        "_cname",
        "_receiver",
        "_reported",
        "_sender",
        "_sent_before",
        "block",
        "received",
        "round_trips",
        "round_trips_sum",
        "sent",
        "voip",
    )

    def __init__(self, sender: Sender, receiver: Receiver) -> None:
        self._sender = sender
        self._receiver = receiver
        self._cname = token_urlsafe(12)  # 96 random bits for this call alone (RFC 7022 4.2)
        self._sent_before = (0, 0)  # packets, at the last two reports
        self._reported = -1  # packets received, at the last report
        self.sent = 0
        self.received = 0  # datagrams
        self.block: rtcp.Block | None = None  # what they last said of how they hear us
        self.voip: rtcp.VoipMetrics | None = None
        self.round_trips = 0
        self.round_trips_sum = 0.0  # seconds

    @property
    def round_trip(self) -> float | None:
        """Seconds, on average; None as long as none is known."""
        return self.round_trips_sum / self.round_trips if self.round_trips else None

    def report(self, timestamp: int, ntp: int, now: float) -> bytes:
        """SR while we send, else RR, with a block on what has come since the last one.

        `timestamp`: of our stream, at this moment.
        """
        self.sent += 1
        sender, receiver = self._sender, self._receiver
        blocks: list[rtcp.Block] = []
        if receiver.received != self._reported:
            self._reported = receiver.received
            if (block := receiver.report(now)) is not None:
                blocks.append(block)
        before, self._sent_before = self._sent_before, (sender.packets, self._sent_before[0])
        if sender.packets != before[1]:  # within the last two intervals (6.4)
            first = rtcp.sender_report(
                sender.ssrc, ntp, timestamp, sender.packets, sender.octets, blocks
            )
        else:
            first = rtcp.receiver_report(sender.ssrc, blocks)
        return first + rtcp.description(sender.ssrc, self._cname)

    def farewell(self, timestamp: int, ntp: int, now: float) -> bytes:
        """The last report."""
        return self.report(timestamp, ntp, now) + rtcp.bye(self._sender.ssrc)

    def read(self, reports: Sequence[rtcp.Report], ntp: int, now: float) -> None:
        """What theirs say; what is not about this call is passed over."""
        self.received += 1
        for report in reports:
            if isinstance(report, rtcp.SenderReport) and report.ssrc == self._receiver.ssrc:
                self._receiver.statistics.sender_reported(report.ntp, now)
            if isinstance(report, rtcp.SenderReport | rtcp.ReceiverReport):
                for block in report.blocks:
                    self._heard(block, ntp)
            elif isinstance(report, rtcp.VoipMetrics) and report.ssrc == self._sender.ssrc:
                self.voip = report

    def _heard(self, block: rtcp.Block, ntp: int) -> None:
        if block.ssrc != self._sender.ssrc:
            return
        self.block = block
        if (seconds := rtcp.round_trip(block, ntp)) is not None:
            self.round_trips += 1
            self.round_trips_sum += seconds
