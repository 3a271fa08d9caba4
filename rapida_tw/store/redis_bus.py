"""The bus in Redis: messages between nodes, by publish and subscribe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import txredisapi  # type: ignore[import-untyped]
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger

from rapida_tw.store.redis import Redis


class _Listener(txredisapi.SubscriberProtocol):  # type: ignore[misc]
    def messageReceived(self, pattern: Any, channel: str, message: str) -> None:
        self.factory.owner.received(channel, message)


class _Factory(txredisapi.RedisFactory):  # type: ignore[misc]
    """One connection that only listens, made again when it is lost."""

    protocol = _Listener
    initialDelay = 0.1  # seconds
    maxDelay = 2.0

    def __init__(self, owner: RedisBus, **options: Any) -> None:
        super().__init__("bus", poolsize=1, convertNumbers=False, **options)
        self.owner = owner

    def connectionError(self, why: str) -> None:
        self.owner.refused(why)

    def addConnection(self, connection: Any) -> None:
        super().addConnection(connection)
        self.owner.connected(connection)


class RedisBus(Service):
    """Publishes by the connection of commands, listens by one of its own."""

    _log = Logger()

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._receivers: dict[str, Callable[[str], None]] = {}
        self._factory: _Factory | None = None
        self._listening: Any = None

    def startService(self) -> None:
        super().startService()
        self._factory = _Factory(self, **self._redis.options)
        self._factory.startConnecting(self._redis.endpoint())

    def stopService(self) -> Deferred[None]:
        super().stopService()
        factory, self._factory = self._factory, None
        done: Deferred[None] = maybeDeferred(factory.disconnect if factory else lambda: None)
        return done.addCallback(lambda _: None)

    def publish(self, channel: str, text: str) -> Deferred[int]:
        """How many have heard it; `Unavailable`."""
        return self._redis.publish(channel, text)

    def subscribe(self, channel: str, received: Callable[[str], None]) -> None:
        """From now on, and again after each loss of the connection."""
        self._receivers[channel] = received
        if self._listening is not None:
            self._subscribe([channel])

    def connected(self, listening: Any) -> None:
        """From the factory: it can be listened to."""
        self._listening = listening
        if self._receivers:
            self._subscribe(list(self._receivers))

    def _subscribe(self, channels: list[str]) -> None:
        asking = maybeDeferred(self._listening.subscribe, channels)
        asking.addErrback(lambda f: self._log.warn("the bus: {why}", why=f.getErrorMessage()))

    def refused(self, why: str) -> None:
        """From the factory: the server does not want us."""
        self._log.error("the bus in {redis}: {why}", redis=str(self._redis), why=why)

    def received(self, channel: str, message: str) -> None:
        receiver = self._receivers.get(channel)
        if receiver is None:
            return
        try:
            receiver(message)
        except Exception:
            self._log.failure("a message of another node could not be taken")
