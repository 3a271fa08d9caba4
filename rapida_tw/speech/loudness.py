"""Makes a voice fit for the telephone: the same level for all engines, and no wait before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rapida_tw.audio.format import FRAME, Samples

_TARGET = 10 ** (-20 / 20)  # RMS of active speech, of full scale
_ACTIVE = 10 ** (-25 / 20)  # frames that far below the loudest one are pauses
_FAINTEST = 10 ** (-60 / 20)  # what is below is no speech to make louder
_KNEE = 10 ** (-3 / 20)  # peaks above are bent, not cut
_FULL_SCALE = 32768.0
_SOUND = 200  # of full scale: -44 dBFS, where a word at telephone level begins


def at_telephone_level(samples: Samples) -> Samples:
    """int16[n] at 16 kHz; the same with its speech at -20 dBFS and its peaks below full scale."""
    loud = samples.astype(np.float32) / np.float32(_FULL_SCALE)
    level = _active_level(loud)
    if level < _FAINTEST:
        return samples
    loud *= np.float32(_TARGET / level)
    peaks = np.abs(loud) > _KNEE
    if peaks.any():
        loud[peaks] = _bent(loud[peaks])
    scaled: Samples = np.rint(loud * (_FULL_SCALE - 1)).astype(np.int16)
    return scaled


def from_its_first_sound(samples: Samples) -> Samples:
    """int16[n] at 16 kHz; the same without the silence before it, but for one frame.

    Engines begin with up to 200 ms of it, which the caller would hear as a slow answer. The silence
    at the end stays: it is the pause between two sentences.
    """
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _SOUND)
    return samples[max(0, int(loud[0]) - FRAME) :] if len(loud) else samples


def _active_level(samples: NDArray[np.float32]) -> float:
    """RMS of the frames in which there is speech."""
    whole = len(samples) // FRAME * FRAME
    if not whole:
        return 0.0
    power = np.square(samples[:whole]).reshape(-1, FRAME).mean(axis=1)
    active = power[power >= power.max() * _ACTIVE**2]
    return float(np.sqrt(active.mean()))


def _bent(peaks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keeps the slope at the knee and nears full scale: the ear takes it for the same sound."""
    room = 1 - _KNEE
    over = np.abs(peaks) - _KNEE
    bent = np.sign(peaks) * (_KNEE + room * np.tanh(over / room))
    return bent.astype(np.float32)
