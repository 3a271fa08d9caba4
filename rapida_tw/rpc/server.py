"""The gRPC server: its connections, who may call what, and its stop."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import (
    CallError,
    Forbidden,
    RemoteProtocolError,
    Unauthenticated,
)
from rapida_tw.rpc import bounds
from rapida_tw.rpc.authentication import Gate
from rapida_tw.rpc.base import Caller, Method, Methods
from rapida_tw.rpc.bounds import Budget, refused
from rapida_tw.rpc.connection import Connection
from rapida_tw.rpc.stream import Nobody, Stream
from rapida_tw.store.records import KeyStore
from rapida_tw.wire.grpc import CONTENT_TYPE, ENCODINGS, Status, seconds_of

_CONTENT_TYPES = (CONTENT_TYPE, f"{CONTENT_TYPE}+proto")
_METHOD_NOT_ALLOWED, _UNSUPPORTED_TYPE = 405, 415  # HTTP


class RpcServer(Factory):
    """One a process; it makes the protocols of connections whose preface has come."""

    _log = Logger()
    noisy = False

    def __init__(self, clock: IReactorTime, keys: KeyStore, methods: Methods) -> None:
        self._clock = clock
        self._gate = Gate(keys)
        self._methods = methods
        self._shared = Budget(bounds.MOST_HELD_BY_ALL)
        self.connections: dict[Connection, None] = {}
        self._stopping: Deferred[None] | None = None
        self._patience: IDelayedCall | None = None

    # -- connections ------------------------------------------------------------------------------

    def buildProtocol(self, addr: Any) -> Connection | None:
        """None when there are too many: then one that is idle makes room for the next."""
        if self._stopping is not None:
            return None
        if len(self.connections) >= bounds.MOST_CONNECTIONS:
            refused.inc("too-many-connections")
            idle = next((one for one in self.connections if not one.streams), None)
            if idle is not None:
                idle.drain("too many connections")
            if idle is None or len(self.connections) >= 2 * bounds.MOST_CONNECTIONS:
                return None
        connection = Connection(self._clock, self._open, self._lost, self._shared)
        self.connections[connection] = None
        return connection

    def _lost(self, connection: Connection) -> None:
        self.connections.pop(connection, None)
        self._look()

    def stop(self) -> Deferred[None]:
        """No new calls; those that run have `DRAINED_WITHIN`. Fires when all is closed."""
        if self._stopping is None:
            self._stopping = Deferred()
            self._patience = self._clock.callLater(bounds.DRAINED_WITHIN, self._abort)
            for connection in tuple(self.connections):
                connection.drain("the server stops")
            self._look()
        return self._stopping

    def _abort(self) -> None:
        self._patience = None
        for connection in tuple(self.connections):
            connection.abort()

    def _look(self) -> None:
        if self._stopping is None or self.connections or self._stopping.called:
            return
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._stopping.callback(None)

    # -- calls ------------------------------------------------------------------------------------

    def _open(self, stream: Stream, http_method: str) -> None:
        kind = stream.metadata.get("content-type", "").partition(";")[0].strip().lower()
        if http_method != "POST":
            stream.refuse(_METHOD_NOT_ALLOWED)
            return
        if kind not in _CONTENT_TYPES:
            stream.refuse(_UNSUPPORTED_TYPE)
            return
        method = self._methods.get(stream.path)
        if method is None:
            stream.end(Status.UNIMPLEMENTED, f"there is no method {stream.path}")
            return
        stream.label = stream.path
        encoding = stream.metadata.get("grpc-encoding", "identity")
        if encoding not in ENCODINGS:
            stream.end(Status.UNIMPLEMENTED, f"no encoding {encoding} is understood here")
            return
        try:
            wanted = stream.metadata.get("grpc-timeout")
            seconds = None if wanted is None else seconds_of(wanted)
        except RemoteProtocolError as error:
            stream.end(Status.INTERNAL, str(error))
            return
        limits = [one for one in (seconds, method.seconds) if one is not None]
        if limits:
            stream.expire(min(limits))
        # What comes meanwhile is not read.
        asking = Deferred.fromCoroutine(self._caller(stream, method.scope))
        stream.handler = _Asking(asking)
        asking.addCallback(self._admit, stream, method)
        asking.addErrback(self._not_admitted, stream)

    async def _caller(self, stream: Stream, scope: str | None) -> Caller | None:
        return None if scope is None else await self._gate.caller(stream.metadata, scope)

    def _admit(self, caller: Caller | None, stream: Stream, method: Method) -> None:
        if not stream.done:
            stream.handler = method.open(stream, caller)
            stream.resume()

    def _not_admitted(self, failure: Failure, stream: Stream) -> None:
        error = failure.value
        if isinstance(error, CancelledError):
            return
        if isinstance(error, CallError):
            self._log.info("gRPC {path} refused: {error}", path=stream.path, error=error)
        if isinstance(error, Unauthenticated):
            refused.inc("unauthenticated")
            stream.end(Status.UNAUTHENTICATED, str(error))
        elif isinstance(error, Forbidden):
            stream.end(Status.PERMISSION_DENIED, str(error))
        elif isinstance(error, CallError):
            stream.end(Status.UNAVAILABLE, error.reason)
        else:
            self._log.failure("gRPC {path} failed", failure, path=stream.path)
            stream.end(Status.INTERNAL, "something went wrong on the server")


class _Asking(Nobody):
    """The handler while nobody knows yet who calls."""

    def __init__(self, asking: Deferred[Any]) -> None:
        self._asking = asking

    def cancelled(self) -> None:
        self._asking.cancel()
