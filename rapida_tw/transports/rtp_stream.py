"""RtpStream: the media of one call over RTP, between its two sockets and its LegListener.

What comes is heard in the turn in which it is read; what goes is sent by the beat of whoever
listens, and until somebody does, by the stream's own, which is silence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rapida_tw.audio.format import TICK, TICKS_PER_SECOND, AudioFormat, Encoding
from rapida_tw.errors import INTERNAL_ERROR, PROTOCOL_ERROR, End, RemoteProtocolError
from rapida_tw.media.leg import LegListener
from rapida_tw.metrics import Counter
from rapida_tw.transports.datagrams import HostPort
from rapida_tw.transports.pace import Pace
from rapida_tw.transports.report_wheel import ReportWheel
from rapida_tw.transports.rtcp_control import Control
from rapida_tw.transports.rtp_formats import format_of, silence_of
from rapida_tw.transports.rtp_measures import Measures, measured
from rapida_tw.transports.rtp_ports import PortPair
from rapida_tw.transports.rtp_sending import Sending, Ticks
from rapida_tw.transports.srtp import Secrecy
from rapida_tw.wire.reorder import Lost, Paused
from rapida_tw.wire.rtcp import is_rtcp
from rapida_tw.wire.rtp_receiver import Digit, Item, Noise, Receiver, Switched
from rapida_tw.wire.rtp_source import REBINDS_AFTER, Learn, Source
from rapida_tw.wire.sdp import Agreed, Codec

_QUIET = round(REBINDS_AFTER * TICKS_PER_SECOND)

dropped = Counter("rapida_rtp_dropped_total", "Datagrams that were not heard.", ("reason",))


class Beat(Ticks, Protocol):
    """The beat of all calls (MediaClock)."""

    def add(self, session: Any) -> None:
        """Call its `tick(now)` every 20 ms."""

    def remove(self, session: Any) -> None:
        """No more."""


@dataclass(frozen=True, slots=True)
class Streams:
    """What the streams of a process share.

    `now`: seconds since the epoch; `learn`: see wire/rtp_source.py; `patience`: see AudioFormat.
    """

    clock: IReactorTime
    beat: Beat
    wheel: ReportWheel
    now: Callable[[], float]
    learn: Learn = "signalling"
    patience: float = 30.0  # seconds


class RtpStream:
    """Takes `pair` over, and closes it: `agree`, `begin`, `listen`, `close`, in this order.

    No method raises, but for `send_digits`.
    """

    __slots__ = (
        "_agreed",
        "_arrived",
        "_byte",
        "_control",
        "_flowing",
        "_heard",
        "_hears",
        "_is_open",
        "_is_own_beat",
        "_is_plain",
        "_kept_to",
        "_known",
        "_listener",
        "_pace",
        "_pair",
        "_quiet",
        "_receiver",
        "_reorder",
        "_seconds",
        "_secrecy",
        "_sending",
        "_sends",
        "_silence",
        "_source",
        "_streams",
        "format",
        "port",
    )

    _log = Logger()

    def __init__(self, pair: PortPair, streams: Streams) -> None:
        self._pair = pair
        self._streams = streams
        self._seconds = streams.clock.seconds
        self._source = Source(streams.learn)
        self._receiver = Receiver(self._source)
        self._reorder = self._receiver.reorder
        self._arrived = self._receiver.arrived
        self._sending = Sending(streams.beat, self._source, pair.rtp.send)
        self._secrecy = Secrecy()
        self._control = Control(
            pair,
            streams.clock.seconds,
            streams.now,
            streams.wheel,
            streams.learn,
            self._secrecy,
            self._sending,
            self._receiver,
            self._lives,
        )
        self._agreed: Agreed | None = None
        self._listener: LegListener | None = None
        self._heard: Callable[[bytes], None] = _nobody
        self._flowing: Callable[[], None] | None = None
        self._silence = b""
        self._pace = Pace(streams.clock)
        self._byte = 0.0  # seconds of audio; 0: it tells nothing
        self._is_open = True
        self._is_own_beat = False
        self._is_plain = True  # what comes is RTP in clear, and nothing else
        self._sends = False
        self._hears = False
        self._kept_to: HostPort | None = None  # who alone is let through by the kernel
        self._quiet = 0  # ticks since something came
        self.port = pair.port
        self.format = AudioFormat(Encoding.MULAW, patience=streams.patience)
        self._known = self.format  # by the session, or by who listens

    # -- what the session does --------------------------------------------------------------------

    def agree(self, agreed: Agreed, signalling_host: str) -> None:
        """The first and each later agreement; the listener is told of what changes by it.

        `signalling_host`: from where the peer signals, which may vouch for its media. Keys that
        stay the same keep their contexts.
        """
        if not self._is_open:
            return
        now = self._seconds()
        before, self._agreed = self._agreed, agreed
        usable = self._secrecy.agree(agreed.keys)
        self._is_plain = not (agreed.rtcp_mux or self._secrecy.is_on)
        self._sending.send = self._send_secret if self._secrecy.is_on else self._pair.rtp.send
        self._source.agreed(agreed.host, agreed.port, signalling_host, now)
        self._keep_to(self._source.settled)
        self._control.agree(agreed, signalling_host, now)
        self._sends = agreed.sends and usable
        self._hears = agreed.sends and agreed.hears and usable
        if not self._sends:
            self._sending.stop()
        self._receiver.agree(agreed)
        self._use(agreed.codec)
        self._known = self.format
        if self._listener is not None and before is not None and before.held != agreed.held:
            self._listener.hold_changed(agreed.held)

    def begin(self, flowing: Callable[[], None]) -> None:
        """Send silence until `listen`; `flowing`, once, when their first packet has come."""
        if not self._is_open or self._is_own_beat or self._listener is not None:
            return
        self._flowing = flowing
        self._pair.rtp.drain()  # what came while it rang is nobody's
        self._pair.rtp.hear(self._received, often=True)
        self._control.begin()
        self._is_own_beat = True
        self._streams.beat.add(self)

    def listen(self, listener: LegListener) -> None:
        """From now on the call's own beat sends, and `listener` hears."""
        if not self._is_open:
            return
        self._leave_beat()
        self._listener = listener
        self._heard = listener.audio_received
        if self.format != self._known:  # their first packets were of another codec than agreed
            self._known = self.format
            listener.format_changed(self.format)
        if self._agreed is not None and self._agreed.held:
            listener.hold_changed(True)

    def send_audio(self, payload: bytes) -> None:
        """One tick of audio in `format`."""
        self._quiet += 1
        if self._quiet == _QUIET:
            self._keep_to(None)  # it may come back from elsewhere (NAT)
        if self._reorder.waiting:
            self._hear(self._receiver.due(self._seconds()))
        if self._sends:
            self._sending.tick(payload)

    def send_digits(self, digits: str) -> bool:
        """In the place of audio, from the next tick on. False: not as events, or not now.

        `NotSupported` when these are no digits.
        """
        return self._sends and self._sending.digits(digits)

    def measures(self) -> Measures:
        """How good the line was, also when it is closed (media.leg.Measured)."""
        sender, reports = self._sending.sender, self._control.reports
        return measured(self._receiver, sender, reports, self._secrecy.failures)

    def close(self) -> None:
        """Say goodbye by RTCP and give the ports back; idempotent."""
        if not self._is_open:
            return
        self._is_open = self._sends = self._hears = False
        self._leave_beat()
        self._control.close()
        self._pair.close()
        self._listener = self._flowing = None
        self._heard = _nobody
        for reason, count in self._receiver.dropped.items():
            dropped.inc(reason, by=count)

    # -- Ticking, until somebody listens ----------------------------------------------------------

    def tick(self, now: int) -> None:
        self.send_audio(self._silence)

    def failed(self) -> None:
        """The beat has caught an error of ours, and left us out."""
        self._is_own_beat = False

    def _leave_beat(self) -> None:
        if self._is_own_beat:
            self._is_own_beat = False
            self._streams.beat.remove(self)

    # -- what comes -------------------------------------------------------------------------------

    def _received(self, data: bytes, address: HostPort) -> bool:
        """False when there was nothing to hear in it."""
        if not self._is_plain:
            opened = self._opened(data, address)
            if opened is None:
                return False
            data = opened
        items = self._arrived(data, address, self._seconds())
        if not items:
            return False
        if self._flowing is not None:
            flowing, self._flowing = self._flowing, None
            flowing()
        self._hear(items)
        self._quiet = 0
        if self._source.settled is not self._kept_to:
            self._keep_to(self._source.settled)
        return True

    def _keep_to(self, peer: HostPort | None) -> None:
        if self._is_open:
            self._kept_to = peer
            self._pair.rtp.settle(peer)

    def _opened(self, data: bytes, address: HostPort) -> bytes | None:
        """RTP in clear; None when it is none, or was RTCP, which has been dealt with."""
        if is_rtcp(data):
            if self._agreed is not None and self._agreed.rtcp_mux:
                self._control.arrived(data, address)
            return None
        return self._secrecy.unprotect(data)

    def _hear(self, items: Sequence[Item]) -> None:
        try:
            for item in items:
                if isinstance(item, bytes):
                    if self._hears:
                        self._pace.count(len(item) * self._byte)
                        self._heard(item)
                else:
                    self._tell(item)
        except RemoteProtocolError as error:
            self._fail(PROTOCOL_ERROR.because(str(error)))
        except Exception:
            # A bug of ours while this call was heard ends this call and no other.
            self._log.failure("port {port}: failed on received audio", port=self.port)
            self._fail(INTERNAL_ERROR)

    def _fail(self, end: End) -> None:
        if self._listener is not None:
            self._listener.leg_ended(end)

    def _tell(self, item: Item) -> None:
        listener = self._listener
        if isinstance(item, Switched):
            self._use(item.codec)
        elif listener is None:
            return
        elif isinstance(item, Digit):
            listener.digit_received(item.digit)
        elif isinstance(item, Noise):
            listener.alive()
        elif self._hears and isinstance(item, Lost):
            listener.audio_lost(item.samples / self._reorder.rate)
        elif self._hears and isinstance(item, Paused):
            listener.audio_paused(item.samples / self._reorder.rate)

    def _lives(self) -> None:
        """Though no audio may have come."""
        if self._listener is not None:
            self._listener.alive()

    # -- what goes --------------------------------------------------------------------------------

    def _send_secret(self, packet: bytes, address: HostPort) -> None:
        protected = self._secrecy.protect(packet)
        if protected is not None:
            self._pair.rtp.send(protected, address)

    def _use(self, codec: Codec) -> None:
        """Both directions are of this codec from now on."""
        agreed = self._agreed
        if agreed is None:
            return
        format = format_of(codec, self._streams.patience)
        self._silence = silence_of(format)
        self._byte = TICK / format.frame_bytes if format.frame_bytes else 0.0
        self._sending.agree(codec, agreed.event, agreed.ptime, self._silence)
        if format != self.format:
            self.format = format
            if self._listener is not None:
                self._known = format
                self._listener.format_changed(format)


def _nobody(payload: bytes) -> None:
    """What comes before anybody listens, and after the end."""
