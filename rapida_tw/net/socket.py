"""A vendor's WebSocket: Autobahn's client with a short way for whole data frames.

Autobahn does control frames, fragments and closing (RFC 6455). Its way of a data frame costs more
than the rest of a call's hearing, so ours are written without it, and unfragmented ones of the
vendor are taken out of the stream before it sees them. The handshake is written here, because
Autobahn would log its keys, and a refusal is read here, because Autobahn would not read it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from os import urandom
from typing import Any

import numpy as np
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Request, Socket, SocketReceiver
from rapida_tw.net.endpoints import Target, tune
from rapida_tw.net.head import body_so_far, checked_headers, handshake, parse_head, whole_body
from rapida_tw.net.refusal import refused, unreached

LARGEST = 8_388_608  # bytes of a message; voices send a phrase of some minutes in one
CLOSED_WITHIN = 1.0  # seconds, for the vendor to answer our close; and to say why it refuses
_LONGEST_HEAD, _LONGEST_REFUSAL = 65_536, 16_384  # bytes
_TEXT, _BINARY = 0x81, 0x82  # FIN and the opcode
_PADS = (b"", b"\0\0\0", b"\0\0", b"\0")  # to whole words of four bytes

# Close codes, RFC 6455 section 7.4.1.
_NO_CODE, _ABNORMAL, _INVALID, _INTERNAL = 1005, 1006, 1007, 1011


def masked(payload: bytes, key: bytes) -> bytes:
    """A client's payload as it is sent (RFC 6455, section 5.3); `key` has four bytes."""
    size = len(payload)
    words = np.frombuffer(payload + _PADS[size & 3], np.uint32)
    result: bytes = (words ^ np.frombuffer(key, np.uint32)).tobytes()
    return result[:size]


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


