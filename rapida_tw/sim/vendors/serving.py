"""Serving: fakes of vendors behind one Twisted factory, HTTP and WebSockets on the same port."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs, unquote

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionRequest
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Refusal, Session
from rapida_tw.sim.vendors.rpc_serving import Find, RpcServer, ServerCall, Sniffing

_LARGEST = 16_777_216  # bytes of a message, or of a request's body
_ABNORMAL, _NO_CODE = 1006, 1005
_COMPLETE_WITHIN = 60  # seconds that a request may take to come


def by_host(vendors: Sequence[FakeVendor]) -> Find:
    """The vendor one of whose `hosts` it is."""

    def find(host: str, path: str) -> tuple[FakeVendor, str] | None:
        for vendor in vendors:
            if any(fnmatchcase(host, pattern) for pattern in vendor.hosts):
                return vendor, path
        return None

    return find


class VendorSite(Site):
    """The factory. Who is not found is answered 404. `clock` is the fakes', and the site's."""

    def __init__(self, find: Find, clock: IReactorTime) -> None:
        self.open: set[ServerLine] = set()
        self.calls: set[ServerCall] = set()  # by gRPC
        self.asked: deque[Asked] = deque(maxlen=1_000)  # the latest, in their order
        self.telling: Callable[[Asked], None] = lambda asked: None
        self._sockets = WebSocketServerFactory(reactor=clock, server="")
        self._sockets.setProtocolOptions(
            webStatus=False,
            maxFramePayloadSize=_LARGEST,
            maxMessagePayloadSize=_LARGEST,
            failByDrop=False,
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            autoPingInterval=0,
        )
        self._find = find
        self._clock = clock
        super().__init__(_Root(self, find, clock), timeout=_COMPLETE_WITHIN, reactor=clock)

    def buildProtocol(self, addr: Any) -> Any:
        plain = super().buildProtocol(addr)
        assert plain is not None
        return Sniffing(plain, RpcServer(self._find, self._clock, self.tell, self.calls))

    def startFactory(self) -> None:
        """Without Twisted's access log."""

    def stopFactory(self) -> None:
        """Nothing was started."""

    def log(self, request: Any) -> None:
        """Nobody reads it."""

    def tell(self, asked: Asked) -> None:
        """Something is wanted of a vendor."""
        self.asked.append(asked)
        self.telling(asked)

    def takeover(self, line: ServerLine, asked: Asked, request: Request) -> int:
        """Make a WebSocket of the request's connection."""
        result: int = _Takeover(self._sockets, line).render(request)
        return result


class _Root(Resource):
    isLeaf = True

    def __init__(self, site: VendorSite, find: Find, clock: IReactorTime) -> None:
        super().__init__()
        self._site = site
        self._find = find
        self._clock = clock

    def render(self, request: Any) -> Any:
        asked = _asked(request)
        host = request.getRequestHostname().decode("latin-1").lower()
        reply = ServerReply(request, self._clock)
        found = self._find(host, asked.path)
        if found is None:
            reply.whole(404, f"no fake vendor for {host}{asked.path}")
            return NOT_DONE_YET
        vendor, path = found
        asked = replace(asked, path=path)
        self._site.tell(asked)
        if asked.headers.get("upgrade", "").lower() != "websocket":
            vendor.answer(asked, reply)
        else:
            line = ServerLine(self._clock, self._site.open)
            session = vendor.connect(asked, line)
            if not isinstance(session, Refusal):
                line.session = session
                return self._site.takeover(line, asked, request)
            reply.head(session.status, {"Content-Type": _type(session.body), **session.headers})
            reply.write(session.body.encode())
            reply.end()
        return NOT_DONE_YET


def _asked(request: Any) -> Asked:
    path, _, query = request.uri.decode("ascii", "replace").partition("?")
    headers = {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in request.requestHeaders.getAllRawHeaders()
    }
    return Asked(
        request.method.decode("ascii"),
        unquote(path),
        parse_qs(query, keep_blank_values=True),
        headers,
        request.content.read(),
    )


def _type(body: str) -> str:
    return "application/json" if body.startswith(("{", "[")) else "text/plain; charset=utf-8"


