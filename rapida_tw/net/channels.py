"""Channels: the process's HTTP/2 connections to gRPC servers, which calls share."""

from __future__ import annotations

from h2.exceptions import ProtocolError
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from rapida_tw.errors import VendorFailed
from rapida_tw.net.base import Request, Rpc, RpcReceiver
from rapida_tw.net.counting import count
from rapida_tw.net.endpoints import CONNECT_WITHIN, Endpoints, Target, target
from rapida_tw.net.grpc import ALPN, GrpcConnection
from rapida_tw.net.head import checked_headers
from rapida_tw.net.refusal import unreached


class Channels:
    """Finds or makes a connection for each call."""

    def __init__(self, clock: IReactorTime, endpoints: Endpoints) -> None:
        self._clock = clock
        self._endpoints = endpoints
        self._connections: dict[Target, list[GrpcConnection]] = {}
        self._waiting: dict[Target, list[Deferred[GrpcConnection]]] = {}
        self._attempts: dict[Target, Deferred[GrpcConnection]] = {}
        self._all: set[GrpcConnection] = set()  # those too on which no new call can begin

    @property
    def running(self) -> int:
        """Calls that have not ended."""
        return sum(len(connection.calls) for connection in self._all)

    async def call(self, request: Request, receiver: RpcReceiver, deadline: float) -> Rpc:
        """See `Net.grpc`."""
        where = target(request.url, "http", "https")._replace(trust=request.trust)
        headers = checked_headers(request, where.host)
        while True:
            for connection in self._connections.get(where, ()):
                if connection.room:
                    try:
                        return connection.open(request, headers, receiver, deadline)
                    except ProtocolError as error:
                        why = f"{where.host}: metadata that cannot be sent: {error}"
                        raise VendorFailed(why, retryable=False) from None
            made = await self._connection(where)
            if not made.room and not made.calls:
                raise VendorFailed(f"{where.host} takes no calls")

    def _connection(self, where: Target) -> Deferred[GrpcConnection]:
        """One more; those who ask meanwhile wait for the same."""
        waiter: Deferred[GrpcConnection] = Deferred(lambda waiter: self._gave_up(where, waiter))
        waiting = self._waiting.setdefault(where, [])
        waiting.append(waiter)
        if len(waiting) == 1:
            attempt = Deferred.fromCoroutine(self._attempt(where))
            attempt.addTimeout(CONNECT_WITHIN, self._clock)
            self._attempts[where] = attempt
            attempt.addBoth(self._attempted, where)
        return waiter

    def _gave_up(self, where: Target, waiter: Deferred[GrpcConnection]) -> None:
        waiting = self._waiting.get(where, [])
        if waiter in waiting:
            waiting.remove(waiter)
            if not waiting:
                self._attempts[where].cancel()

    async def _attempt(self, where: Target) -> GrpcConnection:
        connection = GrpcConnection(where, self._clock)
        connection.draining = lambda: self._retired(where, connection)
        connection.lost = lambda: self._all.discard(connection)
        await self._endpoints.to(where, ALPN).connect(Factory.forProtocol(lambda: connection))
        return await connection.opened

    def _attempted(self, result: GrpcConnection | Failure, where: Target) -> None:
        waiting = self._waiting.pop(where, [])
        self._attempts.pop(where, None)
        if isinstance(result, GrpcConnection):
            count(where.host, "opened")
            self._connections.setdefault(where, []).append(result)
            self._all.add(result)
            for waiter in waiting:
                if not waiter.called:
                    waiter.callback(result)
            return
        count(where.host, "cancelled" if result.check(CancelledError) else "failed")
        error = result.value
        if not isinstance(error, VendorFailed):
            error = unreached(where.host, error)
        for waiter in waiting:
            if not waiter.called:
                waiter.errback(Failure(error))

    def _retired(self, where: Target, connection: GrpcConnection) -> None:
        """No new call can begin on it."""
        connections = self._connections.get(where, [])
        if connection in connections:
            connections.remove(connection)
            if not connections:
                del self._connections[where]

    def stop(self) -> None:
        """The server's end."""
        for attempt in tuple(self._attempts.values()):
            attempt.cancel()
        for connection in tuple(self._all):
            connection.abort()
