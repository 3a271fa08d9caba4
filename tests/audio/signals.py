"""Signals to measure with, and the measures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rapida_tw.audio.format import Samples

Floats = NDArray[np.float64]


def sine(frequency: float, rate: int, seconds: float, amplitude: float = 10_000) -> Samples:
    time = np.arange(round(rate * seconds)) / rate
    return np.rint(amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.int16)


def noise(count: int, amplitude: float = 3000, seed: int = 1) -> Samples:
    return (np.random.default_rng(seed).standard_normal(count) * amplitude).astype(np.int16)


def tone_and_rest(samples: Samples, frequency: float, rate: int) -> tuple[float, float]:
    """RMS of the sine at `frequency` that fits best, and RMS of all that is left."""
    phase = 2 * np.pi * frequency * np.arange(len(samples)) / rate
    basis = np.stack((np.sin(phase), np.cos(phase)), axis=1)
    wanted = samples.astype(np.float64)
    weights = np.linalg.lstsq(basis, wanted, rcond=None)[0]
    fitted = basis @ weights
    return rms(fitted), rms(wanted - fitted)


def rms(values: Floats | Samples) -> float:
    return float(np.sqrt(np.mean(values.astype(np.float64) ** 2)))


def decibels(ratio: float) -> float:
    return float(20 * np.log10(max(ratio, 1e-9)))
