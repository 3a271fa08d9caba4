"""AudioSocket over TCP: a thin shell that makes a Leg of one connection from Asterisk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IAddress, IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import (
    INTERNAL_ERROR,
    NETWORK_FAILED,
    PROTOCOL_ERROR,
    REMOTE_HANGUP,
    CallError,
    CapacityExceeded,
    End,
    NotSupported,
    RemoteProtocolError,
    Unavailable,
)
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.metrics import Counter
from rapida_tw.transports.direct import direct_writer
from rapida_tw.transports.pace import Pace
from rapida_tw.transports.reading import BeatReader
from rapida_tw.transports.tuning import for_media
from rapida_tw.wire import audiosocket as wire

IDENTIFY_WITHIN = 5.0  # seconds for the UUID: Asterisk sends it at once, port scanners never
CLOSED_WITHIN = 1.0  # seconds for Asterisk to close after our hang-up; it takes a millisecond
CLAIM_WITHIN = 2.0  # seconds for the context store; Asterisk gives up after 2 s of silence
WAITING_CONNECTIONS = 512  # connections without a UUID at one time
_BUFFER_BYTES = 8_000  # unsent, before the far side counts as full: half a second of 8 kHz audio

refused = Counter(
    "rapida_audiosocket_refused_total", "Connections that did not become a call.", ("reason",)
)

Claim = Callable[[str], "Deferred[Any]"]
Attach = Callable[[Any, Leg], LegListener]


def _format(kind: int) -> AudioFormat:
    return AudioFormat(rate=wire.RATES[kind])


@implementer(IPushProducer)
class AudioSocketProtocol(Protocol):
    """One call over one TCP connection; the first packet names the call.

    Before the claim: waits, bounded in time. After it: a Leg. Every way out ends in
    `connectionLost`, and the listener hears of it exactly once unless it hung up itself.
    """

    _log = Logger()
    transport: Any
    factory: AudioSocketFactory

    def __init__(self) -> None:
        self._decoder = wire.Decoder()
        self._listener: LegListener | None = None
        self._identifying: IDelayedCall | None = None
        self._claiming: Deferred[Any] | None = None
        self._early: list[wire.Packet] = []  # arrived with the UUID, before the claim was done
        self._closing: IDelayedCall | None = None
        self._open = True
        self._full = False  # the far side takes nothing
        self.format = _format(wire.AUDIO)
        self._kind = wire.AUDIO
        self._bytes_a_second = 2 * self.format.rate
        self._pace: Pace
        self._headers: dict[int, bytes] = {}
        self._write: Callable[[bytes], None]

    def connectionMade(self) -> None:
        for_media(self.transport, _BUFFER_BYTES)
        self._pace = Pace(self.factory.clock)
        self._write = direct_writer(self.transport)
        self.transport.registerProducer(self, True)
        if self.factory.waiting >= WAITING_CONNECTIONS:
            self._refuse("too-many-connections", "too many connections wait for their UUID")
            return
        self.factory.waiting += 1
        self._identifying = self.factory.clock.callLater(IDENTIFY_WITHIN, self._not_identified)

    # -- from the wire ----------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        if not self._open:
            return
        try:
            for packet in self._decoder.feed(data):
                self._received(packet)
                if not self._open:
                    return
        except RemoteProtocolError as error:
            self._break(PROTOCOL_ERROR.because(str(error)))
        except Exception:
            # A bug of ours while this frame was heard ends this call and no other.
            self._log.failure("{peer}: failed on received data", peer=self._peer())
            self._break(INTERNAL_ERROR)

    def _received(self, packet: wire.Packet) -> None:
        if self._listener is None:
            self._identify(packet)
            return
        self._pace.count(len(packet.payload) / self._bytes_a_second)
        if packet.kind in wire.RATES:
            if packet.kind != self._kind:
                self._change_to(packet.kind)
                self._listener.format_changed(self.format)
            self._listener.audio_received(packet.payload)
        elif packet.kind == wire.DIGIT:
            self._listener.digit_received(packet.digit)
        elif packet.kind == wire.ID:
            raise RemoteProtocolError("a second UUID")
        elif packet.kind == wire.HANGUP:
            self._finish(REMOTE_HANGUP)
        elif packet.kind == wire.ERROR:
            self._finish(NETWORK_FAILED.because(f"Asterisk sent error {packet.payload.hex()}"))

    def _change_to(self, kind: int) -> None:
        self._kind = kind
        self.format = _format(kind)
        self._bytes_a_second = 2 * self.format.rate

    def _identify(self, packet: wire.Packet) -> None:
        if self._claiming is not None:
            if packet.kind == wire.ID:
                raise RemoteProtocolError("a second UUID")
            self._early.append(packet)
            return
        if packet.kind in (wire.HANGUP, wire.ERROR):
            self._end_waiting()
            self._close()
            return
        if packet.kind != wire.ID:
            raise RemoteProtocolError(f"kind 0x{packet.kind:02x} before the UUID")
        self._end_waiting()
        if not int.from_bytes(packet.payload, "big"):
            self._refuse("context-not-found", "the nil UUID")
            return
        # Reading stops until the call is known, so at most one read of audio waits.
        self.transport.pauseProducing()
        claiming = self.factory.claim(packet.uuid)
        claiming.addTimeout(CLAIM_WITHIN, self.factory.clock)
        self._claiming = claiming
        claiming.addCallbacks(self._claimed, self._not_claimed)
        claiming.addErrback(self._attach_failed)

    def _claimed(self, claimed: Any) -> None:
        if not self._open:
            return
        self._listener = self.factory.attach(claimed, self)
        early, self._early = self._early, []
        for packet in early:
            if self._open:
                self._received(packet)
        if self._open:
            self.transport.resumeProducing()
            self.factory.reader.take(self.transport)

    def _not_claimed(self, failure: Failure) -> None:
        if not self._open:
            return
        error = failure.value
        if isinstance(error, CallError):
            self._refuse(error.reason, str(error))
        elif isinstance(error, TimeoutError):
            self._refuse(Unavailable.reason, f"no answer to the claim in {CLAIM_WITHIN:.0f} s")
        else:
            self._log.failure("{peer}: the claim failed", failure, peer=self._peer())
            self._refuse(CallError.reason, "the claim failed")

    def _attach_failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, CallError) and self._listener is None:
            self._refuse(error.reason, str(error))
            return
        if isinstance(error, RemoteProtocolError):
            self._break(PROTOCOL_ERROR.because(str(error)))
            return
        self._log.failure("{peer}: attaching failed", failure, peer=self._peer())
        self._break(INTERNAL_ERROR)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.connections.discard(self)
        self.factory.reader.leave(self.transport)
        self._end_waiting()
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        if reason.check(type(connectionDone.value)) or not self._full:
            # Asterisk just closes; when audio of ours lies unread in its kernel at that moment,
            # that is a reset, and still the caller's hang-up.
            self._tell(REMOTE_HANGUP)
        else:
            # A host that died acknowledges nothing: our buffers are full before TCP gives up.
            self._tell(NETWORK_FAILED.because(reason.getErrorMessage()))
        self._stop_claiming()

    # -- ways out ---------------------------------------------------------------------------------

    def _not_identified(self) -> None:
        self._identifying = None
        self.factory.waiting -= 1
        self._refuse("no-uuid", f"no UUID within {IDENTIFY_WITHIN:.0f} s")

    def _refuse(self, reason: str, detail: str) -> None:
        refused.inc(reason)
        self._log.warn(
            "refused {peer}: {reason}: {detail}", peer=self._peer(), reason=reason, detail=detail
        )
        self._close()

    def _break(self, end: End) -> None:
        """The connection is beyond use, or we are: end it now."""
        if self._listener is None:
            self._end_waiting()
            self._refuse(end.reason.replace("_", "-"), end.detail)
            self._stop_claiming()
        else:
            self._log.warn("{peer}: {end}", peer=self._peer(), end=end)
            self._finish(end)

    def _finish(self, end: End) -> None:
        try:
            self._tell(end)
        finally:
            self._close()

    def _tell(self, end: End) -> None:
        if self._open:
            self._open = False
            if self._listener is not None:
                self._listener.leg_ended(end)

    def _close(self) -> None:
        """Hang up in the protocol's own form and let Asterisk close. Idempotent.

        Closing ourselves while its audio is still unread would reset the connection, and Asterisk
        would end the channel instead of going on in the dialplan. Who does not close is cut off.
        """
        self._open = False
        if self._closing is not None:
            return
        self.factory.reader.leave(self.transport)
        self.transport.unregisterProducer()
        self.transport.write(wire.hangup())
        self.transport.resumeProducing()
        self._closing = self.factory.clock.callLater(CLOSED_WITHIN, self.transport.abortConnection)

    def _end_waiting(self) -> None:
        if self._identifying is not None:
            self._identifying.cancel()
            self._identifying = None
            self.factory.waiting -= 1

    def _stop_claiming(self) -> None:
        """Nobody is there any more to whom the answer matters; too late, it does nothing."""
        if self._claiming is not None:
            self._claiming.cancel()

    def _peer(self) -> object:
        return self.transport.getPeer()

    # -- Leg --------------------------------------------------------------------------------------

    def send_audio(self, payload: bytes) -> None:
        """One packet in one write: Asterisk waits only 5 ms for the rest of a torn one."""
        if self._open:
            header = self._headers.get(len(payload))
            if header is None or header[0] != self._kind:
                header = wire.audio_header(self._kind, len(payload))
                self._headers[len(payload)] = header
            self._write(header + payload)

    def mark(self, name: str) -> None:
        """Nothing is queued at the far side: what was sent has been played."""
        if self._listener is not None:
            self._listener.mark_heard(name)

    def clear(self) -> None:
        """Asterisk queues nothing; what was sent cannot be taken back."""

    def send_digits(self, digits: str) -> None:
        raise NotSupported("AudioSocket has no digits towards Asterisk")

    def hang_up(self, end: End | None = None) -> None:
        if self._open:
            self._close()

    # -- IPushProducer: the transport's buffer ----------------------------------------------------

    def pauseProducing(self) -> None:
        self._full = True
        if self._listener is not None and self._open:
            self._listener.far_end_full(True)

    def resumeProducing(self) -> None:
        self._full = False
        if self._listener is not None and self._open:
            self._listener.far_end_full(False)

    def stopProducing(self) -> None:
        """The transport is closing; connectionLost follows."""


class AudioSocketFactory(Factory):
    """Accepts Asterisk's connections.

    `claim(uuid)` answers by a Deferred what `attach(claimed, leg)` needs to make a call of it;
    both are given, so that this file knows no call. `reader` reads for running calls.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        claim: Claim,
        attach: Attach,
        reader: BeatReader | None = None,
    ) -> None:
        self.clock = clock
        self.claim = claim
        self.attach = attach
        self.reader = BeatReader() if reader is None else reader
        self.waiting = 0
        self.connections: set[AudioSocketProtocol] = set()
        self.accepting = True

    def buildProtocol(  # type: ignore[override]  # Twisted types it for Factory.protocol
        self, addr: IAddress | None
    ) -> AudioSocketProtocol | None:
        if not self.accepting:
            refused.inc(CapacityExceeded.reason)
            return None
        protocol = AudioSocketProtocol()
        protocol.factory = self
        self.connections.add(protocol)
        return protocol

    def abort_all(self) -> None:
        """Cut every connection that is left; connectionLost follows for each."""
        for protocol in tuple(self.connections):
            protocol.transport.abortConnection()


_conforms: type[Leg] = AudioSocketProtocol
