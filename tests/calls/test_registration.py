"""Registration: a webhook tells of a call, once or twice, and nobody may come for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail

from rapida_tw.calls import registration
from rapida_tw.calls.admission import MOST_WAITING
from rapida_tw.calls.context import LIFETIME, CallContext
from rapida_tw.calls.journal import EVERY
from rapida_tw.calls.registration import Registered
from rapida_tw.errors import (
    AssistantNotFound,
    CallError,
    CapacityExceeded,
    ContextNotFound,
    MisconfiguredAssistant,
    Unavailable,
)
from rapida_tw.simulation import done
from rapida_tw.store.records import Conversation, Deployment, VendorChoice
from tests.calls.case import INCOMING, CallsCase


class RegisterTests(CallsCase):
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
        done(self.server.assistants.deploy(deployment))
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


class RepeatedTests(CallsCase):
    """A carrier that had no answer in time asks again."""

    def again(self, **changed: Any) -> Deferred[Registered]:
        incoming = replace(INCOMING, **changed)
        return self.calls.register(incoming, self.server.assistant_id, self.project)

    def context(self, **changed: Any) -> CallContext:
        return self.successResultOf(self.again(**changed)).context

    def test_same(self) -> None:
        """While nobody came for it, it is the same call; the history knows it once."""
        before = registration.repeated.value("asterisk")
        first, second = self.context(), self.context(caller="101")
        self.assertEqual(second, first)
        self.assertEqual(registration.repeated.value("asterisk"), before + 1)
        self.assertEqual(done(self.server.conversations.page(self.project)).total, 1)
        self.nothing_left_but_expiry()

    def nothing_left_but_expiry(self) -> None:
        self.server.contexts.close()
        self.wait(LIFETIME + 1)
        self.assertEqual(self.server.leftovers(), [])

    def test_while_it_is_made(self) -> None:
        """Also while the database has not answered the first time."""
        held: Deferred[None] = Deferred()
        create = self.server.conversations.create
        self.server.conversations.create = lambda *_: held  # type: ignore[method-assign]
        first, second = self.again(), self.again()
        self.server.conversations.create = create  # type: ignore[method-assign]
        held.callback(None)
        self.assertEqual(self.successResultOf(first), self.successResultOf(second))

    def test_failure_is_shared(self) -> None:
        """Both hear of a failure; the next one tries anew."""
        held: Deferred[None] = Deferred()
        create = self.server.conversations.create
        self.server.conversations.create = lambda *_: held  # type: ignore[method-assign]
        first, second = self.again(), self.again()
        self.server.conversations.create = create  # type: ignore[method-assign]
        held.errback(Unavailable("away"))
        self.failureResultOf(first, Unavailable)
        self.failureResultOf(second, Unavailable)
        self.context()

    def test_impatient(self) -> None:
        """Who does not wait for the answer leaves a whole registration, which the next one gets."""
        held: Deferred[None] = Deferred()
        create = self.server.conversations.create
        self.server.conversations.create = lambda *_: held  # type: ignore[method-assign]
        first = self.again()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        second = self.again()
        held.callback(None)
        self.server.conversations.create = create  # type: ignore[method-assign]
        self.assertEqual(self.context(), self.successResultOf(second).context)

    def test_other_calls(self) -> None:
        """Another name, carrier or no name at all is another call."""
        contexts = [
            self.context(**changed)
            for changed in (
                {},
                {"provider_call_id": "chan-2"},
                {"carrier": "twilio"},
                {"provider_call_id": ""},
                {"provider_call_id": ""},
            )
        ]
        self.assertEqual(len({context.id for context in contexts}), 5)

    def test_another_project(self) -> None:
        """Knowing the name of a call opens nobody else's."""
        self.context()
        other = self.calls.register(INCOMING, self.server.assistant_id, self.project + 1)
        self.failureResultOf(other, AssistantNotFound)

    def test_after_the_claim(self) -> None:
        """A flow that comes back to us is a new call."""
        first = self.context()
        self.successResultOf(self.claim_of(first))
        second = self.context()
        self.assertNotEqual(second.id, first.id)
        self.assertEqual(self.context(), second)

    def test_after_the_claim_elsewhere(self) -> None:
        """Also when another node took the media: the context store knows."""
        first = self.context()
        self.successResultOf(self.server.contexts.claim(first.id, "asterisk"))
        second = self.context()
        self.assertNotEqual(second.id, first.id)
        self.wait(LIFETIME - 1.0)
        self.assertEqual(self.context(), second)  # the first one's end is not the second one's
        self.wait(2.0)
        self.assertNotEqual(self.context(), second)

    def test_after_expiry(self) -> None:
        """A call that nobody came for is over."""
        first = self.context()
        self.wait(LIFETIME + 1.0)
        self.assertNotEqual(self.context(), first)

    def test_full(self) -> None:
        """A call that was let in is let in still, when no new one is."""
        first = self.context()
        self.server.journal._failing = True
        self.assertEqual(self.context(), first)
        self.failureResultOf(self.again(provider_call_id="chan-2"), CapacityExceeded)


