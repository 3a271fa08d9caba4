"""HTTP requests to vendors, by Twisted's client: connections are kept, bodies stream.

A request that went out on a kept connection which is then closed without a byte of an answer is
sent again, a POST too: the vendor had closed it as idle in the same moment. What vendors are asked
for can be asked for twice; what cannot (`Request.once`) has a connection of its own, on which
nothing is sent again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakSet

from OpenSSL.SSL import Error as TLSError
from twisted.internet.defer import CancelledError, Deferred, TimeoutError, succeed
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import (
    IConsumer,
    IHandshakeListener,
    INegotiated,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.client import (
    URI,
    Agent,
    HTTPConnectionPool,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseNeverReceived,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IBodyProducer, IResponse
from zope.interface import alsoProvides, implementer

from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Answer, BodyReceiver, Request
from rapida_tw.net.counting import count
from rapida_tw.net.endpoints import CONNECT_WITHIN, Endpoints, Target, target, tune
from rapida_tw.net.head import checked_headers
from rapida_tw.net.refusal import causes, unreached

IDLE_SECONDS = 60  # that a connection is kept; the strictest vendors close after some more
KEPT = 32  # connections of one host
_CLOSED_WITHIN = 1.0  # seconds, when the server stops


class Http:
    """The process's HTTP client. `running`: answers whose bodies have not ended."""

    def __init__(self, clock: IReactorTime, endpoints: Endpoints) -> None:
        self.running: set[Body] = set()
        self._clock = clock
        self._endpoints = endpoints
        self._pool = _Pool(clock)
        self._for_once = _Pool(clock, persistent=False)
        self._connections: WeakSet[Any] = WeakSet()

    def request(self, request: Request) -> Deferred[Answer]:
        """See `Net`."""
        return Deferred.fromCoroutine(self._request(request))

    async def _request(self, request: Request) -> Answer:
        where = target(request.url, "http", "https")
        headers = Headers({k: [v] for k, v in checked_headers(request, where.host).items()})
        while True:
            way = _Way(self._endpoints.to(where), self._clock, where)
            pool = self._for_once if request.once else self._pool
            agent: Any = Agent.usingEndpointFactory(self._clock, way, pool=pool)
            url, method = request.url.encode("ascii"), request.method.encode("ascii")
            body = Whole(request.body) if request.body else None
            try:
                response: IResponse = await agent.request(method, url, headers, body)
            except Exception as error:
                if any(isinstance(cause, CancelledError) for cause in causes(error)):
                    raise CancelledError() from None
                if way.kept and _without_a_byte(error):
                    continue  # each time there is one less of them
                raise unreached(where.host, error, sent=way.reached) from error
            self._connections.add(way.connection)
            answer = Body(response, where.host, way.abort, self.running.discard)
            self.running.add(answer)
            response.deliverBody(answer)
            answer.hold()
            return answer

    async def stop(self) -> None:
        """Close what is kept, and break off what is running."""
        for body in tuple(self.running):
            body.abort()
        closing: Deferred[None] = self._pool.closeCachedConnections()
        try:
            await closing.addTimeout(_CLOSED_WITHIN, self._clock)
        except TimeoutError:
            for connection in self._connections:
                connection.transport.abortConnection()


def _without_a_byte(error: Exception) -> bool:
    """Whether the connection was closed before anything of the answer had come."""
    unanswered = isinstance(error, ResponseNeverReceived | RequestTransmissionFailed)
    return unanswered and any(isinstance(one, ConnectionClosed | TLSError) for one in causes(error))


class _Pool(HTTPConnectionPool):
    """Tells each way which connection it has got."""

    def __init__(self, clock: IReactorTime, persistent: bool = True) -> None:
        super().__init__(clock, persistent)
        self.retryAutomatically = False  # Twisted would not do it for a POST
        self.maxPersistentPerHost = KEPT
        self.cachedConnectionTimeout = IDLE_SECONDS

    def getConnection(self, key: Any, endpoint: Any) -> Deferred[Any]:
        way: _Way = endpoint
        got: Deferred[Any] = super().getConnection(key, endpoint)
        return got.addCallback(way.got)


@implementer(IAgentEndpointFactory, IStreamClientEndpoint)
class _Way:
    """One request's way to its server.

    `kept`: over a connection that has served before. `reached`: something of a request may have
    arrived; over TLS not before the handshake is done, in which the server proves its name.
    """

    def __init__(self, endpoint: IStreamClientEndpoint, clock: IReactorTime, where: Target) -> None:
        self.connection: Any = None
        self.kept = True
        self.reached = True
        self._endpoint = endpoint
        self._clock = clock
        self._where = where

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        return self

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        self.kept = self.reached = False
        connecting = self._endpoint.connect(protocolFactory)
        return connecting.addTimeout(CONNECT_WITHIN, self._clock).addBoth(self._counted)

    def _counted(self, result: Any) -> Any:
        failed = isinstance(result, Failure)
        cancelled = failed and result.check(CancelledError)
        outcome = "cancelled" if cancelled else "failed" if failed else "opened"
        count(self._where.host, outcome)
        if not failed:
            self._opened(result)
        return result

    def _opened(self, connection: Any) -> None:
        tune(connection.transport)
        if INegotiated.providedBy(connection.transport):
            connection.handshakeCompleted = self._shaken
            alsoProvides(connection, IHandshakeListener)
        else:
            self.reached = True

    def _shaken(self) -> None:
        self.reached = True

    def got(self, connection: Any) -> Any:
        self.connection = connection
        return connection

    def abort(self) -> None:
        self.connection.transport.abortConnection()


