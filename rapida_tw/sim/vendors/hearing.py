"""Scripted hearing for fakes of recognisers: which words come is written, when is in the audio.

Time is the audio received, never a clock: who sends twice as fast is understood twice as early.
Voice is what is loud. Base64 and the vendor's messages are the fakes' own business.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Levels = NDArray[np.int32]

_BLOCK = 50  # of them a second: what is looked at together
_CERTAIN = 3  # loud blocks in a row are a voice, fewer a click
_LOUD = 250  # mean amplitude of a block of voice: -42 dBFS
_WAV = struct.Struct("<4sI4s4sIHHIIHH")


class Word(NamedTuple):
    """Seconds of the stream."""

    text: str
    start: float
    end: float


class Began(NamedTuple):
    """A voice, since `began`."""

    began: float
    at: float  # seconds received when it was noticed


class Words(NamedTuple):
    """The words so far; one more each time."""

    words: tuple[Word, ...]
    began: float
    at: float

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


class Ended(NamedTuple):
    """The voice fell silent at `ended`, or somebody asked (`flushed`). All its words."""

    words: tuple[Word, ...]
    began: float
    ended: float
    at: float
    flushed: bool = False

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


Heard = Began | Words | Ended


class Script:
    """What will be said, an utterance each; "" is a cough, and so is all that comes after the last.

    One script for all connections of a caller: an utterance that was not heard to its end, because
    the connection broke, is the next one's first.
    """

    def __init__(self, sentences: Iterable[str] = ()) -> None:
        self.left = list(sentences)

    def first(self) -> tuple[str, ...]:
        """The words of the utterance that is under way."""
        return tuple(self.left[0].split()) if self.left else ()

    def told(self) -> None:
        """It was told to its end."""
        del self.left[:1]


class Hearing:
    """One stream. `silence`: seconds after which an utterance has ended; None: only when flushed.

    `encoding`: linear16, mulaw or alaw. `pace`: seconds of voice a word. `ValueError` for another
    encoding.
    """

    def __init__(
        self,
        script: Script,
        encoding: str,
        rate: int,
        silence: float | None = 0.3,
        pace: float = 0.3,
    ) -> None:
        if encoding not in ("linear16", *_LAWS):
            raise ValueError(f"encoding {encoding!r}")
        self._script = script
        self._law = _LAWS.get(encoding)
        self._sample = 1 if self._law is not None else 2
        self._block = rate // _BLOCK  # samples
        self._rate = rate
        self._silence = silence
        self._pace = pace
        self._tail = b""
        self._blocks = 0
        self._loud = self._quiet = 0  # blocks in a row, up to now
        self._voiced = 0  # blocks of the utterance
        self._began: float | None = None
        self._words: tuple[Word, ...] = ()
        self._told = 0

    @property
    def seconds(self) -> float:
        """How much audio has come, in whole blocks of 20 ms."""
        return self._blocks / _BLOCK

    @property
    def speaking(self) -> bool:
        """An utterance has begun and not ended."""
        return self._began is not None

    def hear(self, audio: bytes) -> list[Heard]:
        """The next bytes of the stream, cut anywhere."""
        data = self._tail + audio
        size = self._block * self._sample
        whole = len(data) // size * size
        self._tail = data[whole:]
        heard: list[Heard] = []
        for loud in self._loudness(data[:whole]) >= _LOUD:
            self._blocks += 1
            self._hear(bool(loud), heard)
        return heard

    def flush(self) -> list[Heard]:
        """End the utterance now, if there is one."""
        heard: list[Heard] = []
        if self._began is not None:
            self._end(heard, flushed=True)
        return heard

    def _loudness(self, data: bytes) -> NDArray[np.float64]:
        if self._law is not None:
            levels = self._law[np.frombuffer(data, np.uint8)]
        else:
            levels = np.abs(np.frombuffer(data, "<i2").astype(np.int32))
        means: NDArray[np.float64] = levels.reshape(-1, self._block).mean(axis=1)
        return means

    def _hear(self, loud: bool, heard: list[Heard]) -> None:
        self._loud = self._loud + 1 if loud else 0
        self._quiet = 0 if loud else self._quiet + 1
        if self._began is None:
            if self._loud >= _CERTAIN:
                self._begin(heard)
            return
        self._voiced += loud
        known = min(int(self._voiced / _BLOCK / self._pace + 1e-9), len(self._words))
        if known > self._told:
            self._told = known
            heard.append(Words(self._words[:known], self._began, self.seconds))
        if self._silence is not None and self._quiet / _BLOCK >= self._silence - 1e-9:
            self._end(heard)

    def _begin(self, heard: list[Heard]) -> None:
        self._began = began = (self._blocks - self._loud) / _BLOCK
        self._voiced, self._told = self._loud, 0
        self._words = tuple(
            Word(text, began + number * self._pace, began + (number + 1) * self._pace)
            for number, text in enumerate(self._script.first())
        )
        heard.append(Began(began, self.seconds))

    def _end(self, heard: list[Heard], flushed: bool = False) -> None:
        began, self._began = self._began or 0.0, None
        ended = (self._blocks - self._quiet) / _BLOCK
        heard.append(Ended(self._words, began, ended, self.seconds, flushed))
        self._loud = self._quiet = 0
        self._script.told()


def read_wav(data: bytes) -> tuple[int, bytes]:
    """Rate and samples of a plain mono WAV of 16 bits; `ValueError` for any other file."""
    if len(data) < _WAV.size + 8:
        raise ValueError("too short for a WAV")
    riff, _, wave, fmt, size, kind, channels, rate, _, _, bits = _WAV.unpack_from(data)
    if (riff, wave, fmt, size) != (b"RIFF", b"WAVE", b"fmt ", 16):
        raise ValueError("no WAV")
    if (kind, channels, bits) != (1, 1, 16):
        raise ValueError("not one channel of 16-bit PCM")
    name, length = struct.unpack_from("<4sI", data, _WAV.size)
    samples = data[_WAV.size + 8 :]
    if name != b"data" or length != len(samples):
        raise ValueError("a data chunk that is not as long as it says")
    return rate, samples


def _mulaw() -> _Levels:
    """Amplitude of each code: G.711's decision values, scaled to 16 bits."""
    codes = ~np.arange(256, dtype=np.uint8)
    segment = ((codes >> 4) & 7).astype(np.int32)
    return (((codes & 15).astype(np.int32) << 3) + 132 << segment) - 132


def _alaw() -> _Levels:
    codes = np.arange(256, dtype=np.uint8) ^ 0x55
    segment = ((codes >> 4) & 7).astype(np.int32)
    step = ((codes & 15).astype(np.int32) << 4) + 8
    return np.where(segment == 0, step, step + 256 << np.maximum(segment - 1, 0))


_LAWS: Mapping[str, _Levels] = {"mulaw": _mulaw(), "alaw": _alaw()}
