"""Vonage's side of a call that it was asked to place: events of both legs, the NCCO, machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from rapida_tw.sim.call_steps import Fetch, Over, Report, Side, Stage, Step, Stream
from rapida_tw.sim.habits import Verdict
from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.phone import CallFailed
from rapida_tw.sim.placed_call import PlacedCall
from rapida_tw.sim.twilio import stamp
from rapida_tw.sim.vonage import UNKNOWN_BILL, Application, VonageCall, bill_of
from rapida_tw.sim.vonage_actions import read_actions
from rapida_tw.sim.vonage_ncco import Endpoint
from rapida_tw.sim.vonage_orders import Order

_STATUSES = {
    Stage.QUEUED: "started",
    Stage.DIALLED: "started",
    Stage.RINGING: "ringing",
    Stage.ANSWERED: "answered",
}
_ENDS: dict[Over, dict[str, str]] = {
    Over.COMPLETED: {"status": "completed"},
    Over.BUSY: {"status": "busy"},
    Over.NO_ANSWER: {"status": "timeout"},
    Over.DECLINED: {"status": "rejected", "detail": "declined"},
    Over.FAILED: {"status": "failed", "detail": "cannot_route"},
    Over.CANCELLED: {"status": "cancelled"},
}
_SUB_STATES = {Verdict.BEEP: "beep_start", Verdict.SILENCE: "beep_timeout"}


@dataclass(frozen=True, slots=True)
class VonageAccount:
    """An application and its account. Its repr shows no key.

    `public_key` in PEM. `numbers`: those that are linked to the application; empty: any.
    """

    public_key: str
    application_id: str = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
    api_key: str = "a1b2c3d4"
    api_secret: str = field(default="", repr=False)
    signature_secret: str = field(default="", repr=False)
    numbers: frozenset[str] = frozenset()


class VonagePlaced:
    """One call; `host`: of the region that it lives in. `sockets`: those it was connected with.

    Of one that arrives (`direction` inbound) `order` has who calls whom, and the answer URL.
    """

    def __init__(
        self, account: VonageAccount, order: Order, host: str, direction: str = "outbound"
    ) -> None:
        self.id = str(uuid4())
        self.callee = order.callee
        self.ring_seconds = order.ring_seconds
        self.most_seconds = order.most_seconds
        self.detection = order.detection
        self.order = order
        self.host = host
        self.sockets: list[VonageCall] = []
        self._answered = 0.0
        self._direction = direction
        self._application = Application(
            "",
            signature_secret=account.signature_secret,
            api_key=account.api_key,
            application_id=account.application_id,
        )
        self._call = self._leg()
        self.conversation_uuid = self._call.conversation_uuid
        self.socket_uuid = self._call.socket_uuid

    # -- Side -------------------------------------------------------------------------------------

    def document(self, now: float) -> Iterable[Step]:
        order = self.order
        if order.ncco is not None:
            return self.read(order.ncco, now)
        return [self.fetch(order.answer_method, order.answer_url, now)]

    def tell(self, report: Report, now: float) -> Sequence[HttpRequest]:
        if report.over is None:
            fields: dict[str, Any] = {"status": _STATUSES[report.stage]}
            if report.stage is Stage.ANSWERED:
                self._answered = now
                fields |= UNKNOWN_BILL
        else:
            fields = dict(_ENDS[report.over])
            if report.over is Over.COMPLETED:
                by = "platform" if report.by_server else "user"
                fields |= {**bill_of(self._answered, now), "disconnected_by": by}
        return self._event(fields, now)

    def found(self, verdict: Verdict, seconds: float, now: float) -> Sequence[HttpRequest]:
        fields = {"status": "human" if verdict is Verdict.HUMAN else "machine"}
        if verdict in _SUB_STATES:
            fields["sub_state"] = _SUB_STATES[verdict]
        if not self.order.advanced:
            fields["call_uuid"] = self.id
        return self._event(fields, now)

    # -- for the API ------------------------------------------------------------------------------

    def read(self, ncco: Any, now: float) -> list[Step]:
        """The steps of an NCCO; `CallFailed`."""
        return read_actions(ncco, lambda endpoint: self._stream(endpoint, now))

    def fetch(self, method: str, url: str, now: float) -> Fetch:
        """The NCCO at that address."""
        order = self.order
        fields = {
            "from": order.caller,
            "to": order.callee,
            "uuid": self.id,
            "conversation_uuid": self.conversation_uuid,
        }
        if self._direction == "inbound":
            fields |= {"region_url": f"https://{self.host}", "endpoint_type": "phone"}

        def read(answer: HttpAnswer, now: float) -> Iterable[Step]:
            if answer.status != 200 or answer.content_type != "application/json":
                raise CallFailed(f"the answer URL: {answer.reason} {answer.content_type}")
            try:
                return self.read(json.loads(answer.body), now)
            except ValueError as error:
                raise CallFailed(f"the NCCO is no JSON: {error}") from None

        return Fetch(self._call.request(method, url, fields, now), read)

    def resource(self, call: PlacedCall) -> dict[str, Any]:
        """The call as JSON."""
        order = self.order
        ended = _ENDS[call.over]["status"] if call.over else _STATUSES[call.stage]
        seconds = round((call.ended_at or 0.0) - (call.answered_at or 0.0))
        return {
            "_links": {"self": {"href": f"/v1/calls/{self.id}"}},
            "uuid": self.id,
            "conversation_uuid": self.conversation_uuid,
            "to": {"type": "phone", "number": order.callee},
            "from": {"type": "phone", "number": order.caller},
            "status": ended,
            "direction": self._direction,
            "rate": "0.00450000",
            "price": "0.00007500",
            "duration": str(seconds) if call.over and call.answered_at else None,
            "start_time": stamp(self._answered) if call.answered_at else None,
            "end_time": None,
            "network": None,
        }

    # -- inside -----------------------------------------------------------------------------------

    def _leg(self) -> VonageCall:
        return VonageCall(self._application, self.order.caller, self.order.callee, self.id)

    def _stream(self, endpoint: Endpoint, now: float) -> Stream:
        leg = self._leg()
        if not endpoint.event_url and self.order.event_url:
            order = self.order
            endpoint = replace(endpoint, event_url=order.event_url, event_method=order.event_method)
        self.sockets.append(leg)
        return Stream(leg.streams(endpoint, now), leg)

    def _event(self, fields: dict[str, Any], now: float) -> Sequence[HttpRequest]:
        order = self.order
        if not order.event_url:
            return ()
        told = {
            "from": order.caller,
            "to": order.callee,
            "uuid": self.id,
            "conversation_uuid": self.conversation_uuid,
            "direction": self._direction,
            "timestamp": stamp(now),
            **fields,
        }
        if "call_uuid" in told:
            del told["uuid"]
        return [self._call.request(order.event_method, order.event_url, told, now)]


_conforms: type[Side] = VonagePlaced
