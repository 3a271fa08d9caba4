"""MediaSocket: makes a Leg of a carrier's WebSocket, whatever its messages (`MediaWire`).

Upgraded → started (the wire says so; then it is a call) → closed. Every way out ends in `closed`,
and the listener hears of it exactly once unless it hung up itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import IResource

from rapida_tw.carriers.base import (
    Audio,
    Complaint,
    Digit,
    Full,
    MarkHeard,
    MediaEvent,
    MediaWire,
    Message,
    Started,
    Stopped,
)
from rapida_tw.errors import (
    INTERNAL_ERROR,
    NETWORK_FAILED,
    PROTOCOL_ERROR,
    REMOTE_HANGUP,
    CallError,
    CapacityExceeded,
    ContextNotFound,
    End,
    RemoteProtocolError,
    Unavailable,
)
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.transports.apart import Apart
from rapida_tw.transports.door import WAITING, Door, NeverStarted, malformed, refused
from rapida_tw.transports.pace import Pace
from rapida_tw.transports.websocket import (
    AGAIN,
    GOING_AWAY,
    INTERNAL,
    NORMAL,
    POLICY,
    FrameSocket,
    FrameSocketFactory,
)

START_WITHIN = 10.0  # seconds from the upgrade to the wire's start
CLAIM_WITHIN = 2.0  # seconds for the context store
MALFORMED = 20  # messages that make no sense, in one call; with one more it ends
_CLOSED_WELL = (NORMAL, GOING_AWAY, None)


class MediaSockets:
    """Opens media sockets; one a server."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._frames = FrameSocketFactory(door.clock)

    def resource(
        self,
        carrier: str,
        wire: MediaWire,
        subprotocols: tuple[str, ...],
        secure: bool,
        claimed: Any = None,
    ) -> IResource:
        """What takes over the HTTP connection of an upgrade; `CapacityExceeded`.

        `claimed` None: the wire's start names the context. `secure`: TLS, here or before us.
        """
        # Whoever asks gets a socket that is to name its context: that must not shut others out.
        if self._door.waiting >= (WAITING // 2 if claimed is None else WAITING):
            raise CapacityExceeded("too many media sockets wait for their start")
        receiver = MediaSocket(self._door, carrier, wire, secure, claimed)
        return self._frames.takeover(receiver, subprotocols)


class MediaSocket:
    """One media socket: the receiver of its frames and the Leg of its call."""

    _log = Logger()

    def __init__(
        self, door: Door, carrier: str, wire: MediaWire, secure: bool, claimed: Any
    ) -> None:
        self.format = wire.format
        self._door = door
        self._carrier = carrier
        self._wire = wire
        self._claimed = claimed
        self._socket: FrameSocket | None = None  # None: not open, or not any more
        self._cut: Callable[[], None]
        self._peer = ""
        self._listener: LegListener | None = None
        self._starting: IDelayedCall | None = None
        self._claiming: Deferred[Any] | None = None
        self._early: list[MediaEvent] = []  # came while the context was claimed
        self._pace = Pace(door.clock)
        self._bytes_a_second = 1
        self._malformed = 0
        self._stuck = False  # the socket towards the far side takes nothing
        self._refuses = False  # the far side says so
        self._secure = secure
        self._apart: Apart | None = None

    def __str__(self) -> str:
        return f"{self._carrier} socket {self._peer}".rstrip()

    # -- Receiver: from the socket ----------------------------------------------------------------

    def opened(self, socket: FrameSocket) -> None:
        self._socket = socket
        self._cut = socket.transport.abortConnection
        self._peer = str(socket.peer)
        if self._secure and self._wire.one_frame_a_record:
            self._apart = Apart(self._door.clock, socket.send)
        self._door.sockets.add(self)
        self._door.waiting += 1
        self._starting = self._door.clock.callLater(START_WITHIN, self._not_started)

    def message_received(self, payload: bytes, binary: bool) -> None:
        try:
            events = self._wire.received(payload, binary)
            if not events:
                self._pace.count(0.0)
            for event in events:
                if type(event) is Audio and self._listener is not None:
                    self._pace.count(len(event.payload) / self._bytes_a_second)
                    self._listener.audio_received(event.payload)
                else:
                    self._pace.count(0.0)
                    self._happened(event)
                if self._socket is None:
                    return
        except RemoteProtocolError as error:
            self._not_understood(error, payload, binary)
        except Exception:
            # A bug of ours while this message was heard ends this call and no other.
            self._log.failure("{socket}: failed on a received message", socket=self)
            self._finish(INTERNAL_ERROR, INTERNAL)

    def _happened(self, event: MediaEvent) -> None:
        if isinstance(event, Started):
            self._start(event)
        elif self._listener is None:
            if self._claiming is not None:
                self._early.append(event)
            elif isinstance(event, Stopped):
                self._refuse(NeverStarted("the stream ended before it started"), NORMAL)
        elif isinstance(event, Digit):
            self._listener.digit_received(event.digit)
        elif isinstance(event, MarkHeard):
            self._listener.mark_heard(event.name)
        elif isinstance(event, Full):
            self._refuses = event.full
            self._tell_full()
        elif isinstance(event, Stopped):
            self._finish(event.end, NORMAL)
        elif isinstance(event, Complaint):
            self._log.warn("{socket} complains: {text}", socket=self, text=event.text)
        elif isinstance(event, Audio):
            self._listener.audio_received(event.payload)

    def _not_understood(self, error: RemoteProtocolError, payload: bytes, binary: bool) -> None:
        malformed.inc(self._carrier)
        self._malformed += 1
        if self._malformed == 1:  # not each: a log is no place to be flooded from outside
            self._log.warn("{socket}: malformed message: {error}", socket=self, error=error)
        if not binary and not _is_utf8(payload) and self._socket is not None:
            self._socket.refuse_payload("text that is no UTF-8")
        elif self._listener is None:
            self._refuse(NeverStarted(str(error)), POLICY)
        elif self._malformed > MALFORMED:
            self._finish(PROTOCOL_ERROR.because(str(error)), POLICY)

    def writable(self, free: bool) -> None:
        self._stuck = not free
        self._tell_full()

    def _tell_full(self) -> None:
        if self._listener is not None and self._socket is not None:
            self._listener.far_end_full(self._stuck or self._refuses)

    def broken(self, reason: str) -> None:
        self._finish(PROTOCOL_ERROR.because(reason), None)

    def closed(self, code: int | None, reason: str, failure: Failure | None) -> None:
        if self._peer == "":  # the handshake was refused or cut
            if self._claimed is not None:
                self._door.release(self._claimed)
            return
        self._door.sockets.discard(self)
        if code not in _CLOSED_WELL:
            end = NETWORK_FAILED.because(f"the far side closed with {code} {reason}".rstrip())
        elif failure is None or not self._stuck:
            # Whoever just closes while audio of ours lies unread in its kernel causes a reset:
            # still the caller's hang-up.
            end = REMOTE_HANGUP
        else:
            # A host that died acknowledges nothing: our buffers are full before TCP gives up.
            end = NETWORK_FAILED.because(failure.getErrorMessage())
        self._finish(end, None)

    # -- the start --------------------------------------------------------------------------------

    def _start(self, event: Started) -> None:
        if self._listener is not None or self._claiming is not None:
            raise RemoteProtocolError("a second start")
        if event.detail:
            self._log.info("{socket} sends {detail}", socket=self, detail=event.detail)
        if not event.context_id:
            if self._claimed is not None:
                self._attach(self._claimed)
            else:
                self._refuse(ContextNotFound("the stream names no context"), POLICY)
            return
        assert self._socket is not None
        # Reading stops until the call is known, so at most one read of messages waits.
        self._socket.transport.pauseProducing()
        claiming = self._door.claim(event.context_id, self._carrier)
        self._claiming = claiming
        claiming.addTimeout(CLAIM_WITHIN, self._door.clock)
        claiming.addCallbacks(self._claimed_late, self._not_claimed)
        claiming.addErrback(self._failed)

    def _claimed_late(self, claimed: Any) -> None:
        if self._socket is None:
            self._door.release(claimed)  # for a connection that is tried again
            return
        if self._claimed is not None:  # the address named another call's, whose socket comes yet
            self._door.release(self._claimed)
        self._claimed = claimed
        self._begin()

    def _begin(self) -> None:
        self._attach(self._claimed)
        early, self._early = self._early, []
        for event in early:
            if self._socket is not None:
                self._happened(event)
        self._claiming = None
        if self._socket is not None:
            self._socket.transport.resumeProducing()
            self._read_on_the_beat()

    def _not_claimed(self, failure: Failure) -> None:
        if self._claimed is not None and failure.check(ContextNotFound):
            self._begin()  # the name is that of an earlier call; what the address says counts
            return
        self._claiming = None
        error = failure.value
        if isinstance(error, TimeoutError):
            error = Unavailable(f"no answer to the claim in {CLAIM_WITHIN:.0f} s")
        if isinstance(error, CallError):
            full = isinstance(error, CapacityExceeded)
            self._refuse(error, AGAIN if full else POLICY)
        else:
            self._failed(failure)

    def _failed(self, failure: Failure) -> None:
        self._log.failure("{socket}: the start failed", failure, socket=self)
        self._finish(INTERNAL_ERROR, INTERNAL)

    def _attach(self, claimed: Any) -> None:
        self._end_waiting()
        self.format = self._wire.format
        self._bytes_a_second = self.format.rate * self.format.sample_bytes
        try:
            listener = self._door.attach(claimed, self)
        except CallError as error:  # which the call's history knows already
            self._claimed = None
            self._refuse(error, INTERNAL)
            return
        self._listener = listener
        if self._stuck or self._refuses:
            self._tell_full()
        self._read_on_the_beat()

    def _read_on_the_beat(self) -> None:
        if self._socket is not None and self._claiming is None:
            self._door.reader.take(self._socket.transport)

    # -- ways out ---------------------------------------------------------------------------------

    def _not_started(self) -> None:
        self._starting = None
        self._door.waiting -= 1
        self._refuse(NeverStarted(f"no start within {START_WITHIN:.0f} s"), POLICY)

    def _refuse(self, error: CallError, code: int) -> None:
        if self._socket is not None:  # else it is lost already
            self._lose(error)
            self._close(code, error.reason)

    def _lose(self, error: CallError) -> None:
        """It will not become a call: count, log, and tell its history."""
        refused.inc(error.reason)
        self._log.warn(
            "{socket} refused: {reason}: {error}", socket=self, reason=error.reason, error=error
        )
        if self._claimed is not None:
            self._door.abandon(self._claimed, error)
            self._claimed = None

    def _finish(self, end: End, code: int | None) -> None:
        """Tell the listener, once, and close; without a `code` the closing is somebody else's."""
        if self._socket is None:
            return
        if end.status == "failed":
            self._log.warn("{socket}: {end}", socket=self, end=end)
        if code is None:
            self._forget()
        else:
            self._close(code, end.reason)  # first, or the listener hangs up as if all were well
        if self._listener is not None:
            self._listener.leg_ended(end)
        else:
            self._lose(NeverStarted(f"it ended before it started: {end}"))

    def _close(self, code: int, reason: str = "") -> None:
        socket, apart = self._socket, self._apart
        if socket is None:
            return
        self._apart = None
        self._forget()
        if apart is None:
            socket.close(code, reason)
        else:
            # The word of the end would not be read, in one record with what is before it.
            apart.then(lambda: socket.close(code, reason))

    def _forget(self) -> None:
        """From now on nothing is sent and nobody is told anything."""
        if self._socket is not None:
            self._door.reader.leave(self._socket.transport)
            self._socket = None
        self._end_waiting()
        if self._apart is not None:
            self._apart.stop()

    def _end_waiting(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
            self._door.waiting -= 1

    def abort(self) -> None:
        """Cut the connection, also one that only waits to be closed; `closed` follows."""
        self._cut()

    # -- Leg --------------------------------------------------------------------------------------

    def send_audio(self, payload: bytes) -> None:
        self._send(self._wire.audio(payload))

    def mark(self, name: str) -> None:
        self._send(self._wire.mark(name))

    def clear(self) -> None:
        self._send(self._wire.clear())

    def send_digits(self, digits: str) -> None:
        self._send(self._wire.digits(digits))

    def hang_up(self, end: End | None = None) -> None:
        if self._socket is not None:
            self._send(self._wire.hang_up())
            self._close(NORMAL)

    def _send(self, messages: Sequence[Message]) -> None:
        socket = self._socket
        if socket is not None:
            send = socket.send if self._apart is None else self._apart.send
            for payload, binary in messages:
                send(payload, binary)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


_conforms: type[Leg] = MediaSocket
