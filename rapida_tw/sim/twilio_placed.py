"""Twilio's side of a call that it was asked to place: callbacks, documents, machine detection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from rapida_tw.sim.call_steps import Fetch, Over, Report, Side, Stage, Step
from rapida_tw.sim.call_steps import Stream as StreamStep
from rapida_tw.sim.habits import Verdict
from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.placed_call import PlacedCall
from rapida_tw.sim.twilio import TwilioCall, TwilioNumber, new_sid, signed_form
from rapida_tw.sim.twilio_orders import Order
from rapida_tw.sim.twilio_verbs import Verbs
from rapida_tw.sim.twiml import Stream

API_VERSION = "2010-04-01"
_EVENTS = {Stage.DIALLED: "initiated", Stage.RINGING: "ringing", Stage.ANSWERED: "answered"}
_STATUSES = {
    Stage.QUEUED: "queued",
    Stage.DIALLED: "initiated",
    Stage.RINGING: "ringing",
    Stage.ANSWERED: "in-progress",
}
_ENDS = {  # with the SIP code that the callback tells
    Over.COMPLETED: ("completed", "200"),
    Over.BUSY: ("busy", "486"),
    Over.NO_ANSWER: ("no-answer", "487"),
    Over.DECLINED: ("busy", "603"),
    Over.FAILED: ("failed", "404"),
    Over.CANCELLED: ("canceled", "487"),
}
_VERDICTS = {
    Verdict.HUMAN: "human",
    Verdict.MACHINE: "machine_start",
    Verdict.BEEP: "machine_end_beep",
    Verdict.SILENCE: "machine_end_silence",
}


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """`numbers`: those that may be shown; empty: any. `keys`: API keys (SK…) and their secrets.

    `tls` False takes a `ws:` stream too, which Twilio does not. With `signs` False its callbacks
    have no signature.
    """

    sid: str = "AC00000000000000000000000000000001"
    token: str = field(default="", repr=False)
    numbers: frozenset[str] = frozenset()
    keys: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    tls: bool = True
    signs: bool = True

    @property
    def signing(self) -> str:
        """What callbacks are signed with; "": nothing."""
        return self.token if self.signs else ""


class TwilioPlaced:
    """One call. `streams`: those that its documents have begun.

    Of one that arrives (`direction` inbound) `order` has who calls whom, and the number's URLs.
    """

    def __init__(
        self, account: TwilioAccount, order: Order, now: float, direction: str = "outbound-api"
    ) -> None:
        self.id = new_sid("CA")
        self.callee = order.callee
        self.ring_seconds = order.ring_seconds
        self.most_seconds = order.most_seconds
        self.detection = order.detection
        self.order = order
        self.streams: list[Stream] = []
        self._account = account
        self._created = now
        self._sequence = 0
        self._direction = direction
        self._status = "queued"
        self._verdict: Verdict | None = None

    # -- Side -------------------------------------------------------------------------------------

    def document(self, now: float) -> Iterable[Step]:
        order = self.order
        if order.url:
            arrives = self._direction == "inbound"
            return [
                self._ask(order.method, order.url, {"CallStatus": "ringing"} if arrives else {})
            ]
        return self.read(order.twiml)

    def tell(self, report: Report, now: float) -> Sequence[HttpRequest]:
        self._status = status_of(report.stage, report.over)
        order = self.order
        event = _EVENTS.get(report.stage, "completed")
        if not order.status_url or event not in order.events:
            return ()
        fields = {
            **self._fields(),
            "Timestamp": rfc_2822(now),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._sequence),
        }
        self._sequence += 1
        if report.over is not None:
            seconds = round(report.seconds)
            fields["CallDuration"] = str(seconds)
            fields["Duration"] = str(-(-seconds // 60))  # minutes
            fields["SipResponseCode"] = _ENDS[report.over][1]
            if report.verdict is not None:
                fields["AnsweredBy"] = _VERDICTS[report.verdict]
        return [self._signed(order.status_method, order.status_url, fields)]

    def found(self, verdict: Verdict, seconds: float, now: float) -> Sequence[HttpRequest]:
        self._verdict = verdict
        order = self.order
        if not order.amd_url:
            return ()
        fields = {
            "CallSid": self.id,
            "AccountSid": self._account.sid,
            "AnsweredBy": _VERDICTS[verdict],
            "MachineDetectionDuration": str(round(1000 * seconds)),
        }
        return [self._signed(order.amd_method, order.amd_url, fields)]

    # -- for the API ------------------------------------------------------------------------------

    def read(self, twiml: str) -> list[Step]:
        """The steps of a document that came with a request; `CallFailed`."""
        answer = HttpAnswer(200, {"content-type": "text/xml"}, twiml.encode())
        return self._verbs().read(answer, self.order.status_url)

    def fetch(self, method: str, url: str) -> Step:
        """The document at that address."""
        return self._ask(method, url, {})

    def resource(self, call: PlacedCall, now: float) -> dict[str, Any]:
        """The call as JSON."""
        account, order = self._account, self.order
        uri = f"/{API_VERSION}/Accounts/{account.sid}/Calls/{self.id}"
        ended = None if call.ended_at is None else now
        began = None if call.answered_at is None else now
        seconds = None
        if call.ended_at is not None:
            seconds = str(round(call.ended_at - (call.answered_at or call.ended_at)))
        status = status_of(call.stage, call.over)
        return {
            "sid": self.id,
            "account_sid": account.sid,
            "parent_call_sid": None,
            "to": order.callee,
            "to_formatted": order.callee,
            "from": order.caller,
            "from_formatted": order.caller,
            "phone_number_sid": "PN00000000000000000000000000000001",
            # The API knows no "initiated".
            "status": "queued" if status == "initiated" else status,
            "start_time": None if began is None else rfc_2822(began),
            "end_time": None if ended is None else rfc_2822(ended),
            "duration": seconds,
            "price": None,
            "price_unit": "USD",
            "direction": self._direction,
            "answered_by": None if self._verdict is None else _VERDICTS[self._verdict],
            "api_version": API_VERSION,
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": "0",
            "trunk_sid": None,
            "date_created": None if call.stage is Stage.QUEUED else rfc_2822(self._created),
            "date_updated": None if call.stage is Stage.QUEUED else rfc_2822(now),
            "uri": f"{uri}.json",
            "subresource_uris": {
                "recordings": f"{uri}/Recordings.json",
                "streams": f"{uri}/Streams.json",
            },
        }

    # -- inside -----------------------------------------------------------------------------------

    def _verbs(self) -> Verbs:
        return Verbs(self._stream, self._ask, tls=self._account.tls)

    def _stream(self, stream: Stream) -> StreamStep:
        self.streams.append(stream)
        account, order = self._account, self.order
        number = TwilioNumber("", "POST", account.signing, account.sid, tls=account.tls)
        call = TwilioCall(
            number, order.caller, order.callee, call_sid=self.id, direction=self._direction
        )
        return StreamStep(call.streams(stream), call)

    def _ask(self, method: str, url: str, fields: dict[str, str]) -> Fetch:
        told = {**self._fields(), **fields}
        if self._verdict is not None and self.detection is not None and self.detection.waits:
            told["AnsweredBy"] = _VERDICTS[self._verdict]
        request = self._signed(method, url, told)
        return Fetch(request, lambda answer, now: self._verbs().read(answer, url))

    def _fields(self) -> dict[str, str]:
        order = self.order
        places = ("City", "State", "Zip", "Country")
        return {
            "CallSid": self.id,
            "AccountSid": self._account.sid,
            "From": order.caller,
            "To": order.callee,
            "Caller": order.caller,
            "Called": order.callee,
            "CallStatus": self._status,
            "ApiVersion": API_VERSION,
            "Direction": self._direction,
            **{f"{who}{place}": "" for who in ("From", "To") for place in places},
        }

    def _signed(self, method: str, url: str, fields: dict[str, str]) -> HttpRequest:
        return signed_form(method, url, fields, self._account.signing)


def status_of(stage: Stage, over: Over | None) -> str:
    """CallStatus."""
    return _STATUSES[stage] if over is None else _ENDS[over][0]


def rfc_2822(now: float) -> str:
    """Seconds since the epoch, in UTC."""
    return format_datetime(datetime.fromtimestamp(now, UTC))


_conforms: type[Side] = TwilioPlaced
