"""Where a call is, and who has answered it, by Plivo's callbacks ("Call status", "Hangup causes",
"Asynchronous machine detection").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rapida_tw.carriers.endings import over
from rapida_tw.carriers.outbound import Progress, State

_STATES: Final = {
    "ringing": State.RINGING,
    "in-progress": State.ANSWERED,
}
_OVER: Final = {
    "completed": "",  # it was answered
    "busy": "busy",
    "no-answer": "no_answer",
    "cancel": "cancelled",
    "timeout": "unreachable",
    "failed": "failed",
}
_BY_CAUSE: Final = {
    "1010": "configuration_failed",  # out of credits
    "1020": "capacity_exceeded",
    "2000": "bad_number",
    "2010": "bad_number",
    "2020": "unreachable",
    "2030": "configuration_failed",  # countries and numbers that the account may not call
    "2040": "configuration_failed",
    "3000": "no_answer",
    "3010": "busy",
    "3020": "rejected",
}


def progress(name: str, told: Mapping[str, str]) -> Progress | None:
    """`name`: of the event."""
    family, _, status = name.partition(".")
    if family != "status":
        return None
    if status in _STATES:
        return Progress(_STATES[status])
    if status not in _OVER:
        return None
    meant = _OVER[status]
    if not meant:
        return over("")
    code = told.get("HangupCauseCode", "")
    return over(_BY_CAUSE.get(code, meant), told.get("HangupCauseName", "") or status, code)


def verdict(name: str) -> str:
    return {"machine.true": "machine", "machine.false": "human"}.get(name, "")
