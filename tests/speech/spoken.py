"""Callers for tests, spoken by flite; and the noises callers make."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from threading import Event

import numpy as np
from twisted.trial.unittest import SkipTest

from rapida_tw.audio.format import FRAME, RATE, Samples
from rapida_tw.audio.resample import resample_all
from rapida_tw.speech.engine import EngineMissing
from rapida_tw.speech.flite import Flite
from rapida_tw.speech.loudness import at_telephone_level

NO_POCKETSPHINX = "" if find_spec("pocketsphinx") else "pocketsphinx is not installed"


@lru_cache
def flite() -> Flite:
    """The engine; skips the test that asks for it where it is not installed."""
    try:
        return Flite()
    except EngineMissing as error:
        raise SkipTest(str(error)) from None


@lru_cache
def spoken(text: str, voice: str = "slt") -> Samples:
    """`text` as a caller says it over a telephone: 300 ms of line, voice, 600 ms of line."""
    samples, rate = flite().speak(text, voice, 1.0, Event())
    narrow = resample_all(resample_all(samples, rate, 8_000), 8_000, RATE)
    return on_the_line(at_telephone_level(narrow))


def cough(seed: int) -> Samples:
    """300 ms of noise that falls off, on the line."""
    random = np.random.default_rng(seed)
    time = np.arange(RATE * 3 // 10)
    burst = (
        random.standard_normal(len(time)) * 6000 * np.exp(-time / 1200) * np.minimum(1, time / 80)
    )
    return on_the_line(np.clip(burst, -32_000, 32_000).astype(np.int16))


def on_the_line(samples: Samples) -> Samples:
    """With line noise around and below it; a whole number of frames."""
    length = -(-(len(samples) + RATE * 9 // 10) // FRAME) * FRAME
    line = np.random.default_rng(1).standard_normal(length) * 8
    start = RATE * 3 // 10
    line[start : start + len(samples)] += samples
    return line.astype(np.int16)


def frames(samples: Samples) -> Samples:
    """int16[n, 320]."""
    return samples.reshape(-1, FRAME)
