"""Control: the RTCP of one call, on its own port or among RTP (RFC 3550 6, RFC 5761)."""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.metrics import Counter
from rapida_tw.transports.datagrams import HostPort
from rapida_tw.transports.report_wheel import ReportWheel
from rapida_tw.transports.rtcp_reports import Reports
from rapida_tw.transports.rtp_ports import PortPair
from rapida_tw.transports.rtp_sending import Sending
from rapida_tw.transports.srtp import Secrecy
from rapida_tw.wire import rtcp
from rapida_tw.wire.rtp_receiver import Receiver
from rapida_tw.wire.rtp_source import Learn, Source
from rapida_tw.wire.sdp import Agreed

refused = Counter("rapida_rtcp_refused_total", "Datagrams that were no reports.", ("reason",))


class Control:
    """Sends our reports when the wheel says so, and reads theirs. `heard`: they live.

    `seconds` is the clock's, `now` the time of the day.
    """

    __slots__ = (
        "_heard",
        "_is_muxed",
        "_is_one_way",
        "_origin",
        "_pair",
        "_seconds",
        "_secrecy",
        "_sending",
        "_source",
        "_wheel",
        "_with_rtp",
        "reports",
    )

    def __init__(
        self,
        pair: PortPair,
        seconds: Callable[[], float],
        now: Callable[[], float],
        wheel: ReportWheel,
        learn: Learn,
        secrecy: Secrecy,
        sending: Sending,
        receiver: Receiver,
        heard: Callable[[], None],
    ) -> None:
        self._pair = pair
        self._seconds = seconds
        # Time of the day that does not jump while the call is on: round trips depend on it.
        self._origin = now() - seconds()
        self._wheel = wheel
        self._secrecy = secrecy
        self._sending = sending
        self._source = Source(learn)
        self._with_rtp = receiver.source
        self._is_muxed = False
        self._is_one_way = False
        self._heard = heard
        self.reports = Reports(sending.sender, receiver)

    def agree(self, agreed: Agreed, signalling_host: str, now: float) -> None:
        """Where theirs come from and ours go to."""
        self._is_muxed = agreed.rtcp_mux
        self._is_one_way = not agreed.hears
        if not agreed.rtcp_mux:
            self._source.agreed(agreed.rtcp_host, agreed.rtcp_port, signalling_host, now)

    def begin(self) -> None:
        self._pair.rtcp.drain()
        self._pair.rtcp.hear(self._received)
        self._wheel.add(self)

    def close(self) -> None:
        """The last report, with a BYE, if there was anything before it (6.3.7)."""
        self._wheel.remove(self)
        if self._sending.sender.packets or self.reports.sent:
            self._send(self.reports.farewell)

    def report(self) -> None:
        self._send(self.reports.report)
        if self._is_one_way:
            self._heard()  # whose turn it is not to send cannot be missed

    def _send(self, write: Callable[[int, int, float], bytes]) -> None:
        remote = (self._with_rtp if self._is_muxed else self._source).remote
        if remote is None:
            return
        now = self._seconds()
        packet = self._secrecy.protect_rtcp(write(self._sending.timestamp(), self._ntp(now), now))
        if packet is not None:
            (self._pair.rtp if self._is_muxed else self._pair.rtcp).send(packet, remote)

    def _received(self, data: bytes, address: HostPort) -> bool:
        """To the port of RTCP; False when it is none of theirs."""
        if self._is_muxed or not rtcp.is_rtcp(data):
            refused.inc("unexpected")
            return False
        return self.arrived(data, address)

    def arrived(self, data: bytes, address: HostPort) -> bool:
        """A datagram that looks like RTCP has come; False when it is none of theirs."""
        opened = self._secrecy.unprotect_rtcp(data)
        if opened is None:
            refused.inc("not-authentic")
            return False
        try:
            reports = rtcp.parse(opened)
        except RemoteProtocolError:
            refused.inc("malformed")
            return False
        now = self._seconds()
        if not reports or not self._is_theirs(address, int.from_bytes(opened[4:8]), now):
            refused.inc("source")
            return False
        self.reports.read(reports, self._ntp(now), now)
        self._heard()
        return True

    def _is_theirs(self, address: HostPort, ssrc: int, now: float) -> bool:
        if self._is_muxed:  # it follows RTP, and teaches nothing
            return address == self._with_rtp.remote
        return self._source.accepts(address, ssrc, None, now)

    def _ntp(self, now: float) -> int:
        return rtcp.ntp_time(self._origin + now)
