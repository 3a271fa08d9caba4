"""LiveItems: what a live model says, in the playout, and what was heard of it.

A reply is one or several items; each is a part of the playout's ledger, whose words may be told
before its sound or after it.
"""

from __future__ import annotations

from dataclasses import dataclass

from rapida_tw.audio.format import TICK_MS, TICKS_PER_SECOND, Samples
from rapida_tw.media.playout import Playout

MOST = 180 * TICKS_PER_SECOND  # frames that may wait; a model that talks for longer is out of hand


@dataclass(frozen=True, slots=True)
class HeardItem:
    """`text` is what was heard of it, `ms` for how long; `whole`: all of it."""

    item: str
    text: str
    ms: int
    whole: bool


@dataclass(slots=True)
class _Item:
    part: int
    words: str = ""
    complete: bool = False


class LiveItems:
    """The items of one reply, of which one at a time is spoken."""

    def __init__(self, playout: Playout) -> None:
        self._playout = playout
        self._items: dict[str, _Item] = {}  # those with sound, in their order
        self._early: dict[str, str] = {}  # words of items without sound
        self._speaking = ""  # the item whose sound is being written

    def __bool__(self) -> bool:
        """There is something to be heard."""
        return bool(self._items)

    def audio(self, item: str, samples: Samples, payload: bytes = b"") -> None:
        """The item's next sound; `payload` as for `Playout.write`."""
        if item != self._speaking:
            if item in self._items:
                return  # its sound was complete
            self.finish()
            words = self._early.pop(item, "")
            self._items[item] = _Item(len(self._items), words)
            self._speaking = item
            self._playout.begin(words, self._items[item].part)
        if self._playout.queued < MOST:
            self._playout.write(samples, payload)

    def words(self, item: str, delta: str) -> None:
        """The item's next words."""
        known = self._items.get(item)
        if known is None:
            self._early[item] = self._early.get(item, "") + delta
        else:
            known.words += delta
            self._playout.add_words(known.part, delta)

    def spoken(self, item: str) -> None:
        """The item's sound is complete."""
        if item == self._speaking:
            self.finish()

    def finish(self, complete: bool = True) -> None:
        """No more sound comes; unless `complete`, the latest item was not given whole."""
        item, self._speaking = self._items.get(self._speaking), ""
        if item is not None:
            item.complete = complete
            self._playout.finish(complete)

    def text(self) -> str:
        """All words so far, heard or not."""
        return " ".join(item.words.strip() for item in self._items.values()).strip()

    def take(self) -> list[HeardItem]:
        """Empty the playout, at once; what was heard, in order."""
        playout, items = self._playout, self._items
        playout.pause()  # what the far side has not played comes back, and does not count
        lengths = {name: playout.heard_of(item.part) for name, item in items.items()}
        said = playout.clear()
        self._items, self._early, self._speaking = {}, {}, ""
        return [
            HeardItem(
                name,
                said.get(item.part, "").strip(),
                lengths[name][0] * TICK_MS,
                item.complete and lengths[name][0] == lengths[name][1],
            )
            for name, item in items.items()
        ]
