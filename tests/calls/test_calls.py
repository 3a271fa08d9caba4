"""Calls: who is on the phone, how they are reached, and how a server takes its leave."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rapida_tw.calls.calls import GOODBYE, GOODBYE_WITHIN
from rapida_tw.carriers.base import CarrierEvent
from rapida_tw.errors import (
    REMOTE_HANGUP,
    CapacityExceeded,
    NotFound,
    NotSupported,
)
from tests.calls.case import CallsCase


class SteeringTests(CallsCase):
    """Operators and carriers."""

    def test_live(self) -> None:
        """A project sees its own calls."""
        id, _ = self.connect()
        self.assertEqual([view.id for view in self.calls.live(self.project)], [id])
        self.assertEqual(self.calls.live(self.project + 1), [])
        self.assertEqual(self.calls.find(id, self.project).callee, "200")

    def test_foreign(self) -> None:
        """Nobody reaches the calls of another project, nor one that is over."""
        id, listener = self.connect()
        for project, missing in ((self.project + 1, id), (self.project, id + 1)):
            self.assertRaises(NotFound, self.calls.find, missing, project)
            self.assertRaises(NotFound, self.calls.hang_up, missing, project)
            self.assertRaises(NotFound, self.calls.say, missing, project, "hello")
            self.assertRaises(NotFound, self.calls.send_digits, missing, project, "1")
            self.assertRaises(NotFound, self.calls.transfer, missing, project, "300")
        self.assertEqual(len(self.calls), 1)
        listener.leg_ended(REMOTE_HANGUP)
        self.assertRaises(NotFound, self.calls.hang_up, id, self.project)

    def test_hang_up(self) -> None:
        """An operator's hang-up ends the call by the system."""
        id, _ = self.connect()
        self.calls.hang_up(id, self.project)
        conversation = self.conversation(id)
        self.assertEqual(conversation.end_reason, "hung_up_by_api")
        self.assertEqual(self.legs[0].hung_up, 1)
        self.nothing_left()

    def test_say_and_digits(self) -> None:
        """A text is heard by the caller, digits by the far side."""
        id, _ = self.connect()
        self.calls.say(id, self.project, "Your table is ready.")
        self.calls.send_digits(id, self.project, "1#")
        self.wait(5.0)
        said = [entry.value for entry in self.conversation(id).entries if entry.kind == "message"]
        self.assertEqual(said, ["Hello.", "Your table is ready."])
        self.assertEqual(self.legs[0].digits, "1#")

    def test_transfer_not_supported(self) -> None:
        """The call goes on."""
        id, _ = self.connect()
        self.failureResultOf(self.calls.transfer(id, self.project, "300"), NotSupported)
        self.assertEqual(len(self.calls), 1)

    def test_transfer_too_late(self) -> None:
        """A caller who hangs up before the transfer is ready has hung up."""
        id, listener = self.connect()
        held: Deferred[None] = Deferred()
        self.calls._running[id].transfer = lambda target: held  # type: ignore[method-assign]
        transferring = self.calls.transfer(id, self.project, "300")
        listener.leg_ended(REMOTE_HANGUP)
        held.callback(None)
        self.successResultOf(transferring)
        self.assertEqual(self.conversation(id).end_reason, "remote_hangup")

    def test_event(self) -> None:
        """A carrier's event is found by each of the call's names, and stands in its history."""
        context = self.successResultOf(self.register())
        for number, name in enumerate((context.id, "chan-1")):
            call = self.successResultOf(self.calls.named("asterisk", ("{contextId}", name)))
            event = CarrierEvent("status.ringing", data={"number": str(number)})
            self.calls.event_received(call, "asterisk", event)
        entries = self.conversation(context.conversation_id).entries
        events = [entry for entry in entries if entry.kind == "event"][1:]
        self.assertEqual([entry.name for entry in events], ["status.ringing"] * 2)
        self.assertEqual(events[0].data, {"carrier": "asterisk", "fields": {"number": "0"}})


class DrainTests(CallsCase):
    """The server stops."""

    def test_nobody_there(self) -> None:
        """An idle server stops at once, and leaves no timer of the calls that never came."""
        self.successResultOf(self.register())
        self.successResultOf(self.calls.drain(30.0))
        self.nothing_left()

    def test_no_new_ones(self) -> None:
        """Neither a webhook nor a connection gets in any more; the context is left to others."""
        context = self.successResultOf(self.register())
        claimed = self.claim()
        self.connect()
        draining = self.calls.drain(30.0)
        self.assertEqual(self.calls.ready, "draining")
        self.failureResultOf(self.register(), CapacityExceeded)
        self.failureResultOf(self.claim_of(context), CapacityExceeded)
        self.successResultOf(self.server.contexts.claim(context.id, "asterisk"))
        self.assertRaises(CapacityExceeded, self.attach, claimed)
        self.assertNoResult(draining)
        conversation = self.conversation(claimed.context.conversation_id)
        self.assertEqual(conversation.status, "failed")

    def test_running_ones_finish(self) -> None:
        """Calls may end by themselves; the last one lets the server go."""
        _, first = self.connect()
        _, second = self.connect()
        draining = self.calls.drain(30.0)
        self.wait(10.0)
        first.leg_ended(REMOTE_HANGUP)
        self.assertNoResult(draining)
        second.leg_ended(REMOTE_HANGUP)
        self.successResultOf(draining)
        self.nothing_left()

    def test_goodbye(self) -> None:
        """Who is still there after the time hears the closing message, whole, and is hung up."""
        id, _ = self.connect()
        draining = self.calls.drain(10.0)
        self.wait(10.0 + GOODBYE_WITHIN + 1.0)
        self.successResultOf(draining)
        conversation = self.conversation(id)
        self.assertEqual(conversation.end_reason, "server_shutdown")
        said = [entry.value for entry in conversation.entries if entry.kind == "message"]
        self.assertEqual(said, ["Hello.", GOODBYE])
        self.nothing_left()

    def test_hurried(self) -> None:
        """Who asks a second time does not wait: the calls end now, without last words."""
        id, _ = self.connect()
        draining = self.calls.drain(30.0)
        self.wait(10.0)
        self.assertNoResult(draining)
        self.calls.hurry()
        self.successResultOf(draining)
        conversation = self.conversation(id)
        self.assertEqual(conversation.end_reason, "server_shutdown")
        self.assertNotIn(GOODBYE, [entry.value for entry in conversation.entries])
        self.nothing_left()

    def test_hurried_goodbye(self) -> None:
        """Nor are last words that have begun waited for. A third time does no harm."""
        id, _ = self.connect()
        draining = self.calls.drain(0.0)
        self.wait(1.0)
        self.calls.hurry()
        self.successResultOf(draining)
        self.calls.hurry()
        self.assertEqual(self.conversation(id).end_reason, "server_shutdown")
        self.nothing_left()

    def test_goodbye_that_is_not_heard(self) -> None:
        """A voice that fails in that moment keeps nobody."""
        self.connect()
        self.wait(2.0)
        self.server.voices.opened[-1].failing = True
        draining = self.calls.drain(0.0)
        self.wait(1.0)
        self.successResultOf(draining)
        self.nothing_left()

    def test_goodbye_that_never_ends(self) -> None:
        """Nor does one that says nothing: after some seconds the call is cut off."""
        id, _ = self.connect()
        self.wait(2.0)
        self.server.voices.opened[-1].delay = 100.0
        draining = self.calls.drain(0.0)
        self.wait(GOODBYE_WITHIN + 0.1)
        self.successResultOf(draining)
        self.assertEqual(self.conversation(id).end_reason, "server_shutdown")
        self.nothing_left()
