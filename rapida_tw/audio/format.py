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
    """How samples are written on the wire."""

    LINEAR16 = "slin"  # signed 16 bit, little-endian
    MULAW = "ulaw"
    ALAW = "alaw"
    L16 = "l16"  # signed 16 bit, big-endian (RFC 3551 4.5.11)
    G722 = "g722"  # two samples a byte; what a byte means depends on those before it
    OPUS = "opus"  # packets of any size; likewise


# Bytes a sample, where that is a whole number.
_SAMPLE_BYTES = {Encoding.LINEAR16: 2, Encoding.MULAW: 1, Encoding.ALAW: 1, Encoding.L16: 2}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How a leg's bytes are read, in both directions; `rate` counts samples, not RTP's clock.

    `continuous`: the leg wants a frame every tick, silence too. `lead`: how many ticks the leg may
    run ahead of the beat because the far side buffers and can forget what it buffered. `chunk`: how
    many ticks travel together; a mark among them is filled up to a whole chunk with silence.
    `patience`: seconds without audio or another sign of life before the call ends; 0 = for ever.
    `ValueError`: G.722 and Opus have no other rate than 16 kHz here.
    """

    encoding: Encoding = Encoding.LINEAR16
    rate: int = 8_000  # Hz
    continuous: bool = True
    lead: int = 0  # ticks
    chunk: int = 1  # ticks
    # A caller on hold over AudioSocket sends nothing at all, for longer than a dead peer deserves;
    # dead hosts are found earlier by the transport (TCP_USER_TIMEOUT).
    patience: float = 30.0  # seconds

    def __post_init__(self) -> None:
        if self.encoding not in _SAMPLE_BYTES and self.rate != RATE:
            raise ValueError(f"{self.encoding.value} is read at {RATE} Hz, not at {self.rate}")

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample; 0 where none has bytes of its own (G.722, Opus)."""
        return _SAMPLE_BYTES.get(self.encoding, 0)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one tick, to the nearest whole sample; 0 where they vary (Opus)."""
        if self.encoding is Encoding.G722:
            return FRAME // 2
        return self.rate * TICK_MS // 1000 * self.sample_bytes


def ticks(seconds: float) -> int:
    """Seconds as a whole number of ticks, rounded to the nearest."""
    return round(seconds * TICKS_PER_SECOND)
