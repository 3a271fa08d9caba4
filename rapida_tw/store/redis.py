"""The connection to Redis: found again when lost, and quick to say that it is away."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import txredisapi  # type: ignore[import-untyped]
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, fail, maybeDeferred, succeed
from twisted.internet.defer import TimeoutError as Overdue
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import Unavailable

PATIENCE = 1.0  # seconds for one answer; a caller hears nothing meanwhile
_MOST_WAITING = 1000  # commands, while the first connection is made


class _Factory(txredisapi.RedisFactory):  # type: ignore[misc]
    """One connection that is always wanted, and that tells how it fares.

    The base class gives up for good when the server refuses the password or the database, or
    goes away while they are checked; ours tries again, as seldom as for a server that is away.
    """

    initialDelay = 0.1  # seconds
    maxDelay = 2.0  # seconds between attempts

    def __init__(self, name: str, owner: Redis, **options: Any) -> None:
        super().__init__(name, poolsize=1, replyTimeout=PATIENCE, convertNumbers=False, **options)
        self._owner = owner

    def stopTrying(self) -> Deferred[list[None]]:
        return succeed([])

    def connectionError(self, why: str) -> None:
        self._owner.refused(why)

    def addConnection(self, connection: Any) -> None:
        super().addConnection(connection)
        if self.size:
            self._owner.connected()

    def delConnection(self, connection: Any) -> None:
        super().delConnection(connection)
        self._owner.lost()


class Redis(Service):
    """Commands with an end: each answers, or fails with `Unavailable`, within `PATIENCE`.

    Starting does not wait for the server; `ready` does.
    """

    _log = Logger()

    def __init__(self, url: str, reactor: Any) -> None:
        """`url`: redis://[user:password@]host[:port][/n], rediss:// (TLS) or unix:///path[?db=n].

        `reactor`: the global one (txredisapi knows no other). `ValueError` for another URL.
        """
        self._reactor = reactor
        parts = urlsplit(url)
        self._parts = parts
        self._name = _name(parts)
        self.endpoint()  # `ValueError` now, not at the start
        self.options = {
            "dbid": _database(parts),
            "username": unquote(parts.username) if parts.username else None,
            "password": unquote(parts.password) if parts.password else None,
        }
        self._factory: _Factory | None = None
        self._asked: set[Deferred[Any]] = set()
        self._trouble = ""  # why there is no connection; "" while the first one is being made

    def __str__(self) -> str:
        return f"Redis at {self._name}"

    def startService(self) -> None:
        super().startService()
        self._trouble = ""
        self._factory = _Factory(self._name, self, **self.options)
        self._factory.startConnecting(self.endpoint())

    def stopService(self) -> Deferred[None]:
        """Close the connection and fail what was asked; fires when it is closed."""
        super().stopService()
        factory, self._factory = self._factory, None
        self._give_up()
        done: Deferred[None] = maybeDeferred(factory.disconnect if factory else lambda: None)
        return done.addCallback(lambda _: None)

    def endpoint(self) -> IStreamClientEndpoint:
        """A way to the server."""
        return _endpoint(self._parts, self._reactor)

    def publish(self, channel: str, text: str) -> Deferred[int]:
        """How many connections have heard it."""
        return self._ask("PUBLISH", channel, text).addCallback(int)

    def ready(self) -> Deferred[None]:
        """Fires when Redis answers; `Unavailable` when it does not."""
        return self._ask("PING").addCallback(lambda _: None)

    def set(self, key: str, value: str, seconds: int) -> Deferred[None]:
        """Keep `value` under `key` for so many seconds."""
        return self._ask("SET", key, value, "EX", seconds).addCallback(lambda _: None)

    def take(self, key: str) -> Deferred[str | None]:
        """The value, removed by the same command; None when there is none."""
        return self._ask("GETDEL", key)

    def has(self, key: str) -> Deferred[bool]:
        """Whether there is a value."""
        return self._ask("EXISTS", key).addCallback(bool)

    def connected(self) -> None:
        """From the factory: commands are taken."""
        self._log.info("connected to {redis}", redis=str(self))

    def lost(self) -> None:
        """From the factory: the connection is gone and will be made again."""
        self._trouble = "is away"
        if self._factory is not None:
            self._log.warn("lost {redis}", redis=str(self))

    def refused(self, why: str) -> None:
        """From the factory: the server does not want us; whoever waits need not wait longer."""
        self._trouble = f"refuses us: {why}"
        self._log.error("{redis} {trouble}", redis=str(self), trouble=self._trouble)
        self._give_up()

    def _ask(self, *command: object) -> Deferred[Any]:
        factory = self._factory
        if factory is None:
            return fail(Unavailable(f"{self} is not started"))
        if not factory.size and (self._trouble or len(self._asked) >= _MOST_WAITING):
            return fail(Unavailable(f"{self} {self._trouble or 'has too much waiting'}"))
        asked: Deferred[Any] = factory.handler.execute_command(*command)
        # The factory's own time limit runs once a command is sent; this one bounds the wait for
        # a connection. It is the longer one, because cancelling would disarm the other, which
        # closes a connection that went dead.
        asked.addTimeout(PATIENCE * 1.2, self._reactor)
        self._asked.add(asked)
        asked.addBoth(self._answered, asked)
        return asked.addErrback(self._failed)

    def _give_up(self) -> None:
        for asked in tuple(self._asked):
            asked.cancel()

    def _answered(self, result: Any, asked: Deferred[Any]) -> Any:
        self._asked.discard(asked)
        return result

    def _failed(self, failure: Failure) -> Any:
        if failure.check(Overdue):
            self._trouble = self._trouble or "does not answer"
            raise Unavailable(f"{self} does not answer")
        if failure.check(txredisapi.RedisError):
            raise Unavailable(f"{self}: {failure.getErrorMessage()}")
        failure.trap(CancelledError)
        if self._factory is None or not self._factory.size:
            raise Unavailable(f"{self} {self._trouble or 'was stopped'}")
        return failure  # whoever asked gave up


def _name(parts: SplitResult) -> str:
    """For messages: without user and password."""
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname}:{parts.port or 6379}"


def _endpoint(parts: SplitResult, reactor: Any) -> IStreamClientEndpoint:
    """Where to connect to."""
    if parts.scheme == "unix" and parts.path:
        return UNIXClientEndpoint(reactor, parts.path, timeout=PATIENCE)
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
        raise ValueError("a Redis URL is redis://host:port/0, rediss://… or unix:///path?db=0")
    port = parts.port or 6379
    endpoint: Any = HostnameEndpoint(reactor, parts.hostname, port, timeout=PATIENCE)
    if parts.scheme == "rediss":
        endpoint = wrapClientTLS(optionsForClientTLS(parts.hostname), endpoint)
    return cast(IStreamClientEndpoint, endpoint)


def _database(parts: SplitResult) -> int | None:
    """The number of the database; None = the server's first."""
    path = parse_qs(parts.query).get("db", [""])[0] if parts.scheme == "unix" else parts.path[1:]
    if not path:
        return None
    if not path.isdigit():
        raise ValueError("the database of a Redis URL is a number")
    return int(path)
