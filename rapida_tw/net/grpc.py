"""gRPC to vendors: one HTTP/2 connection and the calls on it.

HTTP/2 is the h2 library's, over TLS (ALPN "h2") or without (prior knowledge).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IHandshakeListener,
    INegotiated,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Request, Rpc, RpcReceiver
from rapida_tw.net.endpoints import Target, tune
from rapida_tw.net.grpc_call import Call
from rapida_tw.net.head import USER_AGENT
from rapida_tw.net.refusal import unreached
from rapida_tw.wire.grpc import CONTENT_TYPE, Status, timeout
from rapida_tw.wire.http2 import LONGEST_FRAME, Frames, GoAway

ALPN = (b"h2",)
IDLE_SECONDS = 60.0  # that a connection without calls is kept
# Servers take pings oftener than each five minutes for an attack, where nothing else is said.
PING_EVERY = 300.0
_ANSWERED_WITHIN = 20.0  # seconds for the answer to a ping
_CLOSED_WITHIN = 1.0

_WINDOW = 1_048_576  # bytes that the vendor may send ahead

_OF_RESET = {
    ErrorCodes.REFUSED_STREAM: Status.UNAVAILABLE,
    ErrorCodes.CANCEL: Status.CANCELLED,
    ErrorCodes.ENHANCE_YOUR_CALM: Status.RESOURCE_EXHAUSTED,
    ErrorCodes.INADEQUATE_SECURITY: Status.PERMISSION_DENIED,
}


@implementer(IPushProducer, IHandshakeListener)
class GrpcConnection(Protocol):
    """`opened` fires when the far side has shown to speak HTTP/2, or with `VendorFailed`.

    `draining` is called once, when no new call can begin here any more; `lost` at the end.
    """

    _log = Logger()
    transport: Any

    def __init__(self, target: Target, clock: IReactorTime) -> None:
        self.opened: Deferred[GrpcConnection] = Deferred(lambda _: self._lose(CancelledError()))
        self.calls: dict[int, Call] = {}
        self._target = target
        self._clock = clock
        self.draining: Callable[[], None] = lambda: None
        self.lost: Callable[[], None] = lambda: None
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._h2.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
                SettingCodes.MAX_FRAME_SIZE: LONGEST_FRAME,
            },
        )
        self._frames = Frames()
        self._draining = False
        self.free = True  # the transport takes something
        self.gone = False  # there is nothing to be sent any more
        self._heard = False  # something, since the last ping
        self._timer: IDelayedCall | None = None

    # -- calls ------------------------------------------------------------------------------------

    @property
    def room(self) -> bool:
        """Whether one more call can begin here."""
        return (
            not self._draining and len(self.calls) < self._h2.remote_settings.max_concurrent_streams
        )

    def open(
        self, request: Request, headers: dict[str, str], receiver: RpcReceiver, deadline: float
    ) -> Rpc:
        """Begin a call; `headers` are the request's, checked. Only when there is `room`."""
        number = self._h2.get_next_available_stream_id()
        head = [
            (":method", "POST"),
            (":scheme", "https" if self._target.secure else "http"),
            (":path", urlsplit(request.url).path or "/"),
            (":authority", self._target.authority),
            ("te", "trailers"),
            ("content-type", CONTENT_TYPE),
            ("user-agent", USER_AGENT),
            ("grpc-accept-encoding", "identity,gzip,deflate"),
        ]
        head += [("grpc-timeout", timeout(deadline))] if deadline else []
        named = {name.lower(): value for name, value in headers.items()}
        head += [(name, value) for name, value in named.items() if name != "user-agent"]
        self._h2.send_headers(number, head)
        self._flush()
        stream = _Stream(self, self._h2, number)
        call = Call(self._target.host, receiver, stream, lambda call: self._over(number))
        self.calls[number] = call
        self._attend()
        if deadline:
            call.expire(self._clock, deadline)
        if request.body:
            call.send(request.body)
        return call

    def _over(self, number: int) -> None:
        self.calls.pop(number, None)
        if not self.calls:
            if self._draining:
                self._hang_up()
            else:
                self._attend()

    # -- the connection's life --------------------------------------------------------------------

    def connectionMade(self) -> None:
        tune(self.transport)
        if not INegotiated.providedBy(self.transport):
            self._begin()

    def handshakeCompleted(self) -> None:
        """TLS is there; ALPN has decided."""
        if self.transport.negotiatedProtocol != ALPN[0]:
            self._lose(VendorFailed(f"{self._target.host} speaks no HTTP/2", retryable=False))
            return
        self._begin()

    def _begin(self) -> None:
        self.transport.registerProducer(self, True)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_WINDOW)
        self._flush()

    def close(self) -> None:
        """Nothing runs any more: say goodbye."""
        self._drain()
        if not self.calls and self.transport is not None:
            self._h2.close_connection()
            self._flush()
            self._hang_up()

    def _hang_up(self) -> None:
        """Close behind what was written; TLS would wait for a producer to be done."""
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        if not self.gone:
            self._set_timer(_CLOSED_WITHIN, self.transport.abortConnection)

    def abort(self) -> None:
        """Gone at once, with all its calls."""
        self._lose(VendorFailed(f"{self._target.host}: we have broken it off"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lose(unreached(self._target.host, reason.value))
        self.lost()

    def _lose(self, error: Exception) -> None:
        self.gone = True
        self._drain()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self.transport is not None:
            self.transport.abortConnection()
        if not self.opened.called:
            self.opened.errback(Failure(error))
        for call in tuple(self.calls.values()):
            call.end(Status.UNAVAILABLE, str(error))

    def _drain(self) -> None:
        if not self._draining:
            self._draining = True
            self.draining()

    # -- time -------------------------------------------------------------------------------------

    def _attend(self) -> None:
        """Ping while there are calls, and close when there have been none for a while."""
        if self.calls:
            self._set_timer(PING_EVERY, self._ping)
        else:
            self._set_timer(IDLE_SECONDS, self.close)

    def _set_timer(self, seconds: float, function: Callable[[], None]) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._clock.callLater(seconds, function)

    def _ping(self) -> None:
        self._heard = False
        self._h2.ping(b"rapidatw")
        self._flush()
        self._set_timer(_ANSWERED_WITHIN, self._pinged)

    def _pinged(self) -> None:
        if self._heard:
            self._attend()
        else:
            self._lose(VendorFailed(f"{self._target.host} does not answer any more"))

    # -- from the wire ----------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        self._heard = True
        try:
            for frame in self._frames.feed(data):
                if isinstance(frame, GoAway):
                    self._told_to_go(frame)
                    continue
                for event in self._h2.receive_data(frame):
                    handle = _HANDLERS.get(type(event))
                    if handle is not None:
                        handle(self, event)
        except (ProtocolError, RemoteProtocolError) as error:
            self._flush()  # h2's GOAWAY
            self._lose(VendorFailed(f"{self._target.host} breaks HTTP/2: {error}"))
            return
        except Exception:
            self._log.failure("{host}: failed on what it sent", host=self._target.host)
            self._lose(VendorFailed(f"{self._target.host}: what it sent could not be used"))
            return
        self._flush()

    def _told_to_go(self, told: GoAway) -> None:
        why = f"{self._target.host} goes away {told.reason}".rstrip()
        self._log.debug("{why} (code {code})", why=why, code=told.code)
        self._drain()
        for number, call in tuple(self.calls.items()):
            if number > told.last:
                call.end(Status.UNAVAILABLE, why)
        if not self.opened.called or not self.calls:
            self._lose(VendorFailed(why))

    def _settings(self, event: RemoteSettingsChanged) -> None:
        if not self.opened.called:
            self._attend()
            self.opened.callback(self)
        self._pump()

    def _head(self, event: ResponseReceived) -> None:
        call = self.calls.get(event.stream_id)
        if call is not None:
            call.head_received(_text(event.headers), event.stream_ended is not None)

    def _trailers(self, event: TrailersReceived) -> None:
        call = self.calls.get(event.stream_id)
        if call is not None:
            call.trailers_received(_text(event.headers))

    def _data(self, event: DataReceived) -> None:
        self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        call = self.calls.get(event.stream_id)
        if call is not None:
            call.data_received(event.data)

    def _stream_ended(self, event: StreamEnded) -> None:
        call = self.calls.get(event.stream_id)
        if call is not None:
            call.end(Status.UNKNOWN, "an end without a status")

    def _stream_reset(self, event: StreamReset) -> None:
        call = self.calls.get(event.stream_id)
        if call is not None:
            code = event.error_code
            status = _OF_RESET.get(code, Status.INTERNAL)  # type: ignore[call-overload]
            call.end(status, f"reset with {getattr(code, 'name', code)}")

    def _window(self, event: WindowUpdated) -> None:
        if event.stream_id:
            call = self.calls.get(event.stream_id)
            if call is not None:
                call.pump()
        else:
            self._pump()

    # -- to the wire ------------------------------------------------------------------------------

    def _pump(self) -> None:
        for call in tuple(self.calls.values()):
            call.pump()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data:
            self.transport.write(data)

    def pauseProducing(self) -> None:
        self.free = False
        self._pump()

    def resumeProducing(self) -> None:
        self.free = True
        self._pump()

    def stopProducing(self) -> None:
        """The transport is closing; connectionLost follows."""


class _Stream:
    """One stream of the connection, for its call."""

    def __init__(self, connection: GrpcConnection, h2: H2Connection, number: int) -> None:
        self._connection = connection
        self._h2 = h2
        self._number = number

    @property
    def free(self) -> bool:
        return self._connection.free

    def push(self, data: bytearray) -> None:
        while data:
            window = self._h2.local_flow_control_window(self._number)
            size = min(len(data), window, self._h2.max_outbound_frame_size)
            if size <= 0:
                break
            self._h2.send_data(self._number, bytes(data[:size]))
            del data[:size]
        self._connection._flush()

    def finish(self) -> None:
        self._h2.end_stream(self._number)
        self._connection._flush()

    def reset(self) -> None:
        if self._connection.gone:
            return
        stream = self._h2.streams.get(self._number)
        if stream is not None and not stream.closed:
            self._h2.reset_stream(self._number, ErrorCodes.CANCEL)
            self._connection._flush()


_HANDLERS: dict[type[Event], Callable[[GrpcConnection, Any], None]] = {
    RemoteSettingsChanged: GrpcConnection._settings,
    ResponseReceived: GrpcConnection._head,
    TrailersReceived: GrpcConnection._trailers,
    DataReceived: GrpcConnection._data,
    StreamEnded: GrpcConnection._stream_ended,
    StreamReset: GrpcConnection._stream_reset,
    WindowUpdated: GrpcConnection._window,
}


def _text(headers: Any) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
