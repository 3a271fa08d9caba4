"""A vendor to talk to: one by the rules, and one that writes bytes as it likes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import VendorFailed
from rapida_tw.net.base import Request, Socket
from rapida_tw.net.endpoints import Target
from rapida_tw.net.service import RealNet
from rapida_tw.sim.memory import Network
from rapida_tw.sim.memory_http import MemoryEndpoint
from rapida_tw.sim.vendors.base import Asked, Line, Refusal, Reply, Session
from rapida_tw.simulation.clock import VirtualClock
from rapida_tw.simulation.vendor_net import FakeVendorNet

HOST = "api.vendor.test"
WS = Request(f"wss://{HOST}/v1/listen?model=a%20b", headers={"Authorization": "Token key-12345"})


class Vendor:
    """Takes every WebSocket (or answers `refusal`), and leaves every request unanswered."""

    hosts: tuple[str, ...] = (HOST,)

    def __init__(self) -> None:
        self.refusal: Refusal | None = None
        self.sessions: list[VendorSession] = []
        self.replies: list[Reply] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        if self.refusal is not None:
            return self.refusal
        self.sessions.append(VendorSession(line))
        return self.sessions[-1]

    def answer(self, asked: Asked, reply: Reply) -> None:
        self.replies.append(reply)


class VendorSession:
    """Keeps what it is told."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.open = False
        self.messages: list[tuple[bytes, bool]] = []
        self.ending: int | None = None

    def opened(self) -> None:
        self.open = True

    def received(self, message: bytes, binary: bool) -> None:
        self.messages.append((message, binary))

    def closed(self, code: int) -> None:
        self.ending = code


class Receiver:
    """Keeps what it is told; raises `error` once, when it has one."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, bool]] = []
        self.free: list[bool] = []
        self.endings: list[tuple[int, str]] = []
        self.error: Exception | None = None

    def message_received(self, payload: bytes, binary: bool) -> None:
        self.messages.append((payload, binary))
        error, self.error = self.error, None
        if error is not None:
            raise error

    def writable(self, free: bool) -> None:
        self.free.append(free)

    def closed(self, code: int, reason: str) -> None:
        self.endings.append((code, reason))


class BodyKeeper:
    """Keeps the body of an answer; calls `pausing`, and raises `error` once, when it has them."""

    def __init__(self) -> None:
        self.data = b""
        self.pausing: Callable[[], None] | None = None
        self.endings: list[VendorFailed | None] = []
        self.error: Exception | None = None

    def data_received(self, data: bytes) -> None:
        self.data += data
        if self.pausing is not None:
            self.pausing()
        error, self.error = self.error, None
        if error is not None:
            raise error

    def ended(self, failure: VendorFailed | None) -> None:
        self.endings.append(failure)


class NetCase(SynchronousTestCase):
    """Virtual time, and nothing left in it."""

    net: RealNet

    def setUp(self) -> None:
        self.clock = VirtualClock()
        self.vendor = self.make_vendor()
        self.fakes = FakeVendorNet(self.clock, self.vendor)
        self.net = self.fakes

    def make_vendor(self) -> Vendor:
        return Vendor()

    def tearDown(self) -> None:
        self.run_for(1.5)  # closings
        stopping = self.net.stop()
        self.run_for(1.5)
        self.successResultOf(stopping)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.fakes.leftovers(), [])
        self.assertEqual(self.fakes.connections, 0)

    def run_for(self, seconds: float = 0.01) -> None:
        self.clock.run(self.clock.seconds() + seconds)

    def connect(self, request: Request = WS) -> tuple[Socket, Receiver]:
        receiver = Receiver()
        opening = self.net.connect(request, receiver)
        self.run_for()
        return self.successResultOf(opening), receiver

    def refused(self, request: Request = WS) -> VendorFailed:
        """Why no socket is opened."""
        return self.failure(self.net.connect(request, Receiver()))

    def failure(self, deferred: Any) -> VendorFailed:
        self.run_for()
        failed: VendorFailed = self.failureResultOf(deferred, VendorFailed).value
        return failed


class RawServer(Protocol):
    """A server that does nothing of its own accord but keep what it is sent."""

    transport: Any

    def __init__(self) -> None:
        self.received = b""
        self.lost = False

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = True

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def shake_hands(self, behind: bytes = b"", **changes: str) -> None:
        """Answer the handshake, and send `behind` in the same piece. `changes`: of headers."""
        lines = self.received.decode().split("\r\n")
        key = next(line[19:] for line in lines if line.startswith("Sec-WebSocket-Key: "))
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        headers = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": base64.b64encode(digest).decode(),
            **changes,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.received = b""
        self.write(f"HTTP/1.1 101 Switching Protocols\r\n{head}\r\n".encode() + behind)


class RawServers(Factory):
    """Also the `Endpoints` that lead to them."""

    def __init__(self, clock: VirtualClock) -> None:
        self.network = Network(clock)
        self.servers: list[RawServer] = []
        self.targets: list[Target] = []

    def buildProtocol(self, addr: object) -> RawServer:
        self.servers.append(RawServer())
        return self.servers[-1]

    def to(self, target: Target, protocols: tuple[bytes, ...] = ()) -> IStreamClientEndpoint:
        self.targets.append(target)
        return MemoryEndpoint(self.network, self)


class RawCase(NetCase):
    """With a server that writes bytes."""

    def setUp(self) -> None:
        super().setUp()
        self.raw = RawServers(self.clock)
        self.net = RealNet(self.clock, self.raw)

    def tearDown(self) -> None:
        super().tearDown()
        self.assertEqual(self.raw.network.connected, set())

    @property
    def server(self) -> RawServer:
        return self.raw.servers[-1]

    def connect(self, request: Request = WS, behind: bytes = b"") -> tuple[Socket, Receiver]:
        receiver = Receiver()
        opening = self.net.connect(request, receiver)
        self.run_for()
        self.server.shake_hands(behind)
        self.run_for()
        return self.successResultOf(opening), receiver
