"""All sockets of SIP: what is listened on, and the ways that we open ourselves."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, gatherResults, maybeDeferred, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IListeningPort, IOpenSSLClientConnectionCreator
from twisted.internet.ssl import optionsForClientTLS
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory

from rapida_tw.transports.sip_stream_sockets import Receiver, SipConnection, SipConnections
from rapida_tw.transports.sip_udp import (
    LARGEST,
    READ_AT_ONCE,
    RECEIVE_BUFFER,
    HostPort,
    SipUdp,
    UdpFlow,
    bound,
)

CONNECT_WITHIN = 5.0  # seconds
_BACKLOG = 1_024

ClientTls = Callable[[str], IOpenSSLClientConnectionCreator]


class SipSockets:
    """Listeners, connections and the ways over them; sip.base.Flows.

    `receiver` gets all that comes: set it before anything is listened on.
    """

    _log = Logger()
    receiver: Receiver

    def __init__(self, reactor: Any, client_tls: ClientTls = optionsForClientTLS) -> None:
        """`client_tls`: how to trust the certificate of a host that we connect to."""
        self._reactor = reactor
        self._client_tls = client_tls
        self._udp: list[SipUdp] = []
        self._ports: list[IListeningPort] = []
        self._told: dict[tuple[str, bool], HostPort] = {}  # transport, IPv6 -> what peers are told
        self.connections: set[SipConnection] = set()

    # -- listening --------------------------------------------------------------------------------

    def listen_udp(self, interface: str, port: int, host: str) -> int:
        """The port, which is another one for 0. `OSError`.

        `host`: what peers are told; "" is the address that leads to each of them.
        """
        handle = bound(interface, port, socket.SOCK_DGRAM)
        try:
            told = (host, handle.getsockname()[1])
            size = handle.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            if size < RECEIVE_BUFFER:
                self._log.warn(
                    "the kernel gives SIP only {size} bytes to wait in (net.core.rmem_max):"
                    " a stall of the process may lose messages",
                    size=size // 2,  # it tells twice what can be used
                )
            protocol = SipUdp(self.receiver.received, told, ":" in interface)
            listening = self._reactor.adoptDatagramPort(
                handle.fileno(), handle.family, protocol, LARGEST
            )
        finally:
            handle.close()
        listening.maxThroughput = READ_AT_ONCE
        self._udp.append(protocol)
        return self._keep(listening, "UDP", interface, told)

    def listen_tcp(self, interface: str, port: int, host: str) -> int:
        """As `listen_udp`."""
        return self._listen("TCP", interface, port, host, None)

    def listen_tls(self, interface: str, port: int, host: str, context: Any) -> int:
        """`context`: Twisted's CertificateOptions, with our certificate."""
        return self._listen("TLS", interface, port, host, context)

    def _listen(self, transport: str, interface: str, port: int, host: str, context: Any) -> int:
        handle = bound(interface, port, socket.SOCK_STREAM)
        try:
            told = (host, handle.getsockname()[1])
            handle.listen(_BACKLOG)
            factory: Any = self._factory(transport, told)
            if context is not None:
                factory = TLSMemoryBIOFactory(context, False, factory)
                factory.noisy = False
            listening = self._reactor.adoptStreamPort(handle.fileno(), handle.family, factory)
        finally:
            handle.close()
        return self._keep(listening, transport, interface, told)

    def _keep(
        self, listening: IListeningPort, transport: str, interface: str, told: HostPort
    ) -> int:
        self._ports.append(listening)
        self._told.setdefault((transport, ":" in interface), told)
        self._log.info(
            "SIP over {transport} listens on {interface} port {port}",
            transport=transport,
            interface=interface,
            port=told[1],
        )
        return told[1]

    def _factory(self, transport: str, told: HostPort, outgoing: bool = False) -> SipConnections:
        return SipConnections(
            self._reactor, self.receiver, transport, told, self.connections, outgoing
        )

    # -- Flows ------------------------------------------------------------------------------------

    def to(self, host: str, port: int, transport: str, name: str = "") -> Deferred[Any]:
        """See sip.base.Flows. `OSError` also where that transport or family is not served."""
        is_ipv6 = ":" in host
        if transport == "UDP":
            way = self._datagrams(host, port)
            return fail(_unserved(transport, host)) if way is None else succeed(way)
        for connection in self.connections:
            flow = connection.flow
            if flow.open and (flow.peer, flow.transport) == ((host, port), transport):
                return succeed(flow)
        told = self._told.get((transport, is_ipv6)) or self._told.get(("UDP", is_ipv6))
        if told is None or transport not in ("TCP", "TLS"):
            return fail(_unserved(transport, host))
        kind = TCP6ClientEndpoint if is_ipv6 else TCP4ClientEndpoint
        endpoint: Any = kind(self._reactor, host, port, timeout=CONNECT_WITHIN)
        if transport == "TLS":
            endpoint = wrapClientTLS(self._client_tls(name or host), endpoint)
        connecting: Deferred[Any] = endpoint.connect(self._factory(transport, told, outgoing=True))
        return connecting.addCallback(lambda connection: connection.flow)

    def _datagrams(self, host: str, port: int) -> UdpFlow | None:
        for protocol in self._udp:
            if protocol.is_ipv6 == (":" in host):
                return protocol.flow((host, port))
        return None

    # -- the end ----------------------------------------------------------------------------------

    def close(self) -> Deferred[None]:
        """Fires when nothing is listened on; connections are closed, whoever has opened them."""
        for connection in tuple(self.connections):
            connection.close()
        ports, self._ports = self._ports, []
        self._udp.clear()
        closing = [maybeDeferred(port.stopListening).addErrback(self._not_closed) for port in ports]
        return gatherResults(closing).addCallback(lambda _: None)

    def _not_closed(self, failure: object) -> None:
        self._log.error("a port of SIP cannot be closed: {failure}", failure=failure)


def _unserved(transport: str, host: str) -> OSError:
    number = errno.EAFNOSUPPORT
    return OSError(number, f"{os.strerror(number)}: {transport} to {host}")