@implementer(IPushProducer)
class VendorSocket(WebSocketClientProtocol):
    """One connection from its handshake on. `opened` fires with it, or with `VendorFailed`."""

    _log = Logger()
    transport: Any

    def __init__(
        self, target: Target, request: Request, receiver: SocketReceiver, clock: IReactorTime
    ) -> None:
        super().__init__()
        self.opened: Deferred[Socket] = Deferred(lambda _: self.abort())
        self.lost: Callable[[VendorSocket], None] = lambda socket: None  # its connection is gone
        self._target = target
        self._request = request
        self._headers = checked_headers(request, target.host)
        self._receiver = receiver
        self._clock = clock
        self._listening = False  # the receiver is told of what happens
        self._pieces: list[bytes] = []  # of a frame that has not come whole
        self._missing = 0  # bytes of it
        self._refusal: tuple[int, dict[str, str]] | None = None
        self._cutting: IDelayedCall | None = None
        self._write: Callable[[bytes], None]

    # -- the handshake ----------------------------------------------------------------------------

    def connectionMade(self) -> None:
        tune(self.transport)
        super().connectionMade()

    def startHandshake(self) -> None:
        self.websocket_key = b64encode(urandom(16))
        self.http_request_data = handshake(
            self._target, self._request, self._headers, self.websocket_key
        )
        self.transport.write(self.http_request_data)

    def processHandshake(self) -> None:
        head, end, body = self.data.partition(b"\r\n\r\n")
        try:
            if not end:
                if len(head) > _LONGEST_HEAD:
                    raise RemoteProtocolError("its answer has a head without an end")
                return
            status, headers = parse_head(head)
            if status == 101:
                super().processHandshake()
                return
        except Exception as error:
            if not isinstance(error, RemoteProtocolError):
                self._log.failure("the handshake of {host}", host=self._target.host)
            self.failHandshake(str(error))
            return
        self._refusal = status, headers
        whole = whole_body(headers, body)
        if whole is not None or len(body) > _LONGEST_REFUSAL:
            self._refused()
        else:
            self._cut_off_soon()

    def _refused(self) -> None:
        """What has come by now of the vendor's reason is all there will be."""
        assert self._refusal is not None
        status, headers = self._refusal
        received = self.data.partition(b"\r\n\r\n")[2]
        body = body_so_far(headers, received)[:_LONGEST_REFUSAL].decode("utf-8", "replace")
        self._fail_to_open(refused(self._request, self._target.host, status, headers, body))

    def failHandshake(self, reason: str) -> None:  # Autobahn's: the answer is no right one
        why = f"{self._target.host} answered the handshake wrongly: {reason}"
        self._fail_to_open(VendorFailed(why))

    def _fail_to_open(self, error: VendorFailed) -> None:
        self.transport.abortConnection()
        if not self.opened.called:
            self.opened.errback(Failure(error))

    def onOpen(self) -> None:
        try:
            self._open()
        except Exception:
            # Autobahn would keep it in a Deferred, and the connection for ever.
            self._log.failure("{host}: failed when it was open", host=self._target.host)
            self.abort()

    def _open(self) -> None:
        if self.opened.called:
            return  # given up
        self._write = self.transport.write
        self.transport.registerProducer(self, True)
        self._listening = True
        self.opened.callback(self)

    # -- from the wire ----------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        if self.state == self.STATE_CLOSED:
            return  # Autobahn would keep it
        if self._pieces:
            self._pieces.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return
            data = b"".join(self._pieces)
            self._pieces = []
        begun = self.state != self.STATE_OPEN or self.data or self.inside_message
        if not begun and self.current_frame is None:
            data = self._take(data)
        if data:
            self._dataReceived(data)

    def _take(self, data: bytes) -> bytes:
        """Hand on the whole frames at the beginning; what is Autobahn's from there on."""
        start, size = 0, len(data)
        while size - start >= 2:
            kind, length = data[start], data[start + 1]
            if (kind != _TEXT and kind != _BINARY) or length > 127:
                return data[start:]
            payload_at = start + 2
            if length > 125:
                wide = length == 127
                payload_at += 8 if wide else 2
                if size < payload_at:
                    break
                length = int.from_bytes(data[start + 2 : payload_at], "big")
                if not (65_536 if wide else 126) <= length <= LARGEST:
                    return data[start:]
            end = payload_at + length
            if end > size:
                self._pieces, self._missing = [data[start:]], end - size
                return b""
            start, payload = end, data[payload_at:end]
            self._hand_on(payload, kind == _BINARY)
        if start < size:
            self._pieces, self._missing = [data[start:]], 1
        return b""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self._hand_on(payload, isBinary)

    def _hand_on(self, payload: bytes, binary: bool) -> None:
        if not self._listening:
            return
        if not binary and not payload.isascii() and not _is_utf8(payload):
            self._break_off(_INVALID, "text that is no UTF-8")
            return
        try:
            self._receiver.message_received(payload, binary)
        except RemoteProtocolError as error:
            self._log.warn("{host}: {error}", host=self._target.host, error=error)
            self._break_off(_INTERNAL, str(error))
        except Exception:
            self._receiver_failed()

    def _receiver_failed(self) -> None:
        self._log.failure("{host}: failed on what it sent", host=self._target.host)
        self._break_off(_INTERNAL, "what it sent could not be used")

    def onCloseFrame(self, code: Any, reasonRaw: Any) -> bool | None:
        result: bool | None = super().onCloseFrame(code, reasonRaw)
        if not self.failedByMe:
            self._end(self.remoteCloseCode or _NO_CODE, self.remoteCloseReason or "")
            self._lose()
        return result

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._cutting is not None and self._cutting.active():
            self._cutting.cancel()
        self._connectionLost(reason)
        self.lost(self)
        if self._refusal is not None and not self.opened.called:
            self._refused()
        elif not self.opened.called:
            self.opened.errback(Failure(unreached(self._target.host, reason.value)))
        self._end(_ABNORMAL, str(unreached(self._target.host, reason.value)))

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """Autobahn's; `closed` has been told."""

    # -- to the wire: Socket ----------------------------------------------------------------------

    def send(self, payload: bytes, binary: bool = False) -> None:
        if self.state != self.STATE_OPEN or not self._listening:
            return
        size, key = len(payload), urandom(4)
        kind = _BINARY if binary else _TEXT
        if size < 126:
            head = bytes((kind, 0x80 | size))
        elif size < 65_536:
            head = bytes((kind, 0xFE, size >> 8, size & 0xFF))
        else:
            head = bytes((kind, 0xFF)) + size.to_bytes(8, "big")
        self._write(head + key + masked(payload, key))

    def close(self, code: int = 1000) -> None:
        if self.state == self.STATE_OPEN and self._listening:
            self.sendCloseFrame(code)

    def abort(self) -> None:
        self._end(_ABNORMAL, "we have broken it off")
        if self.transport is not None:
            self.transport.abortConnection()

    # -- the end ----------------------------------------------------------------------------------

    def sendCloseFrame(  # also by Autobahn, when it has met a violation or answers
        self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False
    ) -> None:
        super().sendCloseFrame(code, reasonUtf8, isReply)
        self._cut_off_soon()
        if self.failedByMe:
            self._end(code or _ABNORMAL, (reasonUtf8 or b"").decode())
            self._lose()

    def _break_off(self, code: int, reason: str) -> None:
        if self.state == self.STATE_OPEN:
            super().sendCloseFrame(code)
            self._cut_off_soon()
        self._end(code, reason)
        self._lose()

    def _end(self, code: int, reason: str) -> None:
        if not self._listening:
            return
        self._listening = False
        try:
            self._receiver.closed(code, reason)
        except Exception:
            self._log.failure("{host}: failed when it was closed", host=self._target.host)

    def _lose(self) -> None:
        """Close behind what was written; TLS would wait for a producer to be done."""
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def dropConnection(self, abort: bool = False) -> None:  # Autobahn's: nothing is left to say
        super().dropConnection(abort)
        self._cut_off_soon()

    def _cut_off_soon(self) -> None:
        """Nobody keeps a connection that we have closed, or that we were refused."""
        if self._cutting is None:
            self._cutting = self._clock.callLater(CLOSED_WITHIN, self._cut_off)

    def _cut_off(self) -> None:
        if self._refusal is not None:
            self._refused()
        self._end(_ABNORMAL, f"{self._target.host} did not answer our close")
        self.transport.abortConnection()

    # -- IPushProducer: the transport's buffer ----------------------------------------------------

    def pauseProducing(self) -> None:
        self._tell_writable(False)

    def resumeProducing(self) -> None:
        self._tell_writable(True)

    def stopProducing(self) -> None:
        """The transport is closing; connectionLost follows."""

    def _tell_writable(self, free: bool) -> None:
        if not self._listening:
            return
        try:
            self._receiver.writable(free)
        except Exception:
            self._receiver_failed()


class VendorSocketFactory(WebSocketClientFactory):
    """Autobahn's settings. None of its timers runs: ours bound everything."""

    noisy = False

    def __init__(self, socket: VendorSocket, clock: IReactorTime, protocols: tuple[str, ...]):
        super().__init__(protocols=list(protocols), reactor=clock)
        self._socket = socket
        self.setProtocolOptions(
            maxFramePayloadSize=LARGEST,
            maxMessagePayloadSize=LARGEST,
            utf8validateIncoming=False,  # done for whole messages
            failByDrop=False,  # a close frame with its code says what was wrong
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            serverConnectionDropTimeout=0,
            autoPingInterval=0,
        )

    def buildProtocol(self, addr: Any) -> VendorSocket:
        self._socket.factory = self
        return self._socket


_conforms: type[Socket] = VendorSocket
