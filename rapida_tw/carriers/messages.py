"""What the JSON media messages of several carriers have in common.

Everything that comes from outside is checked here: what is malformed is a `RemoteProtocolError`
that says why, never another exception.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.carriers.base import NOTHING, MarkHeard, Message
from rapida_tw.errors import RemoteProtocolError

DIGITS = frozenset("0123456789ABCD*#")
_SHOWN = 60  # characters of a bad value that a log may hold
_WAITING_MARKS = 64  # a far side that answers none of them must not make us grow

_decode = json.JSONDecoder().decode  # json.loads would look for UTF-16 in each message


def parse(message: bytes, binary: bool = False) -> dict[str, Any]:
    """The JSON object of a text message."""
    if binary:
        raise RemoteProtocolError("a binary message where text is due")
    try:
        value = _decode(message.decode())
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


def written(fields: Mapping[str, Any]) -> Message:
    """A text message of `fields`."""
    return Message(json.dumps(fields, separators=(",", ":")).encode("ascii"))


class Marks:
    """Which marks of ours are still under way, and which of them lost their audio to a clear.

    A far side that is told to clear sends all pending marks back at once, as if they had been
    heard. Names are unique within a call.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, bool] = {}  # name → its audio will be played

    def sent(self, name: str) -> None:
        if len(self._waiting) >= _WAITING_MARKS:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[name] = True

    def cleared(self) -> None:
        self._waiting = dict.fromkeys(self._waiting, False)

    def returned(self, name: str) -> Sequence[MarkHeard]:
        """What the mark's coming back means: nothing, unless all before it has been played."""
        return (MarkHeard(name),) if self._waiting.pop(name, False) else NOTHING
