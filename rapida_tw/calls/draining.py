"""Draining: the running calls end by themselves, or are asked to."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater


class Emptying:
    """Waits until no call is left, or until there is no more time for it."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._empty: Deferred[None] | None = None
        self.hurried = False

    def wait(self, calls: int, seconds: float) -> Deferred[None]:
        """Fires with `emptied`, or after so many seconds."""
        if not calls:
            return succeed(None)
        self._empty = Deferred()
        late = deferLater(self._clock, seconds, self.emptied)
        self._empty.addBoth(lambda _: late.cancel())
        late.addErrback(lambda _: None)
        return self._empty

    def emptied(self) -> None:
        """The last call has ended."""
        empty, self._empty = self._empty, None
        if empty is not None:
            empty.callback(None)

    def hurry(self) -> None:
        """Wait no longer, for the goodbyes neither."""
        self.hurried = True
        self.emptied()
