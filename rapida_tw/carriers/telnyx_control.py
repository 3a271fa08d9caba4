"""Telnyx' Call Control API, as values ("Call commands").

A placed call is Call Control's, and its media comes to our socket by itself; calls that come in are
TeXML's, whose CallSid is the same kind of id and takes the same commands.
"""

from __future__ import annotations

from base64 import b64encode
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
from rapida_tw.carriers.rest_answers import good, inner, json_object, name_of, refusal, text
from rapida_tw.carriers.rest_requests import (
    JSON,
    address,
    call_path,
    document,
    keys,
    seconds,
    shown,
)
from rapida_tw.carriers.withheld import withheld
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.net.base import Request

_API: Final = "https://api.telnyx.com"
_SHORTEST_RING: Final = 5  # seconds
_LONGEST_RING: Final = 600
_SHORTEST_CALL: Final = 30
_LONGEST_CALL: Final = 14_400
_CODEC: Final = "PCMU"  # both ways: what our media socket speaks
_DETECTION: Final = {"start": "detect", "end": "greeting_end"}
_ENDED: Final = "90018"
_STATUS: Final = {
    "10009": "authentication_failed",
    "10010": "authentication_failed",
    "10002": "bad_number",
    "10011": "capacity_exceeded",
    "10016": "bad_number",
}


class TelnyxControl:
    """An API key as the bearer's token."""

    name = "telnyx"
    detects_machines = True

    def place(self, order: Order, now: float) -> Request:
        """`command_id`: the same command a second time within a minute is passed over there."""
        account = order.account
        connection = str(order.options.get("connection_id") or account.first("connection_id"))
        if not connection:
            raise MisconfiguredAssistant("Telnyx needs the connection_id of a Call Control app")
        body: dict[str, Any] = {
            "connection_id": connection,
            "to": address(order.callee, "toNumber"),
            "from": shown(order, self.name),
            "timeout_secs": seconds(order.ring_seconds, _SHORTEST_RING, _LONGEST_RING),
            "webhook_url": order.event_url,
            "webhook_url_method": "POST",
            "stream_url": order.media_url,
            "stream_track": "inbound_track",
            "stream_codec": _CODEC,
            "stream_bidirectional_mode": "rtp",
            "stream_bidirectional_codec": _CODEC,
            "client_state": b64encode(order.context_id.encode()).decode(),
            "command_id": order.context_id,
        }
        if order.most_seconds:
            most = seconds(order.most_seconds, _SHORTEST_CALL, _LONGEST_CALL)
            body["time_limit_secs"] = most
        if order.detection:
            body["answering_machine_detection"] = _DETECTION[order.detection]
        return _request(account, "/calls", body, once=True)

    def read_placed(self, answer: RestAnswer) -> Placed:
        said = inner(json_object(answer), "data") if good(answer) else {}
        call_id, leg = name_of(said, "call_control_id"), name_of(said, "call_leg_id")
        if not call_id:
            raise _refused(answer)
        return Placed(call_id, (leg,) if leg else ())

    def hang_up(self, call: RemoteCall, now: float) -> Request | None:
        return self._command(call, "hangup", {})

    def transfer(self, call: RemoteCall, target: str, now: float) -> Request:
        body = {"to": address(target, "the target")}
        if call.caller and not withheld(call.caller):
            body["from"] = call.caller
        return self._command(call, "transfer", body)

    def send_digits(self, call: RemoteCall, digits: str, now: float) -> Request:
        return self._command(call, "send_dtmf", {"digits": keys(digits)})

    def check(self, account: Account, now: float) -> Request:
        return _request(account, "/balance")

    def read(self, answer: RestAnswer) -> Mapping[str, Any]:
        if good(answer):
            return json_object(answer)
        if text(_error(answer), "code") == _ENDED:
            return GONE
        raise _refused(answer)

    def _command(self, call: RemoteCall, command: str, body: dict[str, Any]) -> Request:
        path = f"/calls/{call_path(call.call_id, self.name)}/actions/{command}"
        return _request(call.account, path, body)


def _request(
    account: Account, path: str, body: dict[str, Any] | None = None, once: bool = False
) -> Request:
    url = f"{account.base_url(_API)}/v2{path}"
    key = account.need("api_key", "apiKey", "key")
    headers = {"Authorization": f"Bearer {key}", "Accept": JSON}
    if body is None:
        return Request(url, headers=headers)
    return Request(url, "POST", {**headers, "Content-Type": JSON}, document(body), once=once)


def _error(answer: RestAnswer) -> Mapping[str, Any]:
    errors = json_object(answer).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return first if isinstance(first, dict) else {}


def _refused(answer: RestAnswer) -> CarrierRefused:
    error = _error(answer)
    code = text(error, "code")
    words = ": ".join(word for word in (text(error, "title"), text(error, "detail")) if word)
    return refusal(answer, code, words, _STATUS.get(code, ""))


_conforms: type[RestControl] = TelnyxControl
