"""The recognition workers as the server sees them: started when needed, restarted when dead.

Each call belongs to one worker for its whole life, the one that has the fewest calls. What a dead
worker was hearing is lost; its calls are told, and go on with its successor.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall, IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.metrics import Counter
from rapida_tw.speech.worker_wire import Decoder, Kind, Message

_MODULE = "rapida_tw.speech.pocketsphinx_worker"
_FIRST_DELAY = 0.5  # seconds until a dead worker's successor starts; doubled each time
_LONGEST_DELAY = 30.0
_PATIENCE = 10.0  # seconds without an answer: no utterance takes a tenth of it
_FAREWELL = 2.0  # seconds for a worker to end by itself
_MOST_CHATTER = 500  # characters of the worker's stderr in one log event
# The child needs no secret of ours, and everything that a virtual environment may need.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")

deaths = Counter("rapida_recognition_worker_deaths_total", "Workers that died or hung.")


class Caller(Protocol):
    """One call, as its worker knows it. None of these raises."""

    def answered(self, message: Message) -> None:
        """HEARD, PARTIAL or FINAL of this call."""

    def worker_lost(self) -> None:
        """Nothing that was sent will be answered."""

    def worker_ready(self) -> None:
        """A new worker has begun, which knows nothing: introduce yourself."""


class Worker:
    """One place for a worker process. `send` while there is none is for nothing, and harmless."""

    _log = Logger()

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._process: _Process | None = None
        self._delay = _FIRST_DELAY
        self._restart: IDelayedCall | None = None
        self._watch: IDelayedCall | None = None
        self._unanswered = 0
        self._stopped: Deferred[None] | None = None
        self.callers: dict[int, Caller] = {}

    @property
    def up(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """Begin a process unless there is one, or will be."""
        if self._process is None and self._restart is None and self._stopped is None:
            self._spawn()

    def send(self, message: Message) -> None:
        if self._process is None:
            return
        if message.kind in (Kind.AUDIO, Kind.END):
            self._unanswered += 1
            if self._watch is None:
                self._watch = self._reactor.callLater(_PATIENCE, self._hung)
        self._process.write(message.encode())

    def stop(self) -> Deferred[None]:
        """End the process; fires when it is gone."""
        if self._stopped is not None:
            return self._stopped
        self._forget_timers()
        if self._process is None:
            self._stopped = succeed(None)
            return self._stopped
        self._stopped = Deferred()
        self._process.end()
        self._watch = self._reactor.callLater(_FAREWELL, self._process.kill)
        return self._stopped

    def _spawn(self) -> None:
        self._restart = None
        process = _Process(self._received, self._broken, self._ended)
        arguments = [sys.executable, "-P", "-m", _MODULE]
        try:
            self._reactor.spawnProcess(process, sys.executable, arguments, _environment())
        except OSError as error:
            self._log.error("no recognition worker can be started: {error}", error=error)
            self._start_later()
            return
        self._process = process
        for caller in tuple(self.callers.values()):
            caller.worker_ready()

    def _received(self, message: Message) -> None:
        if message.kind is Kind.WARNING:
            self._log.warn("recogniser: {text}", text=message.text)
            return
        if message.kind is Kind.READY:
            self._log.info("recognition worker is ready")
            return
        self._unanswered -= 1
        if self._watch is not None:
            if self._unanswered:
                self._watch.reset(_PATIENCE)
            else:
                self._forget_timers()
        if message.kind is Kind.FINAL:
            self._delay = _FIRST_DELAY  # it is of use
        caller = self.callers.get(message.call)
        if caller is not None:
            caller.answered(message)

    def _hung(self) -> None:
        self._watch = None
        self._broken("no answer")

    def _broken(self, why: str) -> None:
        self._log.error("killing a recognition worker: {why}", why=why)
        if self._process is not None:
            self._process.kill()

    def _ended(self, reason: str) -> None:
        self._process = None
        self._unanswered = 0
        self._forget_timers()
        if self._stopped is not None:
            self._stopped.callback(None)
            return
        deaths.inc()
        self._log.error(
            "a recognition worker died ({reason}); {calls} calls wait {delay} s for its successor",
            reason=reason,
            calls=len(self.callers),
            delay=self._delay,
        )
        self._start_later()
        for caller in tuple(self.callers.values()):
            caller.worker_lost()

    def _start_later(self) -> None:
        self._restart = self._reactor.callLater(self._delay, self._spawn)
        self._delay = min(2 * self._delay, _LONGEST_DELAY)

    def _forget_timers(self) -> None:
        for timer in (self._watch, self._restart):
            if timer is not None and timer.active():
                timer.cancel()
        self._watch = self._restart = None


class Pool:
    """The workers of a server, at most `most`."""

    def __init__(self, reactor: Any, most: int) -> None:
        self._workers = [Worker(reactor) for _ in range(most)]
        self._numbers = count(1)

    def enter(self, caller: Caller) -> Line:
        """A way to the worker that has the least to do; starts it when it is not there."""
        worker = min(self._workers, key=lambda one: len(one.callers))
        line = Line(worker, next(self._numbers))
        worker.start()
        worker.callers[line.call] = caller
        return line

    def stop(self) -> Deferred[None]:
        """Fires when all processes are gone."""
        stopping = DeferredList([worker.stop() for worker in self._workers])
        return stopping.addCallback(lambda _: None)


class Line:
    """One call's way to its worker."""

    def __init__(self, worker: Worker, call: int) -> None:
        self._worker = worker
        self.call = call

    @property
    def up(self) -> bool:
        """Whether there is a worker that can hear."""
        return self._worker.up

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        self._worker.send(Message(kind, self.call, payload))

    def leave(self) -> None:
        """The call is over."""
        self.send(Kind.CLOSE)
        self._worker.callers.pop(self.call, None)


class _Process(ProcessProtocol):
    """Bytes to messages; the process's end."""

    transport: IProcessTransport
    _log = Logger()

    def __init__(
        self,
        received: Callable[[Message], None],
        broken: Callable[[str], None],
        ended: Callable[[str], None],
    ) -> None:
        self._received = received
        self._broken = broken
        self._ended = ended
        self._decoder = Decoder()

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def end(self) -> None:
        self.transport.closeStdin()

    def kill(self) -> None:
        try:
            self.transport.signalProcess("KILL")
        except ProcessExitedAlready:
            return

    def outReceived(self, data: bytes) -> None:
        try:
            for message in self._decoder.feed(data):
                self._received(message)
        except RemoteProtocolError as error:
            self._broken(str(error))

    def errReceived(self, data: bytes) -> None:
        text = data.decode("utf-8", "replace")[:_MOST_CHATTER]
        self._log.debug("recognition worker says: {text}", text=text)

    def processEnded(self, reason: Failure) -> None:
        self._ended(reason.getErrorMessage())


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # Wherever this package was found, the worker finds it too.
    return kept | {"PYTHONPATH": str(Path(__file__).parents[2])}
