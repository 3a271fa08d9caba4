"""The contract of the context stores, in memory and in a real Redis."""

from __future__ import annotations

import re

from twisted.internet import reactor
from twisted.internet.defer import DeferredList
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from rapida_tw.calls.context import (
    LIFETIME,
    NOTE_LIFETIME,
    CallContext,
    ContextStore,
    MemoryContexts,
    fresh,
)
from rapida_tw.calls.redis_contexts import ExpiringValues, RedisContexts
from rapida_tw.errors import ContextNotFound
from rapida_tw.store.redis import Redis
from tests.contracts.redis_server import RedisServer, missing

CONTEXT = CallContext(
    conversation_id=2**63 - 1,
    assistant_id=5,
    project_id=3,
    carrier="asterisk",
    direction="outbound",
    caller="+4930123456",
    callee="Zoë",
    provider_call_id="1700000000.12",
    metadata={"order": "17"},
)
_conforms: type[ExpiringValues] = Redis


class ContextsContract:
    """What every store of contexts promises; a test case gives `contexts`."""

    contexts: ContextStore

    async def put(self, seconds: float = LIFETIME) -> CallContext:
        context = fresh(CONTEXT)
        await self.contexts.put(context, seconds)
        return context

    async def claim(self, context_id: str) -> CallContext:
        return await self.contexts.claim(context_id, "asterisk")

    async def test_whole(self) -> None:
        """What was put is what is claimed."""
        put = await self.put()
        self.assertEqual(await self.claim(put.id), put)
        self.assertEqual(put.metadata, CONTEXT.metadata)

    async def test_id(self) -> None:
        """A fresh id is a UUID, and never the same."""
        first, second = fresh(CONTEXT), fresh(CONTEXT)
        self.assertTrue(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first.id))
        self.assertNotEqual(first.id, second.id)

    async def test_once(self) -> None:
        """The second claim finds nothing."""
        put = await self.put()
        await self.claim(put.id)
        with self.assertRaises(ContextNotFound):
            await self.claim(put.id)

    async def test_another_carrier(self) -> None:
        """A context is not there for the media of another carrier, and is left for its own."""
        put = await self.put()
        for carrier in ("twilio", "", "asterisk:", "Asterisk"):
            self.assertFalse(await self.contexts.waits(put.id, carrier))
            with self.assertRaises(ContextNotFound):
                await self.contexts.claim(put.id, carrier)
        self.assertEqual(await self.claim(put.id), put)

    async def test_waits(self) -> None:
        """It can be seen whether somebody has come already."""
        put = await self.put()
        self.assertIs(await self.contexts.waits(put.id, "asterisk"), True)
        self.assertIs(await self.contexts.waits(put.id.upper(), "asterisk"), True)
        await self.claim(put.id)
        self.assertIs(await self.contexts.waits(put.id, "asterisk"), False)
        self.assertIs(await self.contexts.waits("nonsense", "asterisk"), False)

    async def test_put_back(self) -> None:
        """What was claimed in vain waits again under the same id, for as long as is told."""
        put = await self.put()
        await self.claim(put.id)
        await self.contexts.put(put, 120.0)
        self.assertEqual(await self.waits(f"ctx:asterisk:{put.id}"), 120)
        self.assertEqual(await self.claim(put.id), put)

    async def test_capital_letters(self) -> None:
        """A UUID is the same in capital letters."""
        put = await self.put()
        self.assertEqual((await self.claim(put.id.upper())).id, put.id)

    async def test_unknown(self) -> None:
        """Unknown ids, and what is no id at all, are not found."""
        for context_id in ("9f1c0d3e-0000-4000-8000-000000000000", "", "{contextId}", "x" * 5000):
            with self.assertRaises(ContextNotFound):
                await self.claim(context_id)

    async def test_race(self) -> None:
        """Of a hundred who claim at once exactly one wins, the others are told."""
        put = await self.put()
        claims = [self.contexts.claim(put.id, "asterisk") for _ in range(100)]
        results = await DeferredList(claims, consumeErrors=True)
        self.assertEqual([result for success, result in results if success], [put])
        lost = [result for success, result in results if not success]
        self.assertEqual({failure.type for failure in lost}, {ContextNotFound})

    async def test_lifetime(self) -> None:
        """A context waits 300 seconds."""
        put = await self.put()
        self.assertEqual(await self.waits(f"ctx:asterisk:{put.id}"), 300)
        self.assertEqual(LIFETIME, 300)

    async def test_note(self) -> None:
        """A note is read once, by whatever letters; the last one counts; then there is none."""
        put = await self.put()
        await self.contexts.leave(put.id, "1000")
        await self.contexts.leave(put.id, "1001")
        self.assertEqual(await self.contexts.fetch(put.id.upper()), "1001")
        self.assertEqual(await self.contexts.fetch(put.id), "")

    async def test_note_is_apart(self) -> None:
        """A note outlives the claim of its context, and does not undo it."""
        put = await self.put()
        await self.claim(put.id)
        await self.contexts.leave(put.id, "1001")
        with self.assertRaises(ContextNotFound):
            await self.claim(put.id)
        self.assertEqual(await self.contexts.fetch(put.id), "1001")

    async def test_lifetime_of_a_note(self) -> None:
        """A note waits 60 seconds."""
        put = await self.put()
        await self.claim(put.id)
        await self.contexts.leave(put.id, "1001")
        self.assertEqual(await self.waits(f"ctxnote:{put.id}"), 60)
        self.assertEqual(NOTE_LIFETIME, 60)


