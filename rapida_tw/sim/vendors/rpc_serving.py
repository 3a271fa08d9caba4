"""Serving gRPC: the fakes' end of HTTP/2 connections, strict about what clients send.

A connection whose first bytes are HTTP/2's preface is one; all others are HTTP/1.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.sim.vendors.base import Asked, FakeVendor
from rapida_tw.sim.vendors.rpc import RpcRefusal, RpcSession

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_PREFIX = 5  # bytes before a message
_UNIMPLEMENTED, _INTERNAL = 12, 13

# By the Host header's name and the path: who is asked, and for which path.
Find = Callable[[str, str], tuple[FakeVendor, str] | None]


class Sniffing(Protocol):
    """Becomes one of two protocols, by the first bytes."""

    transport: Any

    def __init__(self, plain: Protocol, http2: Protocol) -> None:
        self._plain = plain
        self._http2 = http2
        self._chosen: Protocol | None = None
        self._data = b""

    def dataReceived(self, data: bytes) -> None:
        if self._chosen is not None:
            self._chosen.dataReceived(data)
            return
        self._data += data
        if len(self._data) < len(_PREFACE) and _PREFACE.startswith(self._data):
            return
        self._chosen = self._http2 if self._data.startswith(_PREFACE) else self._plain
        self._chosen.makeConnection(self.transport)
        self._chosen.dataReceived(self._data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._chosen is not None:
            self._chosen.connectionLost(reason)


class RpcServer(Protocol):
    """One HTTP/2 connection. `tell`: what was asked for; `open`: the calls of all connections."""

    transport: Any

    def __init__(
        self,
        find: Find,
        clock: IReactorTime,
        tell: Callable[[Asked], None],
        open_calls: set[ServerCall],
    ) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.paused = False
        self._find = find
        self._clock = clock
        self._tell = tell
        self._open = open_calls
        self._calls: dict[int, ServerCall] = {}
        self._latest = 0

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)
        self.h2.initiate_connection()
        self.flush()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        for call in tuple(self._calls.values()):
            call.lost()

    def flush(self) -> None:
        data = self.h2.data_to_send()
        if data:
            self.transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        try:
            events = self.h2.receive_data(data)
        except ProtocolError:
            self.flush()
            self.transport.loseConnection()
            return
        for event in events:
            self._handle(event)
        self.flush()

    def _handle(self, event: Any) -> None:
        if isinstance(event, RequestReceived):
            self._begin(event)
            return
        call = self._calls.get(getattr(event, "stream_id", 0) or 0)
        if isinstance(event, DataReceived):
            if call is not None:
                call.took(event.data, event.flow_controlled_length)
        elif isinstance(event, StreamEnded):
            if call is not None:
                call.half_closed()
        elif isinstance(event, StreamReset):
            if call is not None:
                call.lost()
        elif isinstance(event, WindowUpdated):
            for one in tuple(self._calls.values()):
                one.pump()

    def _begin(self, event: RequestReceived) -> None:
        assert event.stream_id is not None
        assert event.headers is not None
        headers = {str(name): str(value) for name, value in event.headers}
        self._latest = max(self._latest, event.stream_id)
        call = ServerCall(self, event.stream_id, self._clock, self._forget)
        self._calls[event.stream_id] = call
        self._open.add(call)
        host = headers[":authority"].rpartition(":")[0] or headers[":authority"]
        found = self._find(host.lower(), headers[":path"])
        complaint = _complaint(headers)
        if complaint:
            call.end(_INTERNAL, complaint)
            return
        if found is None or not hasattr(found[0], "rpc"):
            call.end(_UNIMPLEMENTED, f"no fake vendor for {host}{headers[':path']}")
            return
        vendor, path = found
        asked = Asked(headers[":method"], path, {}, {**headers, "host": headers[":authority"]})
        self._tell(asked)
        asking: Any = vendor
        session: RpcSession | RpcRefusal = asking.rpc(asked, call)
        if isinstance(session, RpcRefusal):
            call.end(session.status, session.message)
        else:
            call.session = session

    def _forget(self, call: ServerCall) -> None:
        self._calls.pop(call.number, None)
        self._open.discard(call)

    def go_away(self, last: int | None) -> None:
        """By hand: h2 would take nothing any more behind a GOAWAY of its own."""
        number = self._latest if last is None else last
        payload = number.to_bytes(4, "big") + bytes(4) + b"max_age"
        self.transport.write(len(payload).to_bytes(3, "big") + b"\x07\0" + bytes(4) + payload)


def _complaint(headers: dict[str, str]) -> str:
    """What gRPC's document forbids."""
    if headers[":method"] != "POST":
        return "the method must be POST"
    if headers.get("te") != "trailers":
        return "te: trailers is missing"
    if not headers.get("content-type", "").startswith("application/grpc"):
        return "the content type is not gRPC's"
    return ""


