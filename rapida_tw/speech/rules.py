"""Rules: a vendor's messages as an assistant's owner describes them, without code.

The declarative adapter (PRODUCT, e.7). `request_rules` say what is sent for each packet of ours,
`response_rules` what a message of the vendor's means::

    {"when": {"packet": "text"}, "send": {"frame": "json", "body": {"a": {"$var": "packet.text"}}}}
    {"when": {"path": "type", "equals": "final"}, "emit": {"script": {"$path": "result.text"}}}

A value is JSON, in which an object of one of these forms stands for something else:
`{"$var": NAME}` a variable, `{"$path": "a.b.0"}` a place in the message, `{"$frame": true}` the
message as it came, `{"$cast": "string|number|integer|boolean", "value": ...}`,
`{"$decode": "base64", "value": ...}`. All rules that match are applied, in their order. A place
that is not there is no match in `when`, and an error elsewhere.
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.net.base import Frame

MOST = 50  # rules of one kind
_DEEPEST = 16  # levels of a value
_OPERATORS = frozenset(("$var", "$path", "$frame", "$cast", "$decode"))
_MISSING: Any = object()

Variables = Callable[[str], Any]  # by the name; KeyError for one that there is not


@dataclass(frozen=True, slots=True)
class Received:
    """One message of the vendor's: its frame and, where it is JSON, what it says."""

    payload: bytes
    binary: bool
    document: Any = _MISSING

    @classmethod
    def of(cls, payload: bytes, binary: bool) -> Received:
        if binary:
            return cls(payload, True)
        try:
            return cls(payload, False, json.loads(payload))
        except (ValueError, RecursionError):
            return cls(payload, False)

    @property
    def frame(self) -> str:
        """binary, json or text."""
        if self.binary:
            return "binary"
        return "text" if self.document is _MISSING else "json"

    def at(self, path: str) -> Any:
        """What is at that place; `_MISSING` when nothing is."""
        value = self.document
        for step in path.split(".") if path else ():
            if isinstance(value, Mapping) and step in value:
                value = value[step]
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                return _MISSING
        return value


_NO_MESSAGE = Received(b"", True)


class RequestRules:
    """What is sent. `packets`: those that may stand in `when`."""

    def __init__(self, given: object, packets: Sequence[str]) -> None:
        """ValueError names the rule that is wrong."""
        self._by_packet: dict[str, list[tuple[str, Any]]] = {name: [] for name in packets}
        for at, (when, send) in enumerate(_pairs(given, "send")):
            packet, frame = when.get("packet"), send.get("frame", "json")
            if packet not in self._by_packet:
                raise ValueError(f"rule {at}: when.packet must be one of {', '.join(packets)}")
            if frame not in ("json", "text", "binary") or "body" not in send:
                raise ValueError(f"rule {at}: send needs a body, and json, text or binary as frame")
            _check(send["body"], at)
            self._by_packet[packet].append((frame, send["body"]))

    def count(self, packet: str) -> int:
        """How many rules it has."""
        return len(self._by_packet[packet])

    def frames(self, packet: str, variables: Variables) -> list[Frame]:
        """What is sent for a packet; RemoteProtocolError when a value cannot be had."""
        return [
            _frame(kind, _value(body, variables, _NO_MESSAGE))
            for kind, body in self._by_packet[packet]
        ]

    def body(self, packet: str, variables: Variables) -> Any:
        """The body of the packet's first rule, as a value."""
        return _value(self._by_packet[packet][0][1], variables, _NO_MESSAGE)


class ResponseRules:
    """What a message means. `emits`: the names that may stand in `emit`."""

    def __init__(self, given: object, emits: Sequence[str]) -> None:
        """ValueError names the rule that is wrong."""
        self._rules: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
        for at, (when, emit) in enumerate(_pairs(given, "emit")):
            if not when.keys() <= {"frame", "path", "equals"}:
                raise ValueError(f"rule {at}: when has frame, path and equals")
            if not emit or not emit.keys() <= set(emits):
                raise ValueError(f"rule {at}: emit has {', '.join(emits)}")
            for value in emit.values():
                _check(value, at)
            self._rules.append((when, emit))

    def has(self, name: str) -> bool:
        """Whether any rule emits it."""
        return any(name in emit for _, emit in self._rules)

    def emitted(
        self, payload: bytes, binary: bool, variables: Variables
    ) -> Iterator[Mapping[str, Any]]:
        """Yield what each rule that matches emits; RemoteProtocolError for what is not there."""
        received = Received.of(payload, binary)
        for when, emit in self._rules:
            if _matches(when, received):
                yield {name: _value(it, variables, received) for name, it in emit.items()}