class ServerReply:
    """A `Reply`."""

    def __init__(self, request: Any, clock: IReactorTime) -> None:
        self.clock = clock
        self._request = request
        self._gone = False
        self._over = False
        request.notifyFinish().addErrback(self._left)

    def _left(self, failure: Failure) -> None:
        self._gone = True

    @property
    def gone(self) -> bool:
        return self._gone

    def head(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        if self._gone or self._over:
            return
        self._request.setResponseCode(status)
        for name, value in (headers or {}).items():
            self._request.setHeader(name, value)
        self._request.write(b"")  # the head goes out now, and not with the first of the body

    def write(self, data: bytes) -> None:
        if not self._gone and not self._over:
            self._request.write(data)

    def end(self) -> None:
        if not self._gone and not self._over:
            self._over = True
            self._request.finish()

    def whole(self, status: int, body: bytes | str | Mapping[str, Any] | list[Any]) -> None:
        if self._gone or self._over:
            return
        kind = "application/octet-stream"
        if not isinstance(body, bytes):
            text = body if isinstance(body, str) else json.dumps(body)
            body, kind = text.encode(), _type(text)
        self._request.setResponseCode(status)
        self._request.setHeader("Content-Type", kind)
        self._request.setHeader("Content-Length", str(len(body)))
        self._request.write(body)
        self.end()

    def drop(self) -> None:
        if not self._gone and not self._over:
            self._over = True
            self._request.channel.forceAbortClient()


class ServerLine:
    """A `Line`. Until the session is `opened`, nothing can be sent."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, open_lines: set[ServerLine]) -> None:
        self.clock = clock
        self.session: Session
        self._protocol: Any = None
        self._open = open_lines

    def send(self, message: bytes | str | Mapping[str, Any]) -> None:
        if isinstance(message, bytes):
            self._send(message, True)
        else:
            text = message if isinstance(message, str) else json.dumps(message)
            self._send(text.encode(), False)

    def _send(self, payload: bytes, binary: bool) -> None:
        if self._alive:
            self._protocol.sendMessage(payload, binary)

    def send_fragments(self, *pieces: bytes, binary: bool = False) -> None:
        if self._alive:
            self._protocol.beginMessage(binary)
            for piece in pieces:
                self._protocol.sendMessageFrame(piece)
            self._protocol.endMessage()

    def ping(self, payload: bytes = b"") -> None:
        if self._alive:
            self._protocol.sendPing(payload)

    def close(self, code: int = 1000, reason: str = "") -> None:
        if self._alive:
            # Not `sendClose`, which has an opinion about codes.
            self._protocol.sendCloseFrame(code, reason.encode()[:120])

    def drop(self) -> None:
        if self._protocol is not None:
            self._protocol.transport.abortConnection()

    def pause(self) -> None:
        if self._protocol is not None:
            self._protocol.transport.pauseProducing()

    def resume(self) -> None:
        if self._protocol is not None:
            self._protocol.transport.resumeProducing()

    @property
    def _alive(self) -> bool:
        return self._protocol is not None and self._protocol.state == self._protocol.STATE_OPEN

    # -- from the protocol ------------------------------------------------------------------------

    def opened(self, protocol: Any) -> None:
        self._protocol = protocol
        self._open.add(self)
        self._tell(self.session.opened)

    def received(self, payload: bytes, binary: bool) -> None:
        self._tell(self.session.received, payload, binary)

    def _tell(self, function: Callable[..., None], *arguments: object) -> None:
        try:
            function(*arguments)
        except Exception:
            self._log.failure("a fake vendor failed")
            self.close(1011, "the fake vendor failed")

    def closed(self, code: int) -> None:
        self._open.discard(self)
        self._tell(self.session.closed, code)


class _ServerProtocol(WebSocketServerProtocol):
    """Autobahn's end of a line."""

    def __init__(self, line: ServerLine) -> None:
        super().__init__()
        self._line = line
        self._was_open = False

    def onConnect(self, request: ConnectionRequest) -> str | None:
        """A session may name its `subprotocol`; the others take the first that is offered."""
        first = next(iter(request.protocols), None)
        chosen = getattr(self._line.session, "subprotocol", first)
        return chosen if chosen in request.protocols else None

    def onOpen(self) -> None:
        self._was_open = True
        transport: Any = self.transport
        transport.setTcpNoDelay(True)
        transport.unregisterProducer()  # the HTTP channel is out of it
        self._line.opened(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self._line.received(payload, isBinary)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        if self._was_open:
            code = self.remoteCloseCode
            self._line.closed(
                code if code is not None else _NO_CODE if self.wasClean else _ABNORMAL
            )


class _Takeover(WebSocketResource):
    """Autobahn's resource, for one connection whose line is known."""

    def __init__(self, factory: WebSocketServerFactory, line: ServerLine) -> None:
        super().__init__(self)
        self._sockets = factory
        self._line = line

    def buildProtocol(self, addr: Any) -> _ServerProtocol:
        protocol = _ServerProtocol(self._line)
        protocol.factory = self._sockets
        return protocol
