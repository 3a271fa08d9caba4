"""UDP for a simulated phone over the real network; datagrams.py is the same in memory."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol

from rapida_tw.sim.datagrams import HostPort, Machine, Received

_LARGEST = 65_535  # bytes
_TRIES = 50


class Socket(Protocol):
    """One bound port, in memory or the kernel's. Nothing raises."""

    address: HostPort

    def send(self, data: bytes, address: HostPort) -> bool: ...

    def hear(self, received: Received) -> None: ...

    def close(self) -> None: ...


class Network(Protocol):
    """Where a phone gets its sockets: a Machine of datagrams.py, or `RealUdp`."""

    def bind(self, host: str, port: int = 0) -> Socket:
        """Port 0: any. `OSError`."""


class RealUdp:
    """The kernel's, through a reactor."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def bind(self, host: str, port: int = 0) -> RealSocket:
        protocol = RealSocket()
        try:
            self._reactor.listenUDP(port, protocol, host, _LARGEST)
        except CannotListenError as error:
            number = getattr(error.socketError, "errno", None) or errno.EADDRINUSE
            raise OSError(number, str(error)) from error
        found = protocol.transport.getHost()
        protocol.address = (found.host, found.port)
        return protocol


class RealSocket(DatagramProtocol):
    """One bound port of the kernel's."""

    transport: Any
    address: HostPort

    def __init__(self) -> None:
        self._received: Received | None = None

    def datagramReceived(self, data: bytes, address: HostPort) -> None:
        if self._received is not None:
            self._received(data, address[:2])

    def send(self, data: bytes, address: HostPort) -> bool:
        if self.transport is None:
            return False
        with suppress(OSError):
            self.transport.write(data, address)
            return True
        return False

    def hear(self, received: Received) -> None:
        self._received = received

    def close(self) -> None:
        self._received = None
        if self.transport is not None:
            self.transport.stopListening()


def own_address(host: str, port: int = 5060) -> str:
    """This machine's address on the way to another; nothing is sent. `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((host, port))
        own: str = probe.getsockname()[0]
    return own


def bind_pair(bind: Callable[[str, int], Socket], host: str) -> tuple[Socket, Socket]:
    """An even port and the next one. `OSError` when there is no such pair."""
    for _ in range(_TRIES):
        first = bind(host, 0)
        port = first.address[1]
        if port % 2:  # its even neighbour below may be free as well
            rtcp, wanted = first, port - 1
        else:
            rtcp, wanted = None, port + 1
        try:
            second = bind(host, wanted)
        except OSError:
            first.close()
            continue
        return (second, rtcp) if rtcp is not None else (first, second)
    raise OSError(errno.EADDRINUSE, "no pair of ports is free")


_is_network: type[Network] = RealUdp
_is_memory: type[Network] = Machine
