"""Many callers of every carrier at once on one server, each unharmed by all the others."""

from __future__ import annotations

import random
from collections import deque

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.caller import Caller
from rapida_tw.sim.farm import CARRIERS
from rapida_tw.sim.websocket_line import WebSocketLine
from rapida_tw.simulation import VirtualServer
from rapida_tw.simulation.web import VirtualWeb

CALLS_EACH = 16
GREETING = "Welcome to the table reservation line of our restaurant. How can I help you today?"
REPLIES = [
    ["hours", "We are open from nine in the morning until eleven in the evening, every day."],
    ["table", "With pleasure. For how many people may I reserve a table for you?"],
]


class ManySocketsTests(SynchronousTestCase):
    """Calls of 20 s with questions, coughs, keys and interruptions, each at its own time."""

    def test_nothing_left(self) -> None:
        """All come up and end, no carrier complains, and no timer or socket outlives them."""
        server = VirtualServer({"replies": REPLIES, "otherwise": "Pardon?"}, {"greeting": GREETING})
        web = VirtualWeb(server)
        chance = random.Random(9007)
        callers: list[Caller] = []
        lines: list[WebSocketLine] = []
        for make in [*CARRIERS.values()] * CALLS_EACH:
            server.clock.run(len(callers) * 0.013)
            caller = Caller(keep=False)
            calling = web.call(make(web.callee), caller, self._script(caller, chance))
            calling.addCallback(lines.append)
            callers.append(caller)
        server.clock.run(30.0)

        self.assertEqual(len(lines), len(callers))
        self.assertEqual({str(caller.ending) for caller in callers}, {"caller_hung_up"})
        self.assertEqual([line.complaints for line in lines if line.complaints], [])
        self.assertEqual(web.leftovers(), [])
        page = self.successResultOf(server.conversations.page(server.project_id, 1, 100))
        self.assertEqual(page.total, len(callers))
        answered = interrupted = 0
        for conversation in page.items:
            entries = server.entries(conversation.id)
            metrics = {entry.name: entry.value for entry in entries if entry.kind == "metric"}
            self.assertEqual(metrics["call.status"], "completed")
            answered += sum(entry.name == "turn.latency" for entry in entries)
            interrupted += sum(entry.name == "turn.interrupted" for entry in entries)
        self.assertGreater(answered, 100)
        self.assertGreater(interrupted, 30)

    @staticmethod
    def _script(caller: Caller, chance: random.Random) -> deque[str | None]:
        script: deque[str | None] = deque()
        at = chance.uniform(1.0, 4.0)
        while at < 18.0:
            kind = chance.random()
            if kind < 0.2:
                script.append(None)
                caller.says("cough", at, lasting=0.2)
            elif kind < 0.3:
                caller.presses("5", at)
            else:
                script.append(chance.choice(("hours please", "a table", "something else")))
                caller.says(script[-1] or "", at, lasting=chance.choice((0.6, 0.9)))
            at += chance.uniform(2.0, 6.0)
        caller.hangs_up(at=20.0)
        return script
