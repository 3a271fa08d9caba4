"""Running on the real reactor, for the commands that make a call."""

from __future__ import annotations

import sys
import time
from collections.abc import Coroutine
from typing import Any, Protocol, TextIO, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogBeginner
from twisted.python.failure import Failure
from zope.interface import implementer

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Work(Protocol[T_co]):
    """A coroutine function that is given the reactor."""

    def __call__(self, reactor: Any) -> Coroutine[Any, Any, T_co]: ...


def run(work: Work[T], log: ILogObserver | None = None) -> T:
    """Run it to its end; its error is raised. Once a process.

    An interrupt cancels the work, lets it clean up and raises `KeyboardInterrupt`. `log` takes
    the log's events; without one, errors become lines on standard error.
    """
    outcome: list[T | Failure] = []
    globalLogBeginner.beginLoggingTo([log or Complaints(sys.stderr)], redirectStandardIO=False)

    def main(reactor: Any) -> Deferred[None]:
        # As for the server (tap.py): timers must not stop when the wall clock is set back.
        reactor.seconds = time.monotonic
        working = Deferred.fromCoroutine(work(reactor))
        done = working.addBoth(outcome.append)

        def stop() -> Deferred[None]:
            if not done.called:
                outcome.append(Failure(KeyboardInterrupt()))
                done.cancel()
            return done

        reactor.addSystemEventTrigger("before", "shutdown", stop)
        return done

    try:
        react(main)
    except SystemExit as leaving:
        if not outcome:
            raise KeyboardInterrupt from leaving
    result = outcome[0]
    if isinstance(result, Failure):
        result.raiseException()
        raise AssertionError("raiseException does not return")
    return result


@implementer(ILogObserver)
class Complaints:
    """Errors as one line each, without tracebacks."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: LogEvent) -> None:
        if event["log_level"] not in (LogLevel.error, LogLevel.critical):
            return
        failure = event.get("log_failure")
        reason = f": {failure.getErrorMessage()}" if isinstance(failure, Failure) else ""
        self._stream.write(f"rapida: {formatEvent(event)}{reason}\n")
        self._stream.flush()
