"""Listeners and connections of SIP in memory, and an agent that writes down what it is given."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from rapida_tw.transports.sip_sockets import SipSockets
from rapida_tw.transports.sip_stream_sockets import SipConnection
from rapida_tw.wire.sip_message import Malformed

WE = ("203.0.113.10", 5090)
PEER = ("198.51.100.7", 31002)
OPTIONS = (
    b"OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.5;branch=z9hG4bK1\r\n"
    b"From: <sip:a@h>;tag=1\r\nTo: <sip:h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
    b"Content-Length: 4\r\n\r\nbody"
)


class Receiver:
    """An agent that writes down what it is given."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.spared = False
        self.used = False
        self.raises = False

    def received(self, data: bytes, flow: Any) -> None:
        self.told.append((data, flow))
        if self.raises:
            raise ZeroDivisionError

    def broken(self, error: Malformed, flow: Any) -> None:
        flow.send(b"SIP/2.0 400 " + str(error).encode())
        self.told.append(("broken", flow))

    def lost(self, flow: Any) -> None:
        self.told.append(("lost", flow))

    def spares(self, host: str) -> bool:
        return self.spared

    def uses(self, flow: Any) -> bool:
        return self.used


class Wire(StringTransport):
    """A transport that knows when it is cut off."""

    aborted = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled

    def unregisterProducer(self) -> None:
        self.producer = None

    def abortConnection(self) -> None:
        self.aborted = True


class Line:
    """A listener with its connections."""

    def __init__(self) -> None:
        self.clock = MemoryReactorClock()
        self.receiver = Receiver()
        self.sockets = SipSockets(self.clock)
        self.sockets.receiver = self.receiver
        self.factory = self.sockets._factory("TCP", WE)

    def connect(self, host: str = PEER[0], port: int = PEER[1]) -> tuple[SipConnection, Wire]:
        protocol = self.factory.buildProtocol(IPv4Address("TCP", host, port))
        wire = Wire()
        protocol.makeConnection(wire)
        return protocol, wire

    def lose(self, protocol: SipConnection) -> None:
        protocol.connectionLost(Failure(ConnectionDone()))

    def nothing_left(self) -> None:
        assert self.clock.getDelayedCalls() == []
        assert self.sockets.connections == set()
