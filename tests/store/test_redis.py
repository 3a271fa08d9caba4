"""The connection to Redis: what happens when Redis is away, comes back, or refuses us."""

from __future__ import annotations

from twisted.application.service import MultiService
from twisted.internet import reactor, task
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from rapida_tw.errors import Unavailable
from rapida_tw.store import redis as module
from rapida_tw.store.redis import Redis
from tests.contracts.redis_server import RedisServer, missing


class RedisTests(TestCase):
    skip = missing()
    timeout = 20

    def setUp(self) -> None:
        self.server = RedisServer()
        self.addCleanup(self.server.remove)

    def connect(self, url: str = "") -> Redis:
        redis = Redis(url or self.server.url, reactor)
        redis.startService()
        self.addCleanup(redis.stopService)
        return redis

    async def again(self, redis: Redis) -> None:
        """Ask until Redis answers."""
        while True:
            try:
                return await redis.ready()
            except Unavailable:
                pause: Deferred[None] = task.deferLater(reactor, 0.02)  # type: ignore[arg-type]
                await pause

    async def test_text(self) -> None:
        """Any text comes back as it was, digits too, and once only."""
        await self.server.start()
        redis = self.connect()
        for text in ("0123", "1.0", "", "héllo\\r\\n$5"):
            await redis.set("key", text, 5)
            self.assertEqual(await redis.take("key"), text)
            self.assertIsNone(await redis.take("key"))

    async def test_away_from_the_start(self) -> None:
        """Starting does not wait; the first request waits a second, later ones not at all."""
        self.patch(module, "PATIENCE", 0.05)
        redis = self.connect()
        with self.assertRaisesRegex(Unavailable, "does not answer"):
            await redis.ready()
        self.failureResultOf(redis.ready(), Unavailable)

    async def test_comes_late(self) -> None:
        """A Redis that starts after us is found."""
        self.patch(module, "PATIENCE", 0.05)
        redis = self.connect()
        with self.assertRaises(Unavailable):
            await redis.ready()
        await self.server.start()
        await self.again(redis)

    async def test_restart(self) -> None:
        """While Redis restarts, requests fail without any waiting; then it is found again."""
        self.patch(module, "PATIENCE", 60.0)
        await self.server.start()
        redis = self.connect()
        await redis.ready()
        self.server.stop()
        with self.assertRaises(Unavailable):
            await redis.ready()
        self.failureResultOf(redis.ready(), Unavailable)
        await self.server.start()
        await self.again(redis)

    async def test_hangs(self) -> None:
        """A Redis that takes requests and answers none is unavailable until it goes on."""
        await self.server.start()
        self.patch(module, "PATIENCE", 0.2)
        redis = self.connect()
        await redis.ready()
        with self.server.frozen(), self.assertRaisesRegex(Unavailable, "Not received"):
            await redis.ready()
        await self.again(redis)

    async def test_error(self) -> None:
        """An error that Redis answers is told with its text."""
        await self.server.start()
        redis = self.connect()
        with self.assertRaisesRegex(Unavailable, "wrong number of arguments"):
            await redis._ask("GETDEL")

    async def test_password(self) -> None:
        """The password of the URL is used, and is not in the connection's name."""
        self.server.password = "s3cret"
        await self.server.start()
        redis = self.connect()
        await redis.ready()
        self.assertNotIn("s3cret", str(redis))

    async def test_wrong_password(self) -> None:
        """A refused password is told at once; when the server takes it at last, all is well."""
        self.server.password = "other"
        await self.server.start()
        redis = self.connect(self.server.url.replace("other", "s3cret"))
        failure = await self.assertFailure(redis.ready(), Unavailable)
        self.assertIn("refuses us", str(failure))
        self.assertNotIn("s3cret", str(failure))
        self.server.stop()
        self.server.password = "s3cret"
        await self.server.start()
        await self.again(redis)

    async def test_stopped(self) -> None:
        """What was asked when the service stops is told, and later requests are too."""
        redis = self.connect()
        asked = redis.ready()
        await redis.stopService()
        with self.assertRaisesRegex(Unavailable, "was stopped"):
            await asked
        self.failureResultOf(redis.ready(), Unavailable)

    async def test_bounded(self) -> None:
        """Before the first connection only so many may wait."""
        self.patch(module, "_MOST_WAITING", 2)
        redis = self.connect()
        waiting = [redis.ready() for _ in range(2)]
        self.failureResultOf(redis.ready(), Unavailable)
        await redis.stopService()
        for asked in waiting:
            self.failureResultOf(asked, Unavailable)

    async def test_given_up(self) -> None:
        """Whoever cancels a request disturbs no other one."""
        await self.server.start()
        redis = self.connect()
        await redis.set("key", "text", 5)
        redis.take("other").addErrback(lambda _: None).cancel()
        self.assertEqual(await redis.take("key"), "text")

    async def test_service(self) -> None:
        """It starts and stops with the house."""
        await self.server.start()
        house = MultiService()
        redis = Redis(self.server.url, reactor)
        redis.setServiceParent(house)
        house.startService()
        await redis.ready()
        await house.stopService()


class UrlTests(SynchronousTestCase):
    def test_database(self) -> None:
        """The number of the database is read in both forms of URL."""
        for url in ("redis://localhost/3", "rediss://:x@localhost:1/3", "unix:///socket?db=3"):
            self.assertEqual(Redis(url, reactor).options["dbid"], 3)
        self.assertIsNone(Redis("redis://localhost", reactor).options["dbid"])

    def test_name(self) -> None:
        """The name is host and port, never user or password."""
        self.assertEqual(str(Redis("redis://u:p@cache/0", reactor)), "Redis at cache:6379")

    def test_refused(self) -> None:
        """Another URL is a mistake of the configuration."""
        for url in ("", "localhost:6379", "http://localhost", "redis://localhost/x", "unix:"):
            with self.assertRaises(ValueError):
                Redis(url, reactor)
