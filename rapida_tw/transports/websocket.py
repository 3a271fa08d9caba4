"""A carrier's WebSocket: Autobahn's protocol with a short way for what comes fifty times a second.

Autobahn does the handshake, control frames, fragmentation and closing (RFC 6455). Its way of a
data frame costs more than all the rest of a call, so whole, small, unfragmented data frames are
taken out of the stream before it sees them, and ours are written without it. What is anything else
goes to Autobahn, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionRequest
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import IResource
from zope.interface import implementer

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.transports.direct import direct_writer
from rapida_tw.transports.pace import Pace
from rapida_tw.transports.tuning import for_media

LARGEST = 131_072  # bytes of a message; the largest that a carrier sends are some kB
CLOSED_WITHIN = 1.0  # seconds for the far side to answer our close
_SMALL = 16_384  # bytes of a frame that is taken the short way
_BUFFER_BYTES = 16_000  # unsent, before the far side counts as full: half a second of 16 kHz audio
# Seconds of audio that a frame of Autobahn's counts for: control frames are rare and dear.
_A_CONTROL_FRAME = 0.1
_BYTES_A_SECOND = 64_000  # as 24 kHz in base64
_TEXT, _BINARY = 0x81, 0x82  # FIN and the opcode
_CLOSE = 8
_HEADERS = {binary: bytes((_BINARY if binary else _TEXT,)) for binary in (True, False)}

# Close codes, RFC 6455 section 7.4.1.
NORMAL, GOING_AWAY, VIOLATION, INVALID, POLICY, INTERNAL, AGAIN = (
    *(1000, 1001, 1002),
    *(1007, 1008, 1011, 1013),
)


class Receiver(Protocol):
    """Who uses the socket; nothing of it may raise."""

    def opened(self, socket: FrameSocket) -> None:
        """The handshake is done. Without it, only `closed` will be told."""

    def message_received(self, payload: bytes, binary: bool) -> None:
        """A whole message. Text the short way has not been checked to be UTF-8."""

    def writable(self, free: bool) -> None:
        """The far side (or the socket towards it) takes nothing / takes again."""

    def broken(self, reason: str) -> None:
        """The far side has broken RFC 6455 or our limits, and we are closing; `closed` follows."""

    def closed(self, code: int | None, reason: str, failure: Failure | None) -> None:
        """The socket is gone; once, last. `code` None: without a close frame; `failure`: TCP's."""


def unmasked(mask: bytes, payload: bytes) -> bytes:
    """A client's payload as it was meant (RFC 6455, section 5.3)."""
    size = len(payload)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(payload, "little") ^ key).to_bytes(size, "little")


