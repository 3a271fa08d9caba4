"""The HTTP port's two protocols: who begins with HTTP/2's preface is gRPC, all others HTTP/1.1.

Whichever it is takes the transport over as a whole: nothing of this is in the way afterwards.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import (
    IDelayedCall,
    IProtocol,
    IProtocolFactory,
    IProtocolNegotiationFactory,
    IReactorTime,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import implementer

from rapida_tw.rpc.bounds import PREFACE_WITHIN
from rapida_tw.wire.http2 import PREFACE


@implementer(IProtocolNegotiationFactory)
class HttpPort(Factory):
    """The factory to listen with. By TLS, HTTP/1.1 is preferred: who offers both wants pages."""

    noisy = False

    def __init__(self, site: IProtocolFactory, rpc: IProtocolFactory, clock: IReactorTime) -> None:
        self._site = site
        self._rpc = rpc
        self._clock = clock

    def acceptableProtocols(self) -> list[bytes]:
        """In the order of our preference, for ALPN."""
        return [b"http/1.1", b"h2"]

    def buildProtocol(self, addr: Any) -> Sniffing:
        return Sniffing(self, addr)

    def doStart(self) -> None:
        self._site.doStart()
        super().doStart()

    def doStop(self) -> None:
        super().doStop()
        self._site.doStop()

    def watch(self, sniffing: Sniffing) -> IDelayedCall:
        """Time until it must have said what it is."""
        return self._clock.callLater(PREFACE_WITHIN, sniffing.silent)

    def choose(self, http2: bool, addr: Any) -> IProtocol | None:
        """The protocol; None: no more of them."""
        return (self._rpc if http2 else self._site).buildProtocol(addr)


class Sniffing(Protocol):
    """A connection that has not said yet what it is."""

    transport: Any

    def __init__(self, port: HttpPort, addr: Any) -> None:
        self._port = port
        self._addr = addr
        self._data = b""
        self._watch: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self._watch = self._port.watch(self)

    def silent(self) -> None:
        """Nothing came in time."""
        self._watch = None
        self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        if len(self._data) < len(PREFACE) and PREFACE.startswith(self._data):
            return
        self._leave()
        chosen = self._port.choose(self._data.startswith(PREFACE), self._addr)
        if chosen is None:
            self.transport.abortConnection()
            return
        if isinstance(self.transport, ProtocolWrapper):  # TLS
            self.transport.wrappedProtocol = chosen
        else:
            self.transport.protocol = chosen
        chosen.makeConnection(self.transport)
        chosen.dataReceived(self._data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
