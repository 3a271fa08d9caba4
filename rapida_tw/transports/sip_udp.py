"""SIP over UDP: one bound socket, and the ways from it (RFC 3261 18)."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.error import MessageLengthError
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger

from rapida_tw.metrics import Counter
from rapida_tw.transports.own_address import own_address

HostPort = tuple[str, int]

LARGEST = 65_535  # bytes: any UDP size must be handled (18.1.1); Twisted's own limit is 8 192
# A reactor that stalls for 50 ms must lose no INVITE at some hundred messages a second.
RECEIVE_BUFFER = 4_194_304  # bytes
# Read in one go, before the media's beat has its turn: about 30 messages.
READ_AT_ONCE = 16_384  # bytes

not_sent = Counter("rapida_sip_not_sent_total", "Messages that did not leave.", ("error",))


@dataclass(frozen=True, slots=True)
class UdpFlow:
    """A peer's address, seen from one of our sockets."""

    peer: HostPort
    advertised: HostPort = field(compare=False)  # without a host: whichever leads to the peer
    socket: SipUdp = field(repr=False)
    transport: str = "UDP"

    @property
    def local(self) -> HostPort:
        """As the peer is told, which may not be where the socket is bound."""
        host, port = self.advertised
        return (host or own_address(self.peer[0]), port)

    @property
    def open(self) -> bool:
        return True

    def send(self, data: bytes) -> bool:
        return self.socket.send(data, self.peer)

    def beside(self, port: int) -> UdpFlow:
        return UdpFlow((self.peer[0], port), self.advertised, self.socket)


class SipUdp(DatagramProtocol):
    """Gives each datagram to `received` with the way that it came."""

    _log = Logger()
    transport: Any

    def __init__(
        self,
        received: Callable[[bytes, UdpFlow], None],
        advertised: HostPort,
        is_ipv6: bool = False,
    ) -> None:
        self._received = received
        self._advertised = advertised
        self.is_ipv6 = is_ipv6

    def datagramReceived(self, data: bytes, address: HostPort) -> None:
        if not data.strip(b"\r\n"):
            return  # a keep-alive
        try:
            self._received(data, self.flow(address))
        except Exception:
            self._log.failure("failed on a datagram from {peer}", peer=address)

    def flow(self, peer: HostPort) -> UdpFlow:
        """The way to that address."""
        return UdpFlow(peer, self._advertised, self)

    def send(self, data: bytes, peer: HostPort) -> bool:
        """Port 0, a broadcast address, no route: all of it is under the peer's control."""
        if self.transport is None:
            not_sent.inc("closed")
            return False
        try:
            self.transport.write(data, peer)
        except (OSError, MessageLengthError, ValueError, OverflowError) as error:
            not_sent.inc(_name(error))
            return False
        return True


def _name(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return errno.errorcode.get(number or 0, type(error).__name__)


def bound(interface: str, port: int, kind: int) -> socket.socket:
    """A socket of SOCK_DGRAM or SOCK_STREAM, not blocking. `OSError`.

    "::" is for IPv6 alone, or it could not stand beside "0.0.0.0" on one port.
    """
    family = socket.AF_INET6 if ":" in interface else socket.AF_INET
    handle = socket.socket(family, kind)
    try:
        handle.setblocking(False)
        if family == socket.AF_INET6:
            handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            _widen(handle)
        handle.bind((interface, port))
    except (OSError, OverflowError):
        handle.close()
        raise
    return handle


def _widen(handle: socket.socket) -> None:
    """Have datagrams wait rather than be lost, beyond `net.core.rmem_max` where we may."""
    forced = getattr(socket, "SO_RCVBUFFORCE", 33)  # Linux; for those with CAP_NET_ADMIN
    try:
        handle.setsockopt(socket.SOL_SOCKET, forced, RECEIVE_BUFFER)
    except OSError:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