@implementer(IPushProducer)
class FrameSocket(WebSocketServerProtocol):
    """One connection from its handshake on."""

    _log = Logger()
    transport: Any

    def __init__(self, receiver: Receiver, subprotocols: tuple[str, ...]) -> None:
        super().__init__()
        self._receiver = receiver
        self._subprotocols = subprotocols
        self._tail = b""  # of a small frame that has not come whole
        self._write: Callable[[bytes], None]
        self._pace: Pace  # of what does not go the short way
        self._cutting: IDelayedCall | None = None

    # -- from the wire ----------------------------------------------------------------------------

    def onConnect(self, request: ConnectionRequest) -> str | None:
        offered = [one for one in request.protocols if one in self._subprotocols]
        return offered[0] if offered else None

    def onOpen(self) -> None:
        try:
            self._open()
        except Exception:
            # Autobahn would keep it in a Deferred, and the connection for ever.
            self._log.failure("{peer}: failed when it was open", peer=self.peer)
            self.transport.abortConnection()

    def _open(self) -> None:
        transport = self.transport
        for_media(transport, _BUFFER_BYTES)
        self._write = direct_writer(transport)
        self._pace = Pace(self.factory.reactor)
        transport.unregisterProducer()  # the HTTP channel is out of it
        transport.registerProducer(self, True)
        self._receiver.opened(self)

    def dataReceived(self, data: bytes) -> None:
        if self.state == self.STATE_CLOSED:
            return  # Autobahn would keep it
        if self._tail:
            data = self._tail + data
            self._tail = b""
        if self.state != self.STATE_OPEN or self.data or self.inside_message or self.current_frame:
            super().dataReceived(data)  # which has begun with something
            return
        rest = self._take(data)
        if rest:
            super().dataReceived(rest)

    def _take(self, data: bytes) -> bytes:
        """Hand on the small whole frames at the beginning; what is Autobahn's from there on."""
        start, size = 0, len(data)
        while size - start >= 2:
            kind, length = data[start], data[start + 1] & 0x7F
            if (kind != _TEXT and kind != _BINARY) or data[start + 1] < 0x80 or length == 127:
                return data[start:]
            mask_at = start + 2
            if length == 126:
                mask_at += 2
                if size < mask_at:
                    break
                length = data[start + 2] << 8 | data[start + 3]
                if not 126 <= length <= _SMALL:
                    return data[start:]
            payload_at = mask_at + 4
            end = payload_at + length
            if end > size:
                break
            payload = unmasked(data[mask_at:payload_at], data[payload_at:end])
            start = end
            self._receiver.message_received(payload, kind == _BINARY)
            if self.state != self.STATE_OPEN:  # it was the last one
                return data[start:]
        self._tail = data[start:]
        return b""

    def onFrameBegin(self) -> None:
        super().onFrameBegin()
        frame = self.current_frame
        try:
            size = min(frame.length, LARGEST)  # larger ones are refused as such
            self._pace.count(_A_CONTROL_FRAME if frame.opcode > 7 else size / _BYTES_A_SECOND)
        except RemoteProtocolError as error:
            self._receiver.broken(str(error))
            self.dropConnection(abort=True)  # who floods us would not hear a close frame

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.state == self.STATE_OPEN:
            self._receiver.message_received(payload, isBinary)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """Autobahn's; `connectionLost` tells more."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._cutting is not None and self._cutting.active():
            self._cutting.cancel()
        code, text = self.remoteCloseCode, self.remoteCloseReason or ""
        super().connectionLost(reason)
        clean = reason.check(type(connectionDone.value)) is not None
        self._receiver.closed(code, text, None if clean else reason)

    # -- to the wire ------------------------------------------------------------------------------

    def send(self, payload: bytes, binary: bool) -> None:
        """One message in one frame in one write; nothing when the socket is closing."""
        if self.state != self.STATE_OPEN:
            return
        size = len(payload)
        if size < 126:
            header = _HEADERS[binary] + bytes((size,))
        elif size < 65_536:
            header = _HEADERS[binary] + bytes((126, size >> 8, size & 0xFF))
        else:
            header = _HEADERS[binary] + b"\x7f" + size.to_bytes(8, "big")
        self._write(header + payload)

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Say goodbye; idempotent. `Receiver.closed` follows."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code, reason.encode()[:120])

    def sendCloseFrame(  # also by Autobahn, when it has met a violation
        self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False
    ) -> None:
        super().sendCloseFrame(code, reasonUtf8, isReply)
        if self._cutting is None:
            self._cut_off_soon()
            self.transport.resumeProducing()  # its answer must be read
            frame = self.current_frame
            # A close with a code that is none is wrong, and a close.
            if self.failedByMe and (frame is None or frame.opcode != _CLOSE):
                self._receiver.broken((reasonUtf8 or b"").decode())

    def dropConnection(self, abort: bool = False) -> None:  # Autobahn's: nothing is left to say
        super().dropConnection(abort)
        self._cut_off_soon()

    def _cut_off_soon(self) -> None:
        """TLS waits for ever for a far side that does not answer its end."""
        if self._cutting is None:
            clock = self.factory.reactor
            self._cutting = clock.callLater(CLOSED_WITHIN, self.transport.abortConnection)

    def refuse_payload(self, reason: str) -> None:
        """Close because of text that is no UTF-8 (RFC 6455, section 8.1)."""
        self._invalid_payload(reason)

    # -- IPushProducer: the transport's buffer ----------------------------------------------------

    def pauseProducing(self) -> None:
        self._receiver.writable(False)

    def resumeProducing(self) -> None:
        self._receiver.writable(True)

    def stopProducing(self) -> None:
        """The transport is closing; connectionLost follows."""


class FrameSocketFactory(WebSocketServerFactory):
    """Autobahn's settings. None of its timers runs: `_cutting` and the receiver's bounds do."""

    noisy = False

    def __init__(self, clock: IReactorTime) -> None:
        super().__init__(reactor=clock, server="")
        self.setProtocolOptions(
            webStatus=False,
            maxFramePayloadSize=LARGEST,
            maxMessagePayloadSize=LARGEST,
            failByDrop=False,  # a close frame with its code says what was wrong
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            autoPingInterval=0,  # an Asterisk before 20.18 ends the call on a ping
        )

    def takeover(self, receiver: Receiver, subprotocols: tuple[str, ...]) -> IResource:
        """What takes an HTTP request's connection over."""
        return _Takeover(self, receiver, subprotocols)


class _Takeover(WebSocketResource):
    """Autobahn's resource, for one connection whose receiver is known."""

    def __init__(
        self, factory: FrameSocketFactory, receiver: Receiver, subprotocols: tuple[str, ...]
    ) -> None:
        super().__init__(self)
        self._sockets = factory
        self._receiver = receiver
        self._subprotocols = subprotocols

    def buildProtocol(self, addr: Any) -> FrameSocket:
        socket = FrameSocket(self._receiver, self._subprotocols)
        socket.factory = self._sockets
        return socket
