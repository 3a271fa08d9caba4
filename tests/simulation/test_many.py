"""A thousand callers: the house under load, in virtual time, with nothing left behind."""

from __future__ import annotations

import random
from collections import deque

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.caller import Caller
from rapida_tw.simulation import VirtualServer

CALLS = 1000
GREETING = "Welcome to the table reservation line of our restaurant. How can I help you today?"
REPLIES = [
    ["hours", "We are open from nine in the morning until eleven in the evening, every day."],
    ["table", "With pleasure. For how many people may I reserve a table for you?"],
]


class ThousandCallsTests(SynchronousTestCase):
    """One-minute calls with questions, coughs and interruptions, each at its own time."""

    def test_nothing_left(self) -> None:
        """All calls are answered, all end, and no timer, session or connection outlives them."""
        server = VirtualServer({"replies": REPLIES, "otherwise": "Pardon?"}, {"greeting": GREETING})
        chance = random.Random(4573)
        callers = []
        for number in range(CALLS):
            server.clock.run(number * 0.01)
            callers.append(self._call(server, chance))
        server.clock.run(CALLS * 0.01 + 70.0)

        self.assertEqual({str(caller.ending) for caller in callers}, {"caller_hung_up"})
        self.assertEqual(server.leftovers(), [])
        interrupted = answered = 0
        page = self.successResultOf(server.conversations.page(server.project_id, 1, 100))
        self.assertEqual(page.total, CALLS)
        for conversation in page.items:
            self.assertEqual(conversation.status, "ended")
            entries = server.entries(conversation.id)
            metrics = {entry.name: entry.value for entry in entries if entry.kind == "metric"}
            self.assertEqual(metrics["call.status"], "completed")
            interrupted += sum(entry.name == "turn.interrupted" for entry in entries)
            answered += sum(entry.name == "turn.latency" for entry in entries)
        self.assertGreater(interrupted, 100)
        self.assertGreater(answered, 400)

    def _call(self, server: VirtualServer, chance: random.Random) -> Caller:
        caller = Caller(keep=False)
        script: deque[str | None] = deque()
        at = chance.uniform(1.0, 4.0)
        while at < 55.0:
            if chance.random() < 0.2:
                script.append(None)
                caller.says("cough", at, lasting=0.2)
            else:
                script.append(chance.choice(("hours please", "a table", "something else")))
                caller.says(script[-1] or "", at, lasting=chance.choice((0.6, 0.9)))
            at += chance.uniform(2.0, 9.0)
        caller.hangs_up(at=60.0)
        server.connect(server.register().id, caller, script)
        return caller
