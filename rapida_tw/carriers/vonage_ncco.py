"""The NCCO that connects a call to our media socket (Vonage, "NCCO reference: connect")."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rapida_tw.carriers.options import one_of
from rapida_tw.carriers.vonage_media import RATES

RATE = 16_000  # Hz, the brief's
PHONE = re.compile(r"[0-9]+")  # as Vonage writes numbers: E.164 without the plus
_HEADERS_BYTES = 512  # of the endpoint's `headers`; with more the NCCO is refused


def connect(
    media_url: str,
    event_url: str,
    assistant_id: int,
    ours: str,
    client_number: str,
    options: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """`ours`: the assistant's number, `client_number`: the human side's, in both directions.

    The events of that leg are not asked for as synchronous: then the answer to them could be
    another NCCO, but the web layer has none to give.
    """
    endpoint: dict[str, Any] = {
        "type": "websocket",
        "uri": media_url,
        "content-type": f"audio/l16;rate={one_of(options, 'sample_rate', RATES, RATE)}",
        "headers": _headers(assistant_id, client_number),
    }
    if one_of(options, "authorization", ("none", "vonage"), "none") == "vonage":
        endpoint["authorization"] = {"type": "vonage"}
    action: dict[str, Any] = {
        "action": "connect",
        "eventUrl": [event_url],
        "eventMethod": "POST",
        "endpoint": [endpoint],
    }
    number = ours.removeprefix("+")
    if PHONE.fullmatch(number):
        action["from"] = number
    return [action]


def _headers(assistant_id: int, client_number: str) -> dict[str, str]:
    """What the socket's first message tells again; the caller only when it fits."""
    headers = {"assistant_id": str(assistant_id)}
    whole = {**headers, "client_number": client_number.removeprefix("+")}
    return whole if len(json.dumps(whole)) <= _HEADERS_BYTES else headers
