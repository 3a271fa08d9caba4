"""G.722 at 64 kbit/s (ITU-T G.722, RFC 3551 4.5.2): 16 kHz in two bands, half a byte a sample.

The arithmetic is that of the package G722, in C. Each direction of a call has an object of its own:
both bands predict what comes from what came. Measured: 15 µs to encode a frame of 20 ms, and to
decode one.
"""

from __future__ import annotations

import numpy as np
from G722 import G722  # type: ignore[import-not-found]

from rapida_tw.audio.format import RATE, Samples

_BITS = 64_000  # a second: mode 1, the only one that RTP has
_INT16 = np.dtype(np.int16)


class Encoder:
    """One stream."""

    def __init__(self) -> None:
        self._codec = G722(RATE, _BITS)

    def encode(self, samples: Samples) -> bytes:
        """int16[n], n even, to n / 2 bytes."""
        # It reads other arrays as lists of Python's, or not at all.
        encoded: bytes = self._codec.encode(np.ascontiguousarray(samples))
        return encoded


class Decoder:
    """One stream."""

    def __init__(self) -> None:
        self._codec = G722(RATE, _BITS)

    def decode(self, payload: bytes) -> Samples:
        """int16[2 n] of n bytes; every byte is valid."""
        return np.frombuffer(self._codec.decode(payload), _INT16)
