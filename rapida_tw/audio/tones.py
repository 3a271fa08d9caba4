"""Sounds that nobody recorded: dialled digits (ITU-T Q.23), notes, comfort noise. 16 kHz, int16."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from rapida_tw.audio.format import FRAME, RATE, TICKS_PER_SECOND, Samples

_ROWS = (697, 770, 852, 941)  # Hz
_COLUMNS = (1209, 1336, 1477, 1633)
_PAIRS = {
    key: (_ROWS[place // 4], _COLUMNS[place % 4]) for place, key in enumerate("123A456B789C*0#D")
}
_FULL_SCALE = 32767.0
_EDGE = RATE // 500  # samples: 2 ms of fade at both ends, so that a tone does not click


def digits(keys: str, on: int = 5, off: int = 5, level: float = -10.0) -> Samples:
    """The tones of `keys` (0-9 A-D * #): int16[n], n a whole number of frames.

    Each key sounds `on` ticks and is followed by `off` ticks of silence (Q.24 asks a receiver to
    accept 40 ms of each). `level` is the power of a pair in dBFS, where a full-scale sine is 0.
    `ValueError` on another key.
    """
    pieces = [np.zeros(0, np.int16)]
    for key in keys.upper():
        if key not in _PAIRS:
            raise ValueError(f"no digit: {key!r}")
        pieces += (_tone(key, on, level), np.zeros(off * FRAME, np.int16))
    return np.concatenate(pieces)


@cache
def _tone(key: str, on: int, level: float) -> Samples:
    return _waved(_PAIRS[key], on, level)


def _waved(frequencies: Sequence[int], on: int, level: float) -> Samples:
    """Sines of equal power for `on` ticks, together at `level` dBFS."""
    time = np.arange(on * FRAME) / RATE
    amplitude = _FULL_SCALE * 10 ** (level / 20) / np.sqrt(len(frequencies))
    sines = sum(np.sin(2 * np.pi * frequency * time) for frequency in frequencies)
    from_start = np.arange(1, len(time) + 1)
    fade = np.clip(np.minimum(from_start, from_start[::-1]) / _EDGE, 0, 1)
    tone: Samples = np.rint(amplitude * fade * sines).astype(np.int16)
    return tone


@cache
def waiting() -> Samples:
    """Two soft notes, read-only int16[n] of whole frames: the line is not dead, there is more."""
    note = _waved((440,), 5, -24.0)
    sound = np.concatenate((note, np.zeros(4 * FRAME, np.int16), note))
    sound.flags.writeable = False
    return sound


def comfort_noise(tick: int, level: float = -65.0) -> Samples:
    """A read-only frame of quiet hiss, int16[320], at `level` dBFS; repeats after two seconds.

    The default is what a quiet telephone line has, well below any threshold of ours.
    """
    noise = _noise(level)
    frame: Samples = noise[tick % len(noise)]
    return frame


@cache
def _noise(level: float) -> Samples:
    random = np.random.default_rng(711)
    # Filtered a little: white noise is more of a hiss than lines have.
    white = random.standard_normal(2 * TICKS_PER_SECOND * FRAME + 1)
    soft = white[1:] + white[:-1]
    rms = _FULL_SCALE / np.sqrt(2) * 10 ** (level / 20)
    noise: Samples = np.rint(soft / soft.std() * rms).astype(np.int16).reshape(-1, FRAME)
    noise.flags.writeable = False
    return noise
