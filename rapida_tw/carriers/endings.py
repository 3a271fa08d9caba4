"""Why a call that was dialled came to nothing: outcomes by the words and numbers of its carrier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rapida_tw.carriers.outbound import Outcome, Progress, State

# What may go better at another moment, with nothing changed.
_PASSING: Final = frozenset(("busy", "no_answer", "unreachable", "capacity_exceeded"))

# SIP responses as carriers report them (RFC 3261, section 21).
BY_SIP: Final[Mapping[int, str]] = {
    401: "configuration_failed",
    402: "configuration_failed",
    403: "rejected",
    404: "bad_number",
    408: "no_answer",
    410: "bad_number",
    480: "unreachable",
    484: "bad_number",
    486: "busy",
    487: "no_answer",
    503: "unreachable",
    600: "busy",
    603: "rejected",
    604: "bad_number",
    607: "rejected",
}


def ended(status: str, reason: str = "", code: str = "") -> Outcome:
    """A call that was dialled and not answered."""
    return Outcome(status, reason, code, retryable=status in _PASSING)


def over(status: str, reason: str = "", code: str = "") -> Progress:
    """It is over. `status` "": it had been answered."""
    return Progress(State.OVER, ended(status, reason, code) if status else None)


def by_sip(code: str, otherwise: str) -> str:
    """The status that a SIP response means, of a call that failed."""
    number = int(code) if code.isascii() and code.isdigit() and len(code) == 3 else 0
    if number in BY_SIP:
        return BY_SIP[number]
    return "unreachable" if 500 <= number < 600 else otherwise
