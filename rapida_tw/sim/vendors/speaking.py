"""Speaking: a text as sound that a test can recognise, in whatever format a vendor is asked for.

Each character is a tone of 60 ms, its frequency says which one, and a space is silence. So a test
reads off the sound what was said, in which order, and whether anything is missing or was bent on
its way. The codecs are this file's own: sharing ours would share their mistakes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapida_tw.audio.format import RATE, Samples

CELL = 0.06  # seconds a character
UNKNOWN = "\N{REPLACEMENT CHARACTER}"  # a cell that is no tone of ours

# The 95 printable characters of ASCII, within what a telephone passes.
_LOWEST = 400.0  # Hz
_STEP = 30.0  # Hz
_TONES = 95
_FREQUENCIES = _LOWEST + _STEP * np.arange(_TONES)
_AMPLITUDE = 8000.0  # -12 dBFS
_EDGE = 0.002  # seconds of fade at both ends, so that no tone clicks
_SILENT = 300.0  # RMS below which a cell is a space
_PURE = 0.8  # of a cell's power that its tone must have

# Of pieces, in bytes: with a sample cut in two, with a single byte, none of them a frame.
SIZES = (1601, 999, 1, 3200, 2047)

LINEAR, FLOAT, MULAW, ALAW = "s16le", "f32le", "mulaw", "alaw"
_BYTES = {LINEAR: 2, FLOAT: 4, MULAW: 1, ALAW: 1}

_Numbers = NDArray[np.int32]


class Timed(NamedTuple):
    """A word or a character, in seconds from the beginning of its text."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a text's sound; `characters` are those that begin in it, `start` is in seconds."""

    payload: bytes
    start: float
    characters: tuple[Timed, ...]
    words: tuple[Timed, ...]


class Spoken:
    """A text, spoken. `form` is one of LINEAR, FLOAT, MULAW, ALAW; `rate` in Hz."""

    def __init__(self, text: str, rate: int, form: str = LINEAR) -> None:
        self.text = text
        self.audio = encode(tones(text, rate), form)
        self.characters = tuple(
            Timed(character, place * CELL, (place + 1) * CELL)
            for place, character in enumerate(text)
        )
        self.words = tuple(_words(text))
        self._second = rate * _BYTES[form]  # bytes

    @property
    def seconds(self) -> float:
        return len(self.audio) / self._second

    def pieces(self, sizes: tuple[int, ...] = SIZES) -> Iterator[Piece]:
        """All of it, cut after so many bytes, over and over."""
        start = 0
        for size in cycle(sizes):
            if start >= len(self.audio):
                return
            payload = self.audio[start : start + size]
            begin, end = start / self._second, (start + len(payload)) / self._second
            start += size
            yield Piece(
                payload,
                begin,
                tuple(one for one in self.characters if begin <= one.start < end),
                tuple(one for one in self.words if begin <= one.start < end),
            )


def _words(text: str) -> Iterator[Timed]:
    place = 0
    for word in text.split():
        place = text.index(word, place)
        yield Timed(word, place * CELL, (place + len(word)) * CELL)
        place += len(word)


# -- tones ----------------------------------------------------------------------------------------


def tones(text: str, rate: int) -> Samples:
    """int16[n] at `rate`: the text's tones, -12 dBFS."""
    cells = [_tone(_place(character), rate) for character in text]
    return np.concatenate(cells) if cells else np.zeros(0, np.int16)


