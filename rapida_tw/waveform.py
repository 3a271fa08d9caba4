"""The outline of a recording: lowest and highest sample of each short bin, and where sound is.

A stereo WAV file is read in one pass of seconds, so that an hour needs no more memory than a
minute.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MOST_BINS = 200_000  # a track: 18 ms for an hour, and every sample of the first 12 s
_LOUD = 300  # peak of a bin that counts as sound: -41 dBFS
_PAUSE = 0.5  # seconds that belong to one utterance


@dataclass(frozen=True, slots=True)
class Waveform:
    """Two tracks, caller first: `low` and `high` are int16[2, bins] of `bin_seconds` each."""

    low: NDArray[np.int16]
    high: NDArray[np.int16]
    bin_seconds: float
    duration: float  # seconds

    def columns(self, start: float, end: float, count: int) -> tuple[NDArray[np.int16], ...]:
        """`low` and `high` of `count` equal pieces from `start` to `end`: int16[2, count] each.

        Behind the end of the recording there is silence.
        """
        edges = np.floor(np.linspace(start, end, count + 1) / self.bin_seconds).astype(int)
        first, length = edges[:-1], self.low.shape[1]
        inside = int(np.count_nonzero(first < length))
        low = np.zeros((2, count), np.int16)
        high = np.zeros((2, count), np.int16)
        if inside:
            stop = min(length, max(edges[inside], first[inside - 1] + 1))
            places = first[:inside]
            low[:, :inside] = np.minimum.reduceat(self.low[:, :stop], places, axis=1)
            high[:, :inside] = np.maximum.reduceat(self.high[:, :stop], places, axis=1)
        return low, high

    def sounds(self, track: int) -> list[tuple[float, float]]:
        """Begin and end of every utterance of a track (0 caller, 1 assistant), in seconds."""
        loud = np.flatnonzero((self.high[track] > _LOUD) | (self.low[track] < -_LOUD))
        if not len(loud):
            return []
        breaks = np.flatnonzero(np.diff(loud) * self.bin_seconds > _PAUSE)
        starts = loud[np.concatenate(([0], breaks + 1))]
        ends = loud[np.concatenate((breaks, [len(loud) - 1]))] + 1
        return [
            (float(start * self.bin_seconds), float(end * self.bin_seconds))
            for start, end in zip(starts, ends, strict=True)
        ]


def read_waveform(path: Path) -> Waveform:
    """The outline of a 16-bit WAV file, mono (then the caller's) or stereo.

    `OSError` where it cannot be read, `ValueError` where it is something else.
    """
    try:
        with wave.open(str(path), "rb") as file:
            return _read(file)
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is not a WAV file that can be read: {error}") from error


def _read(file: wave.Wave_read) -> Waveform:
    if file.getsampwidth() != 2:
        raise ValueError(f"{8 * file.getsampwidth()}-bit samples; 16-bit ones are needed")
    rate, channels, frames = file.getframerate(), file.getnchannels(), file.getnframes()
    size = max(1, -(-frames // _MOST_BINS))  # samples a bin
    chunk = max(1, rate // size) * size
    lows: list[NDArray[np.int16]] = [np.zeros((2, 0), np.int16)]
    highs: list[NDArray[np.int16]] = [np.zeros((2, 0), np.int16)]
    while data := file.readframes(chunk):
        whole = len(data) // (2 * channels) * channels
        samples = np.frombuffer(data, "<i2", whole).reshape(-1, channels)[:, :2].T
        if channels == 1:
            samples = np.concatenate((samples, np.zeros_like(samples)))
        padded = np.pad(samples, ((0, 0), (0, -samples.shape[1] % size)))
        bins = padded.reshape(2, -1, size)
        lows.append(bins.min(axis=2))
        highs.append(bins.max(axis=2))
    return Waveform(np.hstack(lows), np.hstack(highs), size / rate, frames / rate)
