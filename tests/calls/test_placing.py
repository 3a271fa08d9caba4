"""Placements: calls that are asked for, and dialled or refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import insert

from rapida_tw.calls.dialling_rules import DiallingRules
from rapida_tw.calls.placing import PATIENCE
from rapida_tw.carriers.outbound import (
    CarrierRefused,
    Outcome,
    Reach,
)
from rapida_tw.errors import (
    AssistantNotFound,
    BadRequest,
    CapacityExceeded,
    Conflict,
    DiallingForbidden,
    MisconfiguredAssistant,
    TooManyCalls,
)
from rapida_tw.simulation import done
from rapida_tw.store import schema
from tests.calls.placing_case import NUMBER, PlacingCase


class PlaceTests(PlacingCase):
    def test_queued(self) -> None:
        """The answer is the conversation; then the carrier has the call."""
        conversation = self.placed()
        self.assertEqual(
            (conversation.status, conversation.direction, conversation.identifier),
            ("queued", "outbound", NUMBER),
        )
        self.assertEqual(self.told(conversation), ("dialling", ""))
        self.assertEqual(len(self.telephone.orders), 1)

    def test_order(self) -> None:
        """All that a carrier needs, the deployment's number as the caller's."""
        conversation = self.placed()
        order = self.order
        path = f"voice.example.com/v1/talk/twilio/ctx/{order.context_id}"
        self.assertEqual(order.conversation_id, conversation.id)
        self.assertEqual((order.callee, order.caller), (NUMBER, "+15550009999"))
        self.assertEqual(order.media_url, f"wss://{path}")
        self.assertEqual(order.event_url, f"https://{path}/event")
        self.assertEqual(order.account["account_sid"], "AC1")
        self.assertEqual((order.ring_seconds, order.detection), (60.0, ""))

    def test_own_caller(self) -> None:
        """The request's number stands over the deployment's."""
        self.placed(caller="+15550001234")
        self.assertEqual(self.order.caller, "+15550001234")

    def test_context_first(self) -> None:
        """When the carrier is asked, the media could come already."""
        self.placed()
        self.assertTrue(done(self.server.contexts.waits(self.order.context_id, "twilio")))

    def test_history(self) -> None:
        """Metadata, arguments and what the carrier calls it are kept."""
        conversation = self.placed(options={"experience.greeting": "Hi."})
        metadata = self.entries(conversation, "metadata")
        self.assertEqual(metadata["campaign"], "x")
        self.assertEqual(metadata["client.provider_call_id"], "CA1")
        self.assertEqual(metadata["client.direction"], "outbound")
        self.assertEqual(self.entries(conversation, "argument"), {"name": "Maria"})
        self.assertEqual(self.entries(conversation, "option"), {"experience.greeting": "Hi."})
        self.assertIn("channel_created", self.entries(conversation, "event"))

    def test_own_metadata(self) -> None:
        """What we keep of a call is not overwritten by whoever asks for it."""
        conversation = self.placed(metadata={"client.phone": "x", "client.channel": "x"})
        metadata = self.entries(conversation, "metadata")
        self.assertEqual(metadata["client.phone"], NUMBER)
        self.assertEqual(metadata["client.channel"], "twilio")

    def test_patience(self) -> None:
        """A carrier that does not answer soon is not waited for."""
        self.telephone.takes = False
        placing = self.place()
        self.assertNoResult(placing)
        self.wait(PATIENCE)
        self.assertEqual(self.successResultOf(placing).status, "queued")

    def test_names(self) -> None:
        """Callbacks find it by its context and by the carrier's names."""
        conversation = self.placed()
        for name in (self.order.context_id, "CA1", "other"):
            found = done(self.server.conversations.named("twilio", (name,), self.project))
            self.assertEqual(found.conversation_id, conversation.id)


