"""A gRPC client in memory, by hand: the hyper library's other half, and bytes of one's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from rapida_tw.wire.http2 import Frames, GoAway
from tests.web.fakes import KEY


@dataclass
class Answer:
    """What came back on one stream. Names of headers are texts."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)
    ended: bool = False
    reset: int | None = None

    @property
    def status(self) -> int | None:
        told = self.trailers.get("grpc-status", self.headers.get("grpc-status"))
        return None if told is None else int(told)

    @property
    def message(self) -> str:
        return self.trailers.get("grpc-message", self.headers.get("grpc-message", ""))

    @property
    def messages(self) -> list[bytes]:
        """The whole ones."""
        found, rest = [], self.body
        while len(rest) >= 5:
            end = 5 + int.from_bytes(rest[1:5], "big")
            found.append(rest[5:end])
            rest = rest[end:]
        return found


class Wire(StringTransport):
    """A connection whose server's protocol may change; `full`: the client reads nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Any = None
        self.full = False
        self.paused = False
        self.aborted = False

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.full and self.producer is not None:
            self.producer.pauseProducing()

    def drained(self) -> None:
        self.full = False
        if self.producer is not None:
            self.producer.resumeProducing()

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False

    def abortConnection(self) -> None:
        self.aborted = True
        self.loseConnection()


def framed(message: bytes, flag: int = 0) -> bytes:
    return bytes([flag]) + len(message).to_bytes(4, "big") + message


class Client:
    """One connection; everything that is sent is received before `pump` returns."""

    def __init__(self, factory: Any, **settings: int) -> None:
        self.wire = Wire()
        self.wire.protocol = factory.buildProtocol(None)
        self.answers: dict[int, Answer] = {}
        self.goaway: GoAway | None = None
        self._frames = Frames()
        self.greedy = True  # gives the server its windows back
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._lost = False
        self.wire.protocol.makeConnection(self.wire)

    def begin(self) -> Client:
        self.h2.initiate_connection()
        self.pump()
        return self

    def call(
        self, path: str, *messages: bytes, key: str | None = KEY, end: bool = True, **more: str
    ) -> Answer:
        """A whole call; names of headers have underscores for dashes."""
        number = self.start(path, key=key, **more)
        for message in messages:
            self.send(number, framed(message))
        self.send(number, b"", end=end)
        return self.answers[number]

    def start(self, path: str, key: str | None = KEY, end: bool = False, **more: str) -> int:
        """The head of one."""
        number = self.h2.get_next_available_stream_id()
        head = {
            ":method": "POST",
            ":scheme": "http",
            ":path": path,
            ":authority": "voice.example",
            "te": "trailers",
            "content-type": "application/grpc",
            "x-auth-id": "",
        }
        head |= {"x-api-key": key} if key is not None else {}
        head |= {
            name.replace("_", "-") if name[0] != ":" else name: value
            for name, value in more.items()
        }
        self.h2.send_headers(number, list(head.items()), end_stream=end)
        self.answers[number] = Answer()
        self.pump()
        return number

    def send(self, number: int, data: bytes, end: bool = False) -> int:
        """As much as the windows allow; answers how many bytes did not go."""
        answer = self.answers[number]
        while data:
            window = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size)
            if window <= 0 or answer.ended or answer.reset is not None:
                return len(data)
            self.h2.send_data(number, data[:window])
            data = data[window:]
            self.pump()
        if end and not answer.ended and answer.reset is None:
            self.h2.end_stream(number)
            self.pump()
        return 0

    def pump(self) -> None:
        while True:
            if self._lost:
                return
            if out := self.h2.data_to_send():
                self.raw(out)
                continue
            if (back := self.wire.value()) and not self.wire.full:
                self.wire.clear()
                self._receive(back)
                continue
            if self.wire.disconnecting:
                self.lose()
            return

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self.wire.protocol.dataReceived(data)

    def lose(self) -> None:
        if not self._lost:
            self._lost = True
            self.wire.protocol.connectionLost(Failure(ConnectionDone()))

    @property
    def lost(self) -> bool:
        return self._lost

    def _receive(self, data: bytes) -> None:
        for frame in self._frames.feed(data):
            if isinstance(frame, GoAway):  # the library would take nothing behind it
                self.goaway = frame
            else:
                self._handle(self.h2.receive_data(frame))

    def _handle(self, events: list[Any]) -> None:
        for event in events:
            number = getattr(event, "stream_id", None)
            answer = self.answers.get(number) if number else None
            if answer is None:
                continue
            if isinstance(event, ResponseReceived):
                answer.headers = dict(event.headers)
            elif isinstance(event, DataReceived):
                answer.body += event.data
                if self.greedy:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, number)
            elif isinstance(event, TrailersReceived):
                answer.trailers = dict(event.headers)
            elif isinstance(event, StreamEnded):
                answer.ended = True
            elif isinstance(event, StreamReset):
                answer.reset = int(event.error_code)
