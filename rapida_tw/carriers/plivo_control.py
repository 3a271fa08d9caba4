"""Plivo's REST API for calls, as values ("Call API").

Plivo takes no XML with the request: it asks our webhook for it when somebody has answered, and the
address says whose call it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

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
    keys,
    seconds,
    shown,
)
from rapida_tw.errors import NotSupported
from rapida_tw.net.base import Request

CONTEXT: Final = "context"  # of the answer URL's query
_REQUESTED: Final = "request_uuid"
_API: Final = "https://api.plivo.com"
_LONGEST_RING: Final = 600  # seconds
_LONGEST_CALL: Final = 86_399


class PlivoControl:
    """Basic authentication with the account's id and token."""

    name = "plivo"
    detects_machines = True

    def place(self, order: Order, now: float) -> Request:
        """The webhook for its XML is beside the one for its events."""
        webhooks = order.event_url.partition("/ctx/")[0]
        body: dict[str, Any] = {
            "from": shown(order, self.name).removeprefix("+"),
            "to": address(order.callee, "toNumber").removeprefix("+"),
            "answer_url": f"{webhooks}/call/{order.assistant_id}?{CONTEXT}={order.context_id}",
            "answer_method": "POST",
            "ring_url": order.event_url,
            "ring_method": "POST",
            "hangup_url": order.event_url,
            "hangup_method": "POST",
            "ring_timeout": seconds(order.ring_seconds, 1, _LONGEST_RING),
        }
        if order.most_seconds:
            body["time_limit"] = seconds(order.most_seconds, 1, _LONGEST_CALL)
        if order.detection:
            body["machine_detection"] = "true"
            body["machine_detection_url"] = order.event_url
            body["machine_detection_method"] = "POST"
        return _request("POST", order.account, "Call/", body, once=True)

    def read_placed(self, answer: RestAnswer) -> Placed:
        call_id = name_of(json_object(answer), _REQUESTED) if good(answer) else ""
        if not call_id:
            raise _refused(answer)
        return Placed(call_id, data={_REQUESTED: call_id})

    def hang_up(self, call: RemoteCall, now: float) -> Request | None:
        """What was not answered yet has no call, but the request for one."""
        kind = "Request" if call.data.get(_REQUESTED) == call.call_id else "Call"
        return _request("DELETE", call.account, f"{kind}/{call_path(call.call_id, self.name)}/")

    def transfer(self, call: RemoteCall, target: str, now: float) -> Request:
        raise NotSupported("Plivo transfers by XML that it fetches, and we have no address for it")

    def send_digits(self, call: RemoteCall, digits: str, now: float) -> Request:
        path = f"Call/{call_path(call.call_id, self.name)}/DTMF/"
        return _request("POST", call.account, path, {"digits": keys(digits)})

    def check(self, account: Account, now: float) -> Request:
        return _request("GET", account, "")

    def read(self, answer: RestAnswer) -> Mapping[str, Any]:
        if good(answer):
            return json_object(answer)
        if answer.status == 404:
            return GONE
        raise _refused(answer)


def _request(
    method: str,
    account: Account,
    path: str,
    body: dict[str, Any] | None = None,
    once: bool = False,
) -> Request:
    user = account.need("auth_id", "authId")
    token = account.need("auth_token", "authToken")
    url = f"{account.base_url(_API)}/v1/Account/{quote(user, safe='')}/{path}"
    headers = {**basic(user, token), "Accept": JSON}
    if body is None:
        return Request(url, method, headers)
    return Request(url, method, {**headers, "Content-Type": JSON}, document(body), once=once)


def _refused(answer: RestAnswer) -> CarrierRefused:
    return refusal(answer, "", text(json_object(answer), "error", "message"))


_conforms: type[RestControl] = PlivoControl
