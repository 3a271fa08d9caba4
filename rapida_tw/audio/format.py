"""The one kind of audio inside the house, and the formats outside it.

Inside: `Samples`, int16, mono, 16 kHz, in frames of 320 (20 ms, one *tick*). Outside: what a leg
announces as its `AudioFormat`. All functions work on the last axis and take any leading ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

RATE = 16_000  # Hz
TICK_MS = 20
TICK = TICK_MS / 1000  # seconds, for Twisted's border
FRAME = RATE * TICK_MS // 1000  # samples a tick
TICKS_PER_SECOND = 1000 // TICK_MS

SILENCE: Samples = np.zeros(FRAME, np.int16)
SILENCE.flags.writeable = False


class Encoding(Enum):
    """How one sample is written on the wire."""

    LINEAR16 = "slin"  # signed 16 bit, little-endian
    MULAW = "ulaw"
    ALAW = "alaw"


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How a leg's bytes are read, in both directions.

    `continuous`: the leg wants a frame every tick, silence too. `lead`: how many ticks the leg may
    run ahead of the beat because the far side buffers and can forget what it buffered. `chunk`: how
    many ticks travel together; a mark among them is filled up to a whole chunk with silence.
    """

    encoding: Encoding = Encoding.LINEAR16
    rate: int = 8_000  # Hz
    continuous: bool = True
    lead: int = 0  # ticks
    chunk: int = 1  # ticks

    @property
    def sample_bytes(self) -> int:
        return 2 if self.encoding is Encoding.LINEAR16 else 1

    @property
    def frame_bytes(self) -> int:
        """Bytes of one tick, to the nearest whole sample."""
        return self.rate * TICK_MS // 1000 * self.sample_bytes


def ticks(seconds: float) -> int:
    """Seconds as a whole number of ticks, rounded to the nearest."""
    return round(seconds * TICKS_PER_SECOND)
