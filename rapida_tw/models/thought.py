"""ThoughtFilter: takes a model's thinking out of its text, before it is spoken.

Servers of open models leave `<think>...</think>` in the text when they were not told how the model
marks its thoughts (vLLM's `--reasoning-parser`, llama.cpp's `--reasoning-format`).
"""

from __future__ import annotations

import re

_TAG = re.compile(r"<(/?)think(?:ing)?>")
_PARTS = frozenset(
    tag[:length]
    for tag in ("<think>", "<thinking>", "</think>", "</thinking>")
    for length in range(1, len(tag))
)
_LONGEST = max(map(len, _PARTS))


class ThoughtFilter:
    """For the text of one answer, cut anywhere. Keeps no more than the beginning of a tag."""

    def __init__(self) -> None:
        self._tail = ""
        self._thinking = False
        self._fresh = False  # the thought is over, and no word has come since

    def feed(self, delta: str) -> str:
        """What of the next piece is spoken."""
        text = self._tail + delta
        self._tail = ""
        spoken = []
        while found := _TAG.search(text):
            if not self._thinking:
                spoken.append(self._said(text[: found.start()]))
            self._thinking = not found[1]
            self._fresh = self._fresh or bool(found[1])
            text = text[found.end() :]
        kept = next((n for n in range(_LONGEST, 0, -1) if text[-n:] in _PARTS), 0)
        kept = min(kept, len(text))
        if kept:
            text, self._tail = text[:-kept], text[-kept:]
        if not self._thinking:
            spoken.append(self._said(text))
        return "".join(spoken)

    def finish(self) -> str:
        """The text is over: what looked like a tag and was none."""
        rest, self._tail = self._tail, ""
        return "" if self._thinking else self._said(rest)

    def _said(self, text: str) -> str:
        """The empty lines behind a thought belong to it."""
        if self._fresh:
            text = text.lstrip()
            self._fresh = not text
        return text
