"""Gatherer: frames of the caller in, a vendor's payloads out.

Several frames travel together, because a message costs more than what is in it; and they are
converted together, because a call of numpy costs more than what it does to 20 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from rapida_tw.audio.format import FRAME, RATE, Encoding, Samples
from rapida_tw.audio.g711 import ALAW, MULAW
from rapida_tw.audio.resample import Resampler

_LOUD = 500  # the least peak of a piece in which there may be a voice: -36 dBFS
_LOUDER = 8  # times: 18 dB below the loudest of late is what the line is like
_FADING = 0.99  # a piece; the loudest of late
_LITTLE = np.dtype("<i2")


def _linear(samples: Samples) -> bytes:
    return samples.astype(_LITTLE, copy=False).tobytes()


_ENCODERS: Mapping[Encoding, Callable[[Samples], bytes]] = {
    Encoding.LINEAR16: _linear,
    Encoding.MULAW: MULAW.encode,
    Encoding.ALAW: ALAW.encode,
}


class Gatherer:
    """One call's audio in pieces of `ms`, at least a frame, in `encoding` at `rate`.

    `loud`: in the latest piece there may be a voice.
    """

    def __init__(self, encoding: Encoding, rate: int, ms: int) -> None:
        self._encode = _ENCODERS[encoding]
        self._resample = Resampler(RATE, rate)
        self._due = max(RATE * ms // 1000, FRAME)  # samples
        self._frames: list[Samples] = []
        self._held = 0  # samples
        self._loudest = 0.0
        self.loud = False

    def hear(self, frame: Samples) -> bytes:
        """int16[320]; the piece that it completes, or b""."""
        self._frames.append(frame)
        self._held += FRAME
        if self._held < self._due:
            return b""
        block = np.concatenate(self._frames)
        # Pieces of 50 ms end in the middle of a frame.
        rest = block[self._due :]
        self._frames = [rest] if len(rest) else []
        self._held = len(rest)
        return self._piece(block[: self._due])

    def rest(self) -> tuple[bytes, int]:
        """What was heard since the latest piece, and its length in ms."""
        if not self._held:
            return b"", 0
        block = np.concatenate(self._frames)
        self._frames, self._held = [], 0
        return self._piece(block), len(block) * 1000 // RATE

    def _piece(self, block: Samples) -> bytes:
        # As in the listener: a method's call of `item` is a third of max()'s price.
        peak = max(block.item(block.argmax()), -block.item(block.argmin()))
        self._loudest = max(peak, self._loudest * _FADING)
        self.loud = peak >= max(_LOUD, self._loudest / _LOUDER)
        return self._encode(self._resample(block))
