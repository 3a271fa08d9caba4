"""UDP for media: what a stream wants of a socket, and the kernel's sockets that do it.

A stand-in for `Sockets` is sim/datagrams.py: a network in memory, on any clock.
"""

from __future__ import annotations

import ctypes
import errno
import socket
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.interfaces import IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rapida_tw.metrics import Counter
from rapida_tw.transports.reading import BeatReader

HostPort = tuple[str, int]  # an IP address as text, without brackets; a port
# One datagram and who sent it. False: it was nothing for us, so the next one is read at once.
Received = Callable[[bytes, HostPort], bool]

LARGEST = 2_048  # bytes: 60 ms of L16 at 16 kHz are 1 932; an MTU is less
_RECEIVE_BUFFER = 262_144  # bytes: seconds of audio, for a reactor that stalls
_EXPEDITED = 0xB8  # DSCP EF in the TOS octet (RFC 3246)
# Datagrams of no use that one reading throws away: a flood to one port is not read one by one, and
# not for long.
_JUNK_AT_ONCE = 32
_DRAINED_AT_ONCE = 64

# To connect to an address of no family takes a connection away; Python's sockets cannot say it.
_NOBODY = bytes(16)  # AF_UNSPEC, in a sockaddr_in
_connect = ctypes.CDLL(None).connect

not_sent = Counter("rapida_rtp_not_sent_total", "Datagrams that the kernel refused.", ("error",))


class DatagramSocket(Protocol):
    """One bound port. But for binding, nothing raises."""

    address: HostPort  # where it is bound

    def send(self, data: bytes, address: HostPort) -> bool:
        """`address`: an IP literal of the socket's family. False when it surely did not leave."""

    def hear(self, received: Received, often: bool = False) -> None:
        """Give `received` each datagram from now on. `often`: fifty a second, not now and then."""

    def settle(self, peer: HostPort | None) -> None:
        """Nobody but `peer` is to be heard for now; None: anybody may send again.

        A hint: others may be kept away by the kernel, uncounted, and `peer` costs less.
        """

    def rest(self) -> None:
        """Nobody hears it any more; it stays bound."""

    def drain(self) -> bool:
        """Throw away what has come while nobody heard; whether there was anything."""

    def close(self) -> None:
        """Unbind it; idempotent."""


class Sockets(Protocol):
    """Where sockets come from."""

    def bind(self, host: str, port: int) -> DatagramSocket:
        """`OSError` as the kernel says it: in use, not our address, too many files."""


class UdpSockets:
    """The kernel's. `reader` reads for those that are read often, when they are many."""

    def __init__(self, reactor: Any, reader: BeatReader, expedited: bool = True) -> None:
        self._reactor = reactor
        self._reader = reader
        self._expedited = expedited

    def bind(self, host: str, port: int) -> UdpSocket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        handle = socket.socket(family, socket.SOCK_DGRAM)
        try:
            handle.setblocking(False)
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            if family == socket.AF_INET6:
                # Each family has its own pool, over the same range.
                handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if self._expedited:
                _expedite(handle, family)
            handle.bind((host, port))
        except OSError:
            handle.close()
            raise
        return UdpSocket(handle, self._reactor, self._reader)


def _expedite(handle: socket.socket, family: int) -> None:
    if family == socket.AF_INET6:
        handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _EXPEDITED)
    else:
        handle.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)


@implementer(IReadDescriptor)
class UdpSocket:
    """A datagram costs one system call and next to nothing around it."""

    __slots__ = (
        "_is_ipv6",
        "_peer",
        "_reactor",
        "_reader",
        "_receive",
        "_receive_from",
        "_received",
        "_send",
        "_send_to",
        "_socket",
        "address",
        "connected",
    )

    _log = Logger()

    def __init__(self, handle: socket.socket, reactor: Any, reader: BeatReader) -> None:
        self._socket = handle
        self._reactor = reactor
        self._reader = reader
        self._received: Received | None = None
        self._receive_from = handle.recvfrom
        self._send_to = handle.sendto
        # Of a connected socket: no address is read or written, and the kernel looks up no route.
        self._receive = handle.recv
        self._send = handle.send
        self._peer: HostPort | None = None  # to whom it is connected
        self._is_ipv6 = handle.family == socket.AF_INET6
        self.address: HostPort = handle.getsockname()[:2]
        self.connected = True  # as Twisted's transports call it: open

    # -- DatagramSocket ---------------------------------------------------------------------------

    def send(self, data: bytes, address: HostPort) -> bool:
        try:
            if address == self._peer:
                self._send(data)
            else:
                self._send_to(data, address)
        except (OSError, ValueError, OverflowError) as error:  # the latter two: a port beyond 65535
            number = error.errno if isinstance(error, OSError) else None
            not_sent.inc(errno.errorcode.get(number or 0, "other"))
            return False
        return True

    def hear(self, received: Received, often: bool = False) -> None:
        if not self.connected:
            return
        self._received = received
        self.startReading()
        if often:
            self._reader.take(self, self.doRead)

    def settle(self, peer: HostPort | None) -> None:
        if peer == self._peer or not self.connected:
            return
        try:
            if peer is not None:
                self._socket.connect(peer)
            elif _connect(self._socket.fileno(), _NOBODY, len(_NOBODY)):
                return
        except OSError:
            return
        self._peer = peer
        if peer is not None and not self._take_what_waits(peer):
            self.settle(None)

    def _take_what_waits(self, peer: HostPort) -> bool:
        """Others may have sent before it was connected: these are told apart once more."""
        for _ in range(_DRAINED_AT_ONCE):
            try:
                data, address = self._receive_from(LARGEST + 1)
            except OSError:
                return True
            if address[:2] == peer and self._received is not None:
                self._received(data, peer)
        return False

    def rest(self) -> None:
        self._received = None
        if self.connected:
            self._reader.leave(self)
            self.stopReading()
            # The kernel's least: a flood has nowhere to wait, and `drain` has little to do.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)

    def drain(self) -> bool:
        came = False
        for _ in range(_DRAINED_AT_ONCE):
            try:
                self._socket.recv(1)
            except OSError:
                break
            came = True
        return came

    def close(self) -> None:
        if self.connected:
            self._reader.leave(self)
            self.stopReading()
            self.connected = False
            self._received = None
            self._socket.close()

    # -- IReadDescriptor, and what BeatReader asks of a transport ---------------------------------

    def startReading(self) -> None:
        self._reactor.addReader(self)

    def stopReading(self) -> None:
        self._reactor.removeReader(self)

    def doRead(self) -> None:
        for _ in range(_JUNK_AT_ONCE):
            received = self._received
            if received is None:  # it was closed by what was heard
                return
            address = self._peer
            try:
                if address is not None:
                    data = self._receive(LARGEST + 1)
                else:
                    data, address = self._receive_from(LARGEST + 1)
                    if self._is_ipv6:
                        address = address[:2]
            except OSError:  # nothing there, or nobody where we have sent to
                return
            if len(data) > LARGEST:
                continue
            try:
                if received(data, address):
                    return
            except Exception:
                self._log.failure("{address}: failed on a datagram", address=self.address)
                return

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return "RTP"

    def connectionLost(self, reason: Failure) -> None:
        """The reactor has met a socket that was closed meanwhile."""


_conforms: type[Sockets] = UdpSockets
