"""Where a call is, and who has answered it, by Vonage's events ("Webhook reference: event webhook",
"Advanced machine detection").

Only the phone's leg counts: the socket's tells the same words of itself, and its events are named
`stream.…`. The time of an event is not needed: states have an order of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rapida_tw.carriers.endings import over
from rapida_tw.carriers.fields import word
from rapida_tw.carriers.outbound import Progress, State

_STATES: Final = {
    "started": State.DIALLED,
    "ringing": State.RINGING,
    "answered": State.ANSWERED,
}
_OVER: Final = {
    "completed": "",  # it was answered
    "busy": "busy",
    "timeout": "no_answer",
    "cancelled": "cancelled",
    "unanswered": "no_answer",
    "rejected": "rejected",
    "failed": "failed",
}
_BY_DETAIL: Final = {
    "unavailable": "unreachable",
    "timeout": "no_answer",
    "restricted": "rejected",
    "declined": "rejected",
    "invalid_number": "bad_number",
    "cannot_route": "unreachable",
    "number_out_of_service": "bad_number",
    "internal_error": "unreachable",
}
_VERDICTS: Final = {"beep_start": "beep", "beep_timeout": "silence"}


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
    detail = word(told.get("detail", ""))
    reason = f"{status}: {detail}" if detail else status
    return over(_BY_DETAIL.get(detail, meant), reason, word(told.get("sip_code", "")))


def verdict(name: str, told: Mapping[str, str]) -> str:
    if name == "machine.machine":
        return _VERDICTS.get(word(told.get("sub_state", "")), "machine")
    return "human" if name == "machine.human" else ""
