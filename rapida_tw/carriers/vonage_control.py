"""Vonage's REST API for calls, as values ("Voice API reference").

A call lives in one region, and nowhere else it is known: requests about a call that came in go
where its webhook said. That word comes over the network, and a token of ours goes there: only
Vonage's own hosts are believed, or the credential's `base_url`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from rapida_tw.account import Account
from rapida_tw.carriers.outbound import (
    GONE,
    CarrierRefused,
    Order,
    Placed,
    RemoteCall,
    RestAnswer,
    RestControl,
)
from rapida_tw.carriers.rest_answers import good, json_object, name_of, refusal, text
from rapida_tw.carriers.rest_requests import (
    JSON,
    address,
    basic,
    call_path,
    document,
    is_sip,
    keys,
    phone,
    seconds,
    shown,
)
from rapida_tw.carriers.vonage_ncco import PHONE, connect
from rapida_tw.carriers.vonage_token import Tokens
from rapida_tw.net.base import Request

REGION: Final = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)*\.(vonage|nexmo)\.com")
_API: Final = "https://api.nexmo.com"
_ACCOUNT: Final = "https://rest.nexmo.com"
_LONGEST_RING: Final = 120  # seconds
_LONGEST_CALL: Final = 7_200
# Beside the call, with the beep: the other modes let whoever answers wait in silence for 5 s.
_DETECTION: Final = {"behavior": "continue", "mode": "default"}
_STATUS: Final = {
    "low-balance": "configuration_failed",
    "out-of-credit": "configuration_failed",
    "throttled": "capacity_exceeded",
}


class VonageControl:
    """A token a request, signed with the application's key."""

    name = "vonage"
    detects_machines = True

    def __init__(self) -> None:
        self._tokens = Tokens()

    def place(self, order: Order, now: float) -> Request:
        ours = shown(order, self.name).removeprefix("+")
        body: dict[str, Any] = {
            "to": [_endpoint(order.callee, "toNumber")],
            "from": {"type": "phone", "number": ours},
            "ncco": connect(
                order.media_url,
                order.event_url,
                order.assistant_id,
                ours,
                order.callee,
                order.options,
            ),
            "event_url": [order.event_url],
            "event_method": "POST",
            "ringing_timer": seconds(order.ring_seconds, 1, _LONGEST_RING),
        }
        if order.most_seconds:
            body["length_timer"] = seconds(order.most_seconds, 1, _LONGEST_CALL)
        if order.detection:
            body["advanced_machine_detection"] = _DETECTION
        return self._request("POST", order.account, now, "", body, once=True)

    def read_placed(self, answer: RestAnswer) -> Placed:
        said = json_object(answer) if good(answer) else {}
        call_id, conversation = name_of(said, "uuid"), name_of(said, "conversation_uuid")
        if not call_id:
            raise _refused(answer)
        return Placed(call_id, (conversation,) if conversation else ())

    def hang_up(self, call: RemoteCall, now: float) -> Request | None:
        return self._steer(call, now, "", {"action": "hangup"})

    def transfer(self, call: RemoteCall, target: str, now: float) -> Request:
        action: dict[str, Any] = {
            "action": "connect",
            "endpoint": [_endpoint(target, "the target")],
        }
        ours = call.caller.removeprefix("+")
        if PHONE.fullmatch(ours):
            action["from"] = ours
        to = {"type": "ncco", "ncco": [action]}
        return self._steer(call, now, "", {"action": "transfer", "destination": to})

    def send_digits(self, call: RemoteCall, digits: str, now: float) -> Request:
        return self._steer(call, now, "/dtmf", {"digits": keys(digits)})

    def check(self, account: Account, now: float) -> Request:
        """By the application; a credential without one, for looking numbers up, by its balance."""
        if not account.first("application_id"):
            key, secret = account.need("api_key"), account.need("api_secret")
            url = f"{account.base_url(_ACCOUNT)}/account/get-balance"
            return Request(url, "GET", {"Accept": JSON, **basic(key, secret)})
        return self._request("GET", account, now, "?page_size=1")

    def read(self, answer: RestAnswer) -> Mapping[str, Any]:
        """204 without a body for most. A call that is over is not found any more."""
        if good(answer):
            return json_object(answer)
        if answer.status == 404:
            return GONE
        raise _refused(answer)

    def _steer(self, call: RemoteCall, now: float, path: str, body: dict[str, Any]) -> Request:
        where = f"/{call_path(call.call_id, self.name)}{path}"
        region = call.data.get("region_url", "")
        return self._request("PUT", call.account, now, where, body, region)

    def _request(
        self,
        method: str,
        account: Account,
        now: float,
        path: str,
        body: dict[str, Any] | None = None,
        region: str = "",
        once: bool = False,
    ) -> Request:
        base = account.base_url(region if REGION.fullmatch(region) else _API)
        headers = {"Authorization": f"Bearer {self._tokens.token(account, now)}", "Accept": JSON}
        if body is None:
            return Request(f"{base}/v1/calls{path}", method, headers)
        headers["Content-Type"] = JSON
        return Request(f"{base}/v1/calls{path}", method, headers, document(body), once=once)


def _endpoint(to: str, what: str) -> dict[str, str]:
    if is_sip(address(to, what)):
        return {"type": "sip", "uri": to}
    return {"type": "phone", "number": phone(to, what).removeprefix("+")}


def _refused(answer: RestAnswer) -> CarrierRefused:
    """Its own form of errors, or problem details (RFC 9457)."""
    said = json_object(answer)
    code = re.split("[/#]", text(said, "type").rstrip("/"))[-1]
    wrong = said.get("invalid_parameters")
    names = _names(wrong)
    words = [text(said, "title", "error_title"), text(said, "detail", "error"), ", ".join(names)]
    status = _STATUS.get(code, "")
    if answer.status == 400 and any(name.startswith("to") for name in names):
        status = "bad_number"
    return refusal(answer, code, ": ".join(word for word in words if word), status)


def _names(wrong: object) -> list[str]:
    """The parameters that were not liked: an object by their names, or a list of objects."""
    if isinstance(wrong, dict):
        return [str(name)[:40] for name in wrong][:8]
    if isinstance(wrong, list):
        return [text(one, "name", "field")[:40] for one in wrong[:8] if isinstance(one, dict)]
    return []


_conforms: type[RestControl] = VonageControl
