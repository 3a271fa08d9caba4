"""Placed calls: from their dialling to their media or their end."""

from __future__ import annotations

from typing import Any

from rapida_tw.calls.outstanding import LOOK_AFTER
from rapida_tw.calls.placed_call import GRACE, MEDIA_WITHIN
from rapida_tw.carriers.base import CarrierEvent
from rapida_tw.carriers.outbound import (
    Outcome,
    Progress,
    State,
)
from rapida_tw.errors import (
    REMOTE_HANGUP,
    ContextNotFound,
)
from rapida_tw.simulation import done
from rapida_tw.store.records import Conversation, NamedCall
from tests.calls.fakes import RecordingLeg
from tests.calls.placing_case import PlacingCase


class LifeTests(PlacingCase):
    def test_progress(self) -> None:
        """States go forward in any order of callbacks."""
        conversation = self.placed()
        self.event(conversation, State.RINGING, None)
        self.assertEqual(self.told(conversation), ("ringing", ""))
        self.event(conversation, State.ANSWERED, None)
        self.event(conversation, State.RINGING, None)
        self.assertEqual(self.told(conversation), ("answered", ""))

    def test_talks(self) -> None:
        """The media comes: the call greets with its arguments, and ends as completed."""
        conversation = self.placed()
        self.answer()
        self.wait(3.0)
        self.calls.event_received(
            NamedCall(conversation.id, conversation.assistant_id, self.project),
            "twilio",
            CarrierEvent("status.busy", progress=Progress(State.OVER, Outcome("busy"))),
            self.order.context_id,
        )
        self.wait(1.0)
        self.assertEqual(self.told(conversation)[0], "active")
        self.assertEqual(self.entries(conversation, "message"), {"assistant": "Hello Maria."})
        self.calls.hang_up(conversation.id, self.project)
        self.assertEqual(self.told(conversation), ("ended", "hung_up_by_api"))
        self.assertEqual([over.status for over in self.overs], ["completed"])
        self.assertEqual(self.telephone.cancelled, 0)
        self.assertEqual(self.telephone.lines[-1].told, ["hang up hung_up_by_api"])

    def test_remote_call(self) -> None:
        """Steering knows what the carrier told."""
        conversation = self.placed()
        self.answer()
        done(self.calls.transfer(conversation.id, self.project, "+15550003"))
        line = self.telephone.lines[-1]
        self.assertEqual(line.told, ["transfer +15550003"])
        self.assertEqual(line.call.call_id, "CA1")
        self.assertEqual((line.call.direction, line.call.caller), ("outbound", "+15550009999"))
        self.assertEqual(line.call.data, {"region": "x"})

    def test_busy(self) -> None:
        """The carrier says it: the call has ended, nobody can come for its context."""
        conversation = self.placed()
        self.event(conversation, State.OVER, Outcome("busy", "Busy Here", "486", True))
        self.assertEqual(self.told(conversation), ("failed", "busy"))
        metrics = self.entries(conversation, "metric")
        self.assertEqual(metrics["call.status"], "no_answer")
        self.assertEqual(self.entries(conversation, "metadata")["provider_status_code"], "486")
        self.assertEqual([(over.reason, over.retryable) for over in self.overs], [("busy", True)])
        claim = self.calls.claim(self.order.context_id, "twilio")
        self.failureResultOf(claim, ContextNotFound)
        self.assertEqual(self.telephone.cancelled, 0)
        self.nothing_left()

    def test_late_callbacks(self) -> None:
        """After the end nothing changes any more."""
        conversation = self.placed()
        self.event(conversation, State.OVER, Outcome("busy"))
        for state in (State.RINGING, State.ANSWERED, State.OVER):
            self.event(conversation, state, Outcome("failed"))
        self.assertEqual(self.told(conversation), ("failed", "busy"))
        self.assertEqual(len(self.overs), 1)

    def test_no_answer(self) -> None:
        """Our own timer, when the carrier is silent: it is told to give up."""
        conversation = self.placed(options={"ring_timeout": 20})
        self.wait(20 + GRACE - 0.5)
        self.assertEqual(self.telephone.cancelled, 0)
        self.wait(1.0)
        self.assertEqual(self.telephone.cancelled, 1)
        self.assertEqual(self.told(conversation), ("failed", "no_answer"))
        self.assertEqual(self.entries(conversation, "metric")["call.status"], "no_answer")
        self.nothing_left()

    def test_no_media(self) -> None:
        """Answered, and nobody comes."""
        conversation = self.placed()
        self.event(conversation, State.ANSWERED, None)
        self.wait(MEDIA_WITHIN + 1)
        self.assertEqual(self.told(conversation), ("failed", "media_failed"))
        self.assertEqual(self.telephone.cancelled, 1)

    def test_media_elsewhere(self) -> None:
        """Another node took its context: the ring timer leaves it alone."""
        conversation = self.placed()
        done(self.server.contexts.claim(self.order.context_id, "twilio"))
        self.wait(30)
        done(self.server.conversations.set_status(conversation.id, "connected"))
        self.wait(30 + GRACE + LOOK_AFTER + 1)
        self.assertEqual(self.told(conversation), ("connected", ""))
        self.assertEqual(self.telephone.cancelled, 0)
        self.assertEqual(self.overs, [])
        self.nothing_left()

    def test_other_nodes_call(self) -> None:
        """A callback of a call that another node has placed ends it, if its context waits."""
        conversation = self.placed()
        self.calls.outstanding._calls.clear()
        self.event(conversation, State.OVER, Outcome("busy"))
        self.assertEqual(self.told(conversation), ("failed", "busy"))
        self.user.failed(Outcome("cancelled"))

    def test_cut_before_open(self) -> None:
        """The media connection breaks before it is open: the next one is taken."""
        self.placed()
        claimed = self.successResultOf(self.calls.claim(self.order.context_id, "twilio"))
        self.calls.release(claimed)
        self.wait(1.0)
        self.answer()
        self.assertEqual(len(self.calls), 1)

    def test_given_up(self) -> None:
        """By whoever has asked for it."""
        conversation = self.placed()
        self.assertFalse(self.server.placing.give_up(conversation.id, 99))
        self.assertTrue(self.server.placing.give_up(conversation.id, self.project))
        self.assertEqual(self.told(conversation), ("failed", "cancelled"))
        self.assertEqual(self.telephone.cancelled, 1)

    def test_drained(self) -> None:
        """A server that stops leaves nobody ringing."""
        conversation = self.placed()
        self.calls.drain(1.0)
        self.assertEqual(self.told(conversation), ("failed", "cancelled"))
        self.nothing_left()


