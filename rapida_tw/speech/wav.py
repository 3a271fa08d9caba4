"""A WAV file in memory, for vendors that want their sound in one (RIFF, WAVE_FORMAT_PCM)."""

from __future__ import annotations

import struct

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


def wav(pcm: bytes, rate: int) -> bytes:
    """`pcm`: 16 bit, little-endian, mono, `rate` Hz."""
    return (
        _HEADER.pack(
            *(b"RIFF", len(pcm) + _HEADER.size - 8, b"WAVE"),
            *(b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16),
            *(b"data", len(pcm)),
        )
        + pcm
    )
