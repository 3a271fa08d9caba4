"""Exotel's side of a call that it was asked to place: status callbacks, and what it connects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from rapida_tw.sim.call_steps import Fetch, Over, Report, Side, Stage, Step, Stream
from rapida_tw.sim.exotel import ExotelCall, Flow, india, multipart
from rapida_tw.sim.exotel_orders import Order
from rapida_tw.sim.habits import Detection, Verdict
from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.placed_call import PlacedCall

_EVENTS = {Stage.RINGING: "ringing", Stage.ANSWERED: "answered", Stage.OVER: "terminal"}
_ENDS = {
    Over.COMPLETED: "completed",
    Over.BUSY: "busy",
    Over.NO_ANSWER: "no-answer",
    Over.DECLINED: "busy",
    Over.FAILED: "failed",
    Over.CANCELLED: "canceled",
}


@dataclass(frozen=True, slots=True)
class ExotelAccount:
    """`flow`: what its call flows do (their Voicebot's and Passthru's URL). Its repr has no key.

    `exophones`: numbers that may be shown; empty: any.
    """

    sid: str = "exotel1"
    api_key: str = field(default="", repr=False)
    api_token: str = field(default="", repr=False)
    flow: Flow = field(default_factory=lambda: Flow(""))
    exophones: frozenset[str] = frozenset()


class ExotelPlaced:
    """One call."""

    most_seconds: float
    detection: Detection | None = None  # there is none that could be asked for

    def __init__(self, account: ExotelAccount, order: Order, now: float) -> None:
        self.id = uuid4().hex
        self.callee = order.callee
        self.ring_seconds = order.ring_seconds
        self.most_seconds = order.most_seconds
        self.order = order
        self._account = account
        self._created = now
        self._answered = 0.0

    # -- Side -------------------------------------------------------------------------------------

    def document(self, now: float) -> Iterable[Step]:
        call = self.call()
        if self.order.stream_url:
            return [Stream(call.dialled(self.order.stream_url), call)]

        def read(answer: HttpAnswer, now: float) -> Iterable[Step]:
            return [Stream(call.invited(answer, now), call)]

        return [Fetch(call.webhook(now), read)]

    def tell(self, report: Report, now: float) -> Sequence[HttpRequest]:
        if report.stage is Stage.ANSWERED:
            self._answered = now
        order, event = self.order, _EVENTS.get(report.stage)
        wanted = order.events or ("terminal",)
        if not order.status_url or event is None or event not in wanted:
            return ()
        ends = _ENDS[report.over] if report.over else None
        fields: dict[str, Any] = {
            "CallSid": self.id,
            "DateUpdated": india(now),
            "Status": ends or ("ringing" if report.stage is Stage.RINGING else "in-progress"),
            "RecordingUrl": "",
        }
        if order.events:
            fields |= self._more(event, ends, round(report.seconds), now)
        return [self._callback(fields)]

    def found(self, verdict: Verdict, seconds: float, now: float) -> Sequence[HttpRequest]:
        return ()

    # -- for the API ------------------------------------------------------------------------------

    def call(self) -> ExotelCall:
        """What a stream of it tells. Numbers are national there."""
        account, order = self._account, self.order
        flow = replace(account.flow, status_url="", account_sid=account.sid)
        if order.stream_url:  # there is no flow that would go on
            flow = replace(flow, passthru_url="")
        return ExotelCall(
            flow,
            national(order.callee),
            order.caller,
            self.id,
            direction="outbound-dial",
            custom_field=order.custom_field,
        )

    def resource(self, call: PlacedCall) -> dict[str, Any]:
        """The call as JSON: in progress from the very first moment."""
        created = india(self._created)
        over = None if call.over is None else _ENDS[call.over]
        seconds = None
        if call.over and call.answered_at is not None:
            seconds = round((call.ended_at or 0.0) - call.answered_at)
        return {
            "Sid": self.id,
            "ParentCallSid": None,
            "DateCreated": created,
            "DateUpdated": created,
            "AccountSid": self._account.sid,
            "To": self.order.caller,
            "From": national(self.order.callee),
            "PhoneNumberSid": self.order.caller,
            "Status": over or "in-progress",
            "StartTime": created,
            "EndTime": None,
            "Duration": seconds,
            "Price": None,
            "Direction": "outbound-api",
            "AnsweredBy": None,
            "ForwardedFrom": None,
            "CallerName": None,
            "Uri": f"/v1/Accounts/{self._account.sid}/Calls.json/{self.id}",
            "RecordingUrl": None,
        }

    # -- inside -----------------------------------------------------------------------------------

    def _more(self, event: str, ends: str | None, seconds: int, now: float) -> dict[str, Any]:
        return {
            "EventType": event,
            "DateCreated": india(self._created),
            "To": self.order.caller,
            "From": national(self.order.callee),
            "PhoneNumberSid": self.order.caller,
            "StartTime": india(self._created),
            "EndTime": india(now) if ends else "1970-01-01 05:30:00",
            "ConversationDuration": seconds,
            "Direction": "outbound-api",
            "CustomField": self.order.custom_field,
            "Legs": [{"OnCallDuration": seconds, "Status": ends, "AnsweredBy": "NA"}],
        }

    def _callback(self, fields: Mapping[str, Any]) -> HttpRequest:
        url = self.order.status_url
        if self.order.status_json:
            body = json.dumps(fields).encode()
            return HttpRequest("POST", url, {"Content-Type": "application/json"}, body)
        flat = {name: str(value) for name, value in fields.items() if name != "Legs"}
        for number, leg in enumerate(fields.get("Legs", ())):
            flat |= {f"Legs[{number}][{name}]": _text(value) for name, value in leg.items()}
        return multipart(url, flat)


def national(number: str) -> str:
    """As India dials it: +91 98… becomes 098…; other countries' numbers stay."""
    if number.startswith("+91"):
        return f"0{number[3:]}"
    return number if number.startswith(("0", "+")) else f"0{number}"


def _text(value: object) -> str:
    return "null" if value is None else str(value)


_conforms: type[Side] = ExotelPlaced
