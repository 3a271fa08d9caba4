"""A carrier's side of a WebSocket, by hand: a handshake and frames, right and wrong ones."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from rapida_tw.transports.websocket import FrameSocket, FrameSocketFactory

MASK = bytes.fromhex("37fa213d")
HANDSHAKE = (
    b"GET /v1/talk/x/ctx/y HTTP/1.1\r\nHost: voice.example.com\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n%s\r\n"
)
_CLOSED = ConnectionDone()
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes = MASK,
    form: int | None = None,
) -> bytes:
    """A client's frame; `mask` b"" leaves it unmasked, `form` chooses the form of the length."""
    size = len(payload)
    form = form or (size if size < 126 else 126 if size < 65_536 else 127)
    head = bytes((fin << 7 | rsv << 4 | opcode, bool(mask) << 7 | form))
    head += struct.pack("!H", size) if form == 126 else b""
    head += struct.pack("!Q", size) if form == 127 else b""
    if not mask:
        return head + payload
    hidden = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return head + mask + hidden


def received(data: bytes) -> list[tuple[int, bytes]]:
    """The server's frames as (opcode, payload), which must be whole and unmasked."""
    frames = []
    while data:
        opcode, size, at = data[0], data[1], 2
        assert opcode & 0x70 == 0, data[:8]
        assert size < 128, data[:8]
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, at = int.from_bytes(data[2:10], "big"), 10
        assert len(data) >= at + size
        frames.append((opcode & 15, data[at : at + size]))
        data = data[at + size :]
    return frames


class Wire(StringTransport):
    """As much of a TCP transport as a media socket asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        """There is nothing to delay."""

    def unregisterProducer(self) -> None:
        self.producer = None  # as lenient as Twisted's TCP

    def abortConnection(self) -> None:
        self.aborted = True


class Receiver:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.socket: FrameSocket | None = None
        self.messages: list[tuple[bytes, bool]] = []
        self.full: list[bool] = []
        self.broke: list[str] = []
        self.ended: list[tuple[int | None, str, bool]] = []

    def opened(self, socket: FrameSocket) -> None:
        self.socket = socket

    def message_received(self, payload: bytes, binary: bool) -> None:
        self.messages.append((payload, binary))

    def writable(self, free: bool) -> None:
        self.full.append(not free)

    def broken(self, reason: str) -> None:
        self.broke.append(reason)

    def closed(self, code: int | None, reason: str, failure: Failure | None) -> None:
        self.ended.append((code, reason, failure is not None))


class Connection:
    """A socket of ours with everything around it; open unless the handshake says otherwise."""

    def __init__(
        self,
        kind: type[FrameSocket] = FrameSocket,
        headers: bytes = b"",
        subprotocols: tuple[str, ...] = (),
        receiver: Callable[[Clock], Any] | None = None,
    ) -> None:
        self.clock = Clock()
        self.receiver: Any = Receiver() if receiver is None else receiver(self.clock)
        self.wire = Wire()
        self.socket = kind(self.receiver, subprotocols)
        self.socket.factory = FrameSocketFactory(self.clock)
        self.socket.makeConnection(self.wire)
        self.socket.dataReceived(HANDSHAKE % headers)
        self.answer = self.wire.value()
        self.wire.clear()

    def feed(self, *data: bytes) -> None:
        """Bytes as they come, piece by piece; none once the connection is cut."""
        for piece in data:
            if not (self.wire.aborted or self.wire.disconnecting):
                self.socket.dataReceived(piece)

    def lose(self, reason: Exception = _CLOSED) -> None:
        """The connection is gone."""
        self.socket.connectionLost(Failure(reason))

    @property
    def sent(self) -> list[tuple[int, bytes]]:
        return received(self.wire.value())

    @property
    def close_code(self) -> int | None:
        """The code of our close frame; 0 when it has none, None when there is no frame."""
        for opcode, payload in self.sent:
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big")
        return None