class MemoryContextsTests(ContextsContract, TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.contexts = self.memory = MemoryContexts(self.clock)

    def tearDown(self) -> None:
        self.memory.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    async def waits(self, key: str) -> float:
        """How long until the only timer forgets something."""
        (timer,) = self.clock.getDelayedCalls()
        return timer.getTime() - self.clock.seconds()

    async def test_in_time(self) -> None:
        """A moment before its time is over a context can be claimed, and leaves no timer."""
        put = await self.put()
        self.clock.advance(LIFETIME - 0.001)
        await self.claim(put.id)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    async def test_late(self) -> None:
        """When its time is over a context is gone, and so is a note."""
        put = await self.put()
        await self.contexts.leave(put.id, "1001")
        self.clock.advance(LIFETIME)
        with self.assertRaises(ContextNotFound):
            await self.claim(put.id)
        self.assertEqual(await self.contexts.fetch(put.id), "")


class RedisContextsTests(ContextsContract, TestCase):
    skip = missing()

    async def setUp(self) -> None:
        self.server = RedisServer()
        self.addCleanup(self.server.remove)
        await self.server.start()
        self.redis = self.connect()
        self.contexts = RedisContexts(self.redis)

    def connect(self) -> Redis:
        redis = Redis(self.server.url, reactor)
        redis.startService()
        self.addCleanup(redis.stopService)
        return redis

    async def waits(self, key: str) -> int:
        """What Redis itself says of the key."""
        seconds: int = await self.redis._ask("TTL", key)
        return seconds

    async def test_race_of_nodes(self) -> None:
        """Where two nodes claim at once, exactly one wins too."""
        nodes = [self.contexts, RedisContexts(self.connect())]
        put = await self.put()
        claims = [node.claim(put.id, "asterisk") for _ in range(50) for node in nodes]
        results = await DeferredList(claims, consumeErrors=True)
        self.assertEqual([result for success, result in results if success], [put])

    async def test_another_version(self) -> None:
        """What another version of us wrote is no context of ours."""
        context_id = "9f1c0d3e-0000-4000-8000-000000000000"
        for text in ("{}", "[]", "5", "nonsense", '{"colour": 1}'):
            await self.redis.set(f"ctx:asterisk:{context_id}", text, 5)
            with self.assertRaisesRegex(ContextNotFound, "cannot be read"):
                await self.claim(context_id)
