"""One HTTP/2 connection of a gRPC client, with bounds on all that it may ask for (RFC 9113)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    PingReceived,
    PriorityUpdated,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from twisted.internet.interfaces import (
    IDelayedCall,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.rpc import bounds
from rapida_tw.rpc.bounds import Budget, refused
from rapida_tw.rpc.h2_line import H2Line
from rapida_tw.rpc.stream import Stream
from rapida_tw.wire.http2 import LONGEST_FRAME, PREFACE, Frames, GoAway, go_away

Open = Callable[[Stream, str], None]


class _H2(H2Connection):
    DEFAULT_MAX_HEADER_LIST_SIZE = bounds.LARGEST_HEAD
    MAX_CLOSED_STREAMS = 1_024  # remembered


def _settings(streams: int) -> Settings:
    return Settings(
        client=False,
        initial_values={
            SettingCodes.MAX_CONCURRENT_STREAMS: streams,
            SettingCodes.INITIAL_WINDOW_SIZE: bounds.STREAM_WINDOW,
            SettingCodes.MAX_FRAME_SIZE: LONGEST_FRAME,
            SettingCodes.MAX_HEADER_LIST_SIZE: bounds.LARGEST_HEAD,
        },
    )


class Flood(Exception):
    """More of something than anybody needs."""


@implementer(IPushProducer)
class Connection(Protocol):
    """`open(stream, method)` is told of each request, `lost` of the end."""

    _log = Logger()
    transport: Any

    def __init__(
        self, clock: IReactorTime, open: Open, lost: Callable[[Connection], None], shared: Budget
    ) -> None:
        """`shared`: what unfinished messages of all connections may take."""
        self.streams: dict[int, Stream] = {}
        self.free = True  # the transport takes something
        self.gone = False  # there is nothing to be sent any more
        self._clock = clock
        self._open = open
        self._lost = lost
        self._shared = shared
        self._own = Budget(bounds.MOST_HELD)
        self._h2 = _H2(H2Configuration(client_side=False, header_encoding=None))
        self._frames = Frames()
        self._begun = False
        self._draining = False
        self._receiving = False
        self._heard = False  # something, since our last ping
        self._resets = bounds.resets()
        self._trifles = bounds.trifles()
        self._timer: IDelayedCall | None = None
        self._stalled: IDelayedCall | None = None

    # -- life -------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        self.transport.registerProducer(self, True)
        self._h2.local_settings = _settings(bounds.MOST_STREAMS)
        self._h2.initiate_connection()
        # A client that has not read that yet must not lose its connection for one stream more:
        # h2 ends it at its own bound, streams beyond ours are only refused.
        self._h2.local_settings = _settings(10 * bounds.MOST_STREAMS)
        self._h2.increment_flow_control_window(bounds.CONNECTION_WINDOW)
        self.flush()
        self._attend()

    def drain(self, reason: str = "") -> None:
        """No new calls; it closes when those that run are over."""
        if not self._draining and not self.gone:
            self._draining = True
            self._write()
            self.transport.write(go_away(self._h2.highest_inbound_stream_id, 0, reason))
            if not self.streams:
                self._hang_up()

    def abort(self) -> None:
        """Gone at once, with all its calls."""
        if self.transport is not None:
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone = True
        self._stop_timers()
        for stream in tuple(self.streams.values()):
            stream.lost()
        self._lost(self)

    def over(self, number: int) -> None:
        """A call is."""
        self.streams.pop(number, None)
        if self.streams or self.gone:
            return
        if self._draining:
            self._hang_up()
        else:
            self._attend()

    def _hang_up(self) -> None:
        """Close behind what was written; TLS would wait for a producer to be done."""
        if self.gone:
            return
        self._write()
        self.gone = True
        self._stop_timers()
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        self._timer = self._clock.callLater(bounds.CLOSED_WITHIN, self._not_closed)

    def _not_closed(self) -> None:
        self._timer = None
        self.transport.abortConnection()

    # -- time -------------------------------------------------------------------------------------

    def _attend(self) -> None:
        """Ping while there are calls, and close when there have been none for a while."""
        if self.streams:
            self._set_timer(bounds.PING_EVERY, self._ping)
        else:
            self._set_timer(bounds.IDLE_SECONDS, self._idle)

    def _set_timer(self, seconds: float, function: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.gone:
            self._timer = self._clock.callLater(seconds, self._fire, function)

    def _fire(self, function: Callable[[], None]) -> None:
        self._timer = None
        function()

    def _idle(self) -> None:
        self.drain("idle")

    def _ping(self) -> None:
        self._heard = False
        self._h2.ping(b"rapidatw")
        self.flush()
        self._set_timer(bounds.ANSWERED_WITHIN, self._pinged)

    def _pinged(self) -> None:
        if self._heard:
            self._attend()
        else:
            refused.inc("no-pong")
            self.abort()

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._stalled):
            if timer is not None and timer.active():
                timer.cancel()
        self._timer = self._stalled = None

    # -- from the wire ----------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        if self.gone:
            return
        self._heard = True
        self._receiving = True
        try:
            if not self._begun:
                # All of the preface is there: by it the connection was known.
                self._begun = True
                self._h2.receive_data(data[: len(PREFACE)])
                data = data[len(PREFACE) :]
            self._receive(data)
        except Flood as error:
            self._log.warn("gRPC client {peer}: {error}", peer=self._peer, error=error)
            refused.inc("flood")
            self._h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            self._break_off()
        except (ProtocolError, RemoteProtocolError) as error:
            self._log.info("gRPC client {peer}: {error}", peer=self._peer, error=error)
            refused.inc("protocol-error")
            self._break_off()  # behind h2's GOAWAY
        except Exception:
            self._log.failure("gRPC client {peer}: failed on what it sent", peer=self._peer)
            self.abort()
        finally:
            self._receiving = False
        self.flush()

    def _receive(self, data: bytes) -> None:
        for frame in self._frames.feed(data):
            if self.gone:
                return
            if isinstance(frame, GoAway):
                # It asks for nothing more, and still wants what it has asked for.
                self.drain()
                continue
            for event in self._h2.receive_data(frame):
                handle = _HANDLERS.get(type(event))
                if handle is not None:
                    handle(self, event)

    def _break_off(self) -> None:
        """h2 takes nothing any more."""
        self._hang_up()
        for stream in tuple(self.streams.values()):
            stream.lost()

    def _request(self, event: RequestReceived) -> None:
        number = event.stream_id
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
        if self._draining or len(self.streams) >= bounds.MOST_STREAMS:
            refused.inc("too-many-streams")
            self._h2.reset_stream(number, ErrorCodes.REFUSED_STREAM)
            self._count(self._resets, "streams that are refused")
            return
        method, path = headers.get(":method", ""), headers.get(":path", "")
        metadata = {name: value for name, value in headers.items() if name[:1] != ":"}
        line = H2Line(self, self._h2, number)
        stream = Stream(line, self._clock, path, metadata, event.stream_ended is not None)
        self.streams[number] = stream
        self._attend()
        self._open(stream, method)

    def _data(self, event: DataReceived) -> None:
        size = event.flow_controlled_length
        if not event.data and event.stream_ended is None:
            self._count(self._trifles, "empty frames")
        stream = self.streams.get(event.stream_id)
        if stream is None:
            self._h2.acknowledge_received_data(size, event.stream_id)
        else:
            stream.data_received(event.data, size, event.stream_ended is not None)

    def _stream_ended(self, event: StreamEnded) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            stream.end_received()

    def _stream_reset(self, event: StreamReset) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            stream.lost()
        self._count(self._resets, "streams that are reset")

    def _window(self, event: WindowUpdated) -> None:
        if not event.stream_id:
            self._pump()
        elif event.stream_id in self.streams:
            self.streams[event.stream_id].pump()

    def _settings_changed(self, event: RemoteSettingsChanged) -> None:
        self._count(self._trifles, "settings")
        self._pump()

    def _trifle(self, event: Event) -> None:
        self._count(self._trifles, "pings")

    def _count(self, bucket: bounds.Bucket, what: str) -> None:
        if not bucket.take(self._clock.seconds()):
            raise Flood(f"too many {what}")

    @property
    def _peer(self) -> str:
        return str(getattr(self.transport.getPeer(), "host", ""))

    # -- to the wire ------------------------------------------------------------------------------

    def hold(self, size: int) -> bool:
        """See `Line`."""
        if not self._own.take(size):
            return False
        if not self._shared.take(size):
            self._own.give(size)
            return False
        return True

    def flush(self) -> None:
        """Write what h2 has; what is written while we read goes out together."""
        if not self._receiving:
            self._write()

    def _write(self) -> None:
        if not self.gone and (data := self._h2.data_to_send()):
            self.transport.write(data)

    def _pump(self) -> None:
        for stream in tuple(self.streams.values()):
            stream.pump()

    def pauseProducing(self) -> None:
        """It reads nothing: then nothing is read of it, or its pings would fill our memory."""
        if self.free and not self.gone:
            self.free = False
            self.transport.pauseProducing()
            self._stalled = self._clock.callLater(bounds.STALLED_WITHIN, self._stuck)
            self._pump()

    def resumeProducing(self) -> None:
        if not self.free and not self.gone:
            self.free = True
            if self._stalled is not None:
                self._stalled.cancel()
                self._stalled = None
            self.transport.resumeProducing()
            self._pump()

    def stopProducing(self) -> None:
        """The transport is closing; connectionLost follows."""

    def _stuck(self) -> None:
        self._stalled = None
        refused.inc("stalled")
        self.abort()


_HANDLERS: dict[type[Event], Callable[[Connection, Any], None]] = {
    RequestReceived: Connection._request,
    DataReceived: Connection._data,
    StreamEnded: Connection._stream_ended,
    StreamReset: Connection._stream_reset,
    WindowUpdated: Connection._window,
    RemoteSettingsChanged: Connection._settings_changed,
    PingReceived: Connection._trifle,
    PriorityUpdated: Connection._trifle,
}
