"""Far ends that the farm is tried against: a server that echoes, and a phone that records."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rapida_tw.sim.phone import Ending, Line


class Server(Protocol):
    """Records all it gets; sends back audio when `echoes`."""

    transport: Any
    echoes = False

    def __init__(self) -> None:
        self.received = b""
        self.pieces: list[bytes] = []
        self.lost: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self.pieces.append(data)
        if self.echoes and data[0] == 0x10:
            self.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason


class Echo(Server):
    echoes = True


class Servers(Factory):
    """Makes `Server`s (or another kind) and keeps them."""

    noisy = False

    def __init__(self, kind: type[Server] = Server) -> None:
        self.kind = kind
        self.made: list[Server] = []

    def buildProtocol(self, addr: object) -> Server:
        self.made.append(self.kind())
        return self.made[-1]


class RecordingPhone:
    """A phone that says nothing and notes everything."""

    def __init__(self) -> None:
        self.line: Line | None = None
        self.beats: list[float] = []
        self.heard: list[tuple[bytes, int, float]] = []
        self.endings: list[tuple[Ending, float]] = []

    def connected(self, line: Line) -> None:
        self.line = line

    def beat(self, now: float) -> None:
        self.beats.append(now)

    def audio_heard(self, payload: bytes, rate: int, now: float) -> None:
        self.heard.append((payload, rate, now))

    def disconnected(self, ending: Ending, now: float) -> None:
        self.endings.append((ending, now))


def run(clock: Clock, seconds: float) -> None:
    """Let virtual time pass in steps of 10 ms."""
    clock.pump([0.01] * round(seconds * 100))
