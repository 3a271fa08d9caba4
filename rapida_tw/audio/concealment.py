"""Concealment: what is heard instead of audio that was lost on the way.

The latest 20 ms again with gain 1, 0.5 and 0.25, then silence: a cheap cousin of ITU-T G.711
Appendix I that does not look for a pitch. They are played backwards and forwards in turn, so that
no seam is a step, and what comes after the gap is faded in over the rest. For 16 kHz.
"""

from __future__ import annotations

import numpy as np

from rapida_tw.audio.format import FRAME, RATE, Samples

_GAINS = (1.0, 0.5, 0.25, 0.0)  # of each repetition; the last one is silence
_FADE = 5 * RATE // 1000  # samples from one gain to the next, and back into the sound
LASTING = FRAME * (len(_GAINS) - 1)  # samples until it is silent


def _envelope() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The gain of each sample, even but for the last 5 ms of each repetition."""
    ends = np.arange(1, len(_GAINS)) * FRAME
    places = np.stack((ends - _FADE, ends), axis=1).ravel()
    gains = np.repeat(_GAINS, 2)[1:-1]
    envelope: np.ndarray[tuple[int], np.dtype[np.float64]]
    envelope = np.interp(np.arange(LASTING), places, gains)
    return envelope


_ENVELOPE = _envelope()
_RISING = (np.arange(_FADE) + 1) / (_FADE + 1)


class Concealment:
    """One gap. `before`: int16[320], the latest that was heard."""

    def __init__(self, before: Samples) -> None:
        turns = (before[::-1], before) * len(_GAINS)
        sound = np.concatenate(turns[: len(_GAINS) - 1]) * _ENVELOPE
        self._sound: Samples = np.rint(sound).astype(np.int16)

    def take(self, samples: int) -> Samples:
        """The next int16[samples] of the gap."""
        taken: Samples = np.zeros(samples, np.int16)
        sound, self._sound = self._sound[:samples], self._sound[samples:]
        taken[: len(sound)] = sound
        return taken

    def into(self, samples: Samples) -> Samples:
        """What comes after the gap, int16[n], without a step at its beginning."""
        length = min(_FADE, len(samples))
        rising = _RISING[:length]
        faded = samples[:length] * rising + self.take(length) * (1 - rising)
        return np.concatenate((np.rint(faded).astype(np.int16), samples[length:]))