class ServerCall:
    """An `RpcLine`."""

    _log = Logger()

    def __init__(
        self,
        server: RpcServer,
        number: int,
        clock: IReactorTime,
        forget: Callable[[ServerCall], None],
    ) -> None:
        self.clock = clock
        self.number = number
        self.session: RpcSession | None = None
        self._server = server
        self._forget = forget
        self._received = bytearray()
        self._unread = 0  # bytes that the client may not send again yet
        self._reading = True
        self._waiting = bytearray()
        self._head_sent = False
        self._trailers: tuple[int, str] | None = None
        self._over = False

    # -- to the client ----------------------------------------------------------------------------

    def send(self, message: bytes) -> None:
        self.write(b"\0" + len(message).to_bytes(4, "big") + message)

    def write(self, data: bytes) -> None:
        if self._over or self._trailers is not None:
            return
        if not self._head_sent:
            self._head_sent = True
            head = [(":status", "200"), ("content-type", "application/grpc")]
            self._server.h2.send_headers(self.number, head)
        self._waiting += data
        self.pump()

    def end(self, status: int = 0, message: str = "") -> None:
        if not self._over and self._trailers is None:
            self._trailers = status, message
            self.pump()

    def pump(self) -> None:
        """Send what the client's windows allow."""
        if self._over:
            return
        h2 = self._server.h2
        while self._waiting:
            window = min(h2.local_flow_control_window(self.number), h2.max_outbound_frame_size)
            if window <= 0:
                break
            h2.send_data(self.number, bytes(self._waiting[:window]))
            del self._waiting[:window]
        if self._trailers is not None and not self._waiting:
            status, message = self._trailers
            trailers = [("grpc-status", str(status)), ("grpc-message", quote(message, " '(),:"))]
            if not self._head_sent:
                trailers = [(":status", "200"), ("content-type", "application/grpc"), *trailers]
            h2.send_headers(self.number, trailers, end_stream=True)
            self._finish()
        self._server.flush()

    def reset(self, code: int) -> None:
        if not self._over:
            self._server.h2.reset_stream(self.number, ErrorCodes(code))
            self._finish()
            self._server.flush()

    def go_away(self, last: bool = True) -> None:
        self._server.go_away(None if last else 0)

    def drop(self) -> None:
        self._server.transport.abortConnection()

    def pause(self) -> None:
        self._reading = False

    def resume(self) -> None:
        self._reading = True
        if self._unread:
            self._server.h2.acknowledge_received_data(self._unread, self.number)
            self._unread = 0
            self._server.flush()

    # -- from the client --------------------------------------------------------------------------

    def took(self, data: bytes, size: int) -> None:
        """Bytes of its messages, which count for `size` in its window."""
        self._unread += size
        if self._reading:
            self.resume()
        self._received += data
        while len(self._received) >= _PREFIX:
            end = _PREFIX + int.from_bytes(self._received[1:_PREFIX], "big")
            if self._received[0]:
                self.end(_UNIMPLEMENTED, "compressed messages are not taken")
                return
            if len(self._received) < end:
                return
            message = bytes(self._received[_PREFIX:end])
            del self._received[:end]
            if self.session is not None and not self._over:
                self._tell(self.session.received, message)

    def half_closed(self) -> None:
        if self.session is not None and not self._over:
            self._tell(self.session.half_closed)

    def lost(self) -> None:
        if not self._over:
            self._finish()
            if self.session is not None:
                self._tell(self.session.closed)

    def _finish(self) -> None:
        self._over = True
        self._forget(self)

    def _tell(self, function: Callable[..., None], *arguments: object) -> None:
        try:
            function(*arguments)
        except Exception:
            self._log.failure("a fake vendor failed")
            self.end(_INTERNAL, "the fake vendor failed")
