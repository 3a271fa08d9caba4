"""Where a call is, and who has answered it, by Twilio's callbacks ("Call resource", "Answering
machine detection").

Callbacks come in any order; SequenceNumber would put them right, but the states have an order of
their own that says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rapida_tw.carriers.endings import by_sip, over
from rapida_tw.carriers.fields import word
from rapida_tw.carriers.outbound import Progress, State

_STATES: Final = {
    "queued": State.QUEUED,
    "initiated": State.DIALLED,
    "ringing": State.RINGING,
    "in-progress": State.ANSWERED,
    "answered": State.ANSWERED,
}
_OVER: Final = {
    "completed": "",  # it was answered
    "busy": "busy",
    "no-answer": "no_answer",
    "canceled": "cancelled",
    "failed": "failed",
}
_VERDICTS: Final = {
    "human": "human",
    "machine_start": "machine",
    "machine_end_beep": "beep",
    "machine_end_silence": "silence",
    "machine_end_other": "silence",
    "fax": "fax",
    "unknown": "unknown",
}


def progress(name: str, told: Mapping[str, str]) -> Progress | None:
    """`name`: of the event. What is told of a call that this one has dialled is not its own."""
    family, _, status = name.partition(".")
    if family != "status" or told.get("ParentCallSid"):
        return None
    if status in _STATES:
        return Progress(_STATES[status])
    if status not in _OVER:
        return None
    code, meant = told.get("SipResponseCode", ""), _OVER[status]
    if meant == "failed":
        meant = by_sip(code, meant)
    return over(meant, status if meant else "", code if meant else "")


def verdict(told: Mapping[str, str]) -> str:
    return _VERDICTS.get(word(told.get("AnsweredBy", "")), "")
