"""Twilio's REST API for calls, as values (its documentation, "Call resource").

Calls are placed with their TwiML in the request, so that nothing is asked for when somebody
answers. Who answers is found out beside the call (AsyncAmd): nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from rapida_tw.account import Account
from rapida_tw.carriers.markup import element, response
from rapida_tw.carriers.outbound import (
    GONE,
    Order,
    Placed,
    RemoteCall,
    RestAnswer,
    RestControl,
)
from rapida_tw.carriers.rest_answers import good, json_object, name_of, refusal, text
from rapida_tw.carriers.rest_requests import (
    FORM,
    address,
    basic,
    call_path,
    form,
    is_sip,
    seconds,
    shown,
)
from rapida_tw.carriers.twilio_markup import connect
from rapida_tw.carriers.withheld import withheld
from rapida_tw.errors import MisconfiguredAssistant, NotSupported
from rapida_tw.net.base import Request

_API: Final = "https://api.twilio.com"
_LONGEST_TWIML: Final = 4_000  # characters
_LONGEST_RING: Final = 600  # seconds
_LONGEST_CALL: Final = 86_400
_EVENTS: Final = ("initiated", "ringing", "answered", "completed")
_DETECTION: Final = {"start": "Enable", "end": "DetectMessageEnd"}
_NOT_IN_PROGRESS: Final = "21220"
_TRANSFER_RINGS: Final = "30"  # seconds

# Twilio's codes where they say more than the HTTP status ("Error and Warning Dictionary").
_STATUS: Final = {
    **dict.fromkeys(("20003", "20005", "10001"), "authentication_failed"),
    **dict.fromkeys(("21201", "21211", "21214", "21217", "13223", "13224"), "bad_number"),
    **dict.fromkeys(("10004", "20429"), "capacity_exceeded"),
    # Countries and numbers that the account may not call, numbers that it may not call from.
    **dict.fromkeys(("21210", "21212", "21213", "21215", "21216", "21219"), "configuration_failed"),
}


class TwilioControl:
    """Basic authentication with the account's SID and token."""

    name = "twilio"
    detects_machines = True

    def place(self, order: Order, now: float) -> Request:
        twiml = connect(
            order.media_url,
            order.event_url,
            order.assistant_id,
            order.conversation_id,
            order.callee,
        ).body.decode()
        if len(twiml) > _LONGEST_TWIML:
            raise MisconfiguredAssistant("the TwiML of the call is longer than Twilio takes")
        pairs = [
            ("To", address(order.callee, "toNumber")),
            ("From", shown(order, self.name)),
            ("Twiml", twiml),
            ("Timeout", str(seconds(order.ring_seconds, 1, _LONGEST_RING))),
            ("StatusCallback", order.event_url),
            ("StatusCallbackMethod", "POST"),
            *(("StatusCallbackEvent", event) for event in _EVENTS),
        ]
        if order.most_seconds:
            pairs.append(("TimeLimit", str(seconds(order.most_seconds, 1, _LONGEST_CALL))))
        if order.detection:
            pairs += [
                ("MachineDetection", _DETECTION[order.detection]),
                ("AsyncAmd", "true"),
                ("AsyncAmdStatusCallback", order.event_url),
                ("AsyncAmdStatusCallbackMethod", "POST"),
            ]
        return _request(order.account, "/Calls.json", pairs, once=True)

    def read_placed(self, answer: RestAnswer) -> Placed:
        call_id = name_of(json_object(answer), "sid") if good(answer) else ""
        if not call_id:
            raise _refused(answer)
        return Placed(call_id)

    def hang_up(self, call: RemoteCall, now: float) -> Request | None:
        """`completed` ends a call that still rings, too."""
        return self._update(call, ("Status", "completed"))

    def transfer(self, call: RemoteCall, target: str, now: float) -> Request:
        to = address(target, "the target")
        party = element("Sip" if is_sip(to) else "Number", text=to)
        attributes = {"timeout": _TRANSFER_RINGS}
        if call.caller and not withheld(call.caller):
            attributes["callerId"] = call.caller
        twiml = response(element("Dial", party, attributes=attributes)).body.decode()
        return self._update(call, ("Twiml", twiml))

    def send_digits(self, call: RemoteCall, digits: str, now: float) -> Request:
        raise NotSupported("Twilio would end the media stream: digits are played as tones")

    def check(self, account: Account, now: float) -> Request:
        return _request(account, ".json")

    def read(self, answer: RestAnswer) -> Mapping[str, Any]:
        said = json_object(answer)
        if good(answer):
            return said
        if text(said, "code") == _NOT_IN_PROGRESS:
            return GONE
        raise _refused(answer)

    def _update(self, call: RemoteCall, field: tuple[str, str]) -> Request:
        return _request(call.account, f"/Calls/{call_path(call.call_id, self.name)}.json", [field])


def _request(
    account: Account, path: str, pairs: list[tuple[str, str]] | None = None, once: bool = False
) -> Request:
    sid = account.need("account_sid", "accountSid")
    token = account.need("account_token", "auth_token", "authToken", "accountToken")
    url = f"{account.base_url(_API)}/2010-04-01/Accounts/{quote(sid, safe='')}{path}"
    headers = {**basic(sid, token), "Accept": "application/json"}
    if pairs is None:
        return Request(url, headers=headers)
    return Request(url, "POST", {**headers, "Content-Type": FORM}, form(pairs), once=once)


def _refused(answer: RestAnswer) -> Exception:
    said = json_object(answer)
    code = text(said, "code")
    return refusal(answer, code, text(said, "message"), _STATUS.get(code, ""))


_conforms: type[RestControl] = TwilioControl
