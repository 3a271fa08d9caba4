"""Apart: one message at a time, each in a TLS record of its own.

Asterisk from 20.18, 22.8 and 23.2 on reads one WebSocket frame of each TLS record and leaves the
others until more comes. Twisted joins what is written in one turn of the reactor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

_APART = 0.001  # seconds: surely another turn, and a proxy before us reads in between


class Apart:
    """Sends in order; the first at once, each other a moment after the one before it."""

    def __init__(self, clock: IReactorTime, send: Callable[[bytes, bool], None]) -> None:
        self._clock = clock
        self._send = send
        self._unsent: deque[tuple[bytes, bool]] = deque()
        self._last: Callable[[], None] | None = None
        self._timer: IDelayedCall | None = None

    def send(self, payload: bytes, binary: bool) -> None:
        """As soon as it may."""
        if self._timer is None:
            self._send(payload, binary)
            self._timer = self._clock.callLater(_APART, self._next)
        else:
            self._unsent.append((payload, binary))

    def _next(self) -> None:
        self._timer = None
        if self._unsent:
            self.send(*self._unsent.popleft())
        elif self._last is not None:
            last, self._last = self._last, None
            last()

    def then(self, last: Callable[[], None]) -> None:
        """Call `last` when all that waits has been sent, a moment after it. Send nothing more."""
        self._last = last
        if self._timer is None:
            self._next()

    def stop(self) -> None:
        """Forget what waits."""
        self._unsent.clear()
        self._last = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
