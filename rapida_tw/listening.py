"""Listening: the open ports of the server, as one service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger
from twisted.python.failure import Failure


class CannotStart(SystemExit, Exception):
    """The server cannot start; the sentence says why. Status 1, and no traceback.

    Also an `Exception`, because twistd passes only those on to whoever waits for a daemon's start:
    after a plain SystemExit in the daemon, the command that started it would wait for ever.
    """


def tcp(host: str, port: int) -> str:
    """The endpoint string of a TCP port; IPv6 addresses have their colons escaped."""
    interface = host.replace(":", r"\:")
    kind = "tcp6" if ":" in host else "tcp"
    return f"{kind}:{port}:interface={interface}:backlog=1024"


class Listening(Service):
    """Opens its ports while privileges are still there: all of them, or the process ends."""

    _log = Logger()

    def __init__(self, reactor: Any, wanted: Sequence[tuple[str, str, IProtocolFactory]]) -> None:
        """`wanted`: what it is for people, the endpoint string, the factory."""
        self._reactor = reactor
        self._wanted = wanted
        self.ports: list[IListeningPort] = []

    def privilegedStartService(self) -> None:
        """`CannotStart` when a port cannot be had."""
        super().privilegedStartService()
        for what, where, factory in self._wanted:
            refused: list[Failure] = []
            opening = maybeDeferred(self._open, where, factory)
            opening.addCallback(self._opened, what)
            opening.addErrback(refused.append)
            if refused:
                # A server that lacks one of its ports looks healthy and drops calls.
                raise CannotStart(f"{what} cannot listen on {where}: {_why(refused[0])}")

    def _open(self, where: str, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        opening: Deferred[IListeningPort] = serverFromString(self._reactor, where).listen(factory)
        return opening

    def _opened(self, port: IListeningPort, what: str) -> None:
        self.ports.append(port)
        self._log.info("{what} listens on {where}", what=what, where=port.getHost())

    def stopService(self) -> Deferred[None]:
        """Fires when all are closed; one that cannot be closed is logged."""
        super().stopService()
        ports, self.ports = self.ports, []
        closing = [maybeDeferred(port.stopListening).addErrback(self._not_closed) for port in ports]
        return gatherResults(closing).addCallback(lambda _: None)

    def _not_closed(self, failure: Failure) -> None:
        self._log.failure("a port cannot be closed", failure)


def _why(failure: Failure) -> str:
    """In words. A KeyError, of a socket that systemd did not hand over, has nothing but its key."""
    if isinstance(failure.value, KeyError):
        return f"there is no {failure.value}"
    return failure.getErrorMessage()
