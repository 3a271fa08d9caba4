"""A request for a call as JSON, in both spellings that clients use.

camelCase is the original's OpenAPI, snake_case its published examples. REST reads documents as they
came; gRPC hands over the same shape, its dynamic values converted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapida_tw.calls.call_refusals import Part, WrongPart
from rapida_tw.calls.call_request import LONGEST_NUMBER, CallRequest, dialled
from rapida_tw.errors import BadRequest
from rapida_tw.ids import parse_id

MOST_ENTRIES = 200  # of metadata, arguments or options
LONGEST_KEY = 200  # characters
LONGEST_TEXT = 8_192  # characters of a value, of one that is no text as JSON
LONGEST_IDEMPOTENCY_KEY = 255
MOST_CALLS = 1_000  # of one request

# Each value's names; the first is the one that mistakes are told by.
ASSISTANT = ("assistant",)
ASSISTANT_ID = ("assistantId", "assistant_id")
TO = ("toNumber", "to_number", "to")
FROM = ("fromNumber", "from_number", "from")
METADATA = ("metadata",)
ARGUMENTS = ("args", "arguments")
OPTIONS = ("options",)
IDEMPOTENCY = ("idempotencyKey", "idempotency_key")
CALLS = ("phoneCalls", "phone_calls", "calls")

_NAMES = (ASSISTANT, ASSISTANT_ID, TO, FROM, METADATA, ARGUMENTS, OPTIONS, IDEMPOTENCY)
VERSION = re.compile(r"(latest|vrsn_[0-9]{1,19})?")
_PRINTABLE = re.compile(r"[!-~]*")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a call, and how: what is not in the document."""

    project_id: int
    key_id: int = 0
    user_id: str = ""
    source: str = "sdk"
    idempotency_key: str = ""  # of a header


def read_call(document: object, asking: Asking) -> CallRequest:
    """`WrongPart` names the first thing that is wrong. An own idempotency key goes first."""
    found = _Values(document, _NAMES)
    assistant_id, version = _assistant(found)
    return CallRequest(
        asking.project_id,
        assistant_id,
        _callee(found.get(TO)),
        _caller(found.get(FROM)),
        version,
        {key: _text(value) for key, value in _object(found, METADATA, Part.METADATA).items()},
        _object(found, ARGUMENTS, Part.ARGUMENTS),
        _object(found, OPTIONS, Part.OPTIONS),
        asking.key_id,
        _idempotency_key(found.get(IDEMPOTENCY) or asking.idempotency_key),
        asking.user_id,
        asking.source,
    )


def read_calls(document: object) -> Sequence[object]:
    """The documents of many calls; `WrongPart` when there are none, or too many."""
    calls = _Values(document, (CALLS,)).get(CALLS)
    if calls is None or calls == []:
        raise WrongPart(Part.NO_CALLS, f"{CALLS[0]} is missing or empty")
    if not isinstance(calls, list) or len(calls) > MOST_CALLS:
        raise WrongPart(Part.REQUEST, f"{CALLS[0]} must be a list of at most {MOST_CALLS}")
    return calls


class _Values:
    """The values of one object by any of their names; null is absent."""

    def __init__(self, document: object, names: Sequence[Sequence[str]], where: str = "") -> None:
        self._part = Part.ASSISTANT if where else Part.REQUEST
        if not isinstance(document, dict):
            raise WrongPart(self._part, f"{where or 'the request'} must be an object")
        known = {name for group in names for name in group}
        unknown = sorted(str(key)[:40] for key in document if key not in known)
        if unknown:
            raise WrongPart(self._part, f"not known here: {', '.join(unknown[:5])}")
        self._document = document

    def get(self, names: Sequence[str]) -> Any:
        given = [self._document[one] for one in names if self._document.get(one) is not None]
        if len(given) > 1 and any(one != given[0] for one in given):
            raise WrongPart(self._part, f"{names[0]} is given twice, and differs")
        return given[0] if given else None


def _assistant(found: _Values) -> tuple[int, str]:
    inner = found.get(ASSISTANT)
    if inner is None:
        return _assistant_id(found.get(ASSISTANT_ID)), ""
    if not isinstance(inner, dict):  # its id alone
        return _assistant_id(inner), ""
    if found.get(ASSISTANT_ID) is not None:
        raise WrongPart(Part.ASSISTANT, "give assistant or assistantId, not both")
    values = _Values(inner, (ASSISTANT_ID, ("version",)), "assistant")
    version = values.get(("version",)) or ""
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        raise WrongPart(Part.ASSISTANT, "assistant.version must be latest or vrsn_<id>")
    return _assistant_id(values.get(ASSISTANT_ID)), version


def _assistant_id(value: Any) -> int:
    if value is None or value == "":
        raise WrongPart(Part.ASSISTANT, "assistantId is missing")
    if isinstance(value, float) and value.is_integer():  # 5.0 is the same number to JSON
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise WrongPart(Part.ASSISTANT, "assistantId must be an id, as text or number")
    try:
        return parse_id(str(value), "assistantId")
    except (BadRequest, ValueError) as error:  # Python does not print numbers of 5000 digits
        text = str(error) if isinstance(error, BadRequest) else "assistantId is too large"
        raise WrongPart(Part.ASSISTANT, text) from None


def _callee(value: Any) -> str:
    if value is None or value == "":
        raise WrongPart(Part.NUMBER, "toNumber is missing")
    if not isinstance(value, str):
        raise WrongPart(Part.NUMBER, "toNumber must be a text")
    try:
        return dialled(value)
    except BadRequest as error:
        raise WrongPart(Part.NUMBER, str(error)) from None


def _caller(value: Any) -> str:
    """What it may look like is the carrier's matter; no header may be made of it."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not value.isprintable() or len(value) > LONGEST_NUMBER:
        raise WrongPart(Part.REQUEST, f"fromNumber must be a text of at most {LONGEST_NUMBER}")
    try:
        return dialled(value)
    except BadRequest:
        raise WrongPart(Part.REQUEST, "fromNumber is no number and no address") from None


def _object(found: _Values, names: Sequence[str], part: Part) -> Mapping[str, Any]:
    value = found.get(names)
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MOST_ENTRIES:
        raise WrongPart(part, f"{names[0]} must be an object of at most {MOST_ENTRIES} values")
    if any(not key or len(key) > LONGEST_KEY for key in value):
        raise WrongPart(part, f"keys of {names[0]} have 1 to {LONGEST_KEY} characters")
    if any(len(_text(one)) > LONGEST_TEXT for one in value.values()):
        raise WrongPart(part, f"values of {names[0]} have at most {LONGEST_TEXT} characters")
    return value


def _text(value: Any) -> str:
    """Metadata is kept as texts: what is none is kept as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _idempotency_key(value: Any) -> str:
    if (
        not isinstance(value, str)
        or len(value) > LONGEST_IDEMPOTENCY_KEY
        or not _PRINTABLE.fullmatch(value)
    ):
        raise WrongPart(
            Part.REQUEST,
            f"idempotencyKey must be 1 to {LONGEST_IDEMPOTENCY_KEY} characters of ASCII, no blanks",
        )
    return value
