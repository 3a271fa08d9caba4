"""Sends a long body piece by piece: as fast as the client takes it, read in a thread."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from zope.interface import implementer

from rapida_tw.web.request import BoundedRequest

PIECE = 128 * 1024  # bytes
STALLED = 60.0  # seconds that a client may take nothing

Read = Callable[[int, int], "Deferred[bytes]"]


class Truncated(Exception):
    """The source ended before the length that was announced."""


@implementer(IPushProducer)
class Sending:
    """The body of one response; its headers are set. Cancel `run` to stop.

    At most one piece waits in memory beside what the transport has.
    """

    def __init__(self, request: BoundedRequest, read: Read, clock: IReactorTime) -> None:
        self._request = request
        self._read = read
        self._clock = clock
        self._paused: Deferred[None] | None = None

    async def run(self, start: int, end: int) -> None:
        """Send bytes `start` to before `end`; `Truncated`, or `TimeoutError` for a stalled client.

        Lets what `read` raises through.
        """
        self._request.registerProducer(self, True)
        try:
            while start < end:
                if self._paused is not None:
                    await self._paused.addTimeout(STALLED, self._clock)
                piece = await self._read(start, min(start + PIECE, end))
                if not piece:
                    raise Truncated(f"{end - start} bytes are missing")
                self._request.write(piece)
                start += len(piece)
        finally:
            if self._request.channel is not None:  # else the client has gone, and all with it
                self._request.unregisterProducer()

    def pauseProducing(self) -> None:
        if self._paused is None:
            self._paused = Deferred()

    def resumeProducing(self) -> None:
        paused, self._paused = self._paused, None
        if paused is not None and not paused.called:
            paused.callback(None)

    def stopProducing(self) -> None:
        """The client has gone; the request's own end cancels `run`."""