class MachineTests(PlacingCase):
    def verdict(self, conversation: Conversation, verdict: str) -> None:
        named = NamedCall(conversation.id, conversation.assistant_id, self.project)
        event = CarrierEvent(f"machine.{verdict}", verdict=verdict)
        self.calls.event_received(named, "twilio", event, self.order.context_id)
        self.wait(4.0)

    def talking(self, **options: Any) -> Conversation:
        conversation = self.placed(options=options)
        self.answer()
        self.wait(1.0)
        return conversation

    def test_hang_up(self) -> None:
        conversation = self.talking(machine_detection="hangup")
        self.assertEqual(self.order.detection, "start")
        self.verdict(conversation, "machine")
        self.assertEqual(self.told(conversation), ("ended", "machine_detected"))

    def test_human(self) -> None:
        """Goes on, and it is known."""
        conversation = self.talking(machine_detection="hangup")
        self.verdict(conversation, "human")
        self.assertEqual(self.told(conversation)[0], "active")
        self.assertEqual(self.entries(conversation, "metadata")["answered_by"], "human")

    def test_message(self) -> None:
        """Said after the beep, and the call ends."""
        conversation = self.talking(
            machine_detection="message", machine_message="Please call back, {{ name }}."
        )
        self.assertEqual(self.order.detection, "end")
        self.verdict(conversation, "machine")
        self.verdict(conversation, "beep")
        self.wait(5.0)
        self.assertEqual(self.told(conversation), ("ended", "machine_detected"))
        said = [
            entry.value
            for entry in self.conversation(conversation.id).entries
            if entry.kind == "message"
        ]
        self.assertEqual(said[-1], "Please call back, Maria.")

    def test_report(self) -> None:
        """Only told."""
        conversation = self.talking(machine_detection="report")
        self.verdict(conversation, "machine")
        self.assertEqual(self.told(conversation)[0], "active")

    def test_before_media(self) -> None:
        """A verdict that is faster than the media is not lost."""
        conversation = self.placed(options={"machine_detection": "hangup"})
        self.verdict(conversation, "machine")
        self.answer()
        self.wait(1.0)
        self.assertEqual(self.told(conversation), ("ended", "machine_detected"))

    def test_while_media_comes(self) -> None:
        """Nor is one that comes between the claim and the call."""
        conversation = self.placed(options={"machine_detection": "hangup"})
        claimed = self.successResultOf(self.calls.claim(self.order.context_id, "twilio"))
        self.verdict(conversation, "machine")
        self.attach(claimed)
        self.wait(1.0)
        self.assertEqual(self.told(conversation), ("ended", "machine_detected"))


class OwnMediaTests(PlacingCase):
    provider = "sip"

    def test_attached(self) -> None:
        """The telephone brings the leg; no context waits for anybody."""
        conversation = self.placed()
        self.assertFalse(done(self.server.contexts.waits(self.order.context_id, "sip")))
        leg = RecordingLeg()
        listener = self.user.attach(leg)
        self.wait(2.0)
        self.assertEqual(self.told(conversation)[0], "active")
        listener.leg_ended(REMOTE_HANGUP)
        self.assertEqual(self.told(conversation), ("ended", "remote_hangup"))
        self.nothing_left()

    def test_no_answer(self) -> None:
        conversation = self.placed()
        self.user.failed(Outcome("no_answer", retryable=True))
        self.assertEqual(self.told(conversation), ("failed", "no_answer"))
        self.nothing_left()
