"""Where in a recording somebody is heard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.interop.asterisk import RATE

FRAME = RATE // 50  # samples of 20 ms
LOUD = 300.0  # RMS, -41 dBFS: above comfort noise, below speech


def voiced(samples: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which frames of 20 ms are loud: bool[n // FRAME] of int16[n]."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    return np.asarray(np.sqrt(np.mean(frames**2, axis=-1)) > LOUD)


def duration(samples: NDArray[np.int16]) -> float:
    """Seconds of the whole."""
    return len(samples) / RATE


def talk_time(samples: NDArray[np.int16]) -> float:
    """Seconds in which somebody is heard."""
    return float(voiced(samples).sum()) / 50


def spurts(samples: NDArray[np.int16], pause: float = 0.5) -> list[tuple[float, float]]:
    """From when to when somebody talks, in seconds; shorter breaks than `pause` do not count."""
    found: list[tuple[float, float]] = []
    for place in np.flatnonzero(voiced(samples)):
        begin, end = float(place) / 50, float(place + 1) / 50
        if found and begin - found[-1][1] < pause:
            found[-1] = found[-1][0], end
        else:
            found.append((begin, end))
    return found
