"""Wire: a plain or TLS socket as a transport, as much of one as the farm's protocols ask for."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.python.failure import Failure

_AT_ONCE = 65_536  # bytes


class Wire:
    """Non-blocking.

    `gone(wire, reason)` is called once, when the connection is over; `watch(wire, reading)` when it
    is to be read no more, or again.
    """

    def __init__(
        self,
        connection: socket.socket,
        protocol: Any,
        gone: Callable[[Wire, Failure], None],
        watch: Callable[[Wire, bool], None],
    ) -> None:
        self.socket = connection
        self.protocol = protocol
        self.latest = b""  # that was received at once
        self._gone = gone
        self._watch = watch
        self.unsent = bytearray()
        self._reading = True
        self._closing: Exception | None = None
        self._over = False

    def fileno(self) -> int:
        return self.socket.fileno()

    @property
    def impatience(self) -> float:
        """Seconds until it has to be looked at without being readable."""
        if self._closing is not None or self.unsent:
            return 0.001
        return 1.0

    # -- from the loop ----------------------------------------------------------------------------

    def readable(self) -> None:
        while self._reading and not self._over:
            try:
                data = self.socket.recv(_AT_ONCE)
            except (BlockingIOError, ssl.SSLWantReadError):
                return
            except OSError as error:
                self._lose(ConnectionLost(str(error)))
                return
            if not data:
                self._lose(ConnectionDone())
                return
            self.latest = data
            self.protocol.dataReceived(data)

    def cut(self) -> None:
        """The far side has torn it down, whether that is read or not."""
        self.readable()
        self._lose(ConnectionLost())

    def flush(self) -> None:
        """Send what waits; close, when that was asked for and nothing waits any more."""
        while self.unsent and not self._over:
            try:
                sent = self.socket.send(self.unsent)
            except (BlockingIOError, ssl.SSLWantWriteError):
                break
            except OSError as error:
                self._lose(ConnectionLost(str(error)))
                return
            del self.unsent[:sent]
        if self._closing is not None and not self.unsent:
            self._lose(self._closing)

    def _lose(self, reason: Exception) -> None:
        if not self._over:
            self._over = True
            self._gone(self, Failure(reason))

    # -- ITransport -------------------------------------------------------------------------------

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, enabled)

    def write(self, data: bytes) -> None:
        if self._closing is None:
            self.unsent += data

    def loseConnection(self) -> None:
        """In the loop's next turn, as every reactor does it."""
        self._closing = self._closing or ConnectionDone()

    def abortConnection(self) -> None:
        """By RST."""
        self.unsent.clear()
        if self._closing is None:
            self.socket.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
            self._closing = ConnectionAborted()

    def pauseProducing(self) -> None:
        self._reading = False
        self._watch(self, False)

    def resumeProducing(self) -> None:
        self._reading = True
        self._watch(self, True)