class SpokenTests(CallsCase):
    """What the caller of a refused call hears."""

    deployment = {"error_message": "All our lines are busy."}

    def test_own_words(self) -> None:
        """The assistant's own words, once it is known which one was called."""
        away: Deferred[None] = fail(Unavailable("no Redis"))
        self.server.contexts.put = lambda context: away  # type: ignore[method-assign]
        error = self.failureResultOf(self.register(), Unavailable).value
        self.assertEqual(error.spoken, "All our lines are busy.")

    def test_common_words(self) -> None:
        """Else those of the house."""
        error = self.failureResultOf(self.register(999), AssistantNotFound).value
        self.assertEqual(error.spoken, CallError.spoken)
        done(self.server.assistants.deploy(Deployment(self.server.assistant_id, error_message="")))
        away: Deferred[None] = fail(Unavailable("no Redis"))
        self.server.contexts.put = lambda context: away  # type: ignore[method-assign]
        error = self.failureResultOf(self.register(), Unavailable).value
        self.assertEqual(error.spoken, CallError.spoken)

    def test_deployment(self) -> None:
        """Who is registered is told the deployment: the carrier's options are in it."""
        registering = self.calls.register(INCOMING, self.server.assistant_id, self.project)
        found = self.successResultOf(registering)
        self.assertEqual(found.deployment.error_message, "All our lines are busy.")


class FloodTests(CallsCase):
    """Webhooks for which no media ever comes."""

    max_calls = 3

    def test_bounded(self) -> None:
        """Beyond twenty for each call that has room they are refused, and all are forgotten."""
        for _ in range(60):
            self.registered()
        self.failureResultOf(self.register(), CapacityExceeded)
        self.assertEqual(self.calls.ready, "")  # which is about media, and that may come
        self.wait(LIFETIME + 1.0)
        self.registered()
        self.nothing_left_of(1)

    def nothing_left_of(self, waiting: int) -> None:
        self.assertEqual(len(self.calls._registration), waiting)
        self.assertEqual(len(self.calls._registration._named), waiting)
        self.server.contexts.close()
        self.wait(LIFETIME + 1.0)
        self.assertEqual(self.server.leftovers(), [])
        self.assertEqual(len(self.calls._registration._named), 0)

    def test_while_the_database_is_slow(self) -> None:
        """Those that are not yet registered count too."""
        held: Deferred[None] = Deferred()
        self.server.conversations.create = lambda *_: held  # type: ignore[method-assign]
        for _ in range(60):
            self.register()
        self.failureResultOf(self.register(), CapacityExceeded)

    def test_claimed_ones_make_room(self) -> None:
        """A call that has its media waits no more."""
        first = self.registered()
        for _ in range(59):
            self.registered()
        self.successResultOf(self.claim_of(first))
        self.registered()


class UnknownCapacityTests(CallsCase):
    def test_most(self) -> None:
        """Where nobody has said how many calls there may be, some thousands wait at most."""
        self.assertEqual(self.calls._admission.most_waiting, MOST_WAITING)
        self.assertLess(MOST_WAITING, 10_000)


class DrainingTests(CallsCase):
    def test_too_late(self) -> None:
        """A registration that ends while the server stops leaves no timer behind."""
        held: Deferred[None] = Deferred()
        self.server.conversations.create = lambda *_: held  # type: ignore[method-assign]
        registering = self.register()
        self.successResultOf(self.calls.drain(0.0))
        held.callback(None)
        self.successResultOf(registering)
        self.server.contexts.close()
        self.server.clock.run(2 * EVERY)
        self.assertEqual(self.server.leftovers(), [])
