"""A stereo WAV file that can be played at any moment of its being written.

Blocking calls, for a writer's thread; every method lets `OSError` through. After each `append` the
two sizes in the header are those of what is on disk, so a process that is killed leaves a file
that any player opens (RIFF, WAVE_FORMAT_PCM: 16 bit, little-endian, left sample first).
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np

from rapida_tw.audio.format import RATE, Samples

_CHANNELS = 2
_SAMPLE_BYTES = 2
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_LARGEST = 0xFFFFFFFF - _HEADER.size  # the size fields have 32 bits: 18 hours of stereo


class StereoWav:
    """Writes `path` anew; `seconds` is how long the file is by now."""

    def __init__(self, path: Path, rate: int = RATE) -> None:
        self._rate = rate
        self._bytes = 0  # of audio, on disk
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._write_all(self._header(), 0)

    @property
    def seconds(self) -> float:
        return self._bytes / (self._rate * _CHANNELS * _SAMPLE_BYTES)

    def append(self, left: Samples, right: Samples) -> None:
        """int16[n] each, at the file's rate; written out before this returns."""
        block = np.empty((len(left), _CHANNELS), "<i2")
        block[:, 0] = left
        block[:, 1] = right
        self._write_all(block.tobytes(), _HEADER.size + self._bytes)
        # Only now: a header never promises what is not there.
        self._bytes += block.nbytes
        self._write_all(self._header(), 0)

    def close(self) -> None:
        """Free the descriptor; idempotent."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _header(self) -> bytes:
        size = min(self._bytes, _LARGEST)
        block = _CHANNELS * _SAMPLE_BYTES
        return _HEADER.pack(
            b"RIFF",
            size + _HEADER.size - 8,
            b"WAVE",
            b"fmt ",
            16,
            1,
            _CHANNELS,
            self._rate,
            self._rate * block,
            block,
            8 * _SAMPLE_BYTES,
            b"data",
            size,
        )

    def _write_all(self, data: bytes, position: int) -> None:
        while data:
            written = os.pwrite(self._fd, data, position)
            data, position = data[written:], position + written
