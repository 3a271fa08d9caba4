"""Why Asterisk ended a channel: Q.850's causes (its causes.h), as outcomes of a call."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rapida_tw.carriers.outbound import Outcome

NORMAL: Final = 16  # what an answered call ends with

# Status and whether another moment may do. What chan_pjsip makes of SIP's answers is in
# brackets (its hangup_sip2cause).
_CAUSES: Final[Mapping[int, tuple[str, bool]]] = MappingProxyType(
    {
        1: ("bad_number", False),  # unallocated (404, 485, 604)
        2: ("unreachable", False),  # no route to the transit network
        3: ("unreachable", False),  # no route to the destination
        5: ("bad_number", False),  # misdialled trunk prefix
        17: ("busy", True),  # (486, 600)
        18: ("unreachable", True),  # no user responding (408)
        19: ("no_answer", True),  # alerted, no answer (480); also the time-out of an originate
        20: ("unreachable", True),  # subscriber absent
        21: ("rejected", False),  # (401, 403, 407, 603)
        22: ("bad_number", False),  # number changed (410)
        27: ("unreachable", True),  # out of order (502)
        28: ("bad_number", False),  # invalid format (484)
        29: ("rejected", False),  # facility rejected (501)
        34: ("capacity_exceeded", True),  # no circuit (503)
        38: ("failed", True),  # network out of order (500)
        41: ("failed", True),  # temporary failure (409)
        42: ("capacity_exceeded", True),  # switching equipment congested
        44: ("capacity_exceeded", True),  # the requested circuit is not there
        47: ("capacity_exceeded", True),
        50: ("rejected", False),  # not subscribed
        52: ("rejected", False),  # outgoing calls barred
        54: ("rejected", False),  # incoming calls barred
        57: ("configuration_failed", False),  # bearer capability not authorised
        58: ("media_failed", False),  # no common media (488, 606)
        65: ("media_failed", False),
        79: ("media_failed", False),
        88: ("media_failed", False),  # incompatible destination
        102: ("unreachable", True),  # a timer expired (504)
    }
)
# Causes that say little by themselves: it rang, and nobody took it.
_AFTER_RINGING: Final = frozenset((NORMAL, 18))


def outcome(cause: int, words: str = "", sip: int = 0, *, rang: bool = False) -> Outcome:
    """Of a channel that ended unanswered. `words`: Asterisk's; `sip`: its `tech_cause`, 0: none."""
    status, retryable = _CAUSES.get(cause, ("failed", True))
    if rang and cause in _AFTER_RINGING:
        status = "no_answer"
    reason = words or "Asterisk ended the call"
    return Outcome(status, f"{reason} (SIP {sip})" if sip else reason, str(cause or ""), retryable)
