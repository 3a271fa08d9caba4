"""What carriers' REST APIs answer, and what it means that they refuse.

A 4xx has reached nobody's phone. A 5xx, and a 2xx that cannot be read, leave it open whether the
call exists: then nobody may ask again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rapida_tw.carriers.fields import LONGEST, printable
from rapida_tw.carriers.outbound import CarrierRefused, Outcome, Reach, RestAnswer
from rapida_tw.net.reasons import reason_in, retry_after

_LONGEST_CODE = 40  # characters
_LONGEST_WORDS = 500
_LONGEST_WAIT = 86_400.0  # seconds
_BY_STATUS = {401: "authentication_failed", 403: "authentication_failed", 429: "capacity_exceeded"}


def json_object(answer: RestAnswer) -> dict[str, Any]:
    """The body's JSON object; empty where it is none."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def inner(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under `name`; empty where there is none."""
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def text(value: Mapping[str, Any], *names: str) -> str:
    """The first of `names` that is a text or a number and not empty, printable; "" when none is."""
    for name in names:
        found = value.get(name)
        if isinstance(found, str | int) and not isinstance(found, bool) and found != "":
            return printable(str(found)[:_LONGEST_WORDS])
    return ""


def name_of(value: Mapping[str, Any], *names: str) -> str:
    """The id of a call; "" where there is none, or one that is too long."""
    found = text(value, *names)
    return found if len(found) <= LONGEST else ""


def good(answer: RestAnswer) -> bool:
    return 200 <= answer.status < 300


def refusal(
    answer: RestAnswer, code: str = "", words: str = "", status: str = ""
) -> CarrierRefused:
    """Why an answer is no good. `status`: of the outcome, where the carrier's code tells it."""
    words = words or reason_in(answer.body, answer.headers)
    if good(answer):
        words = f"its answer to the request makes no sense (HTTP {answer.status})"
    words = printable(words)[:_LONGEST_WORDS] or f"HTTP {answer.status}"
    unclear = good(answer) or answer.status >= 500
    if unclear:
        status = "failed"
    status = status or _BY_STATUS.get(answer.status, "configuration_failed")
    outcome = Outcome(
        status,
        words,
        printable(code)[:_LONGEST_CODE],
        retryable=status == "capacity_exceeded",
        reach=Reach.UNKNOWN if unclear else Reach.NOBODY,
    )
    wait = retry_after(answer.headers)
    return CarrierRefused.by(outcome, None if wait is None else min(wait, _LONGEST_WAIT))
