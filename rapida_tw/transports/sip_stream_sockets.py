"""SIP over TCP and TLS: a connection is a way in both directions (RFC 3261 18, RFC 5626 4.4.1)."""

from __future__ import annotations

from typing import Any
from typing import Protocol as Port

from twisted.internet.interfaces import IAddress, IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rapida_tw.metrics import Counter
from rapida_tw.transports.own_address import own_address
from rapida_tw.transports.sip_udp import HostPort, not_sent
from rapida_tw.wire.sip_message import Malformed
from rapida_tw.wire.sip_stream import SipStream

IDLE = 600.0  # seconds without a message, unless a call uses the connection
CLOSED_WITHIN = 5.0  # seconds for the far side to take our last words
CONNECTIONS = 1_000  # that came to us, at one time
CONNECTIONS_A_SOURCE = 20
# A far side that does not read, or a handshake of TLS that does not end: what waits for it.
UNREAD = 262_144  # bytes
UNREAD_FOR = 10.0  # seconds

refused = Counter("rapida_sip_connections_refused_total", "Connections not taken.", ("reason",))
cut = Counter("rapida_sip_connections_cut_total", "Connections that we closed.", ("reason",))


class Receiver(Port):
    """Who understands what comes (sip/agent.py)."""

    def received(self, data: bytes, flow: Any) -> None:
        """One datagram, or one whole message of a connection."""

    def broken(self, error: Malformed, flow: Any) -> None:
        """The connection cannot be read any further; it is closed after this."""

    def lost(self, flow: Any) -> None:
        """The connection has gone."""

    def spares(self, host: str) -> bool:
        """Limits on connections do not hold for that host."""

    def uses(self, flow: Any) -> bool:
        """A dialog depends on the connection."""


class StreamFlow:
    """A connection as the way to its peer; as long as it is open."""

    __slots__ = ("_connection", "local", "peer", "transport")

    def __init__(
        self, connection: SipConnection, transport: str, peer: HostPort, local: HostPort
    ) -> None:
        self._connection = connection
        self.transport = transport
        self.peer = peer
        self.local = local  # as peers are told

    @property
    def open(self) -> bool:
        return self._connection.open

    def send(self, data: bytes) -> bool:
        return self._connection.send(data)

    def beside(self, port: int) -> StreamFlow:
        return self


@implementer(IPushProducer)
class SipConnection(Protocol):
    """One connection, whoever opened it."""

    _log = Logger()
    transport: Any
    factory: SipConnections

    def __init__(self, transport: str, peer: HostPort, local: HostPort) -> None:
        self.flow = StreamFlow(self, transport, peer, local)
        self._stream = SipStream()
        self._idle: IDelayedCall | None = None
        self._stalled: IDelayedCall | None = None
        self._unread = 0  # bytes sent since it stalled
        self._wire: Any = None
        self._ending = False
        self.taken = True  # False: it is cut off as soon as it is there

    @property
    def open(self) -> bool:
        return self._wire is not None and not self._ending

    def send(self, data: bytes) -> bool:
        if not self.open:
            not_sent.inc("closed")
            return False
        if self._stalled is not None:
            self._unread += len(data)
            if self._unread > UNREAD:
                self._cut_off()
                return False
        self._wire.write(data)
        return True

    # -- Protocol ---------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        if not self.taken:
            self.transport.abortConnection()
            return
        self._wire = self.transport
        self._wire.setTcpNoDelay(True)
        self._wire.registerProducer(self, True)
        self._idle = self.factory.clock.callLater(IDLE, self._is_idle)

    def dataReceived(self, data: bytes) -> None:
        if not self.open:
            return
        try:
            messages = self._stream.feed(data)
        except Malformed as error:
            self._break(error)
            return
        if messages and self._idle is not None:
            self._idle.reset(IDLE)
        for message in messages:
            if not self.open:
                return
            if not message:
                self._wire.write(b"\r\n")
                continue
            try:
                self.factory.receiver.received(message, self.flow)
            except Exception:
                self._log.failure("failed on a message from {peer}", peer=self.flow.peer)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.taken:
            return
        self._wire = None
        self.factory.connections.discard(self)
        self.resumeProducing()
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        try:
            self.factory.receiver.lost(self.flow)
        except Exception:
            self._log.failure("failed on the loss of {peer}", peer=self.flow.peer)

    # -- ways out ---------------------------------------------------------------------------------

    def _break(self, error: Malformed) -> None:
        cut.inc("malformed")
        try:
            self.factory.receiver.broken(error, self.flow)
        except Exception:
            self._log.failure("failed on a broken stream from {peer}", peer=self.flow.peer)
        self.close()

    def _is_idle(self) -> None:
        self._idle = None
        if not self._ending and self.factory.receiver.uses(self.flow):
            self._idle = self.factory.clock.callLater(IDLE, self._is_idle)
            return
        if self._ending:
            self._wire.abortConnection()
            return
        cut.inc("idle")
        self.close()

    def close(self) -> None:
        """After our last words; cut off when the far side does not take them. Idempotent."""
        if self._wire is None or self._ending:
            return
        self._ending = True
        if self._idle is not None:
            self._idle.cancel()
        self._idle = self.factory.clock.callLater(CLOSED_WITHIN, self._is_idle)
        self.resumeProducing()
        self._wire.unregisterProducer()
        self._wire.loseConnection()

    # -- IPushProducer: a far side that does not read ---------------------------------------------

    def pauseProducing(self) -> None:
        """Messages are not held back, but not for long. TLS calls this in its handshake, too."""
        if self._stalled is None:
            self._unread = 0
            self._stalled = self.factory.clock.callLater(UNREAD_FOR, self._cut_off)

    def resumeProducing(self) -> None:
        if self._stalled is not None:
            if self._stalled.active():
                self._stalled.cancel()
            self._stalled = None

    def _cut_off(self) -> None:
        cut.inc("unread")
        self._ending = True
        self._wire.abortConnection()

    def stopProducing(self) -> None:
        """The transport is closing; connectionLost follows."""


class SipConnections(Factory):
    """The connections of one listener, or those that we open.

    `transport`: TCP or TLS. `advertised`: what peers are told of us; without a host the address
    that leads to them.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        receiver: Receiver,
        transport: str,
        advertised: HostPort,
        connections: set[SipConnection],
        outgoing: bool = False,
    ) -> None:
        """`connections`: of all factories together."""
        self.clock = clock
        self.receiver = receiver
        self.connections = connections
        self._transport = transport
        self._advertised = advertised
        self._outgoing = outgoing

    def buildProtocol(  # type: ignore[override]  # Twisted types it for Factory.protocol
        self, address: IAddress
    ) -> SipConnection:
        peer = (getattr(address, "host", ""), getattr(address, "port", 0))
        host, port = self._advertised
        local = (host or own_address(peer[0]), port)
        protocol = SipConnection(self._transport, peer, local)
        protocol.factory = self
        reason = "" if self._outgoing else self._refuses(peer[0])
        if reason:
            # None would say the same, but TLS cannot wrap it.
            protocol.taken = False
            refused.inc(reason)
        else:
            self.connections.add(protocol)
        return protocol

    def _refuses(self, host: str) -> str:
        if len(self.connections) >= CONNECTIONS:
            return "full"
        alike = sum(connection.flow.peer[0] == host for connection in self.connections)
        if alike >= CONNECTIONS_A_SOURCE and not self.receiver.spares(host):
            return "source-full"
        return ""
