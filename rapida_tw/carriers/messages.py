"""What the JSON media messages of several carriers have in common.

Everything that comes from outside is checked here: what is malformed is a `RemoteProtocolError`
that says why, never another exception.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Any

from rapida_tw.errors import RemoteProtocolError

DIGITS = frozenset("0123456789ABCD*#")
_SHOWN = 60  # characters of a bad value that a log may hold


def parse(message: bytes, binary: bool = False) -> dict[str, Any]:
    """The JSON object of a text message."""
    if binary:
        raise RemoteProtocolError("a binary message where text is due")
    try:
        value = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise RemoteProtocolError(f"not JSON: {type(error).__name__}") from None
    if not isinstance(value, dict):
        raise RemoteProtocolError("JSON, but no object")
    return value


def part(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object `name` of a message."""
    value = message.get(name)
    if not isinstance(value, dict):
        raise RemoteProtocolError(f"no object {name!r}")
    return value


def text(fields: Mapping[str, Any], *names: str) -> str:
    """The first of `names` that is there, as text; "" when none is. Numbers are taken, too."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return ""


def digit(value: str) -> str:
    """One key, upper case."""
    key = value.upper()
    if key not in DIGITS:
        raise RemoteProtocolError(f"no key: {value[:_SHOWN]!r}")
    return key


def decoded(payload: object) -> bytes:
    """The bytes of a base64 text; strict, because what is skipped shifts all that follows."""
    if not isinstance(payload, str):
        raise RemoteProtocolError("no payload")
    try:
        return a2b_base64(payload, strict_mode=True)
    except (Base64Error, ValueError) as error:
        raise RemoteProtocolError(f"bad base64: {error}") from None


def encoded(payload: bytes) -> bytes:
    """Base64 in ASCII, on one line."""
    return b2a_base64(payload, newline=False)
