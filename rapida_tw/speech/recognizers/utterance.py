"""Utterance: one turn of the caller as a recording, for servers that are asked a turn at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np

from rapida_tw.audio.format import FRAME, RATE, TICKS_PER_SECOND, Samples
from rapida_tw.speech.wav import wav

LONGEST = 60 * TICKS_PER_SECOND  # frames; of a longer one the beginning goes
LEAST_VOICE = 3 * TICKS_PER_SECOND // 10  # frames; in less, servers hear what nobody said
_TAIL = TICKS_PER_SECOND // 5  # frames of silence that stay behind the voice
_QUIETEST = 500  # peak of a frame of voice at least: -36 dBFS
_QUIETER = 16  # times; the voice's own range


class Utterance:
    """Begins with what was heard just before the voice was noticed.

    It keeps copies: frames are decoded together for many calls, and one that is kept as it came
    would keep the others' in memory as well.
    """

    def __init__(self, before: Iterable[Samples]) -> None:
        self._frames = deque((frame.copy() for frame in before), maxlen=LONGEST)

    def hear(self, frame: Samples) -> None:
        """int16[320], 16 kHz."""
        self._frames.append(frame.copy())

    def wav(self) -> bytes:
        """The file, up to where the voice ends; b"" when there is too little of it."""
        if not self._frames:
            return b""
        sound = np.concatenate(tuple(self._frames))
        frames = sound.reshape(-1, FRAME)
        peaks = np.maximum(frames.max(axis=1), -(frames.min(axis=1).astype(np.int32)))
        voiced = np.flatnonzero(peaks >= max(_QUIETEST, peaks.max() // _QUIETER))
        if len(voiced) < LEAST_VOICE:
            return b""
        whole = sound[: (int(voiced[-1]) + 1 + _TAIL) * FRAME]
        return wav(whole.astype("<i2", copy=False).tobytes(), RATE)
