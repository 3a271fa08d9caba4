"""A media server for lines to be tried against: answers the handshake, notes what it is sent."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1
from typing import Any

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from rapida_tw.sim.websocket import BINARY, CLOSE, TEXT, closing, frame


def upgrade(request: bytes) -> bytes:
    """The answer of RFC 6455, section 4.2.2."""
    key = request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
    accepted = b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accepted + b"\r\n\r\n"
    )


class MediaServer(Protocol):
    """One connection. Answers with `answer`, where that is given, and a close with a close."""

    transport: Any
    answer: bytes | None = None

    def __init__(self) -> None:
        self.request = b""
        self.messages: list[str | bytes] = []
        self.others: list[tuple[int, bytes]] = []  # control frames
        self.closed_with: tuple[int, str] | None = None
        self.lost: Failure | None = None
        self._received = b""

    def dataReceived(self, data: bytes) -> None:
        self._received += data
        if not self.request:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            self.request, self._received = head + end, rest
            self.transport.write(upgrade(self.request) if self.answer is None else self.answer)
        while self._read():
            pass

    def _read(self) -> bool:
        """Take one frame; False when it is not complete. All a client's frames are masked."""
        data = self._received
        if len(data) < 2:
            return False
        assert data[1] & 0x80
        size, start = data[1] & 0x7F, 2
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + 4 + size:
            return False
        mask = data[start : start + 4] * (size // 4 + 1)
        payload = bytes(a ^ b for a, b in zip(data[start + 4 :], mask[:size], strict=False))
        self._received = data[start + 4 + size :]
        self._took(data[0] & 0x0F, payload)
        return True

    def _took(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            self.messages.append(payload.decode())
        elif opcode == BINARY:
            self.messages.append(payload)
        elif opcode == CLOSE:
            if self.closed_with is None:
                self.send(CLOSE, payload)
            self.closed_with = closing(payload)
            self.transport.loseConnection()
        else:
            self.others.append((opcode, payload))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason

    # -- for tests --------------------------------------------------------------------------------

    def send(self, opcode: int, payload: bytes = b"") -> None:
        self.transport.write(frame(opcode, payload, masked=False))

    def say(self, message: str | bytes) -> None:
        """A text or a binary message."""
        if isinstance(message, str):
            self.send(TEXT, message.encode())
        else:
            self.send(BINARY, message)

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake."""
        self.closed_with = (code, reason)
        self.send(CLOSE, code.to_bytes(2, "big") + reason.encode())


class MediaServers(Factory):
    """Makes them and keeps them."""

    noisy = False

    def __init__(self, answer: bytes | None = None) -> None:
        self.made: list[MediaServer] = []
        self._answer = answer

    def buildProtocol(self, addr: object) -> MediaServer:
        server = MediaServer()
        server.answer = self._answer
        self.made.append(server)
        return server
