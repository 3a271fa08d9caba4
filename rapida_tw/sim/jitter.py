"""How well a stream of 20 ms packets is paced, from the times of its arrivals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_TICK_NS = 20_000_000
_LATE_NS = _TICK_NS  # so late that a player without a buffer has nothing to play


@dataclass(frozen=True, slots=True)
class Pacing:
    """Deviations in milliseconds from each call's own grid of 20 ms, over all calls."""

    packets: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    late: int  # packets at least 20 ms behind their grid
    lost: int  # packets that should have come and did not


def pacing(calls: Sequence[ArrayLike], start: int, end: int) -> Pacing:
    """Of arrivals in nanoseconds, one ascending sequence a call, between `start` and `end`."""
    deviations: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    late = lost = packets = 0
    for call in calls:
        arrivals = np.asarray(call, np.int64)
        arrivals = arrivals[(arrivals >= start) & (arrivals < end)]
        packets += len(arrivals)
        lost += _lost(arrivals, start, end)
        if len(arrivals):
            grid = np.arange(len(arrivals), dtype=np.int64) * _TICK_NS
            phase = arrivals - grid
            deviation = phase - int(np.median(phase))
            late += int(np.count_nonzero(deviation >= _LATE_NS))
            deviations.append(np.abs(deviation))
    every = np.concatenate(deviations) / 1e6
    if not len(every):
        return Pacing(0, 0.0, 0.0, 0.0, 0, lost)
    p50, p99 = np.percentile(every, (50, 99))
    return Pacing(packets, float(p50), float(p99), float(every.max()), late, lost)


def _lost(arrivals: NDArray[np.int64], start: int, end: int) -> int:
    """Packets missing between `start` and `end`; a packet on the very edge may count or not."""
    if not len(arrivals):
        return (end - start) // _TICK_NS
    between = round((int(arrivals[-1]) - int(arrivals[0])) / _TICK_NS) + 1 - len(arrivals)
    before = (int(arrivals[0]) - start) // _TICK_NS
    after = (end - int(arrivals[-1])) // _TICK_NS
    # One tick at either edge is the phase of the call, not a loss.
    return max(0, between) + max(0, before - 1) + max(0, after - 1)
