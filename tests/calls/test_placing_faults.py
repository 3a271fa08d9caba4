"""Placed calls when a store does not answer, the server stops, or something of ours breaks."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail

from rapida_tw.calls.context import CallContext
from rapida_tw.calls.outstanding import LOOK_AFTER, SETTLED_WITHIN
from rapida_tw.calls.placed_call import GRACE, MEDIA_WITHIN
from rapida_tw.carriers.outbound import Outcome, State
from rapida_tw.errors import CapacityExceeded, DiallingForbidden, Unavailable
from rapida_tw.simulation import done
from rapida_tw.store.records import Conversation
from tests.calls.fakes import RecordingLeg
from tests.calls.placing_case import PlacingCase


class FaultyContexts:
    """A context store whose answers to claims come late, or never."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.faults: list[str] = []  # of the next claims: "away", "lost" (the answer alone)
        self.held: list[Deferred[Any]] | None = None  # answers that wait for the test

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def claim(self, context_id: str, carrier: str) -> Deferred[CallContext]:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "away":
            return fail(Unavailable("Redis does not answer"))
        claiming: Deferred[CallContext] = self._store.claim(context_id, carrier)
        if fault == "lost":
            return claiming.addCallback(lambda _: fail(Unavailable("the answer was lost")))
        if self.held is None:
            return claiming
        waiting: Deferred[Any] = Deferred()
        self.held.append(waiting)
        return waiting.addCallback(lambda _: claiming)


class FaultsCase(PlacingCase):
    def setUp(self) -> None:
        super().setUp()
        self.contexts = FaultyContexts(self.server.contexts)
        self.calls.outstanding.contexts = self.contexts

    def broken(self, **changes: Any) -> Exception:
        """What a placing that nobody expected to fail failed with."""
        error: Exception = self.failureResultOf(self.place(**changes)).value
        return error


