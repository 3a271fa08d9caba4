"""Placements: calls that are asked for, through a telephone that does what a test says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import insert
from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.calls.call_request import CallOver, CallRequest
from rapida_tw.calls.dialling_rules import DiallingRules
from rapida_tw.calls.outstanding import LOOK_AFTER
from rapida_tw.calls.placed_call import GRACE, MEDIA_WITHIN
from rapida_tw.calls.placing import PATIENCE
from rapida_tw.carriers.base import CarrierEvent
from rapida_tw.carriers.outbound import (
    CarrierRefused,
    Dialling,
    DialUser,
    Line,
    Order,
    Outcome,
    Placed,
    Progress,
    Reach,
    RemoteCall,
    State,
    Telephone,
)
from rapida_tw.errors import (
    REMOTE_HANGUP,
    AssistantNotFound,
    BadRequest,
    CallError,
    CapacityExceeded,
    Conflict,
    ContextNotFound,
    DiallingForbidden,
    End,
    MisconfiguredAssistant,
    TooManyCalls,
)
from rapida_tw.simulation import done
from rapida_tw.store import schema
from rapida_tw.store.records import Conversation, Deployment, NamedCall
from tests.calls.case import CallsCase
from tests.calls.fakes import RecordingLeg

NUMBER = "+15550100001"


class FakeLine:
    def __init__(self, call: RemoteCall) -> None:
        self.call = call
        self.told: list[str] = []

    def transfer(self, target: str) -> Deferred[None]:
        self.told.append(f"transfer {target}")
        return succeed(None)

    def withdraw(self) -> None: ...

    def send_digits(self, digits: str) -> Deferred[None]:
        self.told.append(f"digits {digits}")
        return succeed(None)

    def hold(self, on: bool) -> Deferred[None]:
        self.told.append(f"hold {on}")
        return succeed(None)

    def hang_up(self, end: End) -> None:
        self.told.append(f"hang up {end.reason}")


class FakeTelephone:
    """Takes every order; the test says what becomes of it."""

    detects_machines = True

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.users: list[DialUser] = []
        self.cancelled = 0
        self.error: CallError | None = None
        self.outcome: Outcome | None = None  # told at once
        self.takes = True  # at once
        self.lines: list[FakeLine] = []

    def dial(self, order: Order, user: DialUser) -> Dialling:
        if self.error is not None:
            raise self.error
        self.orders.append(order)
        self.users.append(user)
        self._clock.callLater(0, self._answer, user)
        return self

    def _answer(self, user: DialUser) -> None:
        if self.outcome is not None:
            user.failed(self.outcome)
        elif self.takes:
            user.accepted(Placed(f"CA{len(self.orders)}", ("other",), {"region": "x"}))

    def cancel(self) -> None:
        self.cancelled += 1

    def line(self, call: RemoteCall) -> Line | None:
        self.lines.append(FakeLine(call))
        return self.lines[-1]

    def check(self, account: Account) -> Deferred[str]:
        return succeed("")

    def stop(self) -> Deferred[None]:
        return succeed(None)

    _clock: Any = None


_conforms: tuple[type[Telephone], type[Line]] = (FakeTelephone, FakeLine)


class PlacingCase(CallsCase):
    max_calls = 5
    provider = "twilio"
    options: dict[str, Any] = {"phone": "+15550009999"}

    def setUp(self) -> None:
        super().setUp()
        self.telephone = FakeTelephone()
        self.telephone._clock = self.server.clock
        self.server.telephones[self.provider] = self.telephone
        credential = done(
            self.server.credentials.create(
                self.project, "t", self.provider, {"account_sid": "AC1", "account_token": "t"}
            )
        )
        self.deployed = Deployment(
            self.server.assistant_id,
            provider=self.provider,
            credential_id=credential.id,
            options=self.options,
            greeting="Hello {{ name }}.",
        )
        self.deploy()
        self.overs: list[CallOver] = []
        self.calls.outstanding.watchers.append(self.overs.append)
        self.request = CallRequest(
            self.project,
            self.server.assistant_id,
            NUMBER,
            arguments={"name": "Maria"},
            metadata={"campaign": "x"},
            key_id=7,
        )

    def deploy(self, **changes: Any) -> None:
        self.deployed = replace(self.deployed, **changes)
        done(self.server.assistants.deploy(self.deployed))

    def place(self, **changes: Any) -> Deferred[Conversation]:
        placing = self.server.placing.place(replace(self.request, **changes))
        self.wait(0.01)
        return placing

    def placed(self, **changes: Any) -> Conversation:
        return self.successResultOf(self.place(**changes))

    def refused(self, kind: type[CallError], **changes: Any) -> CallError:
        error: CallError = self.failureResultOf(self.place(**changes), kind).value
        self.assertEqual(self.telephone.orders, [])
        return error

    @property
    def order(self) -> Order:
        return self.telephone.orders[-1]

    @property
    def user(self) -> DialUser:
        return self.telephone.users[-1]

    def event(self, conversation: Conversation, state: State, outcome: Outcome | None) -> None:
        """A callback, at the address of the call."""
        named = NamedCall(conversation.id, conversation.assistant_id, self.project)
        event = CarrierEvent(f"status.{state.name}", progress=Progress(state, outcome))
        self.calls.event_received(named, self.provider, event, self.order.context_id)

    def told(self, conversation: Conversation) -> tuple[str, str]:
        found = self.conversation(conversation.id)
        return found.status, found.end_reason

    def entries(self, conversation: Conversation, kind: str) -> dict[str, str]:
        found = self.conversation(conversation.id)
        return {entry.name: entry.value for entry in found.entries if entry.kind == kind}

    def answer(self) -> RecordingLeg:
        """Its media comes."""
        claimed = self.successResultOf(self.calls.claim(self.order.context_id, self.provider))
        self.attach(claimed)
        return self.legs[-1]


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
        for options in (
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
        ):
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
