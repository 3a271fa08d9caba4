"""What tests of placed calls share: a telephone that does what a test says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.calls.call_request import CallOver, CallRequest
from rapida_tw.carriers.base import CarrierEvent
from rapida_tw.carriers.outbound import (
    Dialling,
    DialUser,
    Line,
    Order,
    Outcome,
    Placed,
    Progress,
    RemoteCall,
    State,
    Telephone,
)
from rapida_tw.errors import (
    CallError,
    End,
)
from rapida_tw.simulation import done
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
