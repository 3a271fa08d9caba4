"""InOrder: pieces of speech whose texts become final in any order, told in that of speech."""

from __future__ import annotations

from rapida_tw.speech.recognizers.wire import Event, Final, Partial


class InOrder:
    """A piece is known by its key from when it is first named until it has been told.

    `patience`: how many complete pieces wait for one before them. Then that one has been lost, and
    whoever waited for its words has long made do with what they were so far.
    """

    def __init__(self, patience: int = 0) -> None:
        self._patience = patience
        self._texts: dict[object, str] = {}  # of pieces that have not been told, in order
        self._complete: dict[object, float] = {}  # with what confidence

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

    def complete(self, key: object, text: str, confidence: float = 1.0) -> list[Event]:
        """Its text will not change; "" when there was none. What can be told by now."""
        self._texts[key] = text
        self._complete[key] = confidence
        told: list[Event] = []
        for first, words in tuple(self._texts.items()):
            sure = self._complete.pop(first, None)
            if sure is None and len(self._complete) <= self._patience:
                break
            del self._texts[first]
            if sure is not None and words.strip():
                told.append(Final(words.strip(), sure))
        told.append(self._partial())
        return told

    def _partial(self) -> Partial:
        return Partial(" ".join(words for text in self._texts.values() if (words := text.strip())))