class Body(Protocol):
    """An `Answer`, and the protocol that Twisted gives its body to from the beginning.

    From the beginning, because a connection whose answer is over belongs to the next request: then
    there is nothing to abort any more.
    """

    _log = Logger()
    transport: Any

    def __init__(
        self,
        response: IResponse,
        host: str,
        abort: Callable[[], None],
        over: Callable[[Body], None],
    ) -> None:
        self.status: int = response.code
        self.headers: Mapping[str, str] = {
            name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
            for name, values in response.headers.getAllRawHeaders()
        }
        self._host = host
        self._abort = abort
        self._over = over
        self._receiver: BodyReceiver | None = None
        self._waiting: deque[bytes] = deque()
        self._paused = False
        self._end: Failure | None = None  # has come, and waits for what is before it
        self._gone = False  # nothing more is told

    # -- Answer -----------------------------------------------------------------------------------

    def hold(self) -> None:
        """Until somebody reads."""
        self._paused = True
        if self._end is None:
            self.transport.pauseProducing()

    def read(self, receiver: BodyReceiver) -> None:
        assert self._receiver is None, "an answer is read once"
        self._receiver = receiver
        self.resume()

    def text(self, limit: int = 65_536) -> Deferred[str]:
        gathering = _Gathering(self, limit)
        self.read(gathering)
        return gathering.done

    def pause(self) -> None:
        self.hold()

    def resume(self) -> None:
        self._paused = False
        while self._waiting and not self._paused and not self._gone:
            self._hand_on(self._waiting.popleft())
        if self._paused or self._gone:
            return
        if self._end is not None:
            self._tell_end(self._end)
        else:
            self.transport.resumeProducing()

    def abort(self) -> None:
        if not self._gone:
            self._gone = True
            self._waiting.clear()
        if self._end is None:
            self._over(self)
            self._abort()

    # -- from the connection ----------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        if self._gone:
            return
        if self._receiver is None or self._paused or self._waiting:
            self._waiting.append(data)
        else:
            self._hand_on(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end = reason
        self._over(self)
        if self._receiver is not None and not self._paused and not self._waiting:
            self._tell_end(reason)

    def _hand_on(self, data: bytes) -> None:
        assert self._receiver is not None
        try:
            self._receiver.data_received(data)
        except Exception as error:
            theirs = isinstance(error, RemoteProtocolError)
            if theirs:
                self._log.warn("{host}: {error}", host=self._host, error=error)
            else:
                self._log.failure("{host}: failed on what it sent", host=self._host)
            why = str(error) if theirs else "what it sent could not be used"
            self._tell(VendorFailed(f"{self._host}: {why}", self.status))
            self.abort()

    def _tell_end(self, reason: Failure) -> None:
        # PotentialDataLoss: neither a length nor chunks, and so the connection's end is its own.
        if reason.check(ResponseDone, PotentialDataLoss):
            self._tell(None)
        else:
            self._tell(VendorFailed(f"{self._host} broke off in the middle of its answer"))

    def _tell(self, failure: VendorFailed | None) -> None:
        if self._gone:
            return
        self._gone = True
        assert self._receiver is not None
        try:
            self._receiver.ended(failure)
        except Exception:
            self._log.failure("{host}: failed at the end of its answer", host=self._host)


class _Gathering:
    """Reads a whole body, or the beginning of a long one. Cancelling `done` aborts it."""

    def __init__(self, answer: Answer, limit: int) -> None:
        self.done: Deferred[str] = Deferred(lambda _: answer.abort())
        self._answer = answer
        self._limit = limit
        self._received = bytearray()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > self._limit:
            self._answer.abort()
            self._finish()

    def ended(self, failure: VendorFailed | None) -> None:
        if failure is None:
            self._finish()
        else:
            self.done.errback(failure)

    def _finish(self) -> None:
        self.done.callback(bytes(self._received[: self._limit]).decode("utf-8", "replace"))


@implementer(IBodyProducer)
class Whole:
    """A request's body in one piece: Twisted's own producer is driven by the global reactor."""

    def __init__(self, body: bytes) -> None:
        self.length = len(body)
        self._body = body

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """All has been written already."""

    def resumeProducing(self) -> None:
        """There is no more."""

    def stopProducing(self) -> None:
        """There is nothing to stop."""


_conforms: type[Answer] = Body
