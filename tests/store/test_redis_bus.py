"""The bus in a real Redis: heard by all who listen, also after Redis was away."""

from __future__ import annotations

from twisted.internet import reactor, task
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from rapida_tw.errors import Unavailable
from rapida_tw.store.redis import Redis
from rapida_tw.store.redis_bus import RedisBus
from tests.contracts.redis_server import RedisServer, missing


class RedisBusTests(TestCase):
    skip = missing()
    timeout = 20

    def setUp(self) -> None:
        self.server = RedisServer()
        self.addCleanup(self.server.remove)
        self.heard: list[str] = []

    def connect(self) -> RedisBus:
        redis = Redis(self.server.url, reactor)
        bus = RedisBus(redis)
        for service in (redis, bus):
            service.startService()
            self.addCleanup(service.stopService)
        return bus

    async def until_heard_by(self, bus: RedisBus, channel: str, count: int) -> None:
        """Publish until so many listen."""
        while True:
            try:
                if await bus.publish(channel, "probe") == count:
                    return
            except Unavailable:
                pass
            pause: Deferred[None] = task.deferLater(reactor, 0.02)  # type: ignore[arg-type]
            await pause

    async def until(self, text: str) -> None:
        while text not in self.heard:
            pause: Deferred[None] = task.deferLater(reactor, 0.01)  # type: ignore[arg-type]
            await pause

    async def test_all_hear(self) -> None:
        """Every node, whoever says it; only the channels that were asked for."""
        await self.server.start()
        one, two = self.connect(), self.connect()
        one.subscribe("a", lambda text: self.heard.append(f"1 {text}"))
        two.subscribe("a", lambda text: self.heard.append(f"2 {text}"))
        two.subscribe("b", lambda text: self.heard.append(f"2b {text}"))
        await self.until_heard_by(one, "a", 2)
        await self.until_heard_by(one, "b", 1)
        self.assertEqual(await one.publish("b", "héllo"), 1)
        self.assertEqual(await one.publish("a", "x"), 2)
        await self.until("1 x")
        await self.until("2 x")
        said = sorted(text for text in self.heard if not text.endswith("probe"))
        self.assertEqual(said, ["1 x", "2 x", "2b héllo"])

    async def test_restart(self) -> None:
        """What was listened to is listened to again."""
        await self.server.start()
        bus = self.connect()
        bus.subscribe("a", self.heard.append)
        await self.until_heard_by(bus, "a", 1)
        self.server.stop()
        with self.assertRaises(Unavailable):
            await bus.publish("a", "lost")
        await self.server.start()
        await self.until_heard_by(bus, "a", 1)

    async def test_bad_receiver(self) -> None:
        """One that fails does not cut the others off."""
        await self.server.start()
        bus = self.connect()
        bus.subscribe("bad", lambda text: self.heard[99])
        bus.subscribe("good", self.heard.append)
        await self.until_heard_by(bus, "bad", 1)
        await self.until_heard_by(bus, "good", 1)
        await bus.publish("good", "on")
        await self.until("on")
        self.assertTrue(self.flushLoggedErrors(IndexError))
