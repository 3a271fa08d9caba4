"""RpcSocket: a gRPC call in the shape of a WebSocket.

Whoever speaks by messages over a `Socket` speaks by gRPC with it: a message is a binary one, and
the code with which the socket is closed is the HTTP status that means the same as gRPC's.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.net.base import Net, Request, Rpc, RpcReceiver, Socket, SocketReceiver
from rapida_tw.wire.grpc import http_of

_CLOSED_WITHIN = 1.0  # seconds


class RpcSocket:
    """See `Socket`."""

    def __init__(self, clock: IReactorTime, receiver: SocketReceiver) -> None:
        self._clock = clock
        self._receiver = receiver
        self._rpc: Rpc | None = None
        self._closing: IDelayedCall | None = None

    async def open(self, net: Net, request: Request) -> Socket:
        self._rpc = await net.grpc(request, self)
        return self

    # -- Socket -----------------------------------------------------------------------------------

    def send(self, payload: bytes, binary: bool = False) -> None:
        if self._rpc is not None:
            self._rpc.send(payload)

    def close(self, code: int = 1000) -> None:
        if self._rpc is not None and self._closing is None:
            self._closing = self._clock.callLater(_CLOSED_WITHIN, self.abort)
            self._rpc.half_close()

    def abort(self) -> None:
        if self._rpc is not None:
            self._rpc.cancel()

    # -- RpcReceiver ------------------------------------------------------------------------------

    def message_received(self, message: bytes) -> None:
        self._receiver.message_received(message, True)

    def writable(self, free: bool) -> None:
        self._receiver.writable(free)

    def ended(self, status: int, message: str) -> None:
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self._receiver.closed(http_of(status), message)


def connect(
    net: Net, clock: IReactorTime, request: Request, receiver: SocketReceiver
) -> Deferred[Socket]:
    """A WebSocket, or where `url` is no socket's, a gRPC call in its shape."""
    if request.url.startswith(("ws:", "wss:")):
        return net.connect(request, receiver)
    return Deferred.fromCoroutine(RpcSocket(clock, receiver).open(net, request))


_conforms: tuple[type[Socket], type[RpcReceiver]] = (RpcSocket, RpcSocket)
