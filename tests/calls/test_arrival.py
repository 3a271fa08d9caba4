"""Arrival: the media connection claims its context, and becomes a call, or does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, fail

from rapida_tw.calls import calls, registration
from rapida_tw.calls.admission import FULL_AT
from rapida_tw.calls.context import LIFETIME
from rapida_tw.calls.warm import KEPT
from rapida_tw.errors import (
    MEDIA_TIMEOUT,
    REMOTE_HANGUP,
    AssistantNotFound,
    CallError,
    CapacityExceeded,
    ContextNotFound,
    MisconfiguredAssistant,
    Unavailable,
)
from rapida_tw.simulation import done
from rapida_tw.store.records import Deployment
from tests.calls.case import CallsCase


class ConnectTests(CallsCase):
    """Phase 2: the media connection."""

    def test_own_carrier(self) -> None:
        """A context is there for its own carrier's media, and is left for it."""
        context = self.registered()
        for carrier in ("twilio", "", "Asterisk"):
            self.failureResultOf(self.calls.claim(context.id, carrier), ContextNotFound)
        self.successResultOf(self.claim_of(context))

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

    def test_leg_is_told(self) -> None:
        """The leg hears why it is hung up: some protocols can tell the far side."""
        id, _ = self.connect()
        self.calls._running[id].end(MEDIA_TIMEOUT)
        self.assertEqual(self.legs[0].told, MEDIA_TIMEOUT)
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
        done(self.server.assistants.delete(self.server.assistant_id, self.project))
        self.failureResultOf(self.claim_of(context), AssistantNotFound)
        conversation = self.conversation(context.conversation_id)
        self.assertEqual(conversation.status, "failed")
        self.assertEqual(conversation.end_reason, "assistant-not-found")

    def test_misconfigured_meanwhile(self) -> None:
        """So has one whose deployment cannot be used any more; nothing of it is left."""
        claimed = self.claim()
        self.wait(KEPT)
        bad = Deployment(self.server.assistant_id, greeting="{{")
        self.assertRaises(
            MisconfiguredAssistant,
            self.attach,
            replace(claimed, deployment=bad),
        )
        conversation = self.conversation(claimed.context.conversation_id)
        self.assertEqual(conversation.end_reason, "configuration-failed")
        self.nothing_left()

    def test_store_slower_than_the_carrier(self) -> None:
        """A claim that its connection gave up on is a failed call, not one that waits for ever."""
        context = self.successResultOf(self.register())
        held: Deferred[Any] = Deferred()
        self.server.assistants.get = lambda *_: held  # type: ignore[method-assign]
        claiming = self.claim_of(context)
        claiming.cancel()
        self.failureResultOf(claiming)
        self.assertEqual(self.conversation(context.conversation_id).status, "failed")

    def test_bug_while_attaching(self) -> None:
        """A bug of ours fails the call too."""
        claimed = self.claim()
        self.wait(KEPT)
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


class NoRecordingTests(CallsCase):
    """A deployment that wants no recording."""

    deployment = {"recording": False}

    def test_none(self) -> None:
        """No file is opened, and the journal names none."""
        id, listener = self.connect()
        listener.leg_ended(REMOTE_HANGUP)
        self.assertEqual(self.disk.opened, [])
        self.assertNotIn("recording", [entry.kind for entry in self.conversation(id).entries])


class AdmissionTests(CallsCase):
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
        self.assertEqual(self.calls.ready, "")  # what is over does not count any more
        self.server.beat.lateness = FULL_AT + 0.001
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

    def test_claims_in_progress(self) -> None:
        """Connections that come together do not all slip in while the store thinks."""
        first, second, third = (self.registered() for _ in range(3))
        held: list[Deferred[Any]] = []
        claim = self.server.contexts.claim

        def later(*arguments: str) -> Deferred[Any]:
            held.append(Deferred())
            return held[-1].addCallback(lambda _: claim(*arguments))

        self.server.contexts.claim = later  # type: ignore[method-assign]
        claiming = [self.claim_of(first), self.claim_of(second)]
        self.failureResultOf(self.claim_of(third), CapacityExceeded)
        for waiting in held:
            waiting.callback(None)
        for one in claiming:
            self.attach(self.successResultOf(one))
        self.assertEqual(len(self.calls), 2)

    def test_claimed_calls_take_room(self) -> None:
        """Between the claim and the first audio a call has its room, and only until then."""
        late = self.registered()
        claimed = [self.claim(), self.claim()]
        self.failureResultOf(self.claim_of(late), CapacityExceeded)
        self.calls.abandon(claimed[0], NetworkGone("gone"))
        self.calls.release(claimed[1])
        self.connect()
        self.successResultOf(self.claim_of(late))

    def test_failed_claims_take_none(self) -> None:
        """Whoever tries ids does not fill the node."""
        for _ in range(5):
            self.failureResultOf(self.calls.claim("nonsense", "asterisk"), ContextNotFound)
        self.connect()
        self.connect()


