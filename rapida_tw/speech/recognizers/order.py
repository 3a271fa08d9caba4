"""InOrder: pieces of speech whose texts become final in any order, told in that of speech."""

from __future__ import annotations

from rapida_tw.speech.recognizers.wire import Event, Final, Partial

_WAITING = 2  # complete pieces that wait for one before them, which may never be completed


class InOrder:
    """A piece is known by its key from when it is first named until it has been told."""

    def __init__(self) -> None:
        self._texts: dict[object, str] = {}  # of pieces that have not been told, in order
        self._complete: set[object] = set()

    def __bool__(self) -> bool:
        """Something is still to come."""
        return bool(self._texts)

    def begin(self, key: object) -> None:
        self._texts.setdefault(key, "")

    def grow(self, key: object, more: str) -> Partial:
        self._texts[key] = self._texts.get(key, "") + more
        return self._partial()

    def so_far(self, key: object, text: str) -> Partial:
        self._texts[key] = text
        return self._partial()

    def complete(self, key: object, text: str) -> list[Event]:
        """Its text will not change; "" when there was none. What can be told by now."""
        self._texts[key] = text
        self._complete.add(key)
        told: list[Event] = []
        for first, words in tuple(self._texts.items()):
            if first not in self._complete and len(self._complete) <= _WAITING:
                break
            del self._texts[first]
            self._complete.discard(first)
            if words.strip():
                told.append(Final(words.strip()))
        told.append(self._partial())
        return told

    def _partial(self) -> Partial:
        return Partial(" ".join(words for text in self._texts.values() if (words := text.strip())))
