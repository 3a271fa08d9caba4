"""TCP in memory: connections between two Twisted protocols without a socket, on any clock.

What is written is delivered by one `callLater(0)` for all connections of a `Network`: never
within the `write` itself, because a real reactor never calls a protocol back from there, and
never later than the end of the same `Clock.advance`. A frame costs about a microsecond. A network
with a weather (weather.py) takes its time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IDelayedCall,
    IProtocol,
    IProtocolFactory,
    IPushProducer,
    IReactorTime,
    ITransport,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

# What two kernels hold of a loopback connection whose reader sleeps, with small send buffers.
_KERNEL_BYTES = 65_536
_CLIENT = IPv4Address("TCP", "127.0.0.1", 40_000)
_SERVER = IPv4Address("TCP", "127.0.0.1", 4_573)
_CLOSED = ConnectionDone()  # by ourselves
_EOF = ConnectionDone()  # by the peer, behind its last byte
_LOST = ConnectionLost()
_ABORTED = ConnectionAborted()


class Network:
    """Carries bytes between the connections made in it.

    `delay()` says how many seconds the next piece is under way, behind those before it on the same
    connection; None: none. `joined`: what is written to a connection within one turn arrives in one
    piece, as over Twisted's TLS.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        delay: Callable[[], float] | None = None,
        joined: bool = False,
    ) -> None:
        self.connected: set[MemoryTransport] = set()  # both ends of what is open
        self._clock = clock
        self._delay = delay
        self._joined = joined
        self._due: list[tuple[MemoryTransport, bytes | Exception]] = []
        self._timer: IDelayedCall | None = None

    def connect(self, factory: IProtocolFactory, client: IProtocol) -> MemoryTransport | None:
        """Connect `client` to a protocol of `factory`; its end, or None where it was refused.

        As over TCP, the server's `connectionMade` comes first and bytes follow in later turns.
        """
        server = factory.buildProtocol(_CLIENT)
        if server is None:
            return None
        near = MemoryTransport(self, client, _CLIENT, _SERVER)
        far = MemoryTransport(self, server, _SERVER, _CLIENT)
        near.peer, far.peer = far, near
        self.connected |= {near, far}
        server.makeConnection(far)
        client.makeConnection(near)
        return near

    def post(self, target: MemoryTransport, what: bytes | Exception) -> None:
        """Deliver in the next turn, or when the weather lets it: bytes, or the connection's end."""
        if self._delay is not None:
            now = self._clock.seconds()
            target.due = max(target.due, now + self._delay())
            target.coming.append(what)
            self._clock.callLater(target.due - now, self._arrived, target)
            return
        self._due.append((target, what))
        if self._timer is None:
            self._timer = self._clock.callLater(0, self._deliver)

    def _deliver(self) -> None:
        due, self._due = self._due, []
        self._timer = None
        for target, what in _joined(due) if self._joined else due:
            self._hand_over(target, what)

    def _arrived(self, target: MemoryTransport) -> None:
        self._hand_over(target, target.coming.popleft())

    def _hand_over(self, target: MemoryTransport, what: bytes | Exception) -> None:
        try:
            target.deliver(what)
        except Exception as error:
            # As a reactor does it: this connection is lost, its neighbours are not.
            self._log.failure("a protocol failed on what it received")
            target.fail(error)


def _joined(
    due: Iterable[tuple[MemoryTransport, bytes | Exception]],
) -> list[tuple[MemoryTransport, bytes | Exception]]:
    joined: dict[MemoryTransport, list[bytes | Exception]] = {}
    for target, what in due:
        pieces = joined.setdefault(target, [])
        if isinstance(what, bytes) and pieces and isinstance(before := pieces[-1], bytes):
            pieces[-1] = before + what
        else:
            pieces.append(what)
    return [(target, piece) for target, pieces in joined.items() for piece in pieces]