class NetworkGone(CallError):
    """A reason of a transport's own."""

    reason = "network-gone"


class ReleaseTests(CallsCase):
    """A connection that was cut before it was open."""

    def test_again(self) -> None:
        """The context waits for the rest of its time, and the call can still be made."""
        context = self.registered()
        self.wait(100.0)
        self.calls.release(self.successResultOf(self.claim_of(context)))
        self.wait(LIFETIME - 101.0)
        claimed = self.successResultOf(self.claim_of(context))
        self.attach(claimed)
        self.assertEqual(self.conversation(context.conversation_id).status, "active")

    def test_nobody_comes(self) -> None:
        """When its time is over it has expired, and leaves nothing."""
        context = self.registered()
        self.wait(100.0)
        self.calls.release(self.successResultOf(self.claim_of(context)))
        self.wait(LIFETIME - 99.0)
        self.failureResultOf(self.claim_of(context), ContextNotFound)
        self.assertEqual(self.conversation(context.conversation_id).status, "expired")
        self.assertEqual(self.server.leftovers(), [])

    def test_once(self) -> None:
        """A call that was made or abandoned cannot be given back, nor one that was given back."""
        made = self.claim()
        self.attach(made)
        given = self.claim()
        self.calls.release(given)
        lost = self.claim()
        self.calls.abandon(lost, NetworkGone())
        self.calls.release(made)
        self.calls.release(lost)
        for claimed in (made, lost):
            self.failureResultOf(self.claim_of(claimed.context), ContextNotFound)
        self.successResultOf(self.claim_of(given.context))
        self.calls.abandon(made, NetworkGone())
        self.assertEqual(self.conversation(made.context.conversation_id).status, "active")

    def test_same_call(self) -> None:
        """The webhook's repetition finds it again."""
        context = self.registered()
        self.calls.release(self.successResultOf(self.claim_of(context)))
        self.names -= 1
        self.assertEqual(self.registered(), context)

    def test_registered_on_another_node(self) -> None:
        """What this node did not register, it does not expire."""
        context = self.registered()
        self.calls._registration.close()  # as a node that never heard the webhook
        self.calls.release(self.successResultOf(self.claim_of(context)))
        self.wait(LIFETIME + 1.0)
        self.assertEqual(self.conversation(context.conversation_id).status, "saved")

    def test_store_away(self) -> None:
        """A context that cannot be put back is a failed call."""
        claimed = self.claim()
        away: Deferred[None] = fail(Unavailable("no Redis"))
        self.server.contexts.put = lambda *_: away  # type: ignore[method-assign]
        self.calls.release(claimed)
        self.assertEqual(len(self.flushLoggedErrors(Unavailable)), 1)
        conversation = self.conversation(claimed.context.conversation_id)
        self.assertEqual((conversation.status, conversation.end_reason), ("failed", "unavailable"))
        self.nothing_left()

    def test_while_draining(self) -> None:
        """A server that stops leaves the context to others, and no timer."""
        claimed = self.claim()
        self.successResultOf(self.calls.drain(0.0))
        self.calls.release(claimed)
        self.successResultOf(self.server.contexts.claim(claimed.context.id, "asterisk"))
        self.nothing_left()


class AbandonTests(CallsCase):
    """A connection that was open and never became a call."""

    def test_failed(self) -> None:
        """The call has failed, with the reason, and its context is used."""
        claimed = self.claim()
        self.calls.abandon(claimed, NetworkGone("no start within 10 s"))
        conversation = self.conversation(claimed.context.conversation_id)
        self.assertEqual((conversation.status, conversation.end_reason), ("failed", "network-gone"))
        (failed,) = (entry for entry in conversation.entries if entry.name == "call.failed")
        self.assertEqual(failed.data["detail"], "no start within 10 s")
        self.failureResultOf(self.claim_of(claimed.context), ContextNotFound)
        self.nothing_left()

    def test_after_a_failed_start(self) -> None:
        """A call that failed to be made tells its own reason, not the connection's."""
        claimed = self.claim()
        self.wait(KEPT)
        self.calls._vendors.open = lambda *_: 1 / 0  # type: ignore[method-assign, assignment]
        self.assertRaises(ZeroDivisionError, self.attach, claimed)
        self.calls.abandon(claimed, NetworkGone())
        conversation = self.conversation(claimed.context.conversation_id)
        self.assertEqual(conversation.end_reason, "internal-error")
