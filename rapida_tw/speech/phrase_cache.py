"""Phrases that were spoken lately: greetings and questions are said in every call."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class Weighed(Protocol):
    """A phrase's sound."""

    @property
    def nbytes(self) -> int:
        """What it takes to keep it."""


K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Weighed)


class PhraseCache(Generic[K, V]):
    """Keeps sound up to `most` bytes; the longest unused goes first."""

    def __init__(self, most: int = 32 << 20) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()
        self.size = 0  # bytes

    def get(self, key: K) -> V | None:
        sound = self._kept.get(key)
        if sound is not None:
            self._kept.move_to_end(key)
        return sound

    def __contains__(self, key: K) -> bool:
        """Whether it is kept; it counts as no use of it."""
        return key in self._kept

    def put(self, key: K, sound: V) -> None:
        """Keep it, unless it alone is too large. Nobody may change it from now on."""
        self._forget(key)
        if sound.nbytes > self._most:
            return
        self._kept[key] = sound
        self.size += sound.nbytes
        while self.size > self._most:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: K) -> None:
        sound = self._kept.pop(key, None)
        if sound is not None:
            self.size -= sound.nbytes