@implementer(ITransport, IConsumer, IPushProducer)
class MemoryTransport:
    """One end of a connection: what our protocols use of `ITCPTransport`, and back-pressure."""

    bufferSize = 65_536  # bytes; Twisted's default, which a protocol may change

    def __init__(
        self, network: Network, protocol: IProtocol, host: IAddress, peer: IAddress
    ) -> None:
        self.peer: MemoryTransport = self
        self.protocol = protocol
        self.connected = True
        self.disconnecting = False
        self.producer: Any = None
        self.unread = 0  # bytes on their way to the peer
        self.due = 0.0  # when the latest of `coming` will be here
        self.coming: deque[bytes | Exception] = deque()  # held up by the weather
        self._network = network
        self._host, self._peer_address = host, peer
        self._reading = True
        self._inbox: deque[bytes | Exception] = deque()  # while not reading
        self._producer_paused = False

    # -- the wire ---------------------------------------------------------------------------------

    def deliver(self, what: bytes | Exception) -> None:
        """Give the protocol what has arrived; keep it while the protocol does not read."""
        if not self.connected:
            return
        if isinstance(what, Exception) and what is not _EOF:  # does not wait to be read
            self._lose(what)
        elif self._reading and not self._inbox:
            self._take(what)
        else:
            self._inbox.append(what)

    def _take(self, what: bytes | Exception) -> None:
        if isinstance(what, bytes):
            self.peer.taken(len(what))
            self.protocol.dataReceived(what)
        else:
            self._network.post(self.peer, _CLOSED)  # Twisted closes its side in answer
            self._lose(what)

    def taken(self, size: int) -> None:
        """The peer has read so many bytes of ours."""
        self.unread -= size
        if self.unread > _KERNEL_BYTES:
            return
        if self.disconnecting:
            self._network.post(self, _CLOSED)
        if self._producer_paused:
            self._producer_paused = False
            if self.producer is not None:
                self.producer.resumeProducing()

    def fail(self, error: Exception) -> None:
        """The protocol raised `error`: both ends lose the connection."""
        if self.connected:
            self._network.post(self.peer, _LOST)
            self._lose(error)

    def _lose(self, reason: Exception) -> None:
        self.connected = False
        self._network.connected.discard(self)
        self._inbox.clear()
        if self.producer is not None:
            self.producer.stopProducing()
            self.producer = None
        self.protocol.connectionLost(Failure(reason))

    # -- ITransport, IPushProducer ----------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if self.disconnecting or not self.connected or not data:
            return
        if not self.peer.connected:  # answered by RST
            self._network.post(self, _LOST)
            return
        self.unread += len(data)
        if self.unread > _KERNEL_BYTES:
            self._press_back()
        self._network.post(self.peer, data)

    def _press_back(self) -> None:
        full = self.unread > _KERNEL_BYTES + self.bufferSize
        if full and self.producer is not None and not self._producer_paused:
            self._producer_paused = True
            self.producer.pauseProducing()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Close behind what was written, when the kernel has taken it all."""
        if self.connected and not self.disconnecting:
            self.disconnecting = True
            self._network.post(self.peer, _EOF)
            if self.unread <= _KERNEL_BYTES:
                self._network.post(self, _CLOSED)

    def abortConnection(self) -> None:
        """Reset: what is under way is lost for both."""
        if self.connected:
            self.disconnecting = True
            self._network.post(self.peer, _LOST)
            self._network.post(self, _ABORTED)

    def pauseProducing(self) -> None:
        self._reading = False

    def resumeProducing(self) -> None:
        self._reading = True
        while self._inbox and self._reading and self.connected:
            self._take(self._inbox.popleft())

    def stopProducing(self) -> None:
        self.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """As Twisted's: one at a time. Pull producers are not driven."""
        if self.producer is not None:
            raise RuntimeError(f"{self.producer} was never unregistered")
        if not self.connected:
            producer.stopProducing()
            return
        self.producer = producer
        self._producer_paused = False

    def unregisterProducer(self) -> None:
        self.producer = None

    def getPeer(self) -> IAddress:
        return self._peer_address

    def getHost(self) -> IAddress:
        return self._host

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Everything is sent at once here."""

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Nothing to keep alive."""
