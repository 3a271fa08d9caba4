"""Frames that can be told apart, and the beat that sends them."""

from __future__ import annotations

import numpy as np

from rapida_tw.audio.format import FRAME, Samples
from rapida_tw.media.playout import Playout


def frames(count: int, first: int = 1) -> Samples:
    """So many frames, each filled with its own number."""
    return np.repeat(np.arange(first, first + count, dtype=np.int16), FRAME)


def beat(playout: Playout, lead: int = 0) -> list[int]:
    """One beat as the session makes it: the numbers of the frames sent in it."""
    playout.played()
    sent = []
    while playout.behind(lead) and (frame := playout.take()) is not None:
        sent.append(int(frame[0]))
    return sent
