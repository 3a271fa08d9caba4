"""Straight: a voice's own bytes for the frames of a playout, sent as the vendor made them.

A vendor that speaks the leg's format gives its sound twice: as samples, for all who listen in the
house, and as it is. Both are cut into frames side by side, and a frame whose bytes are all there is
neither resampled nor encoded again.
"""

from __future__ import annotations

import numpy as np

from rapida_tw.audio.format import AudioFormat, Samples
from rapida_tw.media.codecs import CODECS

_BEHIND = 1  # frames that the bytes may be behind their samples; more, and they are not the same
_FADE_MS = 5  # of a step in the sound, where one way of making it gives over to the other


class Straight:
    """The bytes of one playout. Frames have numbers, counted from its last clear."""

    def __init__(self, told: AudioFormat | None) -> None:
        """`told`: the format of the leg that voices were told of."""
        self.frames: dict[int, bytes] = {}
        self.going = False  # the bytes of the phrase under way have come with all its samples
        self._told = told
        self._accepts = False
        self._rest = bytearray()
        self._frame_bytes = self._sample_bytes = 1
        self._silence = b""

    def set_format(self, format: AudioFormat) -> None:
        """The leg's present one: bytes in another are of no use.

        Nor are those of a codec that remembers what it wrote before.
        """
        told, codec = self._told, CODECS.get(format.encoding)
        same = told is not None and (told.encoding, told.rate) == (format.encoding, format.rate)
        same = same and codec is not None
        if not same:
            self.frames.clear()
            self.stop()
        self._accepts = same
        self._frame_bytes, self._sample_bytes = format.frame_bytes, format.sample_bytes
        if codec is not None:
            self._silence = codec.encode(np.zeros(1, np.int16))[:1]

    def begin(self, clean: bool) -> None:
        """A phrase begins, `clean`ly unless samples of the one before are still waiting."""
        self.going = self._accepts and clean
        self._rest.clear()

    def stop(self) -> None:
        """What follows of the phrase has no bytes."""
        self.going = False
        self._rest.clear()

    def feed(self, payload: bytes, first: int, whole: int) -> int:
        """A piece came, and with it there are `whole` frames of samples, from number `first` on.

        Returns how many of them may be queued: not those whose bytes are still to come.
        """
        self._rest += payload
        size = self._frame_bytes
        ready = min(whole, len(self._rest) // size)
        if not payload or whole - ready > _BEHIND:
            self.stop()
            return whole
        for number in range(ready):
            self.frames[first + number] = bytes(self._rest[number * size : (number + 1) * size])
        del self._rest[: ready * size]
        return ready

    def finish(self, first: int, frames: int) -> None:
        """The phrase is over: its last frames are what is left, filled up with silence."""
        if self.going:
            del self._rest[len(self._rest) // self._sample_bytes * self._sample_bytes :]
            size = self._frame_bytes
            for number in range(frames):
                piece = bytes(self._rest[number * size : (number + 1) * size])
                self.frames[first + number] = piece.ljust(size, self._silence)

    def clear(self) -> None:
        """Forget all, and count from the beginning."""
        self.frames.clear()
        self.begin(clean=True)


def joined(sound: Samples, step: int, rate: int) -> Samples:
    """int16[n] at `rate` behind sound that ended `step` above it: without the click."""
    length = min(rate * _FADE_MS // 1000, len(sound))
    if not step or not length:
        return sound
    fading = step * np.arange(length, 0, -1) / (length + 1)
    begun = np.rint(np.clip(sound[:length] + fading, -32768, 32767)).astype(np.int16)
    return np.concatenate((begun, sound[length:]))
