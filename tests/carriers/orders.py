"""Calls to be placed, as the house gives them to a carrier's control."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from rapida_tw.account import Account
from rapida_tw.carriers.outbound import CarrierRefused, Order, Outcome, RestAnswer, RestControl
from rapida_tw.net.base import Request
from tests.carriers.asking import CONTEXT, HOST

CALLEE, CALLER = "+15550100001", "+15550100002"
NOW = 1_767_323_045.0


def order(carrier: str, account: Account, **changes: Any) -> Order:
    url = f"{HOST}/v1/talk/{carrier}/ctx/{CONTEXT}"
    values: dict[str, Any] = {
        "callee": CALLEE,
        "caller": CALLER,
        "media_url": f"wss://{url}",
        "event_url": f"https://{url}/event",
        **changes,
    }
    return Order(456, 123, 1, CONTEXT, account=account, **values)


def form(request: Request) -> list[tuple[str, str]]:
    """The fields in their order; repeated ones stay so."""
    return parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)


def document(request: Request) -> Any:
    return json.loads(request.body)


def answer(status: int, body: Any = "", **headers: str) -> RestAnswer:
    text = body if isinstance(body, str) else json.dumps(body)
    return RestAnswer(status, headers, text)


def refused(control: RestControl, status: int, body: Any = "") -> Outcome:
    """The outcome of a request for a call that the carrier answered so."""
    try:
        control.read_placed(answer(status, body))
    except CarrierRefused as error:
        return error.outcome
    raise AssertionError("it was not refused")