class RefusedTests(PlacingCase):
    def test_no_number(self) -> None:
        """Nobody is rung up, and nothing is written down."""
        for number in ("", "x" * 200, "+1", "12\r\n34", "'; drop table", "1" * 30, "a b c"):
            self.refused(BadRequest, callee=number)
        self.assertEqual(self.server.latest(), 0)

    def test_unknown_assistant(self) -> None:
        self.refused(AssistantNotFound, assistant_id=99)

    def test_other_project(self) -> None:
        """Another project's assistant is not there."""
        self.refused(AssistantNotFound, project_id=99)

    def test_version(self) -> None:
        self.refused(BadRequest, version="newest")

    def test_no_credential(self) -> None:
        self.deploy(credential_id=None)
        self.assertIn("no twilio credential", str(self.refused(MisconfiguredAssistant)))

    def test_no_telephone(self) -> None:
        """A carrier that places no calls."""
        self.deploy(provider="acme")
        self.refused(MisconfiguredAssistant)

    def test_bad_option(self) -> None:
        wrong: list[dict[str, Any]] = [
            {"experience.nothing": 1},
            {"experience.ideal_timeout": "long"},
            {"ring_timeout": 1},
            {"ring_timeout": 10**400},
            {"ring_timeout": [30]},
            {"experience.ideal_timeout": 10**400},
            {"experience.ideal_timeout": {"seconds": 5}},
            {"experience.greeting": ["Hello"]},
            {"experience.recording": {}},
            {"rapida.credential_id": [1]},
            {"machine_detection": "perhaps"},
            {"machine_detection": "message"},
        ]
        for options in wrong:
            self.failureResultOf(self.place(options=options), BadRequest)
            self.assertEqual(self.telephone.orders, [])

    def test_vendors_address(self) -> None:
        """Who may place calls may not have a vendor's key sent anywhere else."""
        for name in ("model.url", "model.agentkit.url", "model.Base_URL", "listen.endpoint"):
            self.refused(BadRequest, options={name: "wss://attacker.example"})

    def test_others_credential(self) -> None:
        """A credential of another project is not there."""
        row = insert(schema.project).values(id=99, name="other", created=0.0)
        done(self.server.database.write(lambda c: c.execute(row)))
        fields = {"account_sid": "AC2", "account_token": "t"}
        theirs = done(self.server.credentials.create(99, "t", "twilio", fields))
        self.refused(MisconfiguredAssistant, options={"rapida.credential_id": str(theirs.id)})

    def test_bad_template(self) -> None:
        """What the call would stumble over is told before."""
        self.refused(MisconfiguredAssistant, options={"experience.greeting": "{{ broken"})

    def test_draining(self) -> None:
        self.calls.drain(1.0)
        self.refused(CapacityExceeded)

    def test_carrier_refuses(self) -> None:
        """Its own words are in the answer, and the conversation has failed with them."""
        outcome = Outcome("bad_number", "is not valid", "21211", reach=Reach.NOBODY)
        self.telephone.outcome = outcome
        error = self.failureResultOf(self.place(), CarrierRefused).value
        self.assertIn("is not valid (21211)", str(error))
        found = self.newest()
        self.assertEqual((found.status, found.end_reason), ("failed", "bad_number"))
        self.nothing_left()

    def test_cannot_be_asked(self) -> None:
        """What the carrier's account lacks."""
        self.telephone.error = MisconfiguredAssistant("twilio needs an account_sid")
        self.failureResultOf(self.place(), MisconfiguredAssistant)
        self.assertEqual(self.newest().status, "failed")
        self.nothing_left()

    def test_unsure(self) -> None:
        """Whether the carrier has it is not known: it is no refusal, and is not retryable."""
        self.telephone.outcome = Outcome("failed", "no answer", reach=Reach.UNKNOWN)
        self.failureResultOf(self.place(), CarrierRefused)
        self.assertEqual([over.retryable for over in self.overs], [False])


class RulesTests(PlacingCase):
    def rules(self, **of: Any) -> None:
        self.server.placing._rules = DiallingRules(self.server.clock.seconds, **of)

    def test_denied(self) -> None:
        """However it is written."""
        self.rules(denied=("+1900", "44"))
        for number in ("+19005551", "0019005551", "1 900 5551", "+4412345", "*671900555"):
            self.refused(DiallingForbidden, callee=number)
        self.placed()

    def test_allowed(self) -> None:
        self.rules(allowed=("+1555",))
        for number in ("+15651234", "sales", "sip:15651@host"):
            self.refused(DiallingForbidden, callee=number)
        self.placed()

    def test_per_second(self) -> None:
        """As many at once as in a second; then one at a time."""
        self.rules(per_second=2)
        self.placed()
        self.placed()
        error = self.failureResultOf(self.place(), TooManyCalls).value
        self.assertAlmostEqual(error.retry_after, 0.48, places=1)
        self.placed(key_id=8)
        self.wait(0.6)
        self.placed()

    def test_per_day(self) -> None:
        self.rules(per_day=2)
        self.placed()
        self.placed()
        self.failureResultOf(self.place(), TooManyCalls)
        self.placed(key_id=8)

    def test_reserve(self) -> None:
        """Of five calls one place is kept for those that come in."""
        for _ in range(4):
            self.placed()
        self.failureResultOf(self.place(), CapacityExceeded)
        self.registered()


class IdempotencyTests(PlacingCase):
    def test_once(self) -> None:
        """The same key dials once, and is answered with the same conversation."""
        first = self.placed(idempotency_key="k")
        second = self.placed(idempotency_key="k")
        self.assertEqual((first.id, len(self.telephone.orders)), (second.id, 1))

    def test_at_once(self) -> None:
        """Two that come together."""
        one = self.server.placing.place(replace(self.request, idempotency_key="k"))
        two = self.server.placing.place(replace(self.request, idempotency_key="k"))
        self.wait(0.01)
        ids = {self.successResultOf(answer).id for answer in (one, two)}
        self.assertEqual((len(ids), len(self.telephone.orders)), (1, 1))

    def test_another_request(self) -> None:
        self.placed(idempotency_key="k")
        self.failureResultOf(self.place(idempotency_key="k", callee="+15550100002"), Conflict)

    def test_after_failure(self) -> None:
        """A key whose call has failed does not dial again: another key does."""
        self.telephone.outcome = Outcome("busy", retryable=True)
        first = self.placed(idempotency_key="k")
        self.wait()
        again = self.placed(idempotency_key="k")
        self.assertEqual((again.id, again.status), (first.id, "failed"))