class ContextStoreTests(FaultsCase):
    def test_away(self) -> None:
        """The ring timer tries again, until somebody has taken the context."""
        conversation = self.placed(options={"ring_timeout": 20})
        self.contexts.faults += ["away", "away"]
        self.wait(20 + 3 * GRACE + 1)
        self.assertEqual(self.told(conversation), ("failed", "no_answer"))
        self.assertEqual(self.telephone.cancelled, 1)
        self.nothing_left()

    def test_answer_lost(self) -> None:
        """We have taken it, and nobody told us: the call ends, at the carrier too."""
        conversation = self.placed(options={"ring_timeout": 20})
        self.contexts.faults.append("lost")
        self.wait(20 + 2 * GRACE + LOOK_AFTER + 1)
        self.assertEqual(self.told(conversation), ("failed", "no_answer"))
        self.assertEqual(self.telephone.cancelled, 1)
        self.assertEqual([over.reason for over in self.overs], ["no_answer"])
        self.nothing_left()

    def test_vanished(self) -> None:
        """Another node took it and died: it does not ring for ever, nor is it dialled again."""
        conversation = self.placed(options={"ring_timeout": 20})
        done(self.server.contexts.claim(self.order.context_id, "twilio"))
        self.wait(20 + GRACE + LOOK_AFTER + 1)
        self.assertEqual(self.told(conversation), ("failed", "failed"))
        self.assertEqual([(one.retryable, one.certain) for one in self.overs], [(False, False)])
        self.nothing_left()

    def test_put_back_elsewhere(self) -> None:
        """Its media connection broke at another node, and no other came: it is given up."""
        conversation = self.placed(options={"ring_timeout": 20})
        context = done(self.server.contexts.claim(self.order.context_id, "twilio"))
        self.wait(20 + GRACE + 1)
        done(self.server.contexts.put(context))
        self.wait(LOOK_AFTER)
        self.assertEqual(self.told(conversation), ("failed", "media_failed"))
        self.assertEqual(self.telephone.cancelled, 1)
        self.nothing_left()

    def test_database_away_then(self) -> None:
        """The look into the history is taken again."""
        conversation = self.placed(options={"ring_timeout": 20})
        self.contexts.faults.append("lost")
        get, asked = self.server.conversations.get, []

        def away(*of: Any) -> Deferred[Conversation]:
            asked.append(of)
            return fail(Unavailable("the database does not answer"))

        self.server.conversations.get = away  # type: ignore[method-assign, assignment]
        self.wait(20 + 2 * GRACE + LOOK_AFTER + 1)
        self.assertEqual(len(asked), 1)
        self.server.conversations.get = get  # type: ignore[method-assign]
        self.wait(LOOK_AFTER)
        self.assertEqual(self.told(conversation), ("failed", "no_answer"))

    def test_media_not_answered(self) -> None:
        """The media's claim is carried out, and its answer lost: nobody has the call then."""
        conversation = self.placed(options={"ring_timeout": 20})
        self.calls._arrivals._contexts = self.contexts
        self.contexts.faults.append("lost")
        claim = self.calls.claim(self.order.context_id, "twilio")
        self.failureResultOf(claim, Unavailable)
        self.wait(20 + GRACE + LOOK_AFTER + 1)
        self.assertEqual(self.told(conversation), ("failed", "failed"))
        self.nothing_left()

    def test_given_up_while_media_comes(self) -> None:
        """Whoever asked was told that it is given up: so it ends when its media is there."""
        conversation = self.placed()
        arriving = FaultyContexts(self.server.contexts)
        arriving.held = []
        self.calls._arrivals._contexts = arriving
        claim = self.calls.claim(self.order.context_id, "twilio")
        self.contexts.held = []
        self.assertTrue(self.server.placing.give_up(conversation.id, self.project))
        arriving.held[0].callback(None)
        for waiting in self.contexts.held:
            waiting.callback(None)
        self.attach(self.successResultOf(claim))
        self.assertEqual(len(self.calls), 0)
        self.assertEqual(self.told(conversation), ("ended", "hung_up_by_api"))

    def test_callbacks_at_once(self) -> None:
        """Two that tell its end while the store has not answered: one end."""
        conversation = self.placed()
        self.contexts.held = []
        self.event(conversation, State.OVER, Outcome("busy"))
        self.event(conversation, State.OVER, Outcome("no_answer"))
        for waiting in self.contexts.held:
            waiting.callback(None)
        self.assertEqual(self.told(conversation), ("failed", "busy"))
        self.assertEqual([over.reason for over in self.overs], ["busy"])


class DrainTests(FaultsCase):
    def test_waits(self) -> None:
        """A server that stops waits until its calls are given up, at the carrier too."""
        conversation = self.placed()
        self.contexts.held = []
        draining = self.calls.drain(1.0)
        self.wait(1.0)
        self.assertNoResult(draining)
        self.contexts.held[0].callback(None)
        self.successResultOf(draining)
        self.assertEqual(self.telephone.cancelled, 1)
        self.assertEqual(self.told(conversation), ("failed", "cancelled"))
        self.nothing_left()

    def test_store_away(self) -> None:
        """It does not wait for ever, and leaves no timer; the next start closes the history."""
        conversation = self.placed()
        self.contexts.faults += ["away"] * 9
        draining = self.calls.drain(1.0)
        self.wait(SETTLED_WITHIN + 0.1)
        self.successResultOf(draining)
        self.nothing_left()
        done(self.server.conversations.close_unfinished(self.server.now()))
        self.assertEqual(self.told(conversation), ("failed", "server_crashed"))

    def test_cut_before_open(self) -> None:
        """A media connection that is cut by the end is not waited for here again."""
        self.placed()
        claimed = self.successResultOf(self.calls.claim(self.order.context_id, "twilio"))
        self.successResultOf(self.calls.drain(1.0))
        self.calls.release(claimed)
        self.assertTrue(done(self.server.contexts.waits(self.order.context_id, "twilio")))
        self.nothing_left()

    def test_begun(self) -> None:
        """Whoever is about to be dialled then is not."""
        put, asked = self.server.contexts.put, []

        def slow(*of: Any) -> Deferred[None]:
            asked.append(Deferred().addCallback(lambda _: put(*of)))
            return asked[0]

        self.server.contexts.put = slow  # type: ignore[method-assign, assignment]
        placing = self.place()
        draining = self.calls.drain(1.0)
        self.wait(0.1)
        self.assertNoResult(draining)
        asked[0].callback(None)
        self.failureResultOf(placing, CapacityExceeded)
        self.successResultOf(draining)
        self.assertEqual(self.telephone.orders, [])
        self.assertEqual(self.newest().end_reason, "capacity_exceeded")
        self.nothing_left()


