"""How Asterisk's WebSocket client reads TLS since 20.18 / 22.8 / 23.2: one frame a record.

When the socket becomes readable it reads one WebSocket frame and does not look into OpenSSL's
buffer for another. What shares a record with the frame before it waits until something more comes.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure


class OneFrameARecord(Protocol):
    """Between the network and a WebSocket client; each piece that arrives is a record."""

    transport: Any

    def __init__(self, client: Protocol) -> None:
        self._client = client
        self._waiting = b""
        self._upgraded = False

    @property
    def waiting(self) -> int:
        """Bytes that have arrived and were not read."""
        return len(self._waiting)

    def connectionMade(self) -> None:
        self._client.makeConnection(self.transport)

    def dataReceived(self, data: bytes) -> None:
        self._waiting += data
        size = self._readable()
        if size:
            read, self._waiting = self._waiting[:size], self._waiting[size:]
            self._client.dataReceived(read)

    def _readable(self) -> int:
        """Bytes of the handshake's answer, or of the first frame; 0 while it is not complete."""
        waiting = self._waiting
        if not self._upgraded:
            end = waiting.find(b"\r\n\r\n") + 4
            self._upgraded = end >= 4
            return end if self._upgraded else 0
        if len(waiting) < 2:
            return 0
        length, head = waiting[1] & 0x7F, 2
        if length >= 126:
            head += 2 if length == 126 else 8
            length = int.from_bytes(waiting[2:head], "big")
        return head + length if len(waiting) >= head + length else 0

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._client.connectionLost(reason)
