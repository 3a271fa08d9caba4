"""How long audio is on its way inside the server: from arrival at the transport to the recogniser.

In one process, because no clock is shared with the outside at this resolution: a connected
transport is given packets as the reactor gives them, and the recogniser notes when it hears.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns

import numpy as np

from benchmarks.report import Row

# Makes a call inside the server. Given what the recogniser is to call on each frame heard, it
# returns what takes one received packet (`dataReceived` of the connected protocol).
Build = Callable[[Callable[[], None]], Callable[[bytes], None]]


def through(build: Build, packet: bytes, packets: int = 5_000, warm_up: int = 500) -> Row:
    """Times of `packets` identical packets of 20 ms; `lost` are those never heard."""
    heard: list[int] = []
    receive = build(lambda: heard.append(perf_counter_ns()))
    times: list[float] = []
    lost = 0
    for number in range(warm_up + packets):
        heard.clear()
        received = perf_counter_ns()
        receive(packet)
        if number < warm_up:
            continue
        if heard:
            times.append((heard[0] - received) / 1e6)
        else:
            lost += 1
    p50, p99 = np.percentile(times, (50, 99)) if times else (0.0, 0.0)
    return {
        "transport": "audiosocket",
        "measures": "through",
        "p50_ms": round(float(p50), 4),
        "p99_ms": round(float(p99), 4),
        "max_ms": round(max(times, default=0.0), 4),
        "lost": lost,
    }
