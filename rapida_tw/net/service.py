"""RealNet: the way out to vendors, for a whole process."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from rapida_tw.errors import VendorFailed
from rapida_tw.net.base import (
    Answer,
    Net,
    Request,
    Rpc,
    RpcReceiver,
    Socket,
    SocketReceiver,
)
from rapida_tw.net.channels import Channels
from rapida_tw.net.counting import count
from rapida_tw.net.endpoints import CONNECT_WITHIN, Endpoints, RealEndpoints, target
from rapida_tw.net.http import Http
from rapida_tw.net.refusal import unreached
from rapida_tw.net.socket import VendorSocket, VendorSocketFactory


class RealNet:
    """`endpoints`: other ways than the network's, for tests and simulations.

    `sockets`: WebSockets that are open or opening; `http.running`: answers that have not ended;
    `channels.running`: gRPC calls.
    """

    def __init__(self, reactor: Any, endpoints: Endpoints | None = None) -> None:
        self.sockets: set[VendorSocket] = set()
        self._clock: IReactorTime = reactor
        self._endpoints = endpoints or RealEndpoints(reactor)
        self.http = Http(self._clock, self._endpoints)
        self.channels = Channels(self._clock, self._endpoints)

    def request(self, request: Request) -> Deferred[Answer]:
        return self.http.request(request)

    def grpc(self, request: Request, receiver: RpcReceiver, deadline: float = 0) -> Deferred[Rpc]:
        return Deferred.fromCoroutine(self.channels.call(request, receiver, deadline))

    def connect(self, request: Request, receiver: SocketReceiver) -> Deferred[Socket]:
        opening = Deferred.fromCoroutine(self._connect(request, receiver))
        return opening.addTimeout(CONNECT_WITHIN, self._clock, _too_late(request))

    async def _connect(self, request: Request, receiver: SocketReceiver) -> Socket:
        where = target(request.url, "ws", "wss")
        socket = VendorSocket(where, request, receiver, self._clock)
        factory = VendorSocketFactory(socket, self._clock, request.subprotocols)
        outcome = "cancelled"
        try:
            await self._endpoints.to(where).connect(factory)
            self.sockets.add(socket)
            socket.lost = self.sockets.discard
            opened = await socket.opened
            outcome = "opened"
            return opened
        except VendorFailed as error:
            outcome = "refused" if error.code else "failed"
            raise
        except CancelledError:
            raise
        except Exception as error:
            outcome = "failed"
            raise unreached(where.host, error) from error
        finally:
            count(where.host, outcome)

    async def _stop(self) -> None:
        for socket in tuple(self.sockets):
            socket.abort()
        self.channels.stop()
        await self.http.stop()

    def stop(self) -> Deferred[None]:
        """The server's end: nothing of it stays open."""
        return Deferred.fromCoroutine(self._stop())


def _too_late(request: Request) -> Any:
    def fail(result: object, seconds: float) -> object:
        if isinstance(result, Failure) and result.check(CancelledError):
            host = target(request.url, "ws", "wss").host
            return Failure(VendorFailed(f"{host} was not reached within {seconds:g} s"))
        return result

    return fail


_conforms: type[Net] = RealNet
