"""Selection: criteria and orders as SQL expressions.

Clients name columns and operators; both are looked up here and are never part of an SQL text
(the original pastes them).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement
from sqlalchemy.sql import operators

from rapida_tw.errors import BadRequest
from rapida_tw.ids import LARGEST
from rapida_tw.store import schema
from rapida_tw.store.criteria import CONVERSATION_KEYS, LOGIC, LONGEST, Criterion, Order

MOST = 32  # criteria of a listing
MOST_VALUES = 200  # of one `in`

Columns = Mapping[str, Column[Any]]  # by the names that clients use

_conversation = schema.conversation.c
_entry = schema.entry.c
_STORED = {"created_date": "created", "updated_date": "updated"}

CONVERSATIONS: Columns = {
    name: _conversation[_STORED.get(name, name)] for name in CONVERSATION_KEYS
}
MESSAGES: Columns = {
    "id": _entry.id,
    "assistant_conversation_id": _entry.conversation_id,
    "assistant_id": _conversation.assistant_id,
    "role": _entry.name,
    "body": _entry.value,
    "source": _conversation.source,
    "created_date": _entry.at,
}
# The same things by other names.
_ALIASES = {
    "caller": "identifier",
    "conversation_id": "assistant_conversation_id",
    "text": "body",
    "created": "created_date",
    "updated": "updated_date",
}
_TIMES = ("created_date", "updated_date")
# Words that are written in capitals elsewhere (gRPC's states).
_WORDS = ("status", "source", "direction", "carrier", "end_reason", "role")

_Compare = Callable[[Any, Any], ColumnElement[bool]]
_COMPARISONS: Mapping[str, _Compare] = {
    "=": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}


def conditions(criteria: Sequence[Criterion], columns: Columns) -> list[ColumnElement[bool]]:
    """The expressions; `BadRequest` for unknown keys, operators and values that cannot be."""
    if len(criteria) > MOST:
        raise BadRequest(f"more than {MOST} criteria")
    return [_condition(one, columns) for one in criteria]


def ordering(order: Order | None, columns: Columns, default: Order) -> list[ColumnElement[Any]]:
    """Equal ones in the order of their ids, so that pages do not overlap."""
    wanted = order or default
    column, identity = columns[_known(wanted.column, columns)], columns["id"]
    if wanted.descending:
        return [column.desc(), identity.desc()]
    return [column.asc(), identity.asc()]


def _known(key: str, columns: Columns) -> str:
    # camelCase is the spelling of our JSON, snake_case that of the contract.
    name = "".join(f"_{one.lower()}" if one.isupper() else one for one in key[:64].strip())
    name = _ALIASES.get(name, name)
    if name not in columns:
        raise BadRequest(f"criteria: no such key here; known are {', '.join(columns)}")
    return name


def _condition(criterion: Criterion, columns: Columns) -> ColumnElement[bool]:
    name = _known(criterion.key, columns)
    column, logic = columns[name], criterion.logic.strip().lower() or "="
    if len(criterion.value) > LONGEST:
        raise BadRequest(f"criteria: the value of {name} is longer than {LONGEST} characters")
    if logic == "in":
        return column.in_([_value(name, column, one) for one in _several(name, criterion.value)])
    if logic == "like":
        if not _is_text(column):
            raise BadRequest(f"criteria: {name} is no text, like cannot be asked of it")
        return column.icontains(_checked(name, criterion.value.strip("%")), autoescape=True)
    if logic not in _COMPARISONS:
        raise BadRequest(f"criteria: no such logic; known are {', '.join(LOGIC)}")
    return _COMPARISONS[logic](column, _value(name, column, criterion.value))


def _several(name: str, text: str) -> list[str]:
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise BadRequest(f"criteria: the values of {name} are no JSON list") from None
        values = [one if isinstance(one, str) else json.dumps(one) for one in found]
    else:
        values = [one.strip() for one in text.split(",")]
    if len(values) > MOST_VALUES:
        raise BadRequest(f"criteria: more than {MOST_VALUES} values of {name}")
    return values


def _value(name: str, column: Column[Any], text: str) -> Any:
    if name in _TIMES:
        return _seconds(name, text)
    if _is_text(column):
        return _checked(name, text.lower() if name in _WORDS else text)
    if column.type.python_type is int:
        return _whole(name, text)
    return _number(name, text)


def _is_text(column: Column[Any]) -> bool:
    return isinstance(column.type, schema.Words)


def _checked(name: str, text: str) -> str:
    """What a database cannot hold is in no row, and no error of the database either."""
    if "\0" in text or text != text.encode("utf-8", "replace").decode():
        raise BadRequest(f"criteria: the value of {name} is no text")
    return text


def _whole(name: str, text: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) <= LARGEST):
        raise BadRequest(f"criteria: {name} is a whole number of at most 63 bits")
    return int(digits)


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadRequest(f"criteria: {name} is a number")
    return value


def _seconds(name: str, text: str) -> float:
    try:
        found = float(text)
        if math.isfinite(found):
            return found
    except ValueError:
        pass
    try:
        stamp = datetime.fromisoformat(text.strip())
        return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError):
        raise BadRequest(f"criteria: {name} is RFC 3339, or seconds since the epoch") from None
