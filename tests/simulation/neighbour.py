"""A server with one honest call, and room for others that are not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from uuid import UUID, uuid4

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.audiosocket import FakeAsterisk, Manner, packet
from rapida_tw.sim.caller import Caller
from rapida_tw.simulation import VirtualServer
from rapida_tw.store.records import Conversation
from rapida_tw.transports import audiosocket

GREETING = "Hello. How can I help you today?"
ANSWER = "We open at nine and close at ten."
AUDIO = packet(0x10, bytes(320))


class BadInput(SynchronousTestCase):
    """A server with one honest call, from 0 s to 12 s, that is checked at the end."""

    def setUp(self) -> None:
        self.server = VirtualServer({"replies": [["hours", ANSWER]]}, {"greeting": GREETING})
        self.before = dict(audiosocket.refused._values)
        self.neighbour = Caller()
        self.neighbour.says("hours please", at=6.0, lasting=0.8)
        self.neighbour.hangs_up(at=12.0)
        self.neighbour_id = self._connect(self.neighbour, ["hours please"])
        self.server.clock.run(0.01)

    def _connect(self, caller: Caller, script: Iterable[str | None] = ()) -> int:
        context = self.server.register()
        self.server.connect(context.id, caller, deque(script))
        return context.conversation_id

    def stranger(self, manner: Manner, context: UUID | None = None) -> Caller:
        """Connects now, with a UUID that nobody knows unless one is given."""
        caller = Caller()
        asterisk = FakeAsterisk(caller, context or uuid4(), self.server.metronome, manner)
        self.server.network.connect(self.server.factory, asterisk)
        return caller

    def caller(self, at: float = 0.1, manner: Manner | None = None) -> tuple[Caller, FakeAsterisk]:
        """Somebody with a call of their own, from `at` on, and their line."""
        self.server.clock.run(at)
        context = self.server.register()
        self.context = context
        caller = Caller()
        line = self.server.connect(context.id, caller, deque(), manner or Manner())
        return caller, line

    def run_to_the_end(self, until: float = 14.0) -> None:
        """Let the honest call come to its end, and see that nobody has hurt it."""
        self.server.clock.run(until)
        dialogue = [
            entry.value
            for entry in self.server.entries(self.neighbour_id)
            if entry.kind == "message"
        ]
        self.assertEqual(dialogue, [GREETING, "hours please", ANSWER])
        self.assertEqual(str(self.neighbour.ending), "caller_hung_up")
        # Not a frame of the neighbour's was lost or late: each sound is as long as its words.
        lengths = [sound.end - sound.start for sound in self.neighbour.heard]
        for length, text in zip(lengths, (GREETING, ANSWER), strict=True):
            self.assertLess(abs(length - len(text) * 0.06), 0.03)
        self.assertEqual(self.server.leftovers(), [])

    def refused(self) -> dict[str, float]:
        """How many connections were refused since the beginning, by reason."""
        values = audiosocket.refused._values
        counts = {reason[0]: count - self.before.get(reason, 0) for reason, count in values.items()}
        return {reason: count for reason, count in counts.items() if count}

    def conversation(self) -> Conversation:
        """What is remembered of the call of `caller`."""
        found: Conversation = self.successResultOf(
            self.server.conversations.get(self.context.conversation_id)
        )
        return found

    def ended(self, reason: str) -> None:
        """The call of `caller` was remembered to have ended so, once."""
        conversation = self.conversation()
        ends = [
            entry.data["reason"]
            for entry in self.server.entries(self.context.conversation_id)
            if entry.name in ("call.ended", "call.failed")
        ]
        self.assertEqual((conversation.end_reason, ends), (reason, [reason]))
