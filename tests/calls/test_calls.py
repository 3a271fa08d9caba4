"""Calls: who may call, who is on the phone, and how a server takes its leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls import calls, registration
from rapida_tw.calls.admission import FULL_AT
from rapida_tw.calls.calls import GOODBYE, GOODBYE_WITHIN, Claimed
from rapida_tw.calls.context import LIFETIME, CallContext
from rapida_tw.calls.journal import EVERY
from rapida_tw.carriers.base import CarrierEvent, IncomingCall
from rapida_tw.errors import (
    REMOTE_HANGUP,
    AssistantNotFound,
    CapacityExceeded,
    ContextNotFound,
    MisconfiguredAssistant,
    NotFound,
    NotSupported,
    Unavailable,
)
from rapida_tw.media.leg import LegListener
from rapida_tw.simulation import VirtualServer, done
from rapida_tw.store.records import Conversation, Deployment, VendorChoice
from tests.calls.fakes import HeldDisk, RecordingLeg

INCOMING = IncomingCall("asterisk", "100", "200", "chan-1", {"order": "17"})


class _Case(SynchronousTestCase):
    max_calls = 0
    deployment: Mapping[str, Any] = {"greeting": "Hello."}

    def setUp(self) -> None:
        self.disk = HeldDisk()
        self.server = VirtualServer(
            {"otherwise": "Pardon?"},
            self.deployment,
            max_calls=self.max_calls,
            disk=self.disk,  # type: ignore[arg-type]
        )
        self.calls = self.server.calls
        self.project = self.server.project_id
        self.legs: list[RecordingLeg] = []
        self.names = 0
        self.addCleanup(self._hang_up_all)

    def _hang_up_all(self) -> None:
        for view in self.calls.live(self.project):
            self.calls.hang_up(view.id, self.project)

    def register(self, assistant_id: int = 0) -> Deferred[CallContext]:
        """A call with a name of its own."""
        self.names += 1
        incoming = replace(INCOMING, provider_call_id=f"chan-{self.names}")
        assistant_id = assistant_id or self.server.assistant_id
        registering = self.calls.register(incoming, assistant_id, self.project)
        return registering.addCallback(lambda registered: registered.context)

    def claim_of(self, context: CallContext) -> Deferred[Claimed]:
        return self.calls.claim(context.id, "asterisk")

    def claim(self) -> Claimed:
        return self.successResultOf(self.claim_of(self.successResultOf(self.register())))

    def attach(self, claimed: Claimed) -> LegListener:
        self.legs.append(RecordingLeg())
        return self.calls.attach(claimed, self.legs[-1])

    def connect(self) -> tuple[int, LegListener]:
        claimed = self.claim()
        return claimed.context.conversation_id, self.attach(claimed)

    def wait(self, seconds: float = 2 * EVERY) -> None:
        self.server.clock.run(self.server.clock.seconds() + seconds)

    def conversation(self, conversation_id: int) -> Conversation:
        self.wait()
        found: Conversation = done(self.server.conversations.get(conversation_id))
        return found

    def newest(self) -> Conversation:
        page = done(self.server.conversations.page(self.project, 1, 1))
        return self.conversation(page.items[0].id)

    def nothing_left(self) -> None:
        """Neither a call nor a timer, once the context store has forgotten all as well."""
        self.server.contexts.close()
        self.wait()
        self.assertEqual(self.server.leftovers(), [])


class RegisterTests(_Case):
    """Phase 1: the webhook."""

    def test_remembered(self) -> None:
        """The call is saved with all that the carrier told, and waits for its connection."""
        before = registration.registered.value("asterisk")
        context = self.successResultOf(self.register())
        conversation = self.conversation(context.conversation_id)
        self.assertEqual((conversation.status, conversation.identifier), ("saved", "100"))
        self.assertEqual((conversation.carrier, conversation.direction), ("asterisk", "inbound"))
        self.assertEqual(
            {e.name: e.value for e in conversation.entries if e.kind == "metadata"},
            {
                "client.phone": "100",
                "client.assistant_phone": "200",
                "client.direction": "inbound",
                "client.channel": "asterisk",
                "client.provider_call_id": "chan-1",
                "client.context_id": context.id,
            },
        )
        self.assertEqual([e.name for e in conversation.entries if e.kind == "event"], ["webhook"])
        self.assertEqual(registration.registered.value("asterisk"), before + 1)

    def test_unknown_assistant(self) -> None:
        """Nobody answers there: refused, counted, and nothing is saved."""
        before = registration.refused.value("assistant-not-found")
        self.failureResultOf(self.register(999), AssistantNotFound)
        self.assertEqual(registration.refused.value("assistant-not-found"), before + 1)
        self.assertEqual(done(self.server.conversations.page(self.project)).total, 0)

    def test_foreign_assistant(self) -> None:
        """An assistant of another project is as unknown."""
        registering = self.calls.register(INCOMING, self.server.assistant_id, self.project + 1)
        self.failureResultOf(registering, AssistantNotFound)

    def test_misconfigured(self) -> None:
        """An assistant whose vendor is not installed is refused before the phone is answered."""
        deployment = Deployment(self.server.assistant_id, stt=VendorChoice("nobody"))
        done(self.calls._assistants.deploy(deployment))
        self.failureResultOf(self.register(), MisconfiguredAssistant)

    def test_context_store_away(self) -> None:
        """A call whose context cannot be kept has failed: it does not stay a webhook for ever."""
        away: Deferred[None] = fail(Unavailable("no Redis"))
        self.server.contexts.put = lambda context: away  # type: ignore[method-assign]
        before = registration.refused.value("unavailable")
        self.failureResultOf(self.register(), Unavailable)
        self.assertEqual(registration.refused.value("unavailable"), before + 1)
        conversation = self.newest()
        self.assertEqual((conversation.status, conversation.end_reason), ("failed", "unavailable"))
        self.nothing_left()

    def test_expired(self) -> None:
        """Nobody connects for five minutes: the call has expired, as not answered."""
        context = self.successResultOf(self.register())
        self.wait(LIFETIME - 1.0)
        self.assertEqual(self.conversation(context.conversation_id).status, "saved")
        self.wait(2.0)
        conversation = self.conversation(context.conversation_id)
        self.assertEqual((conversation.status, conversation.end_reason), ("expired", "expired"))
        values = {entry.name: entry.value for entry in conversation.entries}
        self.assertEqual(values["call.status"], "no_answer")
        self.assertIn("call.failed", values)
        self.failureResultOf(self.claim_of(context), ContextNotFound)
        self.nothing_left()

    def test_taken_by_another_node(self) -> None:
        """A call that runs on another node has not expired here."""
        context = self.successResultOf(self.register())
        self.wait()
        done(self.server.conversations.set_status(context.conversation_id, "active"))
        self.wait(LIFETIME + 1.0)
        self.assertEqual(self.conversation(context.conversation_id).status, "active")

    def test_database_away_at_expiry(self) -> None:
        """A database that is away in that moment is logged, and nothing more."""
        self.successResultOf(self.register())
        self.wait()
        away: Deferred[Conversation] = fail(Unavailable("away"))
        self.server.conversations.get = lambda *_: away  # type: ignore[method-assign]
        self.wait(LIFETIME + 1.0)
        self.assertEqual(len(self.flushLoggedErrors(Unavailable)), 1)


class ConnectTests(_Case):
    """Phase 2: the media connection."""

    def test_once(self) -> None:
        """A context is good for one call."""
        context = self.successResultOf(self.register())
        self.successResultOf(self.claim_of(context))
        self.failureResultOf(self.claim_of(context), ContextNotFound)
        self.wait(LIFETIME + 1.0)  # and does not expire any more
        self.assertEqual(self.conversation(context.conversation_id).status, "saved")

    def test_counted(self) -> None:
        """Running calls are counted up and down, ends by their reason."""
        total = calls.started.value("asterisk")
        ended = calls.ended.value("remote_hangup", "completed")
        _, first = self.connect()
        self.connect()
        self.assertEqual((len(self.calls), calls.running.value()), (2, 2))
        self.assertEqual(calls.started.value("asterisk"), total + 2)
        first.leg_ended(REMOTE_HANGUP)
        self.assertEqual((len(self.calls), calls.running.value()), (1, 1))
        self.assertEqual(calls.ended.value("remote_hangup", "completed"), ended + 1)
        self.calls.hang_up(self.calls.live(self.project)[0].id, self.project)
        self.nothing_left()

    def test_states(self) -> None:
        """saved → active → ended, as the store sees it; connected lasts no time here."""
        id, listener = self.connect()
        self.assertEqual(self.conversation(id).status, "active")
        listener.leg_ended(REMOTE_HANGUP)
        conversation = self.conversation(id)
        self.assertEqual((conversation.status, conversation.duration), ("ended", 0.5))
        names = [entry.name for entry in conversation.entries if entry.kind == "event"]
        self.assertEqual(names, ["webhook", "call.connected", "call.ended"])

    def test_assistant_deleted_meanwhile(self) -> None:
        """The call has failed, with the reason, and the connection is refused."""
        context = self.successResultOf(self.register())
        done(self.calls._assistants.delete(self.server.assistant_id, self.project))
        self.failureResultOf(self.claim_of(context), AssistantNotFound)
        conversation = self.conversation(context.conversation_id)
        self.assertEqual(conversation.status, "failed")
        self.assertEqual(conversation.end_reason, "assistant-not-found")

    def test_misconfigured_meanwhile(self) -> None:
        """So has one whose deployment cannot be used any more; nothing of it is left."""
        claimed = self.claim()
        bad = Deployment(self.server.assistant_id, greeting="{{")
        self.assertRaises(
            MisconfiguredAssistant,
            self.attach,
            Claimed(claimed.context, claimed.assistant, bad),
        )
        conversation = self.conversation(claimed.context.conversation_id)
        self.assertEqual(conversation.end_reason, "configuration-failed")
        self.nothing_left()

    def test_store_slower_than_the_carrier(self) -> None:
        """A claim that its connection gave up on is a failed call, not one that waits for ever."""
        context = self.successResultOf(self.register())
        held: Deferred[Any] = Deferred()
        self.calls._assistants.get = lambda *_: held  # type: ignore[method-assign]
        claiming = self.claim_of(context)
        claiming.cancel()
        self.failureResultOf(claiming)
        self.assertEqual(self.conversation(context.conversation_id).status, "failed")

    def test_bug_while_attaching(self) -> None:
        """A bug of ours fails the call too."""
        claimed = self.claim()
        self.calls._vendors.open = lambda *_: 1 / 0  # type: ignore[method-assign, assignment]
        self.assertRaises(ZeroDivisionError, self.attach, claimed)
        conversation = self.conversation(claimed.context.conversation_id)
        self.assertEqual(
            (conversation.status, conversation.end_reason), ("failed", "internal-error")
        )
        self.nothing_left()

    def test_bug_at_the_start(self) -> None:
        """A recording that cannot even be opened ends the call, once, off the beat."""
        self.disk.error = ZeroDivisionError()
        id, _ = self.connect()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.conversation(id).end_reason, "internal_error")
        self.assertEqual(self.legs[0].hung_up, 1)
        self.nothing_left()


class NoRecordingTests(_Case):
    """A deployment that wants no recording."""

    deployment = {"recording": False}

    def test_none(self) -> None:
        """No file is opened, and the journal names none."""
        id, listener = self.connect()
        listener.leg_ended(REMOTE_HANGUP)
        self.assertEqual(self.disk.opened, [])
        self.assertNotIn("recording", [entry.kind for entry in self.conversation(id).entries])


class AdmissionTests(_Case):
    """A full node sheds the new calls and leaves the running ones alone."""

    max_calls = 2

    def test_most_calls(self) -> None:
        """The number of calls is a limit, for webhooks and for connections."""
        late = self.successResultOf(self.register())
        _, listener = self.connect()
        self.assertEqual(self.calls.ready, "")
        self.connect()
        self.assertIn("full", self.calls.ready)
        before = registration.refused.value("capacity-exceeded")
        self.failureResultOf(self.register(), CapacityExceeded)
        self.assertEqual(registration.refused.value("capacity-exceeded"), before + 1)
        self.failureResultOf(self.claim_of(late), CapacityExceeded)
        self.assertEqual(len(self.calls), 2)
        listener.leg_ended(REMOTE_HANGUP)
        self.successResultOf(self.claim_of(late))  # its context was left to it

    def test_late_beat(self) -> None:
        """A beat that comes late says so too; an idle node is never full by it."""
        self.server.beat.lateness = FULL_AT + 0.001
        self.assertEqual(self.calls.ready, "")
        self.connect()
        self.assertEqual(self.calls.ready, "full: the beat is 9 ms late")
        self.failureResultOf(self.register(), CapacityExceeded)
        self.server.beat.lateness = 0.0
        self.assertEqual(self.calls.ready, "")

    def test_journal(self) -> None:
        """A node that cannot remember takes no new calls, but those it has told to come."""
        context = self.successResultOf(self.register())
        self.server.journal._failing = True
        self.assertIn("database", self.calls.ready)
        self.failureResultOf(self.register(), CapacityExceeded)
        self.successResultOf(self.claim_of(context))


class SteeringTests(_Case):
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


class DrainTests(_Case):
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
