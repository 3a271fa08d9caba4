"""A gRPC port in memory, on a Clock; what answers is the test's."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.rpc.base import Caller, RpcStream
from rapida_tw.rpc.server import RpcServer
from tests.rpc.client import Client
from tests.web.fakes import FakeKeys

ECHO = "/test.Service/Echo"
SLOW = "/test.Service/Slow"
OPEN = "/test.Service/Open"


class Recording:
    """A handler that remembers; `raising` is raised at the next message."""

    def __init__(self, stream: RpcStream, caller: Caller | None) -> None:
        self.stream = stream
        self.caller = caller
        self.messages: list[bytes] = []
        self.told: list[str] = []
        self.free: list[bool] = []
        self.raising: Exception | None = None

    def message_received(self, message: bytes) -> None:
        self.messages.append(message)
        raising, self.raising = self.raising, None
        if raising is not None:
            raise raising

    def half_closed(self) -> None:
        self.told.append("half closed")

    def cancelled(self) -> None:
        self.told.append("cancelled")

    def writable(self, free: bool) -> None:
        self.free.append(free)


class Echo(Recording):
    """Sends everything back."""

    def message_received(self, message: bytes) -> None:
        super().message_received(message)
        self.stream.send(message)

    def half_closed(self) -> None:
        super().half_closed()
        self.stream.end()


class Answering:
    """A method of one of those handlers."""

    def __init__(self, kind: Any, scope: str | None = "calls:write", seconds: Any = None) -> None:
        self.kind = kind
        self.scope = scope
        self.seconds = seconds
        self.opened: list[Any] = []

    def open(self, stream: RpcStream, caller: Caller | None) -> Any:
        self.opened.append(self.kind(stream, caller))
        return self.opened[-1]


class RpcCase(SynchronousTestCase):
    """`client()` makes a connection; `slow.opened` are the calls of `SLOW`, which is silent."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.keys = FakeKeys()
        self.echo = Answering(Echo)
        self.slow = Answering(Recording, seconds=30.0)
        self.open = Answering(Echo, scope=None)
        self.server = RpcServer(
            self.clock, self.keys, {ECHO: self.echo, SLOW: self.slow, OPEN: self.open}
        )
        self.clients: list[Client] = []

    def client(self) -> Client:
        self.clients.append(Client(self.server).begin())
        return self.clients[-1]

    def tearDown(self) -> None:
        """Nothing is left behind."""
        for client in self.clients:
            client.pump()
            client.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(dict(self.server.connections), {})
