"""One HTTP request with Twisted, whole in and whole out; cancelling it closes the connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from rapida_tw.client.exchange import LONGEST, Answer


@implementer(IBodyProducer)
class _Payload:
    """A body that is there already."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.length = len(data)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._data)
        return succeed(None)

    def pauseProducing(self) -> None:
        """All of it was written."""

    def resumeProducing(self) -> None:
        """All of it was written."""

    def stopProducing(self) -> None:
        """All of it was written."""


class _Body(Protocol):
    """Gathers an answer's body; `done` fires with it. What is beyond `LONGEST` is cut off."""

    def __init__(self) -> None:
        self._data = bytearray()
        self.done: Deferred[bytes] = Deferred(lambda _: self._close())

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > LONGEST:
            self._finish(bytes(self._data[:LONGEST]))
            self._close()

    def connectionLost(self, reason: Any = None) -> None:
        if reason is None or reason.check(ResponseDone, PotentialDataLoss):
            self._finish(bytes(self._data))
        else:
            self._finish(reason)

    def _finish(self, outcome: bytes | Failure) -> None:
        if not self.done.called:
            self.done.callback(outcome)  # a Failure fails it

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


async def request(
    agent: Any, method: str, url: str, headers: Mapping[str, str], payload: bytes | None
) -> Answer:
    """`agent`: an IAgent, which follows no redirects: they would carry the key elsewhere."""
    given = Headers({name: [value] for name, value in headers.items()})
    body = None if payload is None else _Payload(payload)
    response = await agent.request(method.encode(), url.encode(), given, body)
    gathering = _Body()
    response.deliverBody(gathering)
    told = {
        name.decode("latin-1").lower(): values[-1].decode("latin-1")
        for name, values in response.headers.getAllRawHeaders()
    }
    return Answer(response.code, told, await gathering.done)
