"""What the JSON messages of several vendors have in common.

Everything that a vendor sends is checked here: what is malformed is a `RemoteProtocolError` that
says why, never another exception.
"""

from __future__ import annotations

import json
from binascii import Error as BinasciiError
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any
from urllib.parse import quote, urlencode

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.net.base import Frame

_SHOWN = 200  # characters of a vendor's reason that are told on
_SOCKETS = {"http": "ws", "https": "wss"}

_decode = json.JSONDecoder().decode  # json.loads would look for UTF-16 in each message


def parse(payload: bytes, binary: bool = False) -> dict[str, Any]:
    """The JSON object of a text message."""
    if binary:
        raise RemoteProtocolError("a binary message where text is due")
    try:
        value = _decode(payload.decode())
    except (ValueError, RecursionError) as error:
        raise RemoteProtocolError(f"not JSON: {type(error).__name__}") from None
    if not isinstance(value, dict):
        raise RemoteProtocolError("JSON, but no object")
    return value


def text(fields: Mapping[str, Any], name: str) -> str:
    """A text; "" when there is none, or a null."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RemoteProtocolError(f"{name} is no text")
    return value


def number(fields: Mapping[str, Any], name: str, otherwise: float = 0.0) -> float:
    """A finite number; `otherwise` when there is none, or a null."""
    value = fields.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise RemoteProtocolError(f"{name} is no number")
    try:
        converted = float(value)
    except OverflowError:
        raise RemoteProtocolError(f"{name} is too large") from None
    if not isfinite(converted):
        raise RemoteProtocolError(f"{name} is not finite")
    return converted


def flag(fields: Mapping[str, Any], name: str) -> bool:
    """True or false; false when there is none, or a null."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise RemoteProtocolError(f"{name} is neither true nor false")
    return bool(value)


def part(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object; empty when there is none, or a null."""
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RemoteProtocolError(f"{name} is no object")
    return value


def parts(fields: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """A list of objects; empty when there is none, or a null."""
    value = fields.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RemoteProtocolError(f"{name} is no list of objects")
    return value


def confidence(words: Sequence[Mapping[str, Any]], name: str = "confidence") -> float:
    """The mean of the words' own, 0..1; 1 where the vendor tells none."""
    told = [number(word, name) for word in words if word.get(name) is not None]
    return min(max(sum(told) / len(told), 0.0), 1.0) if told else 1.0


def reason(*told: str) -> str:
    """What the vendor told of its reasons, on one line and not too long."""
    said = ": ".join(one for one in told if one) or "it gave no reason"
    return "".join(one if one.isprintable() else " " for one in said)[:_SHOWN]


def written(fields: Mapping[str, Any]) -> Frame:
    """A text message."""
    return Frame(json.dumps(fields, separators=(",", ":")).encode("ascii"))


def encoded(payload: bytes) -> bytes:
    """Base64 in ASCII, on one line."""
    return b2a_base64(payload, newline=False)


def decoded(value: str) -> bytes:
    """And back."""
    try:
        return a2b_base64(value, strict_mode=True)
    except (BinasciiError, ValueError):
        raise RemoteProtocolError("what should be base64 is not") from None


def socket_url(base: str, path: str, query: Mapping[str, Any]) -> str:
    """Where to connect; `base` may begin with http, too, or with the host.

    Of `query`, None and "" are left out, booleans are lower case, a tuple is one field an item.
    """
    scheme, _, rest = base.rpartition("://")
    # Some vendors document their whole addresses, and so these are what people put in.
    place = rest if path and rest.endswith(path) else f"{rest}{path}"
    url = f"{_SOCKETS.get(scheme, scheme) or 'wss'}://{place}"
    fields: list[tuple[str, str]] = []
    for name, value in query.items():
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None and one != "":
                fields.append((name, str(one).lower() if isinstance(one, bool) else str(one)))
    # Not every vendor reads a plus as a space.
    return f"{url}?{urlencode(fields, quote_via=quote)}" if fields else url
