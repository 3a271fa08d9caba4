"""What simulated callers say: a hum, a WAV file, or a text spoken by a synthesiser.

All as int16[n] at 16 kHz.
"""

from __future__ import annotations

import wave
from functools import lru_cache
from pathlib import Path

import numpy as np
from twisted.internet.defer import Deferred

from rapida_tw.audio.format import RATE, Samples
from rapida_tw.audio.resample import resample_all
from rapida_tw.speech.base import Options, Pieces, SynthesizerProvider

_PITCH = 130.0  # Hz
_HARMONICS = 12  # up to 1560 Hz: the band that any telephone codec and detector knows as voice
_SYLLABLE = 4.0  # Hz


@lru_cache(maxsize=64)
def hum(seconds: float, level: float = -18.0) -> Samples:
    """Something like a voice, `level` dBFS at its loudest: harmonics that swell and fall.

    Loud from its first to its last millisecond, so that it can be timed. Read-only.
    """
    time = np.arange(round(seconds * RATE)) / RATE
    harmonics = sum(np.sin(2 * np.pi * _PITCH * n * time + n * n) / n for n in range(1, _HARMONICS))
    swell = 0.75 + 0.25 * np.cos(2 * np.pi * _SYLLABLE * time)
    sound = np.asarray(harmonics) * swell
    loudest = np.abs(sound).max(initial=1e-9)
    samples: Samples = np.rint(sound / loudest * 32767 * 10 ** (level / 20)).astype(np.int16)
    samples.flags.writeable = False
    return samples


def read_wav(path: Path) -> Samples:
    """A WAV file of 16-bit samples, its channels mixed; `ValueError` says what else it is."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is not a WAV file that can be read: {error}") from error
    if width != 2:
        raise ValueError(f"{path} has {8 * width}-bit samples; 16-bit ones are needed")
    whole = len(data) // (2 * channels) * channels
    frames = np.frombuffer(data, "<i2", whole).reshape(-1, channels)
    mixed = frames.mean(axis=1).round().astype(np.int16)
    return resample_all(mixed, rate, RATE)


def speak(
    provider: SynthesizerProvider, text: str, options: Options | None = None
) -> Deferred[Samples]:
    """`text` in the provider's voice; errbacks with `VendorFailed`. Cancelling stops the voice."""
    return Deferred.fromCoroutine(_speak(provider, text, options or {}))


async def _speak(provider: SynthesizerProvider, text: str, options: Options) -> Samples:
    voice = provider.open(options)
    pieces = Pieces()
    try:
        await voice.start()
        await voice.say(text, pieces)
    finally:
        await voice.stop()
    return np.concatenate((np.zeros(0, np.int16), *pieces.samples))