def understood(samples: Samples, rate: int = RATE) -> str:
    """The text of int16[n] at `rate` that begins with its first tone, give or take 5 ms.

    Other scripts come back as some printable character, always the same: compare with `plain`.
    """
    size = round(CELL * rate)
    count = round(len(samples) / size)
    heard = np.zeros(count * size)
    heard[: len(samples)] = samples[: count * size]
    # The middle of each cell: a resampler's delay and the fades are outside.
    middle = slice(size // 6, size - size // 6)
    return "".join(_read(cell[middle], rate) for cell in heard.reshape(count, size))


def plain(text: str) -> str:
    """What `understood` makes of the sound of `text`."""
    return "".join(chr(32 + _place(character)) for character in text)


def _read(cell: NDArray[np.float64], rate: int) -> str:
    power = float(np.square(cell).mean())
    if power < _SILENT**2:
        return " "
    waves = _waves(len(cell), rate)
    powers = np.square(np.abs(waves @ cell)) * 2 / len(cell) ** 2
    best = int(powers.argmax())
    return chr(32 + best) if powers[best] > _PURE * power else UNKNOWN


def _place(character: str) -> int:
    return (ord(character) - 32) % _TONES


@lru_cache(maxsize=1024)
def _tone(place: int, rate: int) -> Samples:
    size = round(CELL * rate)
    if not place:
        return np.zeros(size, np.int16)
    count = np.arange(size)
    edge = np.minimum(1.0, np.minimum(count + 1, size - count) / (_EDGE * rate))
    wave = np.sin(2 * np.pi * _FREQUENCIES[place] * count / rate)
    tone: Samples = np.rint(_AMPLITUDE * edge * wave).astype(np.int16)
    return tone


@lru_cache(maxsize=8)
def _waves(size: int, rate: int) -> NDArray[np.complex128]:
    waves: NDArray[np.complex128] = np.exp(
        -2j * np.pi * _FREQUENCIES[:, None] * np.arange(size) / rate
    )
    return waves


# -- formats --------------------------------------------------------------------------------------


def encode(samples: Samples, form: str) -> bytes:
    """int16[n] as a vendor sends it; little-endian."""
    if form == LINEAR:
        return samples.astype("<i2").tobytes()
    if form == FLOAT:
        return (samples / np.float32(32768)).astype("<f4").tobytes()
    _, thresholds = (_mulaw_levels if form == MULAW else _alaw_levels)()
    numbers = np.searchsorted(thresholds, np.abs(samples.astype(np.int32)), "right")
    negative = samples < 0
    if form == MULAW:  # sent inverted: the sign bit set is plus
        return (0xFF - numbers - 0x80 * negative).astype(np.uint8).tobytes()
    return ((numbers + 0x80 * ~negative) ^ 0x55).astype(np.uint8).tobytes()


def decode(payload: bytes, form: str) -> Samples:
    """And back: for tests of what was sent straight through."""
    samples: Samples
    if form == LINEAR:
        samples = np.frombuffer(payload, "<i2").astype(np.int16)
    elif form == FLOAT:
        samples = np.rint(np.frombuffer(payload, "<f4") * 32768).astype(np.int16)
    else:
        toggled, (levels, _) = (0xFF, _mulaw_levels()) if form == MULAW else (0xD5, _alaw_levels())
        codes = np.frombuffer(payload, np.uint8) ^ np.uint8(toggled)
        values = levels[codes & 0x7F]
        samples = np.where(codes & 0x80, -values, values).astype(np.int16)
    return samples


@lru_cache(maxsize=1)
def _mulaw_levels() -> tuple[_Numbers, NDArray[np.float64]]:
    """G.711, table 2a: 128 magnitudes (at 16 bits), each segment's steps twice those before."""
    steps = np.repeat(8 * 2 ** np.arange(8), 16)
    levels = np.concatenate(([0], np.cumsum((steps[:-1] + steps[1:]) / 2))).astype(np.int32)
    return levels, (levels[:-1] + levels[1:]) / 2


@lru_cache(maxsize=1)
def _alaw_levels() -> tuple[_Numbers, NDArray[np.float64]]:
    """G.711, table 1a: the first two segments have the same step."""
    steps = np.repeat(16 * 2 ** np.maximum(np.arange(8) - 1, 0), 16)
    levels = np.concatenate(([8], 8 + np.cumsum((steps[:-1] + steps[1:]) / 2))).astype(np.int32)
    return levels, (levels[:-1] + levels[1:]) / 2


def wav(audio: bytes, rate: int, form: str = LINEAR, unknown_length: bool = False) -> bytes:
    """The sound with a RIFF header; of `unknown_length`, as servers write that stream."""
    tag = {LINEAR: 1, FLOAT: 3, ALAW: 6, MULAW: 7}[form]
    size = _BYTES[form]
    kind = struct.pack("<HHIIHH", tag, 1, rate, rate * size, size, 8 * size)
    length = 0xFFFFFFFF if unknown_length else len(audio)
    whole = 0xFFFFFFFF if unknown_length else 36 + len(audio)
    return b"".join(
        (
            *(b"RIFF", struct.pack("<I", whole), b"WAVE"),
            *(b"fmt ", struct.pack("<I", len(kind)), kind),
            *(b"data", struct.pack("<I", length), audio),
        )
    )
