"""Roster: who of several vendors is asked next, in one call.

Fallback chains of recognisers, voices and models differ in what a failure costs, not in this: the
first that is not known to be sick begins, the next one follows when it fails, and is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import CallError, VendorFailed
from rapida_tw.metrics import Counter
from rapida_tw.sickness import Key, Sickness

T = TypeVar("T")

# As operators call the kinds, and as people do.
_WORDS = {"stt": "recogniser", "tts": "voice", "llm": "model"}

failures = Counter("rapida_vendor_failures_total", "Failures of vendors.", ("kind", "vendor"))
fallbacks = Counter(
    "rapida_vendor_fallbacks_total",
    "Calls that went from one vendor to another.",
    ("kind", "from", "to"),
)


class TooSlow(VendorFailed):
    """It may yet answer, but the caller has waited long enough and somebody else can be asked."""


@dataclass(frozen=True, eq=False)
class Member(Generic[T]):
    """One of a chain; each is its own, whatever its fields.

    `name`: the vendor, as people and metrics call it. `account`: by whose credential. `settings`:
    tells one assistant's options from another's, because a wrong one is no illness of the vendor.
    """

    name: str
    open: Callable[[], T]
    account: str = ""
    settings: str = ""


class Roster(Generic[T]):
    """The members of one chain in one call. `kind` is stt, tts or llm."""

    _log = Logger()

    def __init__(self, kind: str, members: Sequence[Member[T]], sickness: Sickness) -> None:
        if not members:
            raise ValueError("a chain needs a member")
        self._kind = kind
        self._members = tuple(members)
        self._sickness = sickness
        self._current: Member[T] | None = None
        self._latest: Member[T] | None = None  # that was current
        self._failed: dict[Member[T], str] = {}  # in a row, with the reason
        self._slow: list[Member[T]] = []  # of these, who may be asked once more
        self._doubted: set[Member[T]] = set()

    def begin(self) -> None:
        """Something new is to be done: who failed before may be asked again."""
        if self._current in self._failed:
            self._current = None
        self._failed.clear()
        self._slow.clear()

    def choose(self, besides: Member[T] | None = None) -> Member[T] | None:
        """Who is to be asked now; None when all but `besides` have failed in a row.

        Who was too slow is asked again, last, when nobody else is left.
        """
        current = self._current
        if current is not None and current is not besides and current not in self._failed:
            return current
        left = [one for one in self._members if one not in self._failed and one is not besides]
        for one in left:
            if one not in self._doubted and self._admitted(one):
                return one
        if left:
            return min(left, key=self._well_at)
        slow = [one for one in self._slow if one is not besides]
        if not slow:
            return None
        self._slow.remove(slow[0])
        return slow[0]

    def others(self, member: Member[T]) -> bool:
        """Somebody else could be asked, so that `member` need not be waited for."""
        return any(one not in self._failed for one in self._members if one is not member)

    def use(self, member: Member[T]) -> None:
        """It is the one from now on."""
        if self._latest is not None and self._latest is not member:
            fallbacks.inc(self._kind, self._latest.name, member.name)
            self._log.info(
                "{kind}: {latest} is replaced by {member}",
                kind=self._kind,
                latest=self._latest.name,
                member=member.name,
            )
        self._current = self._latest = member

    def failed(self, member: Member[T], error: BaseException) -> None:
        """It could not do what it was asked."""
        kind, vendor = self._kind, member.name
        if isinstance(error, CallError):
            reason = str(error)
            self._log.warn("{kind} by {vendor}: {why}", kind=kind, vendor=vendor, why=reason)
        else:
            reason = type(error).__name__
            self._log.failure("{kind} by {vendor}", Failure(error), kind=kind, vendor=vendor)
        if isinstance(error, TooSlow) and member not in self._failed:
            self._slow.append(member)
        self._failed[member] = reason
        failures.inc(self._kind, member.name)
        shared, own = self._keys(member)
        retryable = isinstance(error, VendorFailed) and error.retryable
        self._sickness.failed(shared if retryable else own, error)

    def doubt(self, member: Member[T]) -> bool:
        """It is no failure that one could prove; answers whether somebody else is to be asked.

        Nobody is doubted twice in a call: then it is the caller's line.
        """
        others = [
            one
            for one in self._members
            if one is not member and one not in self._failed and one not in self._doubted
        ]
        self._doubted.add(member)
        return bool(others)

    def worked(self, member: Member[T], since: float) -> None:
        """It has done what it is for, having been opened at `since`."""
        self._failed.clear()
        self._slow.clear()
        for key in self._keys(member):
            self._sickness.worked(key, since)

    def exhausted(self) -> VendorFailed:
        """All have failed: a sentence that names them."""
        reasons = "; ".join(f"{one.name}: {reason}" for one, reason in self._failed.items())
        return VendorFailed(f"no {_WORDS.get(self._kind, self._kind)} is left: {reasons}")

    def _keys(self, member: Member[T]) -> tuple[Key, Key]:
        """What all assistants share, and what is this one's alone."""
        shared = Key(self._kind, member.name, member.account)
        return shared, shared._replace(settings=member.settings or "-")

    def _admitted(self, member: Member[T]) -> bool:
        shared, own = self._keys(member)
        return self._sickness.admits(own) and self._sickness.admits(shared)

    def _well_at(self, member: Member[T]) -> float:
        return max(map(self._sickness.until, self._keys(member)))
