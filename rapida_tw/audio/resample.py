"""Sample-rate conversion: a polyphase FIR in numpy with carried state.

The ratio of the two rates is reduced to L/M: every *block* of M samples in gives L samples out.
Each output is a dot product with one phase of a Kaiser-windowed sinc that cuts at the lower of the
two Nyquist frequencies (-6 dB there) and reaches `_REACH` samples of the lower rate to both sides.
Several blocks make a *row*, and a whole chunk is one matrix product: overlapping rows of input
times one banded matrix. Measured: 3 µs for a 20 ms frame of 8 -> 16 kHz, of 16 -> 8 kHz likewise.

Taps are multiples of 2**-20, samples are 16 bit: every sum is below 2**53 and therefore exact in
float64 in whatever order BLAS adds. So how the input is cut into chunks cannot change one bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from rapida_tw.audio.format import Samples

_Floats = NDArray[np.float64]

# Half length of the filter, in samples of the lower rate: 1.75 ms at 8 kHz. With beta 6 that
# passes 300-3400 Hz of a telephone call within 0.1 dB and keeps images and aliases of that band
# 60 dB down; between 3.4 and 4.6 kHz it falls.
_REACH = 14
_BETA = 6.0
_GRAIN = 2.0**20  # taps are whole multiples of its inverse
_LOWEST = np.array(-32768.0)
_HIGHEST = np.array(32767.0)
_LOUDEST = 32767.0**2
_INT16 = np.dtype(np.int16)
_MOST = 1000  # L and M: 44.1 and 22.05 kHz need 441; more would need a matrix of gigabytes
_BLOCKS = 8  # a row: the quickest of 1 to 24; 1 for 44.1 kHz and its like
_KEPT_SIZE = 8192  # scratch for longer chunks is not kept between calls


@dataclass(frozen=True, slots=True)
class _Kernel:
    """What all resamplers of one pair of rates share."""

    up: int  # L
    down: int  # M
    blocks: int  # blocks a row
    overlap: int  # samples of input that a block needs from before itself
    delay: int  # samples of output
    taps: _Floats  # [blocks * down + overlap, blocks * up]


@lru_cache(maxsize=64)
def _kernel(source: int, target: int) -> _Kernel:
    common = gcd(source, target) if min(source, target) > 0 else 0
    if not common or max(source, target) > common * _MOST:
        raise ValueError(f"cannot convert {source} Hz to {target} Hz")
    up, down = target // common, source // common
    lower = min(source, target)
    reach = _REACH * source / lower  # in samples of input
    delay = ceil(_REACH * target / lower)
    overlap = ceil(reach + delay * down / up)
    blocks = _BLOCKS if max(up, down) <= 2 * _BLOCKS else 1
    # Row k of `taps` is the input at k - overlap, column j the output at j * down / up - delay.
    of_input = np.arange(blocks * down + overlap)[:, None] - overlap
    of_output = (np.arange(blocks * up)[None, :] - delay) * (down / up)
    distance = of_output - of_input
    inside = np.abs(distance) < reach
    window = np.i0(_BETA * np.sqrt(np.where(inside, 1 - (distance / reach) ** 2, 0)))
    taps = np.where(inside, np.sinc(distance * lower / source) * window, 0)
    taps = np.rint(taps / taps.sum(axis=0) * _GRAIN) / _GRAIN
    taps.flags.writeable = False
    return _Kernel(up, down, blocks, overlap, delay, taps)


class _Scratch:
    """Working memory of one stream for chunks of one size, with every view that a chunk needs."""

    def __init__(self, kernel: _Kernel, held: int, size: int) -> None:
        """`held` samples are kept from before the chunk, `size` come with it."""
        self.size = size
        length = held + size
        blocks = max(0, (length - kernel.overlap) // kernel.down)
        rows = -(-blocks // kernel.blocks)
        step = kernel.blocks * kernel.down
        self.input: _Floats = np.zeros(max(length, rows * step + kernel.overlap))
        self.chunk = self.input[held:length]
        # What the next chunk needs from before itself, and where it will look for it.
        self.last = self.input[blocks * kernel.down : length]
        self.first = self.input[: len(self.last)]
        self.steady = len(self.last) == held  # a next chunk of this size finds all in its place
        stride = self.input.itemsize
        shape = (rows, step + kernel.overlap)
        self.rows = as_strided(self.input, shape, (step * stride, stride), writeable=False)
        self.output: _Floats = np.empty((rows, kernel.blocks * kernel.up))
        # A last row that is not full computes more than there is input for.
        self.finished = self.output.ravel()[: blocks * kernel.up]


class Resampler:
    """Turns int16[n] at `source` Hz into int16[m] at `target` Hz, chunk by chunk of one stream.

    A whole number of 20 ms frames in gives the same number of frames out (44.1 kHz: 882 -> 320);
    other lengths keep the unfinished block for the next call. `delay` is in seconds: 1.75 ms where
    8 kHz is the lower rate, 0.875 ms where 16 kHz is. Out of range is clipped, never wrapped.
    Equal rates: the input itself is returned. `ValueError` for rates without a handy ratio.
    """

    def __init__(self, source: int, target: int) -> None:
        self._same = source == target
        self._kernel = _kernel(source, target)
        self.delay = 0.0 if self._same else self._kernel.delay / target
        self._scratch = _Scratch(self._kernel, self._kernel.overlap, 0)

    def reset(self) -> None:
        """Another stream begins: what came before is not heard in it."""
        self._scratch = _Scratch(self._kernel, self._kernel.overlap, 0)

    def __call__(self, samples: Samples) -> Samples:
        """The next samples of the stream, in; as many as are finished, out."""
        if self._same:
            return samples
        scratch = self._scratch
        if len(samples) != scratch.size or not scratch.steady:
            scratch = self._scratch = self._fitting(len(samples))
        scratch.chunk[...] = samples
        output = scratch.output
        scratch.rows.dot(self._kernel.taps, output)
        scratch.first[...] = scratch.last
        np.rint(output, output)
        finished = scratch.finished
        # Where all together have no more energy than one sample may have, none is out of range:
        # nearly always, and half as dear to find out as to clip.
        if finished.dot(finished) > _LOUDEST:
            output.clip(_LOWEST, _HIGHEST, output)
        if scratch.size > _KEPT_SIZE:
            self._scratch = self._fitting(0)
        return finished.astype(_INT16)

    @property
    def aligned(self) -> bool:
        """No block of the stream is unfinished."""
        return len(self._scratch.first) == self._kernel.overlap

    def held(self, size: int) -> _Floats:
        """What is kept of an aligned stream for a chunk of `size`, whole blocks; to be changed."""
        if size != self._scratch.size or not self._scratch.steady:
            self._scratch = self._fitting(size)
        return self._scratch.first

    def _fitting(self, size: int) -> _Scratch:
        """Memory for a chunk of another size, with what is held of the stream."""
        held = self._scratch.first
        scratch = _Scratch(self._kernel, len(held), size)
        scratch.input[: len(held)] = held
        return scratch


class Chorus:
    """Many streams of one pair of rates, of each of which a frame comes at the same time.

    The same bits as from each `Resampler` by itself, for less than half: most of a frame's price is
    that of calling numpy.
    """

    def __init__(self, source: int, target: int, size: int) -> None:
        """`size` samples a frame; `ValueError` where that is not a whole number of rows."""
        self._kernel = kernel = _kernel(source, target)
        step = kernel.blocks * kernel.down
        if source == target or size % step:
            raise ValueError(f"no frames of {size} samples for a chorus of {source} -> {target} Hz")
        self._size = size
        self._rows = size // step
        self._grow(16)

    def _grow(self, streams: int) -> None:
        kernel = self._kernel
        step = kernel.blocks * kernel.down
        self._input: _Floats = np.zeros((streams, kernel.overlap + self._size))
        line, sample = self._input.strides
        shape = (streams, self._rows, step + kernel.overlap)
        self._windows = as_strided(
            self._input, shape, (line, step * sample, sample), writeable=False
        )
        # BLAS does not take rows that overlap.
        self._apart: _Floats = np.empty(shape)
        self._output: _Floats = np.empty((streams * self._rows, kernel.blocks * kernel.up))

    def __call__(self, resamplers: Sequence[Resampler], frames: Samples) -> Samples:
        """What each, aligned, makes of its row of int16[n, size]: int16[n, m]."""
        count = len(resamplers)
        if count > len(self._input):
            self._grow(2 * count)
        kernel, size = self._kernel, self._size
        given = self._input[:count]
        held = [resampler.held(size) for resampler in resamplers]
        for row, before in zip(given, held, strict=True):
            row[: kernel.overlap] = before
        given[:, kernel.overlap :] = frames
        for row, before in zip(given, held, strict=True):
            before[...] = row[size:]
        apart, output = self._apart[:count], self._output[: count * self._rows]
        apart[...] = self._windows[:count]
        apart.reshape(len(output), -1).dot(kernel.taps, output)
        np.rint(output, output)
        if output.max() > _HIGHEST or output.min() < _LOWEST:
            output.clip(_LOWEST, _HIGHEST, output)
        return output.astype(_INT16).reshape(count, -1)


def resample_all(samples: Samples, source: int, target: int) -> Samples:
    """A whole sentence at once, undelayed: int16[n] in, int16[n * target / source] out."""
    if source == target:
        return samples
    resampler = Resampler(source, target)
    kernel = _kernel(source, target)
    length = round(len(samples) * target / source)
    # Silence behind the sentence pushes its end through the filter and fills the last block.
    silence = np.zeros(kernel.overlap + kernel.down, np.int16)
    return resampler(np.concatenate((samples, silence)))[kernel.delay : kernel.delay + length]
