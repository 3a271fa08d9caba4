"""Phrases that were spoken lately: greetings and questions are said in every call."""

from __future__ import annotations

from collections import OrderedDict

from rapida_tw.audio.format import Samples

Key = tuple[str, float, str]  # voice, rate, phrase


class PhraseCache:
    """Keeps audio up to `most` bytes; the longest unused goes first."""

    def __init__(self, most: int = 32 << 20) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Samples] = OrderedDict()
        self.size = 0  # bytes

    def get(self, key: Key) -> Samples | None:
        samples = self._kept.get(key)
        if samples is not None:
            self._kept.move_to_end(key)
        return samples

    def put(self, key: Key, samples: Samples) -> None:
        """Keep it, read-only, unless it alone is too large."""
        self._forget(key)
        if samples.nbytes > self._most:
            return
        samples.flags.writeable = False
        self._kept[key] = samples
        self.size += samples.nbytes
        while self.size > self._most:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Key) -> None:
        samples = self._kept.pop(key, None)
        if samples is not None:
            self.size -= samples.nbytes
