"""HTTP in memory: treq's client against a server factory, without a socket, on any clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from treq.client import HTTPClient
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import (
    IConsumer,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.web.client import URI, Agent
from twisted.web.iweb import IAgentEndpointFactory, IBodyProducer
from zope.interface import implementer

from rapida_tw.sim.memory import Network

_SERVER = IPv4Address("TCP", "127.0.0.1", 80)

Server = Callable[[str, int], IProtocolFactory | None]  # who listens at that host and port


def memory_http(network: Network, clock: IReactorTime, server: Server) -> HTTPClient:
    """A client whose requests go through `network`, each over a connection of its own."""
    agent: Any = Agent.usingEndpointFactory(clock, _Endpoints(network, server))
    return HTTPClient(agent, data_to_body_producer=_Body)


@implementer(IAgentEndpointFactory)
class _Endpoints:
    def __init__(self, network: Network, server: Server) -> None:
        self._network = network
        self._server = server

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        return MemoryEndpoint(self._network, self._server(uri.host.decode("ascii"), uri.port))


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """Connects to `server`; nobody listens when it is None, or accepts when it makes none."""

    def __init__(self, network: Network, server: IProtocolFactory | None) -> None:
        self._network = network
        self._server = server

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        client = protocolFactory.buildProtocol(_SERVER)
        assert client is not None
        if self._server is None or self._network.connect(self._server, client) is None:
            return fail(ConnectionRefusedError())
        return succeed(client)


@implementer(IBodyProducer)
class _Body:
    """A request's body in one piece: Twisted's own producer is driven by the global reactor."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """All has been written already."""

    def resumeProducing(self) -> None:
        """There is no more."""

    def stopProducing(self) -> None:
        """There is nothing to stop."""
