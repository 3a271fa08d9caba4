"""Sickness: which vendors failed lately, so that new calls begin with others.

One register a process. Whoever failed counts as sick for a while, longer each time; then one call
at a time tries it, and the others follow when that went well.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.metrics import Gauge

SHORTEST = 30.0  # seconds, of the first failure; doubled by each that follows
LONGEST = 300.0  # seconds; also of a failure that time does not heal, such as a wrong key
TRIED_WITHIN = 30.0  # seconds for the one call that tries it again to tell how that went

sick = Gauge(
    "rapida_vendors_sick", "Accounts of vendors that wait to be tried again.", ("kind", "vendor")
)


class Key(NamedTuple):
    """What fails as one: a vendor by one account, or (`settings`) one assistant's use of it."""

    kind: str  # stt, tts or llm
    vendor: str
    account: str = ""
    settings: str = ""


@dataclass(slots=True)
class _Case:
    lasts: float  # seconds
    since: float  # the latest failure
    until: float  # nobody is let in before
    tried: bool = False  # a call has been let in


class Sickness:
    """`seconds` is a clock; at most `most` keys are known, the longest unchanged go first."""

    def __init__(self, seconds: Callable[[], float], most: int = 1000) -> None:
        self._seconds = seconds
        self._most = most
        self._cases: OrderedDict[Key, _Case] = OrderedDict()

    def admits(self, key: Key) -> bool:
        """Whether a call may begin with it.

        Who is told yes when the time is over is the one that tries: the others are told no.
        """
        case = self._cases.get(key)
        if case is None:
            return True
        now = self._seconds()
        if now < case.until:
            return False
        case.until = now + TRIED_WITHIN
        case.tried = True
        return True

    def until(self, key: Key) -> float:
        """When somebody will be let in; 0.0 for the healthy."""
        case = self._cases.get(key)
        return case.until if case is not None else 0.0

    def failed(self, key: Key, error: BaseException) -> None:
        """It has failed just now, in any call."""
        now = self._seconds()
        case = self._cases.get(key)
        if case is None:
            case = self._cases[key] = _Case(SHORTEST, now, now + SHORTEST)
            sick.inc(key.kind, key.vendor)
        elif case.tried or now >= case.until:
            case.lasts = min(2 * case.lasts, LONGEST)
            case.until = now + case.lasts
        # Otherwise it is a call that was there before: a hundred of them are still one failure.
        case.since = now
        case.tried = False
        case.until = max(case.until, now + _at_least(error))
        self._cases.move_to_end(key)
        if len(self._cases) > self._most:
            self._forget(next(iter(self._cases)))

    def worked(self, key: Key, since: float) -> None:
        """It has done its work, for somebody who turned to it at `since`.

        Connections from before its failure prove nothing: a vendor that refuses new ones may go on
        to serve the old.
        """
        case = self._cases.get(key)
        if case is not None and since > case.since:
            self._forget(key)

    def _forget(self, key: Key) -> None:
        del self._cases[key]
        sick.inc(key.kind, key.vendor, by=-1)


def _at_least(error: BaseException) -> float:
    """Seconds, of this failure alone."""
    if isinstance(error, MisconfiguredAssistant):
        return LONGEST
    if isinstance(error, VendorFailed):
        return LONGEST if not error.retryable else min(error.retry_after or 0.0, LONGEST)
    return 0.0
