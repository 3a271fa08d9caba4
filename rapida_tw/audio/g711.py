"""G.711: µ-law and A-law, by tables (ITU-T G.711, tables 1a to 2b).

Both laws are a sign, a segment of three bits and a step of four; the companded value of every
code and the code of every 16-bit sample are computed once, at import.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rapida_tw.audio.format import Samples

_Bytes = NDArray[np.uint8]

_UINT8 = np.dtype(np.uint8)  # numpy makes one of the type in every call otherwise
_UINT16 = np.dtype(np.uint16)

_MULAW_BIAS = 33 << 2  # the 14-bit bias of the law, at 16 bits
_MULAW_CLIP = 32635
_ALAW_TOGGLED = 0x55  # the even bits travel inverted


def _mulaw_values() -> Samples:
    code = ~np.arange(256, dtype=np.uint8)
    segment, step = (code >> 4) & 7, code & 15
    magnitude = ((step.astype(np.int32) * 8 + _MULAW_BIAS) << segment) - _MULAW_BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_values() -> Samples:
    code = np.arange(256, dtype=np.uint8) ^ _ALAW_TOGGLED
    segment, step = ((code >> 4) & 7).astype(np.int32), (code & 15).astype(np.int32)
    # Segment 0 is linear; from segment 1 on, the leading one is implied.
    linear = (step << 4) + 8
    magnitude = np.where(segment == 0, linear, (linear + 256) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _mulaw_codes() -> _Bytes:
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    biased = np.minimum(np.abs(sample), _MULAW_CLIP) + _MULAW_BIAS
    segment = np.log2(biased).astype(np.int32) - 7
    step = (biased >> (segment + 3)) & 15
    code = np.where(sample < 0, 0x80, 0) | (segment << 4) | step
    codes: _Bytes = (~code & 0xFF).astype(np.uint8)
    return codes


def _alaw_codes() -> _Bytes:
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.where(sample < 0, ~sample, sample)  # -1 falls into the first negative step
    segment = np.maximum(np.log2(np.maximum(magnitude, 1)).astype(np.int32) - 7, 0)
    step = (magnitude >> np.maximum(segment + 3, 4)) & 15
    code = np.where(sample < 0, 0, 0x80) | (segment << 4) | step
    codes: _Bytes = (code ^ _ALAW_TOGGLED).astype(np.uint8)
    return codes


class Law:
    """One of the two laws: bytes to samples and back, a byte a sample."""

    def __init__(self, values: Samples, codes: _Bytes) -> None:
        self._values = values  # int16[256]
        self._codes = codes  # uint8[65536], by the sample's bits

    def decode(self, payload: bytes) -> Samples:
        """int16[len(payload)]; every byte is a valid code."""
        return self._values.take(np.frombuffer(payload, _UINT8))

    def encode(self, samples: Samples) -> bytes:
        """int16[n] to n bytes."""
        return self._codes.take(samples.view(_UINT16)).tobytes()


MULAW = Law(_mulaw_values(), _mulaw_codes())  # digital silence is 0xFF
ALAW = Law(_alaw_values(), _alaw_codes())  # digital silence is 0xD5
