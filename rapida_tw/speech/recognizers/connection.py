"""Connection: one WebSocket to a recogniser, from asking for its address until it is gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred, TimeoutError, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Frame, Net, Socket, SocketReceiver
from rapida_tw.net.rpc_socket import connect
from rapida_tw.speech.recognizers.wire import Complaint, Event, Ready, RecognizerWire, Say

CONNECTED_WITHIN = 5.0  # seconds, the way to the address included
READY_WITHIN = 5.0  # seconds from there until a vendor that greets has done so
BLOCKED_FOR = 5.0  # seconds without taking anything; then it will not any more


class Owner(Protocol):
    """Whose connection it is. Nothing is told after `close` or `abort`, or after `lost`."""

    def connection_ready(self) -> None:
        """Audio may be sent; once."""

    def connection_free(self) -> None:
        """It takes audio again."""

    def connection_told(self, event: Event) -> None:
        """Words and turns."""

    def connection_lost(self, error: VendorFailed) -> None:
        """It is of no use any more; once, last."""


class Connection:
    """`ready`: audio may be sent; `free`: and will go out; `since`: when it was opened."""

    _log = Logger()

    def __init__(
        self, net: Net, clock: IReactorTime, wire: RecognizerWire, vendor: str, owner: Owner
    ) -> None:
        self.ready = False
        self.free = True
        self.since = clock.seconds()
        self._clock = clock
        self._wire = wire
        self._vendor = vendor
        self._owner = owner
        self._socket: Socket | None = None
        self._over = False  # nothing is told any more
        self._complained = False
        self._closed: Deferred[None] | None = None  # somebody waits for the socket's end
        self._sent = 0.0  # when audio or what replaces it went out
        self._waiting: IDelayedCall | None = None  # for `Ready`, or to be free
        self._keeping: IDelayedCall | None = None
        self._net = net
        self._opening: Deferred[None] | None = None
        self._phrases: Sequence[str] = ()  # that the wire knows
        self._owed: Sequence[Frame] = ()  # to be said when it is ready

    def expect(self, phrases: Sequence[str]) -> None:
        """What the caller may say next, for a vendor that wants to know."""
        expect: Callable[[Sequence[str]], Sequence[Frame]] | None
        expect = getattr(self._wire, "expect", None)
        if expect is None or phrases == self._phrases or self._over:
            return
        self._phrases = phrases
        frames = expect(phrases)
        if self.ready:
            self._send(frames)
        elif self._opening is not None:  # its address has been asked for
            self._owed = frames

    def open(self) -> None:
        """Once. What happens may be told before this returns."""
        opening = Deferred.fromCoroutine(self._connect())
        opening.addTimeout(CONNECTED_WITHIN, self._clock)
        self._opening = opening.addCallbacks(self._opened, self._not_opened)

    async def _connect(self) -> Socket:
        request = await self._wire.address(self._net)
        return await connect(self._net, self._clock, request, self)

    def _opened(self, socket: Socket) -> None:
        self._socket = socket
        if self._over:  # closed by who was told, inside `connect`
            socket.abort()
            return
        self._send(self._wire.hello())
        if self._wire.greets:
            self._waiting = self._clock.callLater(READY_WITHIN, self._lose, _SILENT)
        else:
            self._be_ready()

    def _not_opened(self, failure: Failure) -> None:
        error = failure.value
        if self._over:
            return
        if failure.check(CancelledError, TimeoutError):
            error = VendorFailed(f"not reached within {CONNECTED_WITHIN:g} s")
        elif not isinstance(error, VendorFailed):
            self._log.failure("{vendor}: no address", failure, vendor=self._vendor)
            error = VendorFailed("its address could not be made", retryable=False)
        self._end(error.code, str(error), error.retryable, error.retry_after)

    def _be_ready(self) -> None:
        self.ready = True
        self._sent = self._clock.seconds()
        every = self._wire.keep_alive_every
        if every:
            self._keeping = self._clock.callLater(every, self._keep_alive)
        if not self.free:
            self.writable(False)
        self._send(self._owed)
        self._owner.connection_ready()

    # -- to the vendor ----------------------------------------------------------------------------

    def send_audio(self, payload: bytes) -> None:
        """A piece of the call; only when `ready`."""
        if self._socket is not None:
            self._sent = self._clock.seconds()
            self._socket.send(*self._wire.audio(payload))

    def finalize(self) -> None:
        """The turn seems over."""
        self._send(self._wire.finalize())

    def close(self) -> Deferred[None]:
        """Say goodbye; fires when the socket is gone, within a second."""
        if self._socket is None or not self.free:
            self.abort()
            return succeed(None)
        if self._closed is None:
            self._closed = Deferred()
            if self.ready:
                self._send(self._wire.goodbye())
            self._stop_timers()
            self._over = True
            self._socket.close()
        return self._closed

    def abort(self) -> None:
        """Gone at once; idempotent."""
        self._over = True
        self._stop_timers()
        if self._opening is not None:
            self._opening.cancel()
        if self._socket is not None:
            self._socket.abort()

    def _send(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            if self._socket is not None:
                self._socket.send(*frame)

    def _keep_alive(self) -> None:
        now, every = self._clock.seconds(), self._wire.keep_alive_every
        # A hair early is not late: timers and sums of floats are not exact.
        if now - self._sent >= every - 0.001:
            self._sent = now
            if self.free:
                self._send(self._wire.keep_alive())
        self._keeping = self._clock.callLater(self._sent + every - now, self._keep_alive)

    # -- from the vendor: SocketReceiver ----------------------------------------------------------

    def message_received(self, payload: bytes, binary: bool) -> None:
        if self._over:
            return
        try:
            events = self._wire.received(payload, binary)
        except RemoteProtocolError as error:
            self._lose(Complaint(f"said what nobody understands ({error})"))
            return
        for event in events:
            if self._over:
                return
            if isinstance(event, Complaint):
                self._complain(event)
            elif isinstance(event, Say):
                self._send(event.frames)
            elif not isinstance(event, Ready):
                self._owner.connection_told(event)
            elif not self.ready:
                self._stop_waiting()
                self._be_ready()

    def _complain(self, complaint: Complaint) -> None:
        if complaint.fatal:
            self._lose(complaint)
        elif not self._complained:
            self._complained = True
            reason = complaint.reason
            self._log.warn("{vendor}: {reason}", vendor=self._vendor, reason=reason)

    def writable(self, free: bool) -> None:
        self.free = free
        if self._over or not self.ready:
            return
        self._stop_waiting()
        if free:
            self._owner.connection_free()
        else:
            self._waiting = self._clock.callLater(BLOCKED_FOR, self._lose, _STUCK)

    def closed(self, code: int, reason: str) -> None:
        self._socket = None
        if not self._over:
            meant = self._wire.closed(code, reason)
            self._end(code, meant.reason, meant.retryable)
        elif self._closed is not None:
            self._closed.callback(None)

    # -- the end ----------------------------------------------------------------------------------

    def _lose(self, why: Complaint) -> None:
        if not self._over:
            self.abort()
            self._lost(VendorFailed(f"{self._vendor}: {why.reason}", 0, why.retryable))

    def _end(
        self, code: int, reason: str, retryable: bool, retry_after: float | None = None
    ) -> None:
        self._over = True
        self._stop_timers()
        self._lost(VendorFailed(f"{self._vendor}: {reason}", code, retryable, retry_after))

    def _lost(self, error: VendorFailed) -> None:
        self._owner.connection_lost(error)

    def _stop_timers(self) -> None:
        self._stop_waiting()
        keeping, self._keeping = self._keeping, None
        if keeping is not None and keeping.active():
            keeping.cancel()

    def _stop_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and waiting.active():
            waiting.cancel()


_SILENT = Complaint(f"did not greet within {READY_WITHIN:g} s")
_STUCK = Complaint(f"took nothing for {BLOCKED_FOR:g} s")

_conforms: type[SocketReceiver] = Connection