class OwnFaultsTests(FaultsCase):
    def test_dial_breaks(self) -> None:
        """An error of ours while a request is made: no call stays open, no place is taken."""
        self.telephone.error = ZeroDivisionError("secret")  # type: ignore[assignment]
        self.assertIsInstance(self.broken(), ZeroDivisionError)
        found = self.newest()
        self.assertEqual((found.status, found.end_reason), ("failed", "internal_error"))
        self.assertNotIn("secret", str(found.entries))
        self.assertEqual(len(self.calls.outstanding), 0)
        self.nothing_left()

    def test_database_away(self) -> None:
        """Between the preparation and the dialling: nobody is rung up, nothing is left waiting."""
        store: Any = self.server.placing._store
        store.begin = lambda id: fail(Unavailable("the database does not answer"))
        self.assertIsInstance(self.broken(), Unavailable)
        found = self.newest()
        self.assertEqual((found.status, found.end_reason), ("failed", "unavailable"))
        self.assertEqual(self.telephone.orders, [])
        self.nothing_left()

    def test_database_away_with_a_key(self) -> None:
        """Asked again with the same key, it is dialled then."""
        store: Any = self.server.placing._store
        begin = store.begin
        store.begin = lambda id: fail(Unavailable("the database does not answer"))
        self.assertIsInstance(self.broken(idempotency_key="k"), Unavailable)
        store.begin = begin
        conversation = self.placed(idempotency_key="k")
        self.assertEqual(self.told(conversation), ("dialling", ""))
        self.assertEqual(len(self.telephone.orders), 1)

    def test_name_not_kept(self) -> None:
        """The context is taken out again where its name could not be written."""
        add_names = self.server.conversations.add_names
        self.server.conversations.add_names = (  # type: ignore[method-assign]
            lambda *of: fail(Unavailable("the database does not answer"))
        )
        self.assertIsInstance(self.broken(), Unavailable)
        self.server.conversations.add_names = add_names  # type: ignore[method-assign]
        self.wait()
        self.assertEqual(self.server.leftovers(), [])

    def test_warming_breaks(self) -> None:
        """A plug-in that breaks while it rings does not lose the callback."""
        conversation = self.placed()

        def broken(claimed: Any) -> Any:
            raise ZeroDivisionError

        self.calls.outstanding._prepare = broken
        self.event(conversation, State.ANSWERED, None)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.wait(MEDIA_WITHIN + 1)
        self.assertEqual(self.told(conversation), ("failed", "media_failed"))

    def test_extension(self) -> None:
        """Where a dialplan goes on is a number as well."""
        self.server.placing._rules._denied = ("1900",)
        self.refused(DiallingForbidden, options={"extension": "0019005551234"})
        self.placed(options={"extension": "s"})


class LateAttachTests(PlacingCase):
    provider = "sip"

    def test_given_up(self) -> None:
        """A leg that comes for a call which is over is hung up."""
        conversation = self.placed()
        self.server.placing.give_up(conversation.id)
        with self.assertRaises(Exception) as raised:
            self.user.attach(RecordingLeg())
        self.assertEqual(type(raised.exception).__name__, "GivenUp")
        self.assertEqual(self.told(conversation), ("failed", "cancelled"))
