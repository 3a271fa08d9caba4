"""A reactor without processes, for what starts recognition workers: the test plays the worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rapida_tw.speech.worker_wire import Decoder, Kind, Message


class WorkerProcess:
    """One process that was started: what it was told, and a way to answer."""

    def __init__(self, protocol: ProcessProtocol, arguments: Sequence[str], env: Any) -> None:
        self.protocol = protocol
        self.arguments = arguments
        self.env = env
        self.told: list[Message] = []
        self.signals: list[str] = []
        self.stdin_closed = False
        self._decoder = Decoder()

    def write(self, data: bytes) -> None:
        self.told += self._decoder.feed(data)

    def closeStdin(self) -> None:
        self.stdin_closed = True

    def signalProcess(self, signal: str) -> None:
        self.signals.append(signal)

    def answer(self, *messages: Message) -> None:
        for message in messages:
            self.protocol.outReceived(message.encode())

    def die(self, status: int = 1) -> None:
        reason = ProcessTerminated(exitCode=status) if status else ProcessDone(0)
        self.protocol.processEnded(Failure(reason))

    def kinds(self) -> list[Kind]:
        return [message.kind for message in self.told]

    def count(self, kind: Kind) -> int:
        return self.kinds().count(kind)


class Processes(Clock):
    """A Clock that can spawn; `failing` is how often the system will refuse to."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[WorkerProcess] = []
        self.failing = 0

    def spawnProcess(
        self, protocol: ProcessProtocol, executable: str, args: Sequence[str], env: Any = None
    ) -> None:
        if self.failing:
            self.failing -= 1
            raise OSError("no more processes")
        process = WorkerProcess(protocol, args, env)
        self.started.append(process)
        protocol.makeConnection(process)
