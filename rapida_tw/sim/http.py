"""HTTP as the farm needs it: a carrier's webhooks as values, and who carries them.

What to ask and what to conclude of the answer is the fake carrier's; the I/O is an `Http`: treq on
the real reactor, or something in memory where the time is virtual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from treq.client import HTTPClient
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, RequestTransmissionFailed, ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers

_LONGEST_BODY = 65_536  # bytes that are kept of an answer
_NETWORK_ERRORS = (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
    RequestTransmissionFailed,
    ResponseFailed,
    TimeoutError,
)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request; `url` as it is signed, the query in it. Its repr shows no key."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Its answer, the body to at most 64 kB. Names of headers are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def content_type(self) -> str:
        """Without parameters, lower case; "" where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body; what is no UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def reason(self) -> str:
        """What went wrong in a line: the server's own word for it, else how its body begins."""
        said = self.headers.get("x-rapida-error") or self.text[:200]
        return f"HTTP {self.status}: {said}".rstrip(": ")


def form(
    method: str, url: str, fields: Mapping[str, str], headers: Mapping[str, str]
) -> HttpRequest:
    """Fields as a carrier sends them: in the body of a POST, in the query of a GET."""
    encoded = urlencode(fields)
    if method == "GET":
        return HttpRequest(method, url + ("&" if urlsplit(url).query else "?") + encoded, headers)
    typed = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", **headers}
    return HttpRequest(method, url, typed, encoded.encode())


class NoAnswer(Exception):
    """The server was not reached, or did not answer in time; the text says which."""


# Errbacks with `NoAnswer`. Redirects are not followed.
Http = Callable[[HttpRequest], "Deferred[HttpAnswer]"]


def real_http(reactor: Any, within: float, client: HTTPClient | None = None) -> Http:
    """HTTP over real sockets; each answer's head and body have `within` seconds to come."""
    asking = client or HTTPClient(Agent(reactor, connectTimeout=within))

    async def ask(request: HttpRequest) -> HttpAnswer:
        headers = Headers({name: [value] for name, value in request.headers.items()})
        try:
            response = await asking.request(
                request.method,
                request.url,
                headers=headers,
                data=request.body or None,
                allow_redirects=False,
            ).addTimeout(within, reactor)
            body = _Body()
            response.deliverBody(body)
            received = await body.done.addTimeout(within, reactor)
        except _NETWORK_ERRORS as error:
            raise NoAnswer(f"{type(error).__name__} {error}".rstrip()) from error
        answered = {
            name.decode("latin-1").lower(): values[-1].decode("latin-1")
            for name, values in response.headers.getAllRawHeaders()
        }
        return HttpAnswer(response.code, answered, received)

    return lambda request: Deferred.fromCoroutine(ask(request))


class _Body(Protocol):
    """Gathers a short body; `done` fires with it. Cancelling `done` closes the connection."""

    transport: Any

    def __init__(self) -> None:
        self._received = bytearray()
        self.done: Deferred[bytes] = Deferred(lambda _: self.transport.loseConnection())

    def dataReceived(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > _LONGEST_BODY:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.done.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(bytes(self._received[:_LONGEST_BODY]))
        else:
            self.done.errback(reason)
