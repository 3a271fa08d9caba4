"""Criteria: which rows of a listing are wanted, and in which order, as clients say it.

`selection.py` looks the names up; no name and no value of these is ever part of an SQL text.
"""

from __future__ import annotations

from dataclasses import dataclass

from rapida_tw.errors import BadRequest

LONGEST = 1_000  # characters of a value
LOGIC = ("=", "!=", "<", "<=", ">", ">=", "like", "in")
# Of conversations and of messages; camelCase is understood as well.
CONVERSATION_KEYS = (
    "id",
    "identifier",
    "status",
    "source",
    "direction",
    "assistant_id",
    "carrier",
    "end_reason",
    "duration",
    "created_date",
    "updated_date",
)
MESSAGE_KEYS = (
    "id",
    "assistant_conversation_id",
    "assistant_id",
    "role",
    "body",
    "source",
    "created_date",
)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition; all of a listing's must hold.

    `like` finds the value anywhere, without looking at case; % at its ends is taken off.
    `in` takes several values, divided by commas or as a JSON list. Times are RFC 3339 or seconds
    since the epoch.
    """

    key: str
    value: str
    logic: str = "="


@dataclass(frozen=True, slots=True)
class Order:
    """By which column; `descending` as in "newest first"."""

    column: str
    descending: bool = False


def read_order(column: str, order: str) -> Order | None:
    """Of a client's two words; None for none at all. The column is looked at where it is used."""
    word = order.strip().lower()
    if word not in ("", "asc", "desc"):
        raise BadRequest("order must be asc or desc")
    return Order(column.strip(), word == "desc") if column.strip() else None
