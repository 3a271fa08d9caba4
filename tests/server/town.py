"""A town of phones: the farm's carriers call a server process by plain sockets, without a reactor.

A reactor of the tests' own could hide what the server's does; and one that a test leaves dirty
would be everybody's. All calls of a test go on together while `talk` runs, on a clock that follows
the machine's.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from http.client import HTTPException
from types import TracebackType
from typing import TypeVar
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rapida_tw.log import wall_clock
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.exchange import Exchange
from rapida_tw.sim.farm import CARRIERS, Callee
from rapida_tw.sim.http import HttpAnswer, HttpRequest, NoAnswer
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.websocket_line import WebSocketLine
from tests.server.installation import Installation
from tests.server.wires import Wire

_LOOK = 0.02  # seconds from one look at what is waited for to the next

GREETING = "Hello."
QUESTION = "When are you open?"
# Of a deployment whose recogniser knows what will be asked.
CONVERSATION: dict[str, object] = {
    "greeting": GREETING,
    "stt": {"provider": "scripted", "options": {"script": [QUESTION]}},
}

T = TypeVar("T")


def asking() -> Caller:
    """Who lets the assistant greet, asks that, and stays on the line."""
    caller = Caller(keep=False)
    caller.says(QUESTION, lasting=0.6)
    return caller


def answered(caller: Caller) -> bool:
    """Half a second of the answer has been heard."""
    return bool(caller.turns) and bool(caller.turns[0].answered) and caller.heard[-1].lasting > 0.5


class Town:
    """Everybody who calls one server; a context manager.

    `port`: where its HTTP side is reached, its own unless something stands before it.
    """

    def __init__(self, installation: Installation, port: int = 0) -> None:
        self.clock = Clock()
        self.metronome = Metronome(self.clock)
        self.urls: list[str] = []  # of media, as the documents have them
        self.statuses: dict[FakeCarrier, list[int]] = {}  # of each call's callbacks
        self._installation = installation
        self._port = port or installation.http
        self._origin = time.monotonic()
        self._poll = select.epoll()
        self._wires: dict[int, Wire] = {}

    def __enter__(self) -> Town:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up on everybody."""
        for wire in tuple(self._wires.values()):
            wire.abortConnection()
        self.turn()
        self._poll.close()

    def __repr__(self) -> str:
        return f"<Town connected by {[wire.protocol for wire in self._wires.values()]}>"

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._wires)

    # -- calls ------------------------------------------------------------------------------------

    def callee(self, assistant: str = "", number: str = "+15550100", secret: str = "") -> Callee:
        """Whom to call, and from where."""
        installation = self._installation
        scheme = "http" if installation.trust is None else "https"
        url = f"{scheme}://127.0.0.1:{self._port}"
        return Callee(
            url, assistant or installation.assistant(), installation.api_key, number, secret
        )

    def call(
        self,
        carrier: str | FakeCarrier,
        caller: Caller,
        callee: Callee | None = None,
        receive_buffer: int = 0,
    ) -> Deferred[WebSocketLine]:
        """Both phases and what the carrier reports; fires when the line is up, or `CallFailed`.

        `receive_buffer`: bytes that the kernel is to keep for who does not read.
        """
        if isinstance(carrier, str):
            carrier = CARRIERS[carrier](callee or self.callee())
        calling = carrier
        statuses = self.statuses.setdefault(calling, [])

        def connect(media: Media, line: WebSocketLine) -> Deferred[object]:
            self.urls.append(media.url)
            return succeed(self.connect(line, receive_buffer))

        def report(line: WebSocketLine) -> WebSocketLine:
            exchange.report(calling, line).addCallback(statuses.extend)
            return line

        exchange = Exchange(self._ask, connect, self.metronome, wall_clock)
        return exchange.call(calling, caller).addCallback(report)

    def announce(self, carrier: FakeCarrier) -> Media:
        """Phase 1 alone: where the carrier would now send the media; `CallFailed`."""
        answer = outcome(self._ask(carrier.webhook(wall_clock())))
        assert isinstance(answer, HttpAnswer), answer
        return carrier.invited(answer, wall_clock())

    def _ask(self, request: HttpRequest) -> Deferred[HttpAnswer]:
        parts = urlsplit(request.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {"Host": parts.netloc, **request.headers}
        try:
            return succeed(self.ask(request.method, path, headers, request.body))
        except (OSError, HTTPException) as error:
            return fail(NoAnswer(str(error)))

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> HttpAnswer:
        """One request, which the calls wait for; OSError or HTTPException."""
        connection = self._installation.connection(self._port)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return HttpAnswer(answer.status, names, answer.read())
        finally:
            connection.close()

    def connect(self, protocol: Protocol, receive_buffer: int = 0) -> Wire:
        """A connection to the server; `receive_buffer` as in `call`."""
        connection: socket.socket = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(5)
        connection.connect(("127.0.0.1", self._port))
        if self._installation.trust is not None:
            trust = self._installation.trust
            connection = trust.wrap_socket(connection, server_hostname="127.0.0.1")
        connection.setblocking(False)
        wire = Wire(connection, protocol, self._gone, self._watch)
        self._wires[wire.fileno()] = wire
        self._poll.register(wire.fileno(), select.EPOLLIN)
        protocol.makeConnection(wire)  # type: ignore[arg-type]  # the farm asks for no more
        return wire

    def _watch(self, wire: Wire, reading: bool) -> None:
        self._poll.modify(wire.fileno(), select.EPOLLIN if reading else 0)

    def _gone(self, wire: Wire, reason: Failure) -> None:
        del self._wires[wire.fileno()]
        self._poll.unregister(wire.fileno())
        wire.socket.close()
        wire.protocol.connectionLost(reason)

    # -- time -------------------------------------------------------------------------------------

    def talk(
        self, until: Callable[[], T], within: float = 20.0, what: Callable[[], object] = str
    ) -> T:
        """Let the calls go on until that is true; AssertionError when it is not in so many s."""
        deadline = time.monotonic() + within
        while not (found := until()):
            assert time.monotonic() < deadline, f"not within {within:.0f} s: {what()}"
            look = time.monotonic() + _LOOK
            while (left := look - time.monotonic()) > 0:
                self.turn(left)
        return found

    def turn(self, left: float = 0.0) -> None:
        """What is readable within so many seconds, then what is due."""
        calls = self.clock.getDelayedCalls()
        if calls:
            due = min(call.getTime() for call in calls) - self._now()
            left = min(left, max(0.0, due))
        left = min((left, *(wire.impatience for wire in self._wires.values())))
        for descriptor, events in self._poll.poll(left):
            wire = self._wires.get(descriptor)
            if wire is not None and events & (select.EPOLLHUP | select.EPOLLERR):
                wire.cut()
            elif wire is not None:
                wire.readable()
        for wire in tuple(self._wires.values()):
            wire.flush()
        self.clock.advance(max(0.0, self._now() - self.clock.seconds()))

    def _now(self) -> float:
        return time.monotonic() - self._origin


def outcome(deferred: Deferred[T]) -> T | Failure | None:
    """What it fired with, a failure once; None if it has not."""
    if not deferred.called:
        return None
    result: T | Failure = deferred.result  # type: ignore[assignment]
    if isinstance(result, Failure):
        deferred.addErrback(lambda _: None)
    return result
