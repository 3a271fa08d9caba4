"""The query of a listing as criteria: `?criteria=[{"key","value","logic"}]`, or simply `?status=`.

`?orderBy=createdDate&order=desc` sorts.
"""

from __future__ import annotations

from collections.abc import Mapping

from rapida_tw.errors import BadRequest
from rapida_tw.store.criteria import CONVERSATION_KEYS, LOGIC, LONGEST, Criterion, Order, read_order
from rapida_tw.web.api import parse_json
from rapida_tw.web.operation import Parameter

# Fields that may be asked for by their own names; all by =.
SIMPLE = ("status", "direction", "identifier", "source", "carrier", "endReason")
LISTS = ("criteria", "criterias")  # the original's spelling is the second
ORDER_BY, ORDER = "orderBy", "order"

_WORD = {"type": "string", "maxLength": LONGEST, "pattern": "^[^\\u0000]*$"}
PARAMETERS = (
    *(Parameter(name, _WORD, f"Those with this {name}.") for name in SIMPLE),
    Parameter(
        "criteria",
        {
            "type": "string",
            "contentMediaType": "application/json",
            "enum": [
                '[{"key": "duration", "value": "30", "logic": ">="}]',
                '[{"key": "identifier", "value": "555", "logic": "like"}]',
            ],
        },
        f"A JSON list of {{key, value, logic}}, all of which must hold. "
        f"Keys: {', '.join(CONVERSATION_KEYS)}. Logic: {', '.join(LOGIC)}.",
    ),
    Parameter(ORDER_BY, {"enum": [*CONVERSATION_KEYS]}, "Sorted by; newest first without it."),
    Parameter(ORDER, {"enum": ["asc", "desc"]}, "Which way."),
)


def read_criteria(query: Mapping[str, str]) -> list[Criterion]:
    """`BadRequest` for what cannot be read; keys and operators are looked at by the store."""
    criteria = [Criterion(name, query[name]) for name in SIMPLE if query.get(name)]
    for name in LISTS:
        if query.get(name):
            criteria += _listed(query[name])
    return criteria


def asked_order(query: Mapping[str, str]) -> Order | None:
    """None: as the listing is by itself."""
    return read_order(query.get(ORDER_BY, ""), query.get(ORDER, ""))


def _listed(text: str) -> list[Criterion]:
    try:
        found = parse_json(text.encode("utf-8", "replace"))
    except BadRequest as error:
        raise BadRequest(str(error).replace("the body", "criteria")) from None
    if not isinstance(found, list):
        raise BadRequest('criteria must be a JSON list of {"key", "value", "logic"}')
    return [_criterion(one) for one in found]


def _criterion(one: object) -> Criterion:
    if not isinstance(one, dict) or not {"key", "value"} <= one.keys() <= {"key", "value", "logic"}:
        raise BadRequest('each of criteria is {"key", "value", "logic"}')
    key, value, logic = one["key"], one["value"], one.get("logic") or "="
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not (isinstance(key, str) and isinstance(value, str) and isinstance(logic, str)):
        raise BadRequest("key, value and logic of criteria are texts")
    return Criterion(key, value, logic)
