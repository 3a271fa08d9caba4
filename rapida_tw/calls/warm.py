"""Warm: what an announced call needs of its vendors, connected before its media is there.

Between the webhook and the media connection a carrier takes some tenths of a second: long enough
for vendors' sockets to be open and for the greeting to be spoken into the cache.
"""

from __future__ import annotations

from dataclasses import dataclass

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rapida_tw.calls.call import Script
from rapida_tw.calls.parts import LiveParts, Parts
from rapida_tw.metrics import Counter

KEPT = 20.0  # seconds; vendors close a socket that stays silent for longer
MOST = 200  # announced calls; more are a flood, whose vendors connect when the media comes

cooled = Counter("rapida_calls_cooled_total", "Announced calls whose vendors were let go again.")


@dataclass(frozen=True, slots=True)
class Prepared:
    """One call's texts and parts, tried at its webhook."""

    script: Script
    parts: Parts | LiveParts


class Warm:
    """By the context's id; nothing in it outlives `KEPT`."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._kept: dict[str, tuple[Prepared, IDelayedCall]] = {}

    def keep(self, context_id: str, prepared: Prepared) -> None:
        """Connect its vendors, and hold it until `take`; let it go when there are too many."""
        if len(self._kept) >= self._most:
            prepared.parts.stop()
            cooled.inc()
            return
        late = self._clock.callLater(KEPT, self._cool, context_id)
        self._kept[context_id] = prepared, late
        try:
            prepared.parts.prepare(prepared.script.experience)
        except Exception:
            # A plug-in's mistake: the call may still come to be, and will say what is wrong.
            self._log.failure("the vendors of an announced call could not be prepared")

    def has(self, context_id: str) -> bool:
        """Whether something is kept for it."""
        return context_id in self._kept

    def take(self, context_id: str) -> Prepared | None:
        """What was kept for it, if anything still is: the taker stops it."""
        kept = self._kept.pop(context_id, None)
        if kept is None:
            return None
        prepared, late = kept
        late.cancel()
        return prepared

    def drop(self, context_id: str) -> None:
        """The call will not come."""
        prepared = self.take(context_id)
        if prepared is not None:
            prepared.parts.stop()

    def close(self) -> None:
        """No call will come any more."""
        for context_id in tuple(self._kept):
            self.drop(context_id)

    def _cool(self, context_id: str) -> None:
        prepared, _ = self._kept.pop(context_id)
        prepared.parts.stop()
        cooled.inc()
