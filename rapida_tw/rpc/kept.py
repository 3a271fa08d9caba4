"""Work that goes on when its client has gone: a call must not be lost between two steps."""

from __future__ import annotations

from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import CallError

T = TypeVar("T")
_log = Logger()


def kept(working: Deferred[T]) -> Deferred[T]:
    """Fires as `working` does; cancelling it leaves `working` alone, whose errors are logged."""
    watching: Deferred[T] = Deferred()

    def done(result: T) -> None:
        if not watching.called:
            watching.callback(result)

    def failed(failure: Failure) -> None:
        if not watching.called:
            watching.errback(failure)
        elif not failure.check(CallError):
            _log.failure("work whose client has gone failed", failure)

    working.addCallbacks(done, failed)
    return watching
