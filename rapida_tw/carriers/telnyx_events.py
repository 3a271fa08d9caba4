"""Where a call is, and who has answered it, by Telnyx' events (Call Control's, "Answering machine
detection"; TeXML's are Twilio's).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rapida_tw.carriers import twilio_events
from rapida_tw.carriers.endings import by_sip, over
from rapida_tw.carriers.fields import word
from rapida_tw.carriers.outbound import Progress, State

_STATES: Final = {
    "call.initiated": State.DIALLED,
    "call.answered": State.ANSWERED,
}
_CAUSES: Final = {
    "normal_clearing": "",  # it was answered
    "time_limit": "",
    "user_busy": "busy",
    "timeout": "no_answer",
    "no_answer": "no_answer",
    "originator_cancel": "cancelled",
    "call_rejected": "rejected",
    "not_found": "bad_number",
}
_DETECTED: Final = {
    "human": "human",
    "human_residence": "human",
    "human_business": "human",
    "machine": "machine",
    "silence": "unknown",
    "fax_detected": "fax",
    "not_sure": "unknown",
}
_GREETING: Final = {
    "beep_detected": "beep",
    "no_beep_detected": "silence",
    "ended": "silence",
    "not_sure": "silence",
}


def progress(event: str, name: str, told: Mapping[str, str]) -> Progress | None:
    """`event`: the type of a Call Control event, "" of a form; `name`: ours."""
    if not event:
        return twilio_events.progress(name, told)
    if event in _STATES:
        return Progress(_STATES[event])
    if event != "call.hangup":
        return None
    cause, code = word(told.get("hangup_cause", "")), word(told.get("sip_hangup_cause", ""))
    meant = _CAUSES[cause] if cause in _CAUSES else by_sip(code, "failed")
    return over(meant, cause if meant else "", code if meant else "")


def verdict(event: str, told: Mapping[str, str]) -> str:
    if not event:
        return twilio_events.verdict(told)
    result = word(told.get("result", ""))
    if event in ("call.machine.detection.ended", "call.machine.premium.detection.ended"):
        return _DETECTED.get(result, "unknown")
    if event in ("call.machine.greeting.ended", "call.machine.premium.greeting.ended"):
        return _GREETING.get(result, "silence")
    return ""