def _pairs(given: object, second: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    if not isinstance(given, list | tuple) or len(given) > MOST:
        raise ValueError(f"must be a list of at most {MOST} rules")
    for at, rule in enumerate(given):
        if not isinstance(rule, Mapping) or not rule.keys() <= {"when", second}:
            raise ValueError(f"rule {at}: an object of when and {second}")
        when, then = rule.get("when", {}), rule.get(second)
        if not isinstance(when, Mapping) or not isinstance(then, Mapping):
            raise ValueError(f"rule {at}: when and {second} must be objects")
        yield when, then


def _check(value: Any, at: int, deep: int = 0) -> None:
    """ValueError for an operator that there is not."""
    if deep > _DEEPEST:
        raise ValueError(f"rule {at}: too deep")
    if isinstance(value, Mapping):
        dollars = [key for key in value if str(key).startswith("$")]
        if any(key not in _OPERATORS for key in dollars) or len(dollars) > 1:
            raise ValueError(f"rule {at}: {', '.join(map(str, dollars))} is no operator")
        if value.get("$cast", "string") not in _CASTS or value.get("$decode", "base64") != "base64":
            raise ValueError(f"rule {at}: an unknown $cast or $decode")
        if ("$cast" in value or "$decode" in value) and "value" not in value:
            raise ValueError(f"rule {at}: {dollars[0]} needs a value")
        for one in value.values():
            _check(one, at, deep + 1)
    elif isinstance(value, list):
        for one in value:
            _check(one, at, deep + 1)


def _matches(when: Mapping[str, Any], received: Received) -> bool:
    if "frame" in when and when["frame"] != received.frame:
        return False
    if "path" not in when:
        return True
    found = received.at(str(when["path"]))
    if found is _MISSING:
        return False
    # In JSON true is not 1.
    wanted = when.get("equals", found)
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


def _value(template: Any, variables: Variables, received: Received) -> Any:
    if isinstance(template, Mapping):
        if "$var" in template:
            return _variable(str(template["$var"]), variables)
        if "$path" in template:
            found = received.at(str(template["$path"]))
            if found is _MISSING:
                raise RemoteProtocolError(f"there is no {template['$path']} in the message")
            return found
        if "$frame" in template:
            text = received.payload.decode("utf-8", "replace")
            return received.payload if received.binary else text
        if "$cast" in template:
            return _cast(template["$cast"], _value(template["value"], variables, received))
        if "$decode" in template:
            return _decoded(_value(template["value"], variables, received))
        return {key: _value(one, variables, received) for key, one in template.items()}
    if isinstance(template, list):
        return [_value(one, variables, received) for one in template]
    return template


def _variable(name: str, variables: Variables) -> Any:
    try:
        return variables(name)
    except KeyError:
        raise RemoteProtocolError(f"there is no variable {name}") from None


def _truth(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in ("true", "1", "yes")
    return bool(value)


_CASTS: Mapping[str, Callable[[Any], Any]] = {
    "string": str,
    "number": float,
    "float": float,
    "integer": int,
    "int": int,
    "boolean": _truth,
    "bool": _truth,
}


def _cast(kind: str, value: Any) -> Any:
    try:
        return _CASTS[kind](value)
    except (TypeError, ValueError, OverflowError):
        raise RemoteProtocolError(f"{type(value).__name__} is no {kind}") from None


def _decoded(value: Any) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (NotBase64, TypeError, ValueError):
        raise RemoteProtocolError("what is to be decoded is no base64") from None


def _frame(kind: str, value: Any) -> Frame:
    try:
        if kind == "binary":
            return Frame(value if isinstance(value, bytes) else str(value).encode(), True)
        if kind == "text":
            return Frame(str(value).encode())
        return Frame(json.dumps(value, separators=(",", ":")).encode())
    except (TypeError, ValueError):
        raise RemoteProtocolError(f"a body that is no {kind}") from None
