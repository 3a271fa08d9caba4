"""Calls.take: announced and claimed in one, for media that we open ourselves."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred, succeed

from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.line import DialplanLine, LegLine, line_of
from rapida_tw.errors import (
    REMOTE_HANGUP,
    AssistantNotFound,
    CallError,
    CapacityExceeded,
    GivenUp,
)
from rapida_tw.simulation import done
from tests.calls.case import INCOMING, CallsCase
from tests.calls.fakes import RecordingLeg


class TakenTests(CallsCase):
    max_calls = 2

    def take(self, assistant_id: int = 0, direction: str = "inbound") -> Deferred[Claimed]:
        incoming = replace(INCOMING, carrier="sip")
        assistant_id = assistant_id or self.server.assistant_id
        return self.calls.take(incoming, assistant_id, self.project, direction)

    def taken(self, direction: str = "inbound") -> Claimed:
        return self.successResultOf(self.take(direction=direction))

    def test_becomes_a_call(self) -> None:
        """It is attached like one that was announced, and nothing waits under its name."""
        claimed = self.taken()
        self.failureResultOf(self.calls.claim(claimed.context.id, "sip"), CallError)
        self.attach(claimed).leg_ended(REMOTE_HANGUP)
        conversation = self.conversation(claimed.context.conversation_id)
        self.assertEqual((conversation.status, conversation.carrier), ("ended", "sip"))
        self.nothing_left()

    def test_abandoned(self) -> None:
        """A caller who hung up before the answer: the history says so, and nothing is left."""
        claimed = self.taken()
        self.calls.abandon(claimed, GivenUp("cancelled"))
        conversation = self.conversation(claimed.context.conversation_id)
        self.assertEqual((conversation.status, conversation.end_reason), ("failed", "given-up"))
        self.nothing_left()

    def test_takes_room(self) -> None:
        """What was taken counts; the last place is given away, and no more than that."""
        first, second = self.taken(), self.taken()
        self.failureResultOf(self.take(), CapacityExceeded)
        self.calls.abandon(first, GivenUp(""))
        third = self.taken()
        for claimed in (second, third):
            self.calls.abandon(claimed, GivenUp(""))

    def test_unknown_assistant(self) -> None:
        """There is no call, and no room is kept for it."""
        self.failureResultOf(self.take(assistant_id=99), AssistantNotFound)
        self.assertEqual(len([self.taken(), self.taken()]), 2)

    def test_cancelled(self) -> None:
        """Whoever does not wait any more leaves nothing behind, however late the store answers."""
        store = self.calls._registration._conversations
        held: Deferred[None] = Deferred()
        create = store.create
        self.patch(store, "create", lambda *of: held.addCallback(lambda _: create(*of)))
        taking = self.take()
        taking.cancel()
        self.failureResultOf(taking, CancelledError)
        held.callback(None)
        self.assertEqual(self.newest().end_reason, "given-up")
        self.nothing_left()

    def test_outbound(self) -> None:
        """A call of ours says so in its context and in its history."""
        claimed = self.taken("outbound")
        self.assertEqual(claimed.context.direction, "outbound")
        conversation = self.conversation(claimed.context.conversation_id)
        found = {entry.name: entry.value for entry in conversation.entries}
        self.assertEqual(found["client.direction"], "outbound")
        self.calls.abandon(claimed, GivenUp(""))


class Movable(RecordingLeg):
    """A leg whose far side goes where it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def transfer(self, target: str) -> Deferred[None]:
        self.targets.append(target)
        return succeed(None)


class LineTests(CallsCase):
    def test_by_the_leg(self) -> None:
        """A leg that can transfer does it itself; for others the dialplan is asked."""
        claimed, contexts = self.claim(), self.server.contexts
        leg = Movable()
        line = line_of(leg, claimed, contexts)
        done(line.transfer("300"))
        line.withdraw()
        self.assertEqual((type(line), leg.targets), (LegLine, ["300"]))
        self.assertIsInstance(line_of(RecordingLeg(), claimed, contexts), DialplanLine)
        self.calls.abandon(claimed, GivenUp(""))

    def test_transferred(self) -> None:
        """The call ends when its far side has gone."""
        leg = Movable()
        claimed = self.claim()
        self.calls.attach(claimed, leg)
        done(self.calls.transfer(claimed.context.conversation_id, self.project, "300"))
        self.assertEqual(leg.targets, ["300"])
        self.assertEqual(self.newest().end_reason, "transferred")
