"""How a call of ours came out, in the words of whoever asked for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from rapida_tw.metrics import Counter
from rapida_tw.sip.parties import printable
from rapida_tw.wire import sip_cause
from rapida_tw.wire.sip_message import Response

Status = Literal[
    "answered",
    "busy",
    "no_answer",
    "declined",
    "bad_number",
    "forbidden",
    "media",
    "unreachable",
    "failed",
    "cancelled",
]

outcomes = Counter(
    "rapida_sip_outgoing_total", "Calls that we made, by what became of them.", ("is",)
)

_CODES: Final[Mapping[Status, tuple[int, ...]]] = MappingProxyType(
    {
        "busy": (486, 600),
        "no_answer": (408, 480, 487),
        "declined": (603, 607, 608),
        "bad_number": (404, 410, 484, 604),
        "forbidden": (401, 403, 407),
        "media": (415, 488, 606),
    }
)
_BY_CODE: Final = {code: status for status, codes in _CODES.items() for code in codes}
# What may go better at another moment, without anything being changed.
_PASSING: Final = frozenset(("busy", "no_answer", "unreachable"))
LONGEST_WAIT = 86_400  # seconds that anybody may ask us to wait

_SECONDS = re.compile(r"\s{0,8}([0-9]{1,10})(?![0-9])")
_BROKEN: Final = frozenset((500, 502, 503, 504))


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code`: the SIP status, 0 where there was none; `reason` a sentence for people.

    `retryable`: the same call may go better at another moment. `sent`: something has answered the
    INVITE; False means that nobody can have been rung up. `retry_after`: seconds, where they named
    some.
    """

    status: Status
    code: int = 0
    reason: str = ""
    retryable: bool = False
    sent: bool = False
    retry_after: float | None = None

    @classmethod
    def answered_with(cls, response: Response) -> Outcome:
        """Of the final response, 300 to 699."""
        code = response.status
        status = _BY_CODE.get(code, "failed")
        retryable = status in _PASSING or code in _BROKEN
        wait = _retry_after(response.headers.get("Retry-After"))
        return cls(status, code, _sentence(response), retryable, True, wait)


def _retry_after(text: str) -> float | None:
    """Without the comment and the duration that may follow (20.33)."""
    found = _SECONDS.match(text)
    return float(min(int(found[1]), LONGEST_WAIT)) if found else None


def _sentence(response: Response) -> str:
    """The phrase; what a gateway tells of the telephone network is more exact (RFC 6432)."""
    phrase = printable(response.phrase)
    for value in response.headers.values("Reason"):
        reason = sip_cause.parse(value)
        if reason is not None and reason.protocol.upper() == "Q.850":
            return f"{phrase}: {printable(reason.sentence)}"
    return phrase
