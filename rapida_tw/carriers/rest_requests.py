"""What requests to carriers' REST APIs are made of, checked before it is sent anywhere.

Numbers come from whoever asks for a call, ids from webhooks: neither may become another parameter,
another path or another header.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any
from urllib.parse import urlencode

from rapida_tw.carriers.outbound import Order
from rapida_tw.errors import BadRequest, MisconfiguredAssistant, NotSupported

_PHONE = re.compile(r"\+?[0-9]{2,20}")
_SIP = re.compile(r"sips?:[A-Za-z0-9_.!~*'()&=+$%@:;-]{1,120}", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:.-]{0,127}")
_DIGITS = re.compile(r"[0-9A-D*#]{1,32}")

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def phone(number: str, what: str) -> str:
    """The number as it is; `BadRequest` where it is none."""
    if not _PHONE.fullmatch(number):
        raise BadRequest(f"{what} is no number that a phone can have")
    return number


def is_sip(address: str) -> bool:
    """Whether it is a SIP address, in characters that need no care."""
    return _SIP.fullmatch(address) is not None


def address(text: str, what: str) -> str:
    """A number or a SIP address; `BadRequest` where it is neither."""
    return text if is_sip(text) else phone(text, what)


def shown(order: Order, carrier: str) -> str:
    """The number that is shown to who is called."""
    if not order.caller:
        raise MisconfiguredAssistant(f"{carrier} needs a number to call from: the option phone")
    return phone(order.caller, "fromNumber")


def call_path(call_id: str, carrier: str) -> str:
    """The call's id as part of a path. Webhooks bring it: it must not lead elsewhere."""
    if not _ID.fullmatch(call_id):
        raise NotSupported(f"{carrier} has not told an id of this call by which it can be steered")
    return call_id


def keys(digits: str) -> str:
    """0-9 A-D * #; `BadRequest` for anything else."""
    if not _DIGITS.fullmatch(digits):
        raise BadRequest("digits are 0-9, A-D, * and #, 32 at most")
    return digits


def seconds(value: float, least: int, most: int) -> int:
    """Whole seconds within what the carrier takes."""
    return ceil(min(most, max(least, value)))


def basic(user: str, password: str) -> dict[str, str]:
    """HTTP Basic (RFC 7617)."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def form(pairs: Sequence[tuple[str, str]]) -> bytes:
    return urlencode(pairs).encode()


def document(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
